//! Between the contract's types and the model's. Nothing else in this crate knows both, and nothing
//! that a policy says gets further before it has been checked.

use consentry_model as model;
use consentry_model::check::{self, category};
use consentry_model::{Category, Contact, Timestamp};

use crate::bindings;
use crate::bindings::consentry::policy::types as wit;
use crate::policy::Manifest;

type Checked<T> = Result<T, String>;

impl From<wit::Channel> for model::Channel {
    fn from(channel: wit::Channel) -> Self {
        match channel {
            wit::Channel::Sms => Self::Sms,
            wit::Channel::Whatsapp => Self::Whatsapp,
            wit::Channel::Voice => Self::Voice,
            wit::Channel::Email => Self::Email,
        }
    }
}

impl From<model::Channel> for wit::Channel {
    fn from(channel: model::Channel) -> Self {
        match channel {
            model::Channel::Sms => Self::Sms,
            model::Channel::Whatsapp => Self::Whatsapp,
            model::Channel::Voice => Self::Voice,
            model::Channel::Email => Self::Email,
        }
    }
}

pub(crate) fn manifest(manifest: bindings::Manifest) -> Manifest {
    Manifest {
        name: check::short(&manifest.name),
        version: check::short(&manifest.version),
        engine: check::short(&manifest.engine),
    }
}

/// What the lookup answers. A name that is no category is one that nobody has said anything about,
/// so only general statements count.
pub(crate) fn consent(
    contact: &Contact,
    channel: model::Channel,
    category: &str,
) -> wit::ConsentRecord {
    let consent = match category.parse::<Category>() {
        Ok(category) => contact.consent(channel, &category),
        Err(_) => contact.summary(Some(channel), None),
    };
    wit::ConsentRecord {
        status: match consent.status {
            model::ConsentStatus::OptIn => wit::ConsentStatus::OptIn,
            model::ConsentStatus::OptOut => wit::ConsentStatus::OptOut,
            model::ConsentStatus::None => wit::ConsentStatus::None,
        },
        since: consent.because.map(|mark| mark.at.millis()),
        named_since: consent.named_since.map(model::Timestamp::millis),
        proof: match consent.proof {
            model::Proof::None => wit::Proof::None,
            model::Proof::Evidence => wit::Proof::Evidence,
            model::Proof::OwnWords => wit::Proof::OwnWords,
        },
    }
}

pub(crate) fn inbound(message: &model::Inbound) -> bindings::Inbound {
    bindings::Inbound {
        channel: message.channel.into(),
        body: message.body.clone(),
        at: message.at.millis(),
        selection: message.selection.as_ref().map(|tapped| wit::Selection {
            id: tapped.id.clone(),
            title: tapped.title.clone(),
        }),
        footer: message.footer.clone(),
        question: message.question.clone(),
        last_category: message
            .last_category
            .as_ref()
            .map(|category| category.as_str().to_owned()),
        country: message.country.clone(),
        language: message.language.clone(),
        answered: message.answered,
        explain: message.explain,
    }
}

pub(crate) fn classification(
    found: bindings::Classification,
    message: &model::Inbound,
) -> Checked<model::Classification> {
    check::classification(model::Classification {
        intent: match found.intent {
            wit::Intent::OptOut => model::Intent::OptOut,
            wit::Intent::OptIn => model::Intent::OptIn,
            wit::Intent::Help => model::Intent::Help,
            wit::Intent::AnswerYes => model::Intent::AnswerYes,
            wit::Intent::AnswerNo => model::Intent::AnswerNo,
            wit::Intent::WrongNumber => model::Intent::WrongNumber,
            wit::Intent::Person => model::Intent::Person,
            wit::Intent::Other => model::Intent::Other,
        },
        scope: found.scope.map(scope).transpose()?,
        changes: found
            .changes
            .into_iter()
            .map(change)
            .collect::<Checked<_>>()?,
        reply: found.reply,
        asks: found.asks,
        route: match found.route {
            wit::Route::Disconnect => model::Route::Disconnect,
            wit::Route::Bot => model::Route::Bot,
            wit::Route::Agent => model::Route::Agent,
            wit::Route::PriorityAgent => model::Route::PriorityAgent,
        },
        priority: match found.priority {
            wit::Priority::Normal => model::Priority::Normal,
            wit::Priority::High => model::Priority::High,
        },
        review: found.review,
        rule: found.rule,
        matched: found
            .matched
            .map(|span| cut(&message.body, span))
            .transpose()?,
        language: found.language,
        explanation: found
            .explanation
            .map(|explanation| self::explanation(explanation, message))
            .transpose()?,
    })
}

fn explanation(
    explanation: wit::Explanation,
    message: &model::Inbound,
) -> Checked<model::Explanation> {
    let rejected = explanation.rejected.into_iter().map(|rejection| {
        Ok(model::Rejection {
            rule: rejection.rule,
            matched: rejection
                .matched
                .map(|span| cut(&message.body, span))
                .transpose()?,
            why: rejection.why,
        })
    });
    Ok(model::Explanation {
        normalised: explanation.normalised,
        rejected: rejected.collect::<Checked<_>>()?,
        ends: explanation.ends,
    })
}

fn scope(scope: wit::Scope) -> Checked<model::Scope> {
    Ok(match scope {
        wit::Scope::All => model::Scope::All,
        wit::Scope::Channel(channel) => model::Scope::Channel(channel.into()),
        wit::Scope::Category(name) => model::Scope::Category(category(&name)?),
        wit::Scope::Topic(words) => model::Scope::Topic(words),
    })
}

fn change(change: wit::Change) -> Checked<model::Change> {
    Ok(model::Change {
        channel: change.channel.into(),
        category: change.category.map(|name| category(&name)).transpose()?,
        kind: match change.kind {
            wit::ChangeKind::OptOut => model::ChangeKind::OptOut,
            wit::ChangeKind::OptIn => model::ChangeKind::OptIn,
            wit::ChangeKind::Release => model::ChangeKind::Release,
        },
    })
}

fn cut(body: &str, span: wit::Span) -> Checked<String> {
    check::cut(body, span.start, span.end)
}

pub(crate) fn outbound(message: &model::Outbound) -> bindings::Outbound {
    bindings::Outbound {
        channel: message.channel.into(),
        category: message.category.to_string(),
        template: message.template.as_ref().map(|template| wit::Template {
            name: template.name.clone(),
            category: template.category.to_string(),
        }),
        at: message.at.millis(),
        places: message.places.iter().map(place).collect(),
        answers: match message.answers {
            model::Answers::Nothing => wit::Answers::Nothing,
            model::Answers::OptOut(said) => wit::Answers::OptOut(said.millis()),
            model::Answers::Help(said) => wit::Answers::Help(said.millis()),
        },
        explain: message.explain,
    }
}

fn place(place: &model::Place) -> wit::Place {
    wit::Place {
        country: place.country.clone(),
        region: place.region.clone(),
        offset: place.offset,
        change: place.change.map(|change| wit::ClockChange {
            at: change.at.millis(),
            offset: change.offset,
        }),
    }
}

/// Names that are no category are of nothing that was ever sent.
pub(crate) fn categories(names: &[String]) -> Vec<Category> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn limit(limit: wit::Limit) -> Checked<model::Limit> {
    Ok(model::Limit {
        rule: limit.rule,
        categories: limit
            .categories
            .iter()
            .map(|name| category(name))
            .collect::<Checked<_>>()?,
        channels: limit.channels.into_iter().map(Into::into).collect(),
        window: limit.window,
        count: limit.count,
    })
}

pub(crate) fn decision(decision: bindings::Decision) -> Checked<model::Decision> {
    let verdict = match decision.verdict {
        wit::Verdict::Allow => model::Verdict::Allow,
        wit::Verdict::Deny => model::Verdict::Deny,
        wit::Verdict::DeferUntil(millis) => Timestamp::from_millis(millis)
            .map(model::Verdict::DeferUntil)
            .ok_or_else(|| format!("{millis} is no moment to defer to"))?,
    };
    let route = match decision.route {
        wit::SendRoute::Send => model::SendRoute::Send,
        wit::SendRoute::SilentFailure => model::SendRoute::SilentFailure,
        wit::SendRoute::InternalAlert => model::SendRoute::InternalAlert,
    };
    let trace = decision.trace.into_iter().map(|step| model::Step {
        rule: step.rule,
        outcome: match step.outcome {
            wit::Outcome::Pass => model::Outcome::Pass,
            wit::Outcome::Skip => model::Outcome::Skip,
            wit::Outcome::Block => model::Outcome::Block,
        },
    });
    check::decision(model::Decision {
        verdict,
        route,
        reason: decision.reason,
        reasons: decision.reasons,
        relied_on: decision.relied_on.map(|name| category(&name)).transpose()?,
        limits: decision
            .limits
            .into_iter()
            .map(limit)
            .collect::<Checked<_>>()?,
        trace: trace.collect(),
    })
}
