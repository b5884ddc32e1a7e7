//! May this message go? The checks, in the order in which they are made.

mod calendar;
mod consent;
mod frequency;
mod quiet;
mod whatsapp;

use crate::rules::{Area, Category, RuleSet, Sending};
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
    reasons: Vec<&'static str>,
    /// Until when each reason holds; nothing: no waiting helps.
    until: Vec<Option<Timestamp>>,
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
        trace: Vec::with_capacity(8),
        reasons: Vec::new(),
        until: Vec::new(),
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
            if self.reasons.is_empty() || self.message.explain {
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
            if !self.reasons.is_empty() && !self.message.explain {
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
        let outcome = match finding {
            Finding::Pass => Outcome::Pass,
            Finding::Skip => Outcome::Skip,
            Finding::Block(_) | Finding::Wait(..) => Outcome::Block,
        };
        if let Finding::Block(reason) | Finding::Wait(reason, _) = finding {
            self.reasons.push(reason);
            self.until.push(match finding {
                Finding::Wait(_, until) => Some(until),
                _ => None,
            });
        }
        self.trace.push(Step {
            rule: rule.to_owned(),
            outcome,
        });
    }

    /// Whether a rule is for a place where the contact may be.
    fn may_be_in(&self, area: &Area) -> bool {
        area.country.is_none() || self.message.places.iter().any(|place| area.holds(place))
    }

    /// Whether the message's category is one of some, or below one.
    fn is_of(&self, categories: &[String]) -> bool {
        let mut line = self.line.iter();
        line.any(|category| categories.contains(&category.name))
    }

    fn decision(self) -> Decision {
        let reason = self.reasons.first().copied();
        let waits: Option<Vec<Timestamp>> = self.until.into_iter().collect();
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
            reasons: self.reasons,
            relied_on: self.relied_on,
            limits: if reason.is_none() {
                self.limits
            } else {
                Vec::new()
            },
            trace: self.trace,
        }
    }
}
