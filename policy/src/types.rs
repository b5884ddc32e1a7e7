//! The engine's side of the contract: what it is asked and what it answers. `wit/policy.wit` says
//! what each item means; here is only what Rust adds.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Timestamp = i64;

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Channel {
    Sms,
    Whatsapp,
    Voice,
    Email,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Sms, Self::Whatsapp, Self::Voice, Self::Email];

    /// The name that people read in a reply.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Whatsapp => "WhatsApp",
            Self::Voice => "voice",
            Self::Email => "email",
        }
    }
}

/// What a contact has consented to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConsentStatus {
    OptIn,
    OptOut,
    None,
}

/// What stands behind an opt-in, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Proof {
    None,
    Evidence,
    OwnWords,
}

/// The contact's consent on one channel for one category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentRecord {
    /// What holds.
    pub status: ConsentStatus,
    /// When the statement that decides was made.
    pub since: Option<Timestamp>,
    /// For an opt-in: what stands behind it.
    pub proof: Proof,
    /// For an opt-in: when the person last asked for this very category.
    pub named_since: Option<Timestamp>,
}

/// What the engine may ask about the contact of the call.
pub trait Lookup {
    /// The contact's consent.
    fn consent(&self, channel: Channel, category: &str) -> ConsentRecord;
    /// When the contact last wrote.
    fn last_inbound(&self, channel: Channel) -> Option<Timestamp>;
    /// When the contact last began a chat from an advertisement.
    fn last_ad_entry(&self, channel: Channel) -> Option<Timestamp>;
    /// Until when the platform asked to leave the contact alone.
    fn backoff(&self, channel: Channel, category: &str) -> Option<Timestamp>;
    /// When the last message but `earlier` was sent.
    fn sent(&self, channels: &[Channel], categories: &[String], earlier: u32) -> Option<Timestamp>;
}

/// A tapped button or list row.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Its identifier, which decides.
    pub id: String,
    /// The words on it.
    pub title: String,
}

/// A message that came in.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// How it came.
    pub channel: Channel,
    /// What the person wrote.
    pub body: String,
    /// When it was said.
    pub at: Timestamp,
    /// The button or row tapped.
    pub selection: Option<Selection>,
    /// The opt-out instruction that the sender's last message ended with.
    pub footer: Option<String>,
    /// The question that is open.
    pub question: Option<String>,
    /// The category of the sender's last message to the contact.
    pub last_category: Option<String>,
    /// The contact's country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The contact's language.
    pub language: Option<String>,
    /// Whether the provider has answered already.
    pub answered: bool,
    /// Whether to say why other rules did not win.
    pub explain: bool,
}

impl Inbound {
    /// A text message with nothing known about it but when it was said.
    pub fn text(body: &str, at: Timestamp) -> Self {
        Self {
            channel: Channel::Sms,
            body: body.to_owned(),
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

/// What a message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Intent {
    OptOut,
    OptIn,
    Help,
    AnswerYes,
    AnswerNo,
    WrongNumber,
    Person,
    Other,
}

impl Intent {
    /// The name used in rules and rule identifiers.
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

/// How much a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Scope {
    All,
    Channel(Channel),
    Category(String),
    Topic(String),
}

/// What a consent change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ChangeKind {
    OptOut,
    OptIn,
    Release,
}

/// One change to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The channel it is for.
    pub channel: Channel,
    /// The category; nothing: every one.
    pub category: Option<String>,
    /// What it does.
    pub kind: ChangeKind,
}

/// Where a message goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Route {
    Disconnect,
    Bot,
    Agent,
    PriorityAgent,
}

/// How urgent a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Priority {
    Normal,
    High,
}

/// A stretch of the body, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// What the engine understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// What the message means.
    pub intent: Intent,
    /// How much it is about.
    pub scope: Option<Scope>,
    /// What to record.
    pub changes: Vec<Change>,
    /// What to answer.
    pub reply: Option<String>,
    /// The question that the answer asks.
    pub asks: Option<String>,
    /// Where it goes.
    pub route: Route,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether a person must look first.
    pub review: bool,
    /// The rule that decided.
    pub rule: String,
    /// The words that decided.
    pub matched: Option<Span>,
    /// Their language.
    pub language: Option<String>,
    /// Only when it was asked for.
    pub explanation: Option<Explanation>,
}

/// How a message was read, and which rules did not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The message as it was compared.
    pub normalised: String,
    /// The rules that found something and did not decide.
    pub rejected: Vec<Rejection>,
    /// The rule that says how much a stop that names nothing ends.
    pub ends: Option<String>,
}

/// A rule that found something and did not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The rule.
    pub rule: String,
    /// What it found.
    pub matched: Option<Span>,
    /// Why it did not decide.
    pub why: String,
}

/// A template approved by the platform.
#[derive(Clone, Debug)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its category with the platform.
    pub category: String,
}

/// Where the contact may be, and the clock there.
#[derive(Clone, Debug)]
pub struct Place {
    /// The country, ISO 3166-1 alpha-2.
    pub country: String,
    /// The part of it, ISO 3166-2.
    pub region: Option<String>,
    /// How far the clock is ahead of UTC, in minutes.
    pub offset: i32,
    /// When it is put forward or back next, and how far ahead it is then.
    pub change: Option<(Timestamp, i32)>,
}

/// What a message answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Answers {
    Nothing,
    OptOut(Timestamp),
    Help(Timestamp),
}

/// A message that somebody wants to send.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// How.
    pub channel: Channel,
    /// What kind of message it is.
    pub category: String,
    /// The template; nothing: free-form.
    pub template: Option<Template>,
    /// When it shall go.
    pub at: Timestamp,
    /// Every place where the contact may be.
    pub places: Vec<Place>,
    /// What it answers.
    pub answers: Answers,
    /// Whether to try every rule.
    pub explain: bool,
}

/// Whether a message may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Verdict {
    Allow,
    Deny,
    DeferUntil(Timestamp),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum SendRoute {
    Send,
    SilentFailure,
    InternalAlert,
}

/// How one rule took the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Outcome {
    Pass,
    Skip,
    Block,
}

/// One rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its identifier.
    pub rule: String,
    /// How it came out.
    pub outcome: Outcome,
}

/// A limit that counts what was sent before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The rule.
    pub rule: String,
    /// The categories that count.
    pub categories: Vec<String>,
    /// The channels that count.
    pub channels: Vec<Channel>,
    /// The time that counts, in milliseconds.
    pub window: i64,
    /// How many may go in that time.
    pub count: u32,
}

/// The answer about an outbound message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may go.
    pub verdict: Verdict,
    /// What becomes of it.
    pub route: SendRoute,
    /// Why: a stable code.
    pub reason: &'static str,
    /// Every reason against it; only when an explanation was asked for.
    pub reasons: Vec<&'static str>,
    /// The category above the message's own whose consent was relied on.
    pub relied_on: Option<String>,
    /// The limits that it counts against.
    pub limits: Vec<Limit>,
    /// The rules tried, in order; only when an explanation was asked for.
    pub trace: Vec<Step>,
}
