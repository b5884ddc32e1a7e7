//! Messages that somebody wants to send, and the answer. `wit/policy.wit` says more about each.

use serde::Serialize;

use crate::{Category, Channel, Timestamp};

/// A message that somebody wants to send.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// How.
    pub channel: Channel,
    /// What kind of message it is.
    pub category: Category,
    /// The template it uses; nothing: free-form.
    pub template: Option<Template>,
    /// When it shall be sent.
    pub at: Timestamp,
    /// The contact's country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

impl Outbound {
    /// The category of a message whose sender named none: the template's; for a free-form WhatsApp
    /// message `service`, as it can only be an answer; otherwise `marketing`, which needs the most.
    pub fn default_category(channel: Channel, template: Option<&Template>) -> Category {
        match template {
            Some(template) => template.category.clone(),
            None if channel == Channel::Whatsapp => Category::known("service"),
            None => Category::known("marketing"),
        }
    }
}

/// A template that the platform has approved.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its category with the platform: marketing, utility, authentication.
    pub category: Category,
}

/// Whether a message may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not.
    Deny,
    /// Not now, but it may be asked again at this time.
    DeferUntil(Timestamp),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendRoute {
    /// It is sent.
    Send,
    /// It is dropped, and only the record knows.
    SilentFailure,
    /// It is dropped, and the sender's people are told.
    InternalAlert,
}

/// How one rule took the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It had no objection.
    Pass,
    /// It did not apply.
    Skip,
    /// It decided against the message.
    Block,
}

/// One rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The rule's identifier.
    pub rule: String,
    /// How it came out.
    pub outcome: Outcome,
}

/// The answer about an outbound message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may go.
    pub verdict: Verdict,
    /// What becomes of it.
    pub route: SendRoute,
    /// Why: a stable code in snake case.
    pub reason: String,
    /// The rules tried, in order.
    pub trace: Vec<Step>,
}
