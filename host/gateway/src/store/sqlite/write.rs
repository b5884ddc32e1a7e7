//! What is written: a contact, its addresses and events, the view built from them, and the messages
//! that went.

use std::collections::BTreeMap;

use consentry_model::{Category, Channel, ConsentStatus, Contact, Mark, Marks, Timestamp};
use rusqlite::{Connection, Savepoint};
use uuid::Uuid;

use super::super::forgotten::Forgotten;
use super::super::record::Newest;
use super::super::{Backoff, Event, EventKind, NewEvent, Outgoing, Place, Recorded, StoreError};
use super::{contacts, erase, read};
use crate::address::Address;
use crate::clock;

pub(super) fn take_place(
    connection: &Savepoint<'_>,
    forgotten: &Forgotten,
    message: Outgoing,
) -> Result<Place, StoreError> {
    let contact_id = contact_of(connection, forgotten, &message.address, clock::now())?;
    for limit in &message.limits {
        if let Some(until) = read::reached(connection, &contact_id, limit, message.at)? {
            return Ok(Place::Full {
                rule: limit.rule.clone(),
                until,
            });
        }
    }
    let taken = connection
        .prepare_cached("INSERT INTO sent VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING")?
        .execute((
            &contact_id,
            message.at.millis(),
            &message.decision_id,
            message.channel.as_str(),
            message.category.as_str(),
            message.answers.as_ref().map(|event| &event.0),
        ))?;
    Ok(if taken == 0 {
        Place::Answered
    } else {
        Place::Taken
    })
}

pub(super) fn record(
    connection: &Savepoint<'_>,
    forgotten: &Forgotten,
    mut new: NewEvent,
) -> Result<Recorded, StoreError> {
    let now = clock::now();
    let contact_id = contact_of(connection, forgotten, &new.address, now)?;
    let others = std::mem::take(&mut new.other_addresses);
    let strangers = name_as(connection, forgotten, &contact_id, &others, now)?;
    new.other_addresses = others;
    if !strangers.is_empty() && new.gives_something() {
        return Err(StoreError::AddressTaken);
    }
    for (other_id, address) in strangers {
        let same = NewEvent {
            address,
            ..new.clone()
        };
        record_for(connection, other_id, same, now)?;
    }
    record_for(connection, contact_id, new, now)
}

pub(super) fn record_for(
    connection: &Connection,
    contact_id: String,
    new: NewEvent,
    now: Timestamp,
) -> Result<Recorded, StoreError> {
    if let (Some(channel), Some(message_id)) = (new.channel, &new.message_id)
        && let Some(event) = read::delivered(connection, &contact_id, channel, message_id)?
    {
        let contact = contacts::contact(connection, &contact_id)?;
        return Ok(Recorded {
            contact_id,
            event,
            contact,
            duplicate: true,
        });
    }

    let mut contact = contacts::contact(connection, &contact_id)?;
    let before = contact.marks.clone();
    let (kind, ad_entry, backoff) = (new.kind, new.ad_entry, new.backoff.clone());
    let newest = newest(connection, &contact_id)?;
    let mut event = new.take_in(&mut contact, &newest, now);
    event.seal(&contact_id, &newest.hash);
    if let Some(channel) = event.channel.map(Channel::as_str) {
        if kind == EventKind::Inbound {
            let ad_entry = ad_entry.then_some(event.said_at);
            write_last_inbound(connection, &contact_id, channel, event.said_at, ad_entry)?;
        }
        if let Some(backoff) = &backoff {
            write_backoff(connection, &contact_id, channel, backoff)?;
        }
    }
    insert(connection, &contact_id, &event)?;
    if contact.marks != before {
        write_consent(connection, &contact_id, &contact)?;
    }
    connection
        .prepare_cached(
            "UPDATE contact SET last_seq = ?2, last_recorded_at = ?3, head = ?4 WHERE id = ?1",
        )?
        .execute((
            &contact_id,
            to_sql(event.seq),
            event.recorded_at.millis(),
            &event.hash,
        ))?;
    Ok(Recorded {
        contact_id,
        event,
        contact,
        duplicate: false,
    })
}

/// The contact that an address belongs to, made when the address is new.
fn contact_of(
    connection: &Connection,
    forgotten: &Forgotten,
    address: &Address,
    now: Timestamp,
) -> Result<String, StoreError> {
    if let Some(id) = read::contact_id(connection, &address.to_string())? {
        return Ok(id);
    }
    let id = Uuid::now_v7().to_string();
    connection
        .prepare_cached("INSERT INTO contact VALUES (?1, ?2, 0, 0, '', 0, NULL)")?
        .execute((&id, now.millis()))?;
    give(connection, forgotten, (&id, true), address, now)?;
    Ok(id)
}

/// Gives a contact the addresses that are new. Gives back every other contact that has one of them,
/// with the first that it has.
fn name_as(
    connection: &Connection,
    forgotten: &Forgotten,
    contact_id: &str,
    addresses: &[Address],
    now: Timestamp,
) -> Result<BTreeMap<String, Address>, StoreError> {
    let mut strangers = BTreeMap::new();
    for address in addresses {
        match read::contact_id(connection, &address.to_string())? {
            None => give(connection, forgotten, (contact_id, false), address, now)?,
            Some(id) if id == contact_id => {}
            Some(id) => drop(strangers.entry(id).or_insert_with(|| address.clone())),
        }
    }
    Ok(strangers)
}

fn newest(connection: &Connection, contact_id: &str) -> rusqlite::Result<Newest> {
    connection
        .prepare_cached("SELECT last_seq, last_recorded_at, head FROM contact WHERE id = ?1")?
        .query_row([contact_id], |row| {
            Ok(Newest::of_columns(row.get(0)?, row.get(1)?, row.get(2)?))
        })
}

/// Gives a contact, which may be new, an address that nobody has. What is left of somebody who had it and was erased becomes an
/// event of the contact.
fn give(
    connection: &Connection,
    forgotten: &Forgotten,
    (contact_id, is_new): (&str, bool),
    address: &Address,
    now: Timestamp,
) -> Result<(), StoreError> {
    let value = address.to_string();
    connection
        .prepare_cached("INSERT INTO address VALUES (?1, ?2)")?
        .execute((&value, contact_id))?;
    if let Some(suppressed) = erase::suppressed(connection, forgotten, &value)? {
        record_for(
            connection,
            contact_id.to_owned(),
            suppressed.event(address, is_new),
            now,
        )?;
    }
    Ok(())
}

fn insert(connection: &Connection, contact_id: &str, event: &Event) -> rusqlite::Result<()> {
    let json = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    connection
        .prepare_cached(
            "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,
                ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30,
                ?31, ?32, ?33, ?34, ?35, ?36)",
        )?
        .execute(rusqlite::params![
            contact_id,
            to_sql(event.seq),
            event.event_id.0,
            event.kind,
            event.address,
            event.named_addresses().as_ref().map(ToString::to_string),
            event.channel.map(Channel::as_str),
            event.business_address,
            event.message_id,
            event.body,
            json(&event.selection),
            event.footer,
            event.question,
            event.last_category.as_ref().map(Category::as_str),
            event.country,
            event.contact_language,
            event.answered,
            event.source,
            event.actor,
            json(&event.evidence),
            event.intent,
            event.scope,
            event.review,
            event.rule,
            event.matched,
            event.language,
            event.reply,
            event.asks,
            event.route,
            event.priority,
            event.policy,
            event.changes.to_string(),
            event.said_at.millis(),
            event.recorded_at.millis(),
            event.statement.as_str(),
            event.hash,
        ])
        .map(drop)
}

/// Writes the whole view of one contact: a general statement changes what holds for its categories.
fn write_consent(
    connection: &Connection,
    contact_id: &str,
    contact: &Contact,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO consent
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
            ?20)",
    )?;
    for ((channel, category), marks) in &contact.marks {
        let status: ConsentStatus = contact.status_of(*channel, category.as_ref());
        let Marks {
            own_opt_out,
            reported_opt_out,
            own_opt_in,
            proven_opt_in,
            reported_opt_in,
            release,
            platform_stop,
            platform_resume,
        } = marks;
        statement.execute(rusqlite::params![
            contact_id,
            channel.as_str(),
            category.as_ref().map_or("*", |category| category.as_str()),
            status.as_str(),
            at(own_opt_out),
            id(own_opt_out),
            at(reported_opt_out),
            id(reported_opt_out),
            at(own_opt_in),
            id(own_opt_in),
            at(proven_opt_in),
            id(proven_opt_in),
            at(reported_opt_in),
            id(reported_opt_in),
            at(release),
            id(release),
            at(platform_stop),
            id(platform_stop),
            at(platform_resume),
            id(platform_resume),
        ])?;
    }
    Ok(())
}

fn at(mark: &Option<Mark>) -> Option<i64> {
    mark.as_ref().map(|mark| mark.at.millis())
}

fn id(mark: &Option<Mark>) -> Option<&str> {
    mark.as_ref().map(|mark| mark.event.0.as_str())
}

fn write_last_inbound(
    connection: &Connection,
    contact_id: &str,
    channel: &str,
    at: Timestamp,
    ad_entry: Option<Timestamp>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO last_inbound VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET at = max(at, excluded.at), ad_entry_at =
                coalesce(max(ad_entry_at, excluded.ad_entry_at), ad_entry_at, excluded.ad_entry_at)",
        )?
        .execute((
            contact_id,
            channel,
            at.millis(),
            ad_entry.map(Timestamp::millis),
        ))
        .map(drop)
}

fn write_backoff(
    connection: &Connection,
    contact_id: &str,
    channel: &str,
    backoff: &Backoff,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO backoff VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
        )?
        .execute((
            contact_id,
            channel,
            backoff.category.as_str(),
            backoff.until.millis(),
        ))
        .map(drop)
}

pub(super) fn to_sql(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
