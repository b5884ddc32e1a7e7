//! What is known of one contact, and what holds because of it.
//!
//! For each channel, in general and by category, only the newest statement of each kind is kept
//! ([`Marks`]). What holds follows from comparing their times, so the order in which statements
//! arrive does not matter: a late, older START never undoes a STOP.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Category, Change, ChangeKind, Channel, ConsentStatus, Timestamp};

/// The identifier of a recorded event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub String);

/// When something was said, and the event that records it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// When it was said.
    pub at: Timestamp,
    /// Where it is recorded.
    pub event: EventId,
}

/// How much a statement weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statement {
    /// The person's own words, in a message that came in.
    Own,
    /// Reported by somebody else, with proof: when, at which address, the exact wording.
    Proven,
    /// Reported by somebody else.
    Reported,
    /// Set with the platform, which enforces it by itself: Meta's "stop marketing". It stands beside
    /// what was said to the business: neither lifts the other.
    Platform,
}

impl Statement {
    /// The name in JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Proven => "proven",
            Self::Reported => "reported",
            Self::Platform => "platform",
        }
    }
}

/// A name that is no statement's.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a kind of statement")]
pub struct BadStatement(String);

impl FromStr for Statement {
    type Err = BadStatement;

    fn from_str(text: &str) -> Result<Self, BadStatement> {
        [Self::Own, Self::Proven, Self::Reported, Self::Platform]
            .into_iter()
            .find(|statement| statement.as_str() == text)
            .ok_or_else(|| BadStatement(text.to_owned()))
    }
}

/// What stands behind an opt-in, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// Somebody reported it.
    None,
    /// It was reported with when, at which address, and the exact wording.
    Evidence,
    /// The person said it.
    OwnWords,
}

/// The newest statement of each kind, for one channel, in general or for one category.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Marks {
    /// An opt-out in the person's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_opt_out: Option<Mark>,
    /// An opt-out that somebody else reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_opt_out: Option<Mark>,
    /// An opt-in in the person's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_opt_in: Option<Mark>,
    /// An opt-in that somebody else reported with proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven_opt_in: Option<Mark>,
    /// An opt-in that somebody else reported without proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported_opt_in: Option<Mark>,
    /// The person lifted an opt-out without giving consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Mark>,
    /// The person stopped messages with the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_stop: Option<Mark>,
    /// The person took that back with the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_resume: Option<Mark>,
}

impl Marks {
    /// Takes in one statement. In whatever order statements come, the result is the same.
    pub fn apply(&mut self, kind: ChangeKind, statement: Statement, mark: Mark) {
        let slot = match (kind, statement) {
            (ChangeKind::OptOut, Statement::Platform) => &mut self.platform_stop,
            (_, Statement::Platform) => &mut self.platform_resume,
            (ChangeKind::OptOut, Statement::Own) => &mut self.own_opt_out,
            (ChangeKind::OptOut, _) => &mut self.reported_opt_out,
            (ChangeKind::OptIn, Statement::Own) => &mut self.own_opt_in,
            (ChangeKind::OptIn, Statement::Proven) => &mut self.proven_opt_in,
            (ChangeKind::OptIn, Statement::Reported) => &mut self.reported_opt_in,
            (ChangeKind::Release, _) => &mut self.release,
        };
        if slot.as_ref().is_none_or(|newest| *newest < mark) {
            *slot = Some(mark);
        }
    }

    /// The newest opt-in that lifts the person's own opt-out.
    fn lifting_opt_in(&self) -> Option<&Mark> {
        self.own_opt_in.as_ref().max(self.proven_opt_in.as_ref())
    }
}

/// What holds, and since which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// What holds.
    pub status: ConsentStatus,
    /// The statement that decides; nothing for [`ConsentStatus::None`].
    pub because: Option<Mark>,
    /// For an opt-in: what stands behind it.
    pub proof: Proof,
    /// For an opt-in: when the person last asked for this very category, in its own words or with
    /// proof.
    pub named_since: Option<Timestamp>,
}

impl Consent {
    /// Nothing is known.
    pub const NONE: Self = Self {
        status: ConsentStatus::None,
        because: None,
        proof: Proof::None,
        named_since: None,
    };

    fn opt_out(mark: &Mark) -> Self {
        Self {
            status: ConsentStatus::OptOut,
            because: Some(mark.clone()),
            ..Self::NONE
        }
    }

    fn opt_in(mark: &Mark, proof: Proof, named: Option<&Mark>) -> Self {
        Self {
            status: ConsentStatus::OptIn,
            because: Some(mark.clone()),
            proof,
            named_since: named.map(|mark| mark.at),
        }
    }
}

/// What is known of one contact. The default is somebody of whom nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Contact {
    /// By channel and category; without a category, what was said in general.
    #[serde(with = "crate::pairs")]
    pub marks: BTreeMap<(Channel, Option<Category>), Marks>,
    /// When the contact last wrote, by channel.
    pub last_inbound: BTreeMap<Channel, Timestamp>,
    /// When the contact last began a chat from an advertisement, by channel.
    pub last_ad_entry: BTreeMap<Channel, Timestamp>,
    /// Until when the platform asked to leave the contact alone.
    #[serde(with = "crate::pairs")]
    pub backoff: BTreeMap<(Channel, Category), Timestamp>,
    /// What was sent lately and counts against a limit, the newest first.
    pub sent: Vec<Sent>,
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// How.
    pub channel: Channel,
    /// What kind of message it was.
    pub category: Category,
}

impl Contact {
    /// Takes in one change.
    pub fn apply(&mut self, change: &Change, statement: Statement, mark: Mark) {
        let key = (change.channel, change.category.clone());
        self.marks
            .entry(key)
            .or_default()
            .apply(change.kind, statement, mark);
    }

    /// Takes in that the contact wrote.
    pub fn wrote(&mut self, channel: Channel, at: Timestamp) {
        let last = self.last_inbound.entry(channel).or_insert(at);
        *last = at.max(*last);
    }

    /// When the last message but `earlier` of some categories was sent on some channels.
    pub fn sent(
        &self,
        channels: &[Channel],
        categories: &[Category],
        earlier: usize,
    ) -> Option<Timestamp> {
        let counts =
            |sent: &&Sent| channels.contains(&sent.channel) && categories.contains(&sent.category);
        self.sent
            .iter()
            .filter(counts)
            .nth(earlier)
            .map(|sent| sent.at)
    }

    /// What holds on a channel for a category.
    ///
    /// - An opt-out from the category stands until an opt-in to that category. A general START does
    ///   not lift it.
    /// - A general opt-out stands until a general opt-in, a release, or for one category an opt-in
    ///   to that category.
    /// - The person's own opt-out yields only to the person's own words or to proof.
    /// - An opt-in from before an opt-out has lapsed, even when the opt-out was lifted since.
    /// - What the person stopped with the platform stands until it is resumed there, and a resume
    ///   lifts nothing else.
    pub fn consent(&self, channel: Channel, category: &Category) -> Consent {
        let none = Marks::default();
        let general = self.marks.get(&(channel, None)).unwrap_or(&none);
        let specific = self
            .marks
            .get(&(channel, Some(category.clone())))
            .unwrap_or(&none);
        resolve(general, specific)
    }

    /// What holds for one entry of [`Contact::marks`]: for its category, or in general.
    pub fn status_of(&self, channel: Channel, category: Option<&Category>) -> ConsentStatus {
        match category {
            Some(category) => self.consent(channel, category).status,
            None => self.stated_in_general(channel).status,
        }
    }

    /// What holds when no category is named, or no channel, or neither.
    ///
    /// Without a category: the general statement; where there is none, an opt-in to any category,
    /// else an opt-out from any. Without a channel: the strictest of all channels, an opt-out
    /// before an opt-in before nothing.
    pub fn summary(&self, channel: Option<Channel>, category: Option<&Category>) -> Consent {
        let channels = match channel {
            Some(channel) => vec![channel],
            None => Channel::ALL.to_vec(),
        };
        let on_each = channels.into_iter().map(|channel| match category {
            Some(category) => self.consent(channel, category),
            None => self.in_general(channel),
        });
        let strictness = |consent: &Consent| match consent.status {
            ConsentStatus::OptOut => 2,
            ConsentStatus::OptIn => 1,
            ConsentStatus::None => 0,
        };
        // Of equals the newest, so that `because` names what was said last.
        on_each
            .max_by_key(|consent| (strictness(consent), consent.because.clone()))
            .unwrap_or(Consent::NONE)
    }

    /// What was said in general on a channel.
    pub fn stated_in_general(&self, channel: Channel) -> Consent {
        let none = Marks::default();
        resolve(self.marks.get(&(channel, None)).unwrap_or(&none), &none)
    }

    fn in_general(&self, channel: Channel) -> Consent {
        let general = self.stated_in_general(channel);
        if general.status != ConsentStatus::None {
            return general;
        }
        let mut by_category: Vec<Consent> = self
            .marks
            .keys()
            .filter(|(on, _)| *on == channel)
            .filter_map(|(_, category)| Some(self.consent(channel, category.as_ref()?)))
            .filter(|consent| consent.status != ConsentStatus::None)
            .collect();
        by_category.sort_by_key(|consent| (consent.status, consent.because.clone()));
        by_category.into_iter().next().unwrap_or(Consent::NONE)
    }
}

/// The rules of [`Contact::consent`].
fn resolve(general: &Marks, specific: &Marks) -> Consent {
    let lifted_specific = specific.lifting_opt_in();
    let lifted_general = general
        .lifting_opt_in()
        .max(general.release.as_ref())
        .max(lifted_specific);
    let reported_in = newest([&general.reported_opt_in, &specific.reported_opt_in]);

    let stops = [
        standing(&specific.own_opt_out, lifted_specific),
        standing(
            &specific.reported_opt_out,
            lifted_specific.max(specific.reported_opt_in.as_ref()),
        ),
        standing(&general.own_opt_out, lifted_general),
        standing(&general.reported_opt_out, lifted_general.max(reported_in)),
        standing(&specific.platform_stop, specific.platform_resume.as_ref()),
        standing(&general.platform_stop, general.platform_resume.as_ref()),
    ];
    if let Some(stop) = stops.into_iter().flatten().max() {
        return Consent::opt_out(stop);
    }

    // What was set with the platform is no word about consent: once taken back, what was agreed
    // before holds again.
    let last_stop = newest([
        &general.own_opt_out,
        &general.reported_opt_out,
        &specific.own_opt_out,
        &specific.reported_opt_out,
    ]);
    let fresh = |mark: &&Mark| last_stop.is_none_or(|stop| stop.at < mark.at);
    let named = lifted_specific.filter(fresh);
    for (proof, marks) in [
        (Proof::OwnWords, [&general.own_opt_in, &specific.own_opt_in]),
        (
            Proof::Evidence,
            [&general.proven_opt_in, &specific.proven_opt_in],
        ),
    ] {
        if let Some(mark) = newest(marks).filter(fresh) {
            return Consent::opt_in(mark, proof, named);
        }
    }
    // What was reported while the person's own stop stood had no effect then, and gets none when
    // the person lifts the stop.
    let own_stop = newest([&general.own_opt_out, &specific.own_opt_out]);
    let since = if own_stop.is_some() {
        lifted_general
    } else {
        None
    };
    match reported_in
        .filter(fresh)
        .filter(|mark| since.is_none_or(|since| since.at < mark.at))
    {
        Some(mark) => Consent::opt_in(mark, Proof::None, None),
        None => Consent::NONE,
    }
}

/// A stop that nothing newer has lifted. At the same moment, the stop wins.
fn standing<'m>(stop: &'m Option<Mark>, lifted: Option<&Mark>) -> Option<&'m Mark> {
    stop.as_ref()
        .filter(|stop| lifted.is_none_or(|lifted| lifted.at <= stop.at))
}

fn newest<const N: usize>(marks: [&Option<Mark>; N]) -> Option<&Mark> {
    marks.into_iter().flatten().max()
}
