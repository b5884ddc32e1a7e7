//! May this message go? The checks, in the order in which they are made.

mod calendar;
mod consent;
mod frequency;
mod quiet;
mod whatsapp;

use crate::rules::{Area, Category, Reach, RuleSet, Sending};
use crate::types::{
    Answers, ConsentRecord, Decision, Limit, Lookup, Outbound, Outcome, SendRoute, Step, Timestamp,
    Verdict,
};

/// What one rule finds.
enum Finding {
    /// Nothing to object.
    Pass,
    /// It is not its business.
    Skip,
    /// A reason against.
    Block(&'static str),
    /// A reason against, until a moment.
    Wait(&'static str, Timestamp),
}

/// One question, and what has been found so far.
struct Question<'q, L> {
    sending: &'q Sending,
    message: &'q Outbound,
    contact: &'q L,
    /// The message's category and those above it.
    line: Vec<&'q Category>,
    /// What the contact has consented to, for each of those.
    consents: Vec<ConsentRecord>,
    relied_on: Option<String>,
    limits: Vec<Limit>,
    trace: Vec<Step>,
    /// Every reason against it, and until when it holds; nothing: no waiting helps.
    against: Vec<(&'static str, Option<Timestamp>)>,
}

pub(crate) fn preflight(rules: &RuleSet, message: &Outbound, contact: &impl Lookup) -> Decision {
    let sending = &rules.sending;
    let mut question = Question {
        sending,
        message,
        contact,
        line: sending.line(&message.category),
        consents: Vec::new(),
        relied_on: None,
        limits: Vec::new(),
        trace: Vec::new(),
        against: Vec::new(),
    };
    question.ask();
    question.decision()
}

impl<L: Lookup> Question<'_, L> {
    fn ask(&mut self) {
        if self.line.is_empty() {
            let general = self
                .contact
                .consent(self.message.channel, &self.message.category);
            self.consents.push(general);
            self.suppression();
            if self.against.is_empty() || self.message.explain {
                self.note("preflight.category", Finding::Block("unknown_category"));
            }
            return;
        }
        // An answer that is bound to what the contact wrote needs nothing else.
        match self.message.answers {
            Answers::OptOut(said) => {
                let finding = self.confirmation(said);
                self.note("preflight.confirmation", finding);
                return;
            }
            Answers::Help(_) => {
                self.note("preflight.help", Finding::Pass);
                return;
            }
            Answers::Nothing => {}
        }
        let channel = self.message.channel;
        let consent = |category: &&Category| self.contact.consent(channel, &category.name);
        self.consents = self.line.iter().map(consent).collect();
        for check in [
            Self::suppression,
            Self::needed_consent,
            Self::whatsapp,
            Self::quiet_hours,
            Self::frequency_caps,
        ] {
            check(self);
            if !self.against.is_empty() && !self.message.explain {
                return;
            }
        }
    }

    /// 47 CFR 64.1200(a)(12): one message may confirm an opt-out, within five minutes.
    fn confirmation(&self, said: Timestamp) -> Finding {
        let after = self.message.at.saturating_sub(said);
        if (0..=self.sending.confirmation).contains(&after) {
            Finding::Pass
        } else {
            Finding::Block("confirmation_too_late")
        }
    }

    fn note(&mut self, rule: &str, finding: Finding) {
        let (outcome, against) = match finding {
            Finding::Pass => (Outcome::Pass, None),
            Finding::Skip => (Outcome::Skip, None),
            Finding::Block(reason) => (Outcome::Block, Some((reason, None))),
            Finding::Wait(reason, until) => (Outcome::Block, Some((reason, Some(until)))),
        };
        self.against.extend(against);
        if self.message.explain {
            self.trace.push(Step {
                rule: rule.to_owned(),
                outcome,
            });
        }
    }

    /// Whether a rule is for a place where the contact may be.
    fn may_be_in(&self, area: &Area) -> bool {
        area.country.is_none() || self.message.places.iter().any(|place| area.holds(place))
    }

    /// Whether a rule is for a message like this one.
    fn is_reached_by(&self, reach: &Reach) -> bool {
        let mut line = self.line.iter();
        line.any(|category| reach.categories.contains(&category.name))
            && reach.channels.contains(&self.message.channel)
            && self.may_be_in(&reach.area)
    }

    fn decision(self) -> Decision {
        let reason = self.against.first().map(|(reason, _)| *reason);
        let mut reasons = Vec::new();
        if self.message.explain {
            reasons.extend(self.against.iter().map(|(reason, _)| *reason));
        }
        let waits: Option<Vec<Timestamp>> = self.against.iter().map(|(_, until)| *until).collect();
        let (verdict, route) = match reason {
            None => (Verdict::Allow, SendRoute::Send),
            Some("opted_out") => (Verdict::Deny, self.sending.routes.opted_out),
            Some(_) => match waits.and_then(|waits| waits.into_iter().max()) {
                // Whoever asks again later is not to be alarmed now.
                Some(until) => (Verdict::DeferUntil(until), SendRoute::SilentFailure),
                None => (Verdict::Deny, self.sending.routes.otherwise),
            },
        };
        Decision {
            verdict,
            route,
            reason: reason.unwrap_or("allowed"),
            reasons,
            relied_on: self.relied_on.filter(|name| *name != self.message.category),
            limits: if reason.is_none() {
                self.limits
            } else {
                Vec::new()
            },
            trace: self.trace,
        }
    }
}
