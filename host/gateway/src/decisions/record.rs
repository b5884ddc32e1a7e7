//! One decision, as it is handed on and as it is kept.

use std::sync::Arc;

use consentry_model::{Classification, Contact, Decision, Inbound, Outbound, Timestamp, Verdict};

/// A decision that was just made, with what the policy was told.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    /// The event of a message that came in; the decision about one that is to go out.
    pub(crate) id: String,
    /// The digest of the policy.
    pub(crate) policy: String,
    /// What was known of the contact.
    pub(crate) contact: Arc<Contact>,
    /// What was asked and answered.
    pub(crate) what: What,
}

/// What a policy was asked, and what came of it.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// What a message means.
    Inbound(Box<(Inbound, Classification)>),
    /// Whether a message may go.
    Outbound(Box<(Outbound, Decision)>),
}

/// A decision that is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The event of a message that came in; the decision about one that is to go out.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// The digest of the policy.
    pub policy: String,
    /// What was known of the contact.
    pub contact: Contact,
    /// The question and the answer, for a message that is to go out. What came in is in its event.
    pub made: Option<Made>,
}

/// A question of pre-flight, and its answer.
#[derive(Clone, Debug)]
pub struct Made {
    /// The message, as the policy was told of it.
    pub question: Outbound,
    /// `allow`, `deny` or `defer`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// When to ask again; nothing: never.
    pub retry_at: Option<Timestamp>,
}

impl Kept {
    pub(super) fn of(decided: Decided, at: Timestamp) -> Self {
        let made = match decided.what {
            What::Inbound(_) => None,
            What::Outbound(asked) => {
                let (question, decision) = *asked;
                Some(Made::of(question, &decision))
            }
        };
        Self {
            id: decided.id,
            at,
            policy: decided.policy,
            contact: Arc::unwrap_or_clone(decided.contact),
            made,
        }
    }
}

impl Made {
    pub(super) fn of(question: Outbound, decision: &Decision) -> Self {
        Self {
            question,
            verdict: verdict(decision).to_owned(),
            reason: decision.reason.clone(),
            retry_at: decision.retry_at(),
        }
    }
}

pub(super) fn verdict(decision: &Decision) -> &'static str {
    match decision.verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
        Verdict::DeferUntil(_) => "defer",
    }
}
