//! Receipts: what was asked, by which rules it was decided, what consent was relied on, and what was
//! answered. `jws.rs` signs them.

use consentry_model::{Decision, EventId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::preflight::Question;

/// What a receipt says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt<'r> {
    /// What identifies the decision.
    pub decision_id: &'r str,
    /// What was asked.
    pub question: Asked<'r>,
    /// The digest of the policy that decided.
    pub policy: String,
    /// The event of the consent that was relied on, or of the opt-out that stood.
    pub consent_event: Option<EventId>,
    /// What was answered.
    pub answer: Said<'r>,
    /// When.
    pub decided_at: Timestamp,
}

/// The question, as it was understood.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked<'r> {
    channel: consentry_model::Channel,
    to: String,
    from: Option<&'r str>,
    category: &'r str,
    template: Option<Value>,
    at: Timestamp,
    in_reply_to: Option<&'r EventId>,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said<'r> {
    allowed: bool,
    reason: &'r str,
    retry_at: Option<Timestamp>,
}

impl<'r> Asked<'r> {
    pub(crate) fn of(question: &'r Question) -> Self {
        let template = question.template.as_ref();
        Self {
            channel: question.channel,
            to: question.to.to_string(),
            from: question.from.as_deref(),
            category: question.category.as_str(),
            template: template
                .map(|template| json!({ "name": template.name, "category": template.category })),
            at: question.at,
            in_reply_to: question.in_reply_to.as_ref(),
        }
    }
}

impl<'r> Said<'r> {
    pub(crate) fn of(decision: &'r Decision) -> Self {
        Self {
            allowed: decision.is_allowed(),
            reason: &decision.reason,
            retry_at: decision.retry_at(),
        }
    }
}
