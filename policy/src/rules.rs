//! A rule set: the data that the engine interprets. People write it as TOML in `policy/rules/`;
//! `consentry policy build` checks it and bakes it into the component.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::types::{Channel, Intent, SendRoute, Timestamp};

/// Everything that a policy decides by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleSet {
    /// Who this rule set is.
    pub identity: Identity,
    /// In whose name replies are written.
    pub sender: Sender,
    /// Words that mean something when they are the whole message.
    pub keywords: Vec<Keyword>,
    /// Words that change nothing at either end of a message ("please", "thank you").
    pub courtesies: Vec<String>,
    /// How to tell that an open question asks for consent, and for what.
    pub consent_questions: Vec<ConsentQuestion>,
    /// What is answered.
    pub replies: Vec<Reply>,
    /// The categories of messages that are known.
    pub categories: Vec<Category>,
    /// What becomes of a message that may not go.
    pub routes: Routes,
}

/// The name and version of a rule set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// In whose name replies are written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// The brand that the contact knows.
    pub brand: String,
    /// Where a person gets help: an e-mail address, a telephone number or a page.
    pub contact: String,
    /// Where the privacy policy is.
    pub privacy_url: String,
}

/// Words with one meaning, when they are the whole message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Keyword {
    /// The rule's identifier.
    pub id: String,
    /// What they mean.
    pub intent: Intent,
    /// Their language, BCP 47.
    pub language: String,
    /// The words or short phrases.
    pub words: Vec<String>,
    /// The identifiers of buttons and list rows that mean the same.
    pub selections: Vec<String>,
    /// From when on the rule is in force.
    pub from: Option<Timestamp>,
    /// The first moment at which it is no longer in force.
    pub until: Option<Timestamp>,
}

/// A kind of question that asks for consent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentQuestion {
    /// The question must contain one of these.
    pub asks: Vec<String>,
    /// And one of these, unless the list is empty.
    #[serde(default)]
    pub about: Vec<String>,
    /// The category that a "yes" gives consent for; nothing: every one.
    #[serde(default)]
    pub category: Option<String>,
}

/// An answer to an intent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The intent it answers.
    pub intent: Intent,
    /// Its language, BCP 47.
    pub language: String,
    /// The channel it is for; nothing: any.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// The words, with `{brand}`, `{contact}`, `{privacy_url}` and `{channel}` filled in.
    pub text: String,
}

/// A category of messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its name, in lower case.
    pub name: String,
    /// What a message of it needs.
    pub needs: Needs,
    /// The law or carrier rule behind it.
    pub source: String,
}

/// The consent that a category needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// An opt-in.
    OptIn,
    /// Only that there is no opt-out.
    NoOptOut,
}

/// What becomes of a message that may not go.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    /// For the reason `opted_out`.
    pub opted_out: SendRoute,
    /// For every other reason.
    pub otherwise: SendRoute,
}

/// A rule set that came in a form nobody can read.
#[derive(Debug, Error)]
#[error("the rule set is damaged, or was made for another version of the engine: {0}")]
pub struct RuleSetError(postcard::Error);

impl RuleSet {
    /// The compact form in which `consentry policy build` hands a rule set to the engine.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RuleSetError> {
        postcard::to_allocvec(self).map_err(RuleSetError)
    }

    /// Reads the compact form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RuleSetError> {
        postcard::from_bytes(bytes).map_err(RuleSetError)
    }
}

impl Keyword {
    /// Whether the rule holds at a moment.
    pub fn in_force(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}
