//! What is on record of one person: the store of a gateway, for one contact, in memory.

use consentry_model::{
    Answers, Change, Channel, Classification, Contact, EventId, Intent, Limit, Mark, Outbound,
    Sent, Statement, Timestamp,
};
use serde::Serialize;
use serde_json::Value;

/// How many of the messages sent are kept: more than any limit counts.
const MOST_SENT: usize = 128;

/// An event, in the form of the history that the HTTP API gives.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event {
    pub(crate) event_id: EventId,
    pub(crate) kind: &'static str,
    pub(crate) channel: Option<Channel>,
    pub(crate) message_id: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) evidence: Option<Value>,
    pub(crate) changes: Vec<Change>,
    pub(crate) said_at: Timestamp,
    pub(crate) recorded_at: Timestamp,
    #[serde(skip)]
    pub(crate) understood: Option<Classification>,
}

/// Something to record.
pub(crate) struct NewEvent {
    pub(crate) event_id: EventId,
    pub(crate) channel: Option<Channel>,
    pub(crate) message_id: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) evidence: Option<Value>,
    pub(crate) changes: Vec<Change>,
    pub(crate) statement: Statement,
    pub(crate) said_at: Option<Timestamp>,
    pub(crate) ad_entry: bool,
    pub(crate) understood: Option<Classification>,
}

/// What a message is bound to that names an event as the one it answers.
pub(crate) enum Answerable {
    Yes(Answers),
    /// No, for this reason.
    No(&'static str),
    /// There is no such event, or it asks for no answer.
    Unknown,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Person {
    pub(crate) contact: Contact,
    pub(crate) events: Vec<Event>,
    /// The events that have their answer.
    answered: Vec<EventId>,
}

impl Person {
    /// The event that a message of the provider has already made.
    pub(crate) fn delivered(&self, channel: Channel, message_id: Option<&str>) -> Option<&Event> {
        let message_id = message_id?;
        self.events.iter().find(|event| {
            event.channel == Some(channel) && event.message_id.as_deref() == Some(message_id)
        })
    }

    /// What the answer to the newest message on a channel asked, if that was said since a moment.
    pub(crate) fn open_question(&self, channel: Channel, since: Timestamp) -> Option<String> {
        let newest = self
            .events
            .iter()
            .rev()
            .find(|event| event.understood.is_some() && event.channel == Some(channel))?;
        let asks = newest.understood.as_ref()?.asks.clone();
        asks.filter(|_| newest.said_at >= since)
    }

    pub(crate) fn answerable(&self, event_id: &EventId) -> Answerable {
        let intent = |event: &Event| event.understood.as_ref().map(|found| found.intent);
        let Some(event) = self.events.iter().find(|event| event.event_id == *event_id) else {
            return Answerable::Unknown;
        };
        if self.answered.contains(event_id) {
            return Answerable::No("already_answered");
        }
        match intent(event) {
            Some(Intent::Help) => Answerable::Yes(Answers::Help(event.said_at)),
            Some(Intent::OptOut) => {
                let opt_outs = self.events.iter().enumerate();
                let newest = opt_outs
                    .filter(|(_, event)| intent(event) == Some(Intent::OptOut))
                    .max_by_key(|(seq, event)| (event.said_at, *seq));
                if newest.is_some_and(|(_, newest)| newest.event_id == *event_id) {
                    Answerable::Yes(Answers::OptOut(event.said_at))
                } else {
                    Answerable::No("not_newest_opt_out")
                }
            }
            _ => Answerable::Unknown,
        }
    }

    /// Records an event and what follows from it. No two events share a moment.
    pub(crate) fn record(&mut self, new: NewEvent, now: Timestamp) -> &Event {
        let last = self.events.last().map(|event| event.recorded_at);
        let recorded_at = last
            .and_then(|last| Timestamp::from_millis(last.millis() + 1))
            .map_or(now, |next| next.max(now));
        let said_at = new.said_at.map_or(recorded_at, |at| at.min(recorded_at));
        for change in &new.changes {
            let mark = Mark {
                at: said_at,
                event: new.event_id.clone(),
            };
            self.contact.apply(change, new.statement, mark);
        }
        if let (Some(channel), Some(_)) = (new.channel, &new.understood) {
            self.contact.wrote(channel, said_at);
            if new.ad_entry {
                let last = self.contact.last_ad_entry.entry(channel).or_insert(said_at);
                *last = said_at.max(*last);
            }
        }
        self.events.push(Event {
            event_id: new.event_id,
            kind: if new.understood.is_some() {
                "inbound"
            } else {
                "reported"
            },
            channel: new.channel,
            message_id: new.message_id,
            body: new.body,
            source: new.source,
            evidence: new.evidence,
            changes: new.changes,
            said_at,
            recorded_at,
            understood: new.understood,
        });
        let last = self.events.len() - 1;
        #[allow(clippy::indexing_slicing, reason = "it was put there just now")]
        &self.events[last]
    }

    /// The limit that has no place left, and when it has one again.
    pub(crate) fn full(&self, limits: &[Limit], at: Timestamp) -> Option<(String, Timestamp)> {
        limits.iter().find_map(|limit| {
            let earlier = (limit.count as usize).saturating_sub(1);
            let sent = self
                .contact
                .sent(&limit.channels, &limit.categories, earlier);
            let until = limit.full_until(sent, at)?;
            Some((limit.rule.clone(), until))
        })
    }

    /// Takes a place for a message that goes.
    pub(crate) fn send(&mut self, message: &Outbound, answers: Option<EventId>) {
        self.answered.extend(answers);
        let sent = &mut self.contact.sent;
        sent.push(Sent {
            at: message.at,
            channel: message.channel,
            category: message.category.clone(),
        });
        sent.sort_by_key(|sent| std::cmp::Reverse(sent.at));
        sent.truncate(MOST_SENT);
    }
}
