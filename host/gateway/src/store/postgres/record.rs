//! Events, written in groups: found out together, locked together, written together, in one transaction.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use consentry_model::{Contact, Timestamp};
use futures_util::future::join;
use serde_json::Value;

use super::super::forgotten::Forgotten;
use super::super::record::Newest;
use super::super::{Event, NewEvent, Recorded, StoreError};
use super::connect::Connection;
use super::contacts;
use super::failure::Failure;
use super::people::{self, People};
use super::read::{EVENT, event, text};
use super::rows::Rows;
use crate::address::Address;
use crate::clock;

/// What becomes of one event: whom it is recorded for, the one who said it last.
type Plan = Result<Vec<(String, NewEvent)>, StoreError>;

/// Records events one after the other. What is refused leaves the others as they are.
pub(super) async fn record(
    connection: Connection,
    forgotten: Arc<Forgotten>,
    events: Vec<NewEvent>,
) -> Result<Vec<Result<Recorded, StoreError>>, Failure> {
    let now = clock::now();
    let mut addresses = Vec::with_capacity(events.len());
    for event in &events {
        addresses.push(event.address.to_string());
        addresses.extend(event.other_addresses.iter().map(Address::to_string));
    }
    let mut people = People::find(&connection, &forgotten, &addresses).await?;
    let plans: Vec<Plan> = events
        .into_iter()
        .map(|event| plan(&mut people, event))
        .collect();
    let newest = people.lock(&connection, now).await?;
    let mut known = Known::read(&connection, newest, &plans).await?;
    let mut recorded = Vec::with_capacity(plans.len());
    for plan in plans {
        recorded.push(plan.and_then(|targets| {
            let mut last = Err(StoreError::Unavailable("nobody is meant".to_owned()));
            for (contact_id, event) in targets {
                last = Ok(known.record(contact_id, event, now));
            }
            last
        }));
    }
    known.rows.write(&connection).await?;
    Ok(recorded)
}

/// Records one event of a contact, within the transaction of the connection.
pub(super) async fn record_for(
    connection: &Connection,
    contact_id: &str,
    event: NewEvent,
) -> Result<Event, Failure> {
    let newest = people::lock(connection, &[contact_id]).await?;
    let plans = [Ok(vec![(contact_id.to_owned(), event.clone())])];
    let mut known = Known::read(connection, newest, &plans).await?;
    let recorded = known.record(contact_id.to_owned(), event, clock::now());
    known.rows.write(connection).await?;
    Ok(recorded.event)
}

/// Says for whom an event is recorded, as [`Store::record`](super::super::Store::record) has it.
fn plan(people: &mut People, event: NewEvent) -> Plan {
    let owner = people.owner(&event.address).cloned();
    let contact_id = owner.unwrap_or_else(People::stranger);
    let mut strangers = BTreeMap::new();
    let mut fresh = Vec::new();
    for address in &event.other_addresses {
        match people.owner(address) {
            _ if *address == event.address => {}
            None => fresh.push(address.clone()),
            Some(id) if *id == contact_id => {}
            Some(id) => drop(strangers.entry(id.clone()).or_insert(address.clone())),
        }
    }
    if !strangers.is_empty() && event.gives_something() {
        return Err(StoreError::AddressTaken);
    }
    // What is left of people who were erased and had an address that is the contact's now.
    let mut targets = Vec::with_capacity(strangers.len() + 1);
    for address in std::iter::once(&event.address).chain(&fresh) {
        if let Some(left) = people.left(address) {
            let is_new = *address == event.address;
            targets.push((contact_id.clone(), left.event(address, is_new)));
        }
    }
    people.mean(&contact_id, &event.address);
    for address in fresh {
        people.give(&contact_id, &address);
    }
    for (other_id, address) in strangers {
        people.mean(&other_id, &address);
        let same = NewEvent {
            address,
            ..event.clone()
        };
        targets.push((other_id, same));
    }
    targets.push((contact_id, event));
    Ok(targets)
}

/// By contact, channel and the provider's identifier.
type MessageKey = (String, &'static str, String);

/// What is known of everybody who is meant, while the group is written.
struct Known {
    states: HashMap<String, Contact>,
    newest: HashMap<String, Newest>,
    delivered: HashMap<MessageKey, Event>,
    rows: Rows,
}

impl Known {
    /// Reads it, now that all are locked.
    async fn read(
        connection: &Connection,
        newest: HashMap<String, Newest>,
        plans: &[Plan],
    ) -> Result<Self, Failure> {
        let query = format!(
            "SELECT {EVENT}, contact_id FROM event
             JOIN unnest($1::text[], $2::text[], $3::text[])
                AS asked (contact_id, channel, message_id)
             USING (contact_id, channel, message_id)"
        );
        let of_delivered = connection.prepare_cached(&query).await?;
        let of_states = contacts::states_of(connection).await?;
        let keys: BTreeSet<MessageKey> = plans
            .iter()
            .flatten()
            .flatten()
            .filter_map(|(contact_id, event)| message_key(contact_id, event))
            .collect();
        let contact_ids: Vec<&str> = keys.iter().map(|(id, _, _)| id.as_str()).collect();
        let channels: Vec<&str> = keys.iter().map(|(_, channel, _)| *channel).collect();
        let message_ids: Vec<&str> = keys.iter().map(|(_, _, id)| id.as_str()).collect();
        let ids: Vec<&String> = newest.keys().collect();
        let (states, rows) = join(
            contacts::states(connection, &of_states, &ids),
            connection.query(&of_delivered, &[&contact_ids, &channels, &message_ids]),
        )
        .await;
        let states = states?;
        let mut delivered = HashMap::new();
        for row in rows? {
            let event = event(&row)?;
            if let (Some(channel), Some(message_id)) = (event.channel, event.message_id.clone()) {
                let key = (row.try_get("contact_id")?, channel.as_str(), message_id);
                delivered.insert(key, event);
            }
        }
        Ok(Self {
            states,
            newest,
            delivered,
            rows: Rows::default(),
        })
    }

    fn record(&mut self, contact_id: String, new: NewEvent, now: Timestamp) -> Recorded {
        let state = self.states.entry(contact_id.clone()).or_default();
        let key = message_key(&contact_id, &new);
        if let Some(first) = key.as_ref().and_then(|key| self.delivered.get(key)) {
            return Recorded {
                event: first.clone(),
                contact: state.clone(),
                contact_id,
                duplicate: true,
            };
        }
        let newest = self.newest.entry(contact_id.clone()).or_default();
        let before = state.clone();
        let mut event = without_zeros(new.take_in(state, newest, now));
        event.seal(&contact_id, &newest.hash);
        *newest = Newest::from(&event);
        self.rows.add(&contact_id, &event, &before, state);
        if let Some(key) = key {
            self.delivered.insert(key, event.clone());
        }
        Recorded {
            event,
            contact: state.clone(),
            contact_id,
            duplicate: false,
        }
    }
}

fn message_key(contact_id: &str, event: &NewEvent) -> Option<MessageKey> {
    let (channel, message_id) = (event.channel?, event.message_id.as_ref()?);
    let message_id = text(message_id).into_owned();
    Some((contact_id.to_owned(), channel.as_str(), message_id))
}

/// The event as PostgreSQL can keep it; see [`text`].
fn without_zeros(mut event: Event) -> Event {
    let texts = [
        &mut event.business_address,
        &mut event.message_id,
        &mut event.body,
        &mut event.footer,
        &mut event.question,
        &mut event.country,
        &mut event.contact_language,
        &mut event.source,
        &mut event.actor,
        &mut event.scope,
        &mut event.rule,
        &mut event.matched,
        &mut event.language,
        &mut event.reply,
        &mut event.asks,
    ];
    for value in texts.into_iter().flatten() {
        keepable(value);
    }
    for document in [&mut event.selection, &mut event.evidence] {
        document.iter_mut().for_each(keepable_document);
    }
    keepable_document(&mut event.changes);
    event
}

fn keepable(value: &mut String) {
    if let Cow::Owned(kept) = text(value) {
        *value = kept;
    }
}

fn keepable_document(document: &mut Value) {
    match document {
        Value::String(value) => keepable(value),
        Value::Array(values) => values.iter_mut().for_each(keepable_document),
        Value::Object(fields) => {
            if fields.keys().any(|name| name.contains('\0')) {
                let kept = std::mem::take(fields).into_iter();
                *fields = kept
                    .map(|(name, value)| (text(&name).into_owned(), value))
                    .collect();
            }
            fields.values_mut().for_each(keepable_document);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
