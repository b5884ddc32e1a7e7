//! Messages that come in, and what they mean. `wit/policy.wit` says more about each item.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Category, Channel, Timestamp};

/// A message that came in.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// How it came.
    pub channel: Channel,
    /// The text, as the person wrote it.
    pub body: String,
    /// When it was said.
    pub at: Timestamp,
    /// The button or list row that was tapped.
    pub selection: Option<Selection>,
    /// The opt-out instruction that the sender's last message ended with.
    pub footer: Option<String>,
    /// The question that is open: the exact words.
    pub question: Option<String>,
    /// The category of the sender's last message to the contact.
    pub last_category: Option<Category>,
    /// The contact's country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The contact's language, BCP 47.
    pub language: Option<String>,
    /// Whether the messaging provider has answered already.
    pub answered: bool,
    /// Whether to say how the message was read and which rules did not decide.
    pub explain: bool,
}

impl Inbound {
    /// The longest text of a message that is taken, in bytes. WhatsApp takes 4,096 characters, SMS fewer.
    pub const MAX_TEXT: usize = 16 << 10;

    /// How long a question that an answer asked stays open, in milliseconds.
    pub const QUESTION_OPEN: i64 = 24 * 3_600_000;

    /// A text with nothing known about it but how and when it came.
    pub fn text(channel: Channel, body: impl Into<String>, at: Timestamp) -> Self {
        Self {
            channel,
            body: body.into(),
            at,
            selection: None,
            footer: None,
            question: None,
            last_category: None,
            country: None,
            language: None,
            answered: false,
            explain: false,
        }
    }
}

/// A button or list row that was tapped.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Its identifier, which decides.
    pub id: String,
    /// The words on it.
    pub title: String,
}

/// What a message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Intent {
    /// Messages shall stop.
    OptOut,
    /// Messages shall begin, or begin again.
    OptIn,
    /// Who is writing, and how does one stop it?
    Help,
    /// Agreement with the open question.
    AnswerYes,
    /// Refusal of the open question.
    AnswerNo,
    /// The number belongs to somebody else.
    WrongNumber,
    /// A person is wanted, or needed.
    Person,
    /// Anything else.
    Other,
}

impl Intent {
    /// The name in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptOut => "opt-out",
            Self::OptIn => "opt-in",
            Self::Help => "help",
            Self::AnswerYes => "answer-yes",
            Self::AnswerNo => "answer-no",
            Self::WrongNumber => "wrong-number",
            Self::Person => "person",
            Self::Other => "other",
        }
    }
}

/// How much a message is about. Written `all`, `channel:sms`, `category:marketing` or
/// `topic:` with the contact's words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scope {
    All,
    Channel(Channel),
    Category(Category),
    Topic(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Channel(channel) => write!(f, "channel:{channel}"),
            Self::Category(category) => write!(f, "category:{category}"),
            Self::Topic(words) => write!(f, "topic:{words}"),
        }
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a consent change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// Withdraws consent.
    #[serde(rename = "OPTOUT")]
    OptOut,
    /// Gives consent.
    #[serde(rename = "OPTIN")]
    OptIn,
    /// Lifts an earlier opt-out without giving consent.
    #[serde(rename = "NONE")]
    Release,
}

/// One change to a contact's consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The channel it is for.
    pub channel: Channel,
    /// The category it is for; nothing: every category.
    pub category: Option<Category>,
    /// What it does.
    #[serde(rename = "status")]
    pub kind: ChangeKind,
}

impl Change {
    /// A change for every category of a channel.
    pub fn general(channel: Channel, kind: ChangeKind) -> Self {
        Self {
            channel,
            category: None,
            kind,
        }
    }
}

/// Where a message goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// Nowhere: the conversation ends.
    Disconnect,
    /// To the automated assistant.
    Bot,
    /// To a person.
    Agent,
    /// To a person, before everybody who waits.
    PriorityAgent,
}

/// How urgent a message is in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// As any other.
    Normal,
    /// As a high-value lead.
    High,
}

/// What was understood of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// What it means.
    pub intent: Intent,
    /// How much it is about.
    pub scope: Option<Scope>,
    /// What to record.
    pub changes: Vec<Change>,
    /// What to answer; nothing: stay silent.
    pub reply: Option<String>,
    /// The question that the answer asks.
    pub asks: Option<String>,
    /// Where it goes.
    pub route: Route,
    /// How urgent it is there.
    pub priority: Priority,
    /// Whether a person must look at it.
    pub review: bool,
    /// The rule that decided.
    pub rule: String,
    /// The words that decided.
    pub matched: Option<String>,
    /// The language of those words, BCP 47.
    pub language: Option<String>,
    /// How the message was read; only when it was asked for.
    pub explanation: Option<Explanation>,
}

/// How a message was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The message as it was compared with the rules.
    pub normalised: String,
    /// The rules that found something and did not decide.
    pub rejected: Vec<Rejection>,
    /// The rule that says how much a stop that names nothing ends.
    pub ends: Option<String>,
}

/// A rule that found something in a message and did not decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The rule.
    pub rule: String,
    /// The words that it found.
    pub matched: Option<String>,
    /// Why it did not decide.
    pub why: String,
}
