//! What happens in a conversation, one step at a time. The fields are those of the HTTP API.

use consentry_model::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Who the contact is, and what is known of them. What is left out of a step is taken from here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Settings {
    pub phone_number: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub time_zone: Option<String>,
    pub language: Option<String>,
}

/// One step: exactly one thing happens.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// The contact writes.
    pub inbound: Option<Saying>,
    /// Somebody asks whether a message may go.
    pub preflight: Option<Asking>,
    /// Somebody reports a change of consent.
    pub report: Option<Reporting>,
    /// Somebody asks what holds.
    pub consent: Option<ConsentQuestion>,
    /// Something else becomes known of the contact, or another contact is looked at.
    pub contact: Option<Settings>,
    /// Time passes: `90s`, `5m`, `24h` or `2d`.
    pub wait: Option<String>,
    /// It is another time.
    pub at: Option<Timestamp>,
    /// What the answer must say: a part of it.
    pub expect: Option<Map<String, Value>>,
    /// What this step is for.
    pub note: Option<String>,
}

/// A message of the contact.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Saying {
    pub channel: String,
    pub from: Option<String>,
    #[serde(default)]
    pub body: String,
    pub message_id: Option<String>,
    pub sent_at: Option<Timestamp>,
    pub selection: Option<Tapped>,
    pub footer: Option<String>,
    pub country: Option<String>,
    pub language: Option<String>,
    pub question: Option<String>,
    pub last_category: Option<String>,
    #[serde(default)]
    pub answered: bool,
    #[serde(default)]
    pub ad_entry: bool,
}

/// A button or list row that was tapped.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Tapped {
    pub id: String,
    #[serde(default)]
    pub title: String,
}

/// A message that somebody wants to send.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Asking {
    pub channel: String,
    pub to: Option<String>,
    pub category: Option<String>,
    pub template: Option<TemplateName>,
    pub at: Option<Timestamp>,
    pub country: Option<String>,
    pub region: Option<String>,
    pub time_zone: Option<String>,
    /// The event that it answers; `last`: the newest message of the contact.
    pub in_reply_to: Option<String>,
    #[serde(default)]
    pub explain: bool,
    #[serde(default)]
    pub dry_run: bool,
}

/// A template that the platform has approved.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct TemplateName {
    pub name: String,
    pub category: String,
}

/// A change of consent that somebody reports.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Reporting {
    pub status: String,
    pub address: Option<String>,
    pub channel: Option<String>,
    pub category: Option<String>,
    pub source: Option<String>,
    pub actor: Option<String>,
    pub at: Option<Timestamp>,
    /// The proof of an opt-in: `timestamp`, `text` and whatever else is kept.
    pub evidence: Option<Map<String, Value>>,
}

/// What somebody asks about a contact's consent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ConsentQuestion {
    pub address: Option<String>,
    pub channel: Option<String>,
    pub category: Option<String>,
}
