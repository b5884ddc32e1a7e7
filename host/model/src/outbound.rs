//! Messages that somebody wants to send, and the answer. `wit/policy.wit` says more about each.

use serde::{Deserialize, Serialize};

use crate::{Category, Channel, Timestamp};

/// A message that somebody wants to send.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outbound {
    /// How.
    pub channel: Channel,
    /// What kind of message it is.
    pub category: Category,
    /// The template it uses; nothing: free-form.
    pub template: Option<Template>,
    /// When it shall be sent.
    pub at: Timestamp,
    /// Every place where the contact may be.
    pub places: Vec<Place>,
    /// What it answers.
    pub answers: Answers,
    /// Whether to try every rule and give all reasons.
    pub explain: bool,
}

/// Where a contact may be, and what the clock shows there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// The part of it, ISO 3166-2.
    pub region: Option<String>,
    /// How far the clock is ahead of UTC when the message shall be sent, in minutes.
    pub offset: i32,
    /// When it is put forward or back next, within the eight days after that.
    pub change: Option<ClockChange>,
}

/// The moment when a clock is put forward or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChange {
    /// When.
    pub at: Timestamp,
    /// How far it is ahead of UTC from then on, in minutes.
    pub offset: i32,
}

/// What a message answers, as the store knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// Nothing: the business writes of its own accord.
    #[default]
    Nothing,
    /// The contact's newest opt-out, said at this time and not answered yet.
    OptOut(Timestamp),
    /// A message that asked for help, said at this time and not answered yet.
    Help(Timestamp),
}

impl Outbound {
    /// The category of a message whose sender named none: the template's; for a free-form WhatsApp
    /// message `service`, as it can only be an answer; otherwise `marketing`, which needs the most.
    pub fn default_category(channel: Channel, template: Option<&Template>) -> Category {
        match template {
            Some(template) => template.category.clone(),
            None if channel == Channel::Whatsapp => Category::known("service"),
            None => Category::marketing(),
        }
    }
}

/// A template that the platform has approved.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// A limit that counts what was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The rule's identifier.
    pub rule: String,
    /// The categories that count.
    pub categories: Vec<Category>,
    /// The channels that count.
    pub channels: Vec<Channel>,
    /// The time that counts, in milliseconds before the message.
    pub window: i64,
    /// How many messages may go in that time.
    pub count: u32,
}

impl Limit {
    /// When there is room again, if there is none at a moment: when as many messages as may go have gone,
    /// the first of them at `sent`.
    pub fn full_until(&self, sent: Option<Timestamp>, at: Timestamp) -> Option<Timestamp> {
        let free = Timestamp::from_millis(sent?.millis().saturating_add(self.window))?;
        Some(free).filter(|free| at < *free)
    }
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
    /// Every reason against it; only when an explanation was asked for.
    pub reasons: Vec<String>,
    /// The category above the message's own whose consent was relied on.
    pub relied_on: Option<Category>,
    /// The limits that it counts against.
    pub limits: Vec<Limit>,
    /// The rules tried, in order; only when an explanation was asked for.
    pub trace: Vec<Step>,
}

impl Decision {
    /// Whether the message may go.
    pub fn is_allowed(&self) -> bool {
        self.verdict == Verdict::Allow
    }

    /// When to ask again; nothing: never.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self.verdict {
            Verdict::DeferUntil(at) => Some(at),
            Verdict::Allow | Verdict::Deny => None,
        }
    }
}
