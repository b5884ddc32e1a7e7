//! A rule set: the data that the engine interprets. People write it as TOML in `policy/rules/`;
//! `consentry policy build` checks it and bakes it into the component.

mod sending;

use serde::{Deserialize, Serialize};

pub use sending::*;

use crate::pattern::Classes;
use crate::types::{Channel, Intent, Timestamp};

/// Everything that a policy decides by.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleSet {
    /// Who this rule set is.
    pub identity: Identity,
    /// In whose name replies are written.
    pub sender: Sender,
    /// What words mean, by language.
    pub languages: Vec<Language>,
    /// How people echo the footer that they were shown.
    pub echo: Echo,
    /// How to tell that an open question asks for consent, and for what.
    pub consent_questions: Vec<ConsentQuestion>,
    /// How much a stop that names nothing ends. The first that applies decides; where none does, it
    /// ends everything.
    pub bare_stops: Vec<BareStop>,
    /// What is answered.
    pub replies: Vec<Reply>,
    /// The category that stops while a person looks at what is unclear.
    pub held: String,
    /// What may be sent, when and how often.
    pub sending: Sending,
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

/// What is known of one language.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Language {
    /// The language, BCP 47.
    pub tag: String,
    /// Words that change nothing at either end of a message ("please", "thank you", curses).
    pub courtesies: Vec<String>,
    /// Words that change nothing next to an unmistakable keyword ("stop no", "stop again").
    pub fillers: Vec<String>,
    /// Words that are no misspelling of a keyword, however near they come ("shop", "step").
    pub real_words: Vec<String>,
    /// Words that patterns name together.
    pub classes: Classes,
    /// The words for a category of messages ("ads", "offers" for marketing).
    pub topics: Classes,
    /// The words for a channel ("e-mail").
    pub channels: Vec<ChannelWords>,
    /// Words that mean something when they are the whole message.
    pub keywords: Vec<Keyword>,
    /// Phrases that mean something wherever they stand.
    pub phrases: Vec<Phrase>,
    /// What takes a phrase's meaning away.
    pub guards: Vec<Guard>,
}

/// The words for one channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChannelWords {
    /// The channel.
    pub channel: Channel,
    /// The words, in the form of patterns.
    pub words: Vec<String>,
}

/// From when until when a rule holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// The first moment at which it holds; nothing: since ever.
    pub from: Option<Timestamp>,
    /// The first moment at which it no longer holds; nothing: for ever.
    pub until: Option<Timestamp>,
}

/// Words with one meaning, when they are the whole message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Keyword {
    /// The rule's identifier.
    pub id: String,
    /// What they mean.
    pub intent: Intent,
    /// The words or short phrases.
    pub words: Vec<String>,
    /// The identifiers of buttons and list rows that mean the same.
    pub selections: Vec<String>,
    /// Whether they mean the same as one sentence or line among others, and next to fillers.
    pub alone: bool,
    /// Whether a misspelling of them counts.
    pub misspelt: bool,
    /// Whether a person must look.
    pub review: bool,
    /// When it holds.
    pub term: Term,
}

/// A phrase with one meaning, wherever it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phrase {
    /// The rule's identifier.
    pub id: String,
    /// What it means.
    pub intent: Intent,
    /// The patterns; see [`crate::pattern`].
    pub patterns: Vec<String>,
    /// Whether the topic that it names is all that it is about ("stop ads", "STOP 12345").
    pub topic: bool,
    /// Whether it already holds a negation, so that none before it turns it over ("if you don't
    /// stop").
    pub unguarded: bool,
    /// Whether a person must look.
    pub review: bool,
    /// When it holds.
    pub term: Term,
}

/// What takes a phrase's meaning away.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Guard {
    /// The rule's identifier.
    pub id: String,
    /// Where it must stand.
    pub kind: GuardKind,
    /// The channel that a guard of the kind `keep` is about.
    pub channel: Option<Channel>,
    /// The patterns.
    pub patterns: Vec<String>,
    /// When it holds.
    pub term: Term,
}

/// Where a guard must stand, and what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardKind {
    /// Directly before a phrase: a negation, somebody else's words, a question.
    Before,
    /// Directly after a phrase, which is then about something else.
    After,
    /// Anywhere after a phrase or keyword: it is taken back.
    Later,
    /// Anywhere: a machine wrote this, or a footer is being quoted.
    Anywhere,
    /// Anywhere: people joke, so that one sentence alone says nothing.
    Banter,
    /// Anywhere: messages on a channel are still wanted.
    Keep,
}

/// How people echo the footer that they were shown: "STOP2END", "quit to end".
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    /// The words that footers name.
    pub words: Vec<String>,
    /// What stands between two of them.
    pub joiners: Vec<String>,
    /// The language of the answer.
    pub language: String,
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
    /// The "yes" must hold one of these words, unless the list is empty.
    #[serde(default)]
    pub words: Vec<String>,
}

/// How much a stop that names nothing ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BareStop {
    /// The rule's identifier.
    pub id: String,
    /// The contact's country, ISO 3166-1 alpha-2; nothing: any.
    pub country: Option<String>,
    /// The categories that the sender's last message must be of, or below one of; none: any message.
    pub answers: Vec<String>,
    /// The words that the message must consist of, folded; none: any.
    pub words: Vec<String>,
    /// How much it ends.
    pub ends: Ends,
    /// When it holds.
    pub term: Term,
}

/// How much a stop ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// Everything, on every channel.
    Everything,
    /// What the sender's last message was about, with the categories above it.
    Category,
}

/// The question that the confirmation of an opt-out asks, because everything has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeQuestion {
    /// The words.
    pub text: String,
    /// The category that a "yes" gives consent for again.
    pub category: String,
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
    /// The country it is for, ISO 3166-1 alpha-2; nothing: any.
    #[serde(default)]
    pub country: Option<String>,
    /// The words, with `{brand}`, `{contact}`, `{privacy_url}` and `{channel}` filled in.
    pub text: String,
    /// What the confirmation of an opt-out from everything asks.
    #[serde(default)]
    pub scope_question: Option<ScopeQuestion>,
}

impl RuleSet {
    /// Lets go of what the tables hold in another form.
    pub(crate) fn forget_sources(&mut self) {
        for language in &mut self.languages {
            language.courtesies = Vec::new();
            language.fillers = Vec::new();
            language.real_words = Vec::new();
            language.classes = Classes::new();
            language.topics = Classes::new();
            language.channels = Vec::new();
            for keyword in &mut language.keywords {
                (keyword.words, keyword.selections) = (Vec::new(), Vec::new());
            }
            language
                .phrases
                .iter_mut()
                .for_each(|phrase| phrase.patterns = Vec::new());
            language
                .guards
                .iter_mut()
                .for_each(|guard| guard.patterns = Vec::new());
        }
    }
}

impl GuardKind {
    /// Whether its words may have a comma between: "Actually, don't" takes back, but "No, stop
    /// writing" is no "no stop writing".
    pub(crate) fn spans_commas(self) -> bool {
        !matches!(self, Self::Before | Self::Anywhere)
    }
}

impl Term {
    /// Whether the rule holds at a moment.
    pub fn holds(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}
