//! Between the contract's types and the engine's. Nothing else in this crate knows both.

use consentry_policy as engine;

use crate::bindings;
use crate::bindings::consentry::policy::types as wit;

impl From<wit::Channel> for engine::Channel {
    fn from(channel: wit::Channel) -> Self {
        match channel {
            wit::Channel::Sms => Self::Sms,
            wit::Channel::Whatsapp => Self::Whatsapp,
            wit::Channel::Voice => Self::Voice,
            wit::Channel::Email => Self::Email,
        }
    }
}

impl From<engine::Channel> for wit::Channel {
    fn from(channel: engine::Channel) -> Self {
        match channel {
            engine::Channel::Sms => Self::Sms,
            engine::Channel::Whatsapp => Self::Whatsapp,
            engine::Channel::Voice => Self::Voice,
            engine::Channel::Email => Self::Email,
        }
    }
}

impl From<wit::ConsentRecord> for engine::ConsentRecord {
    fn from(record: wit::ConsentRecord) -> Self {
        Self {
            status: match record.status {
                wit::ConsentStatus::OptIn => engine::ConsentStatus::OptIn,
                wit::ConsentStatus::OptOut => engine::ConsentStatus::OptOut,
                wit::ConsentStatus::None => engine::ConsentStatus::None,
            },
            since: record.since,
            named_since: record.named_since,
            proof: match record.proof {
                wit::Proof::None => engine::Proof::None,
                wit::Proof::Evidence => engine::Proof::Evidence,
                wit::Proof::OwnWords => engine::Proof::OwnWords,
            },
        }
    }
}

impl From<bindings::Inbound> for engine::Inbound {
    fn from(message: bindings::Inbound) -> Self {
        Self {
            channel: message.channel.into(),
            body: message.body,
            at: message.at,
            selection: message.selection.map(|tapped| engine::Selection {
                id: tapped.id,
                title: tapped.title,
            }),
            footer: message.footer,
            question: message.question,
            last_category: message.last_category,
            country: message.country,
            language: message.language,
            answered: message.answered,
            explain: message.explain,
        }
    }
}

impl From<engine::Classification> for bindings::Classification {
    fn from(found: engine::Classification) -> Self {
        Self {
            intent: match found.intent {
                engine::Intent::OptOut => wit::Intent::OptOut,
                engine::Intent::OptIn => wit::Intent::OptIn,
                engine::Intent::Help => wit::Intent::Help,
                engine::Intent::AnswerYes => wit::Intent::AnswerYes,
                engine::Intent::AnswerNo => wit::Intent::AnswerNo,
                engine::Intent::WrongNumber => wit::Intent::WrongNumber,
                engine::Intent::Person => wit::Intent::Person,
                engine::Intent::Other => wit::Intent::Other,
            },
            scope: found.scope.map(|scope| match scope {
                engine::Scope::All => wit::Scope::All,
                engine::Scope::Channel(channel) => wit::Scope::Channel(channel.into()),
                engine::Scope::Category(category) => wit::Scope::Category(category),
                engine::Scope::Topic(words) => wit::Scope::Topic(words),
            }),
            changes: found.changes.into_iter().map(Into::into).collect(),
            reply: found.reply,
            asks: found.asks,
            route: match found.route {
                engine::Route::Disconnect => wit::Route::Disconnect,
                engine::Route::Bot => wit::Route::Bot,
                engine::Route::Agent => wit::Route::Agent,
                engine::Route::PriorityAgent => wit::Route::PriorityAgent,
            },
            priority: match found.priority {
                engine::Priority::Normal => wit::Priority::Normal,
                engine::Priority::High => wit::Priority::High,
            },
            review: found.review,
            rule: found.rule,
            matched: found.matched.map(span),
            language: found.language,
            explanation: found.explanation.map(|explanation| wit::Explanation {
                normalised: explanation.normalised,
                rejected: explanation.rejected.into_iter().map(rejection).collect(),
                ends: explanation.ends,
            }),
        }
    }
}

fn span(span: engine::Span) -> wit::Span {
    wit::Span {
        start: span.start,
        end: span.end,
    }
}

fn rejection(rejection: engine::Rejection) -> wit::Rejection {
    wit::Rejection {
        rule: rejection.rule,
        matched: rejection.matched.map(span),
        why: rejection.why,
    }
}

impl From<engine::Change> for wit::Change {
    fn from(change: engine::Change) -> Self {
        Self {
            channel: change.channel.into(),
            category: change.category,
            kind: match change.kind {
                engine::ChangeKind::OptOut => wit::ChangeKind::OptOut,
                engine::ChangeKind::OptIn => wit::ChangeKind::OptIn,
                engine::ChangeKind::Release => wit::ChangeKind::Release,
            },
        }
    }
}

impl From<bindings::Outbound> for engine::Outbound {
    fn from(message: bindings::Outbound) -> Self {
        Self {
            channel: message.channel.into(),
            category: message.category,
            template: message.template.map(|template| engine::Template {
                name: template.name,
                category: template.category,
            }),
            at: message.at,
            places: message.places.into_iter().map(Into::into).collect(),
            answers: match message.answers {
                wit::Answers::Nothing => engine::Answers::Nothing,
                wit::Answers::OptOut(said) => engine::Answers::OptOut(said),
                wit::Answers::Help(said) => engine::Answers::Help(said),
            },
            explain: message.explain,
        }
    }
}

impl From<wit::Place> for engine::Place {
    fn from(place: wit::Place) -> Self {
        Self {
            country: place.country,
            region: place.region,
            offset: place.offset,
            change: place.change.map(|change| (change.at, change.offset)),
        }
    }
}

impl From<engine::Limit> for wit::Limit {
    fn from(limit: engine::Limit) -> Self {
        Self {
            rule: limit.rule,
            categories: limit.categories,
            channels: limit.channels.into_iter().map(Into::into).collect(),
            window: limit.window,
            count: limit.count,
        }
    }
}

impl From<engine::Decision> for bindings::Decision {
    fn from(decision: engine::Decision) -> Self {
        Self {
            verdict: match decision.verdict {
                engine::Verdict::Allow => wit::Verdict::Allow,
                engine::Verdict::Deny => wit::Verdict::Deny,
                engine::Verdict::DeferUntil(at) => wit::Verdict::DeferUntil(at),
            },
            route: match decision.route {
                engine::SendRoute::Send => wit::SendRoute::Send,
                engine::SendRoute::SilentFailure => wit::SendRoute::SilentFailure,
                engine::SendRoute::InternalAlert => wit::SendRoute::InternalAlert,
            },
            reason: decision.reason.to_owned(),
            reasons: decision.reasons.into_iter().map(str::to_owned).collect(),
            relied_on: decision.relied_on,
            limits: decision.limits.into_iter().map(Into::into).collect(),
            trace: decision
                .trace
                .into_iter()
                .map(|step| wit::Step {
                    rule: step.rule,
                    outcome: match step.outcome {
                        engine::Outcome::Pass => wit::Outcome::Pass,
                        engine::Outcome::Skip => wit::Outcome::Skip,
                        engine::Outcome::Block => wit::Outcome::Block,
                    },
                })
                .collect(),
        }
    }
}
