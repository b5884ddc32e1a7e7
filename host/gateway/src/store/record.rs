//! What is recorded, before and after.

use consentry_model::{
    Answers, Category, Change, ChangeKind, Channel, Classification, Contact, EventId, Mark, Scope,
    Statement, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::Answerable;
use crate::address::Address;

/// How many of the messages sent are known of a contact: more than any limit counts.
pub(crate) const MOST_SENT: usize = 128;

/// How an event came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// The contact wrote.
    Inbound,
    /// Somebody else reported it: an agent, an import, a form, a provider.
    Reported,
}

impl EventKind {
    /// The name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Reported => "reported",
        }
    }
}

/// A tapped button or list row, as it was reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Selection {
    /// Its identifier.
    pub id: String,
    /// The words on it.
    #[serde(default)]
    pub title: String,
}

/// A time for which a platform asked to leave a contact alone.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// With which messages.
    pub category: Category,
    /// Until when.
    pub until: Timestamp,
}

/// Something to record.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// How it came about.
    pub kind: EventKind,
    /// The contact's address that it came from, or is about.
    pub address: Address,
    /// Other addresses of the same contact.
    pub other_addresses: Vec<Address>,
    /// The channel; nothing for a report about several.
    pub channel: Option<Channel>,
    /// The sender's own address: number, short code, name.
    pub business_address: Option<String>,
    /// The provider's identifier of the message.
    pub message_id: Option<String>,
    /// What was said, verbatim.
    pub body: Option<String>,
    /// The button or row tapped.
    pub selection: Option<Selection>,
    /// The footer the contact had been shown.
    pub footer: Option<String>,
    /// The question the contact had been asked.
    pub question: Option<String>,
    /// The category of the sender's last message.
    pub last_category: Option<Category>,
    /// The contact's country, as the policy was told.
    pub country: Option<String>,
    /// The contact's language, as the policy was told.
    pub contact_language: Option<String>,
    /// Whether the provider had answered already.
    pub answered: bool,
    /// Where a report came from.
    pub source: Option<String>,
    /// Who reported.
    pub actor: Option<String>,
    /// The evidence of a report, as it was handed in.
    pub evidence: Option<Value>,
    /// Whether the contact began a chat from an advertisement with it.
    pub ad_entry: bool,
    /// For how long a platform asked to leave the contact alone, on the event's channel.
    pub backoff: Option<Backoff>,
    /// When it was said; nothing: now. A moment that is yet to come counts as now.
    pub said_at: Option<Timestamp>,
    /// How much it weighs.
    pub statement: Statement,
    /// What was understood of it, and by which policy.
    pub understood: Option<Understood>,
    /// What follows from it.
    pub changes: Vec<Change>,
}

/// What a policy made of a message.
#[derive(Clone, Debug)]
pub struct Understood {
    /// The classification.
    pub classification: Classification,
    /// The digest of the policy that was asked.
    pub policy: String,
}

/// A recorded event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Its identifier.
    pub event_id: EventId,
    /// Its number among the contact's events, from 1.
    pub seq: u64,
    /// How it came about.
    pub kind: String,
    /// The address it came from, or is about.
    pub address: String,
    /// Other addresses of the same contact, as they were named with it.
    pub other_addresses: Vec<String>,
    /// The channel.
    pub channel: Option<Channel>,
    /// The sender's own address.
    pub business_address: Option<String>,
    /// The provider's identifier of the message.
    pub message_id: Option<String>,
    /// What was said, verbatim.
    pub body: Option<String>,
    /// The button or row tapped.
    pub selection: Option<Value>,
    /// The footer the contact had been shown.
    pub footer: Option<String>,
    /// The question the contact had been asked.
    pub question: Option<String>,
    /// The category of the sender's last message.
    pub last_category: Option<Category>,
    /// The contact's country, as the policy was told.
    pub country: Option<String>,
    /// The contact's language, as the policy was told.
    pub contact_language: Option<String>,
    /// Whether the provider had answered already.
    pub answered: bool,
    /// Where a report came from.
    pub source: Option<String>,
    /// Who reported.
    pub actor: Option<String>,
    /// The evidence of a report.
    pub evidence: Option<Value>,
    /// What it meant.
    pub intent: Option<String>,
    /// How much it was about.
    pub scope: Option<String>,
    /// Whether a person must look at it.
    pub review: bool,
    /// The rule that decided.
    pub rule: Option<String>,
    /// The words that decided.
    pub matched: Option<String>,
    /// Their language.
    pub language: Option<String>,
    /// What was answered.
    pub reply: Option<String>,
    /// The question that the answer asked.
    pub asks: Option<String>,
    /// Where it went.
    pub route: Option<String>,
    /// How urgent it was there.
    pub priority: Option<String>,
    /// The policy that was asked.
    pub policy: Option<String>,
    /// What followed.
    pub changes: Value,
    /// When it was said.
    pub said_at: Timestamp,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// How much it weighs.
    pub statement: Statement,
    /// The hash of all this and of the contact's event before; `chain.rs` says how it is made.
    pub hash: String,
}

impl Event {
    /// Takes in again what followed from it.
    pub(crate) fn apply_to(&self, contact: &mut Contact) -> serde_json::Result<()> {
        for change in Vec::<Change>::deserialize(&self.changes)? {
            let mark = Mark {
                at: self.said_at,
                event: self.event_id.clone(),
            };
            contact.apply(&change, self.statement, mark);
        }
        Ok(())
    }
}

/// What came of recording.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The contact's identifier.
    pub contact_id: String,
    /// The event; for a duplicate, the first one.
    pub event: Event,
    /// The contact afterwards.
    pub contact: Contact,
    /// Whether the provider's message had been recorded before.
    pub duplicate: bool,
}

/// The name that serde gives a value, for a column that people read.
pub(crate) fn name(value: impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => Some(name),
        _ => None,
    }
}

impl NewEvent {
    /// An event of which nothing more is known yet.
    pub fn new(kind: EventKind, address: Address, statement: Statement) -> Self {
        Self {
            kind,
            address,
            statement,
            other_addresses: Vec::new(),
            channel: None,
            business_address: None,
            message_id: None,
            body: None,
            selection: None,
            footer: None,
            question: None,
            last_category: None,
            country: None,
            contact_language: None,
            answered: false,
            source: None,
            actor: None,
            evidence: None,
            ad_entry: false,
            backoff: None,
            said_at: None,
            understood: None,
            changes: Vec::new(),
        }
    }

    /// Whether it gives something: what one person gave must not become what another one did; what one
    /// withdrew may.
    pub(super) fn gives_something(&self) -> bool {
        let gives = |change: &Change| change.kind != ChangeKind::OptOut;
        self.changes.iter().any(gives)
    }

    /// Takes the event in: into what is known of its contact, after its newest event. Gives the event to
    /// be recorded, which must be [sealed](Event::seal) when it is as the store can keep it.
    pub(super) fn take_in(self, contact: &mut Contact, newest: &Newest, now: Timestamp) -> Event {
        // No two events of a contact share a moment, so "STOP" and "START" within a millisecond keep
        // their order.
        let recorded_at = newest
            .recorded_at
            .and_then(|last| Timestamp::from_millis(last.millis() + 1))
            .map_or(now, |next| next.max(now));
        let said_at = self.said_at.map_or(recorded_at, |at| at.min(recorded_at));
        let event_id = EventId(Uuid::now_v7().to_string());
        for change in &self.changes {
            let mark = Mark {
                at: said_at,
                event: event_id.clone(),
            };
            contact.apply(change, self.statement, mark);
        }
        if self.kind == EventKind::Inbound
            && let Some(channel) = self.channel
        {
            contact.wrote(channel, said_at);
            if self.ad_entry {
                let last = contact.last_ad_entry.entry(channel).or_insert(said_at);
                *last = said_at.max(*last);
            }
        }
        if let (Some(backoff), Some(channel)) = (&self.backoff, self.channel) {
            let key = (channel, backoff.category.clone());
            let until = contact.backoff.entry(key).or_insert(backoff.until);
            *until = backoff.until.max(*until);
        }
        self.into_event(event_id, newest.seq + 1, said_at, recorded_at)
    }

    fn into_event(
        self,
        event_id: EventId,
        seq: u64,
        said_at: Timestamp,
        recorded_at: Timestamp,
    ) -> Event {
        let (found, policy) = match self.understood {
            Some(understood) => (Some(understood.classification), Some(understood.policy)),
            None => (None, None),
        };
        Event {
            event_id,
            seq,
            kind: self.kind.as_str().to_owned(),
            address: self.address.to_string(),
            other_addresses: self
                .other_addresses
                .iter()
                .map(Address::to_string)
                .collect(),
            channel: self.channel,
            business_address: self.business_address,
            message_id: self.message_id,
            body: self.body,
            selection: self
                .selection
                .and_then(|tapped| serde_json::to_value(tapped).ok()),
            footer: self.footer,
            question: self.question,
            last_category: self.last_category,
            country: self.country,
            contact_language: self.contact_language,
            answered: self.answered,
            source: self.source,
            actor: self.actor,
            // No document is no evidence.
            evidence: self.evidence.filter(|document| !document.is_null()),
            intent: found.as_ref().map(|found| found.intent.as_str().to_owned()),
            scope: found
                .as_ref()
                .and_then(|found| found.scope.as_ref().map(Scope::to_string)),
            review: found.as_ref().is_some_and(|found| found.review),
            route: found.as_ref().and_then(|found| name(found.route)),
            priority: found.as_ref().and_then(|found| name(found.priority)),
            rule: found.as_ref().map(|found| found.rule.clone()),
            matched: found.as_ref().and_then(|found| found.matched.clone()),
            language: found.as_ref().and_then(|found| found.language.clone()),
            reply: found.as_ref().and_then(|found| found.reply.clone()),
            asks: found.and_then(|found| found.asks),
            policy,
            changes: serde_json::to_value(self.changes).unwrap_or(Value::Array(Vec::new())),
            said_at,
            recorded_at,
            statement: self.statement,
            hash: String::new(),
        }
    }
}

/// A contact's newest event.
#[derive(Clone, Debug, Default)]
pub(super) struct Newest {
    /// Its number; 0 where there is none.
    pub(super) seq: u64,
    /// When it was recorded.
    pub(super) recorded_at: Option<Timestamp>,
    /// Its hash; empty where there is none.
    pub(super) hash: String,
}

impl Newest {
    /// From the columns of a contact.
    pub(super) fn of_columns(seq: i64, recorded_at: i64, head: String) -> Self {
        Self {
            hash: head,
            seq: seq.unsigned_abs(),
            recorded_at: (seq != 0)
                .then(|| Timestamp::from_millis(recorded_at))
                .flatten(),
        }
    }
}

impl From<&Event> for Newest {
    fn from(event: &Event) -> Self {
        Self {
            seq: event.seq,
            recorded_at: Some(event.recorded_at),
            hash: event.hash.clone(),
        }
    }
}

/// An event that a message names as the one it answers.
pub(super) struct Named<'e> {
    pub(super) intent: Option<&'e str>,
    pub(super) said_at: Timestamp,
    pub(super) is_answered: bool,
    /// Whether the contact has not opted out again since.
    pub(super) is_newest_opt_out: bool,
}

impl Named<'_> {
    /// What the message is bound to.
    pub(super) fn answerable(&self) -> Answerable {
        match self.intent {
            _ if self.is_answered => Answerable::Answered,
            Some("help") => Answerable::Yes(Answers::Help(self.said_at)),
            Some("opt-out") if self.is_newest_opt_out => {
                Answerable::Yes(Answers::OptOut(self.said_at))
            }
            Some("opt-out") => Answerable::NotNewest,
            _ => Answerable::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use consentry_model::ConsentStatus;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A clock that jumps, back as well, changes no order: what came last holds, and the chain goes on.
        #[test]
        fn whatever_the_clock_does_what_came_last_holds(
            moments in prop::collection::vec((0_i64..5000, any::<bool>()), 1..30),
        ) {
            let address = Address::parse("+14155550123", None).unwrap();
            let mut contact = Contact::default();
            let mut newest = Newest::default();
            for (now, stops) in moments {
                let kind = if stops { ChangeKind::OptOut } else { ChangeKind::OptIn };
                let mut new = NewEvent::new(EventKind::Inbound, address.clone(), Statement::Own);
                new.channel = Some(Channel::Sms);
                new.changes = vec![Change::general(Channel::Sms, kind)];
                let now = Timestamp::from_millis(now).unwrap();
                let mut event = new.take_in(&mut contact, &newest, now);
                event.seal("ann", &newest.hash);
                prop_assert!(newest.recorded_at.is_none_or(|before| before < event.recorded_at));
                prop_assert!(event.said_at <= event.recorded_at && now <= event.recorded_at);
                prop_assert_eq!(event.seq, newest.seq + 1);
                prop_assert_ne!(&event.hash, &newest.hash);
                let holds = if stops { ConsentStatus::OptOut } else { ConsentStatus::OptIn };
                prop_assert_eq!(contact.status_of(Channel::Sms, None), holds);
                newest = Newest::from(&event);
            }
        }
    }
}
