//! What is known of contacts: of one, or of many at a time. Many are read table by table, in the order
//! in which the table holds them, which costs a fraction of reading one after the other.

use std::rc::Rc;

use consentry_model::{Category, Channel, Contact, Marks, Sent};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row};

use super::super::forgotten::Forgotten;
use super::super::record::MOST_SENT;
use super::super::{Known, StoreError};
use super::erase;
use super::read::{channel, contact_id, mark, moment, parsed};
use crate::address::Address;

/// A table that a contact is made of.
struct Part {
    table: &'static str,
    columns: &'static str,
    /// Takes in a row: its columns begin at 1.
    take: fn(&mut Contact, &Row<'_>) -> rusqlite::Result<()>,
}

const PARTS: [Part; 4] = [
    Part {
        table: "consent",
        columns: "channel, category, own_opt_out_at, own_opt_out_event, reported_opt_out_at,
            reported_opt_out_event, own_opt_in_at, own_opt_in_event, proven_opt_in_at,
            proven_opt_in_event, reported_opt_in_at, reported_opt_in_event, release_at,
            release_event, platform_stop_at, platform_stop_event, platform_resume_at,
            platform_resume_event",
        take: consent,
    },
    Part {
        table: "last_inbound",
        columns: "channel, at, ad_entry_at",
        take: last_inbound,
    },
    Part {
        table: "backoff",
        columns: "channel, category, until",
        take: backoff,
    },
    Part {
        table: "sent",
        columns: "channel, category, at",
        take: sent,
    },
];

pub(super) fn known(
    connection: &Connection,
    forgotten: &Forgotten,
    address: &str,
) -> Result<Known, StoreError> {
    match contact_id(connection, address)? {
        Some(id) => Ok(Known {
            contact: contact(connection, &id)?,
            id: Some(id),
        }),
        None => left(connection, forgotten, address),
    }
}

/// What is left of somebody whom nobody knows by this address.
fn left(
    connection: &Connection,
    forgotten: &Forgotten,
    address: &str,
) -> Result<Known, StoreError> {
    let suppressed = erase::suppressed(connection, forgotten, address)?;
    Ok(suppressed.map_or_else(Known::default, |suppressed| Known {
        id: None,
        contact: suppressed.contact(),
    }))
}

pub(super) fn contact(connection: &Connection, id: &str) -> rusqlite::Result<Contact> {
    let mut contact = Contact::default();
    for Part {
        table,
        columns,
        take,
    } in PARTS
    {
        let query = format!("SELECT 0, {columns} FROM {table} WHERE contact_id = ?1");
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([id])?;
        while let Some(row) = rows.next()? {
            take(&mut contact, row)?;
        }
    }
    newest_first(&mut contact);
    Ok(contact)
}

/// What is known of the contacts that addresses belong to, in the order of the addresses.
pub(super) fn many(
    connection: &Connection,
    forgotten: &Forgotten,
    addresses: &[Address],
) -> Result<Vec<Known>, StoreError> {
    let mut known: Vec<Known> = addresses.iter().map(|_| Known::default()).collect();
    let mut asked: Vec<(String, usize)> = addresses
        .iter()
        .enumerate()
        .map(|(at, address)| (address.to_string(), at))
        .collect();
    asked.sort_unstable();
    let mut found: Vec<(String, usize)> = Vec::with_capacity(asked.len());
    let values = asked.iter().map(|(value, _)| Value::from(value.clone()));
    let mut statement = connection.prepare_cached(
        "SELECT asked.rowid, contact_id FROM rarray(?1) AS asked
         CROSS JOIN address ON address.value = asked.value",
    )?;
    let mut rows = statement.query([Rc::new(values.collect::<Vec<_>>())])?;
    while let Some(row) = rows.next()? {
        let number = usize::try_from(row.get::<_, i64>(0)? - 1).unwrap_or(usize::MAX);
        if let Some((_, at)) = asked.get(number) {
            found.push((row.get(1)?, *at));
        }
    }
    found.sort_unstable();
    let ids: Rc<Vec<Value>> = Rc::new(
        found
            .iter()
            .map(|(id, _)| Value::from(id.clone()))
            .collect(),
    );
    for Part {
        table,
        columns,
        take,
    } in PARTS
    {
        let query = format!(
            "SELECT asked.rowid, {columns} FROM rarray(?1) AS asked
             CROSS JOIN {table} ON contact_id = asked.value"
        );
        let mut statement = connection.prepare_cached(&query)?;
        let mut rows = statement.query([Rc::clone(&ids)])?;
        while let Some(row) = rows.next()? {
            let number = usize::try_from(row.get::<_, i64>(0)? - 1).unwrap_or(usize::MAX);
            let at = found.get(number).map(|(_, at)| *at);
            if let Some(known) = at.and_then(|at| known.get_mut(at)) {
                take(&mut known.contact, row)?;
            }
        }
    }
    for (id, at) in found {
        if let Some(known) = known.get_mut(at) {
            newest_first(&mut known.contact);
            known.id = Some(id);
        }
    }
    if erase::key_id(connection)?.is_some() {
        for (known, address) in known.iter_mut().zip(addresses) {
            if known.id.is_none() {
                *known = left(connection, forgotten, &address.to_string())?;
            }
        }
    }
    Ok(known)
}

/// Numbers that everything has stopped for on a channel.
pub(super) fn opted_out(
    connection: &Connection,
    on: Channel,
    after: &str,
    limit: u32,
) -> rusqlite::Result<Vec<Address>> {
    let mut statement = connection.prepare_cached(
        "SELECT address.value FROM address JOIN consent ON consent.contact_id = address.contact_id
         AND channel = ?1 AND category = '*' AND status = 'OPTOUT'
         WHERE address.value > ?2 AND address.value >= '+' AND address.value < ','
         ORDER BY address.value LIMIT ?3",
    )?;
    let mut rows = statement.query((on.as_str(), after, limit))?;
    let mut numbers = Vec::new();
    while let Some(row) = rows.next()? {
        numbers.push(parsed(0, row.get_ref(0)?.as_str()?)?);
    }
    Ok(numbers)
}

fn consent(contact: &mut Contact, row: &Row<'_>) -> rusqlite::Result<()> {
    let category = match row.get_ref(2)?.as_str()? {
        "*" => None,
        name => Some(parsed::<Category>(2, name)?),
    };
    let marks = Marks {
        own_opt_out: mark(row, 3)?,
        reported_opt_out: mark(row, 5)?,
        own_opt_in: mark(row, 7)?,
        proven_opt_in: mark(row, 9)?,
        reported_opt_in: mark(row, 11)?,
        release: mark(row, 13)?,
        platform_stop: mark(row, 15)?,
        platform_resume: mark(row, 17)?,
    };
    contact.marks.insert((channel(row, 1)?, category), marks);
    Ok(())
}

fn last_inbound(contact: &mut Contact, row: &Row<'_>) -> rusqlite::Result<()> {
    let channel = channel(row, 1)?;
    contact.last_inbound.insert(channel, moment(row, 2)?);
    if row.get_ref(3)? != ValueRef::Null {
        contact.last_ad_entry.insert(channel, moment(row, 3)?);
    }
    Ok(())
}

fn backoff(contact: &mut Contact, row: &Row<'_>) -> rusqlite::Result<()> {
    let category = parsed(2, row.get_ref(2)?.as_str()?)?;
    let key = (channel(row, 1)?, category);
    contact.backoff.insert(key, moment(row, 3)?);
    Ok(())
}

fn sent(contact: &mut Contact, row: &Row<'_>) -> rusqlite::Result<()> {
    contact.sent.push(Sent {
        channel: channel(row, 1)?,
        category: parsed(2, row.get_ref(2)?.as_str()?)?,
        at: moment(row, 3)?,
    });
    Ok(())
}

fn newest_first(contact: &mut Contact) {
    contact
        .sent
        .sort_unstable_by_key(|sent| std::cmp::Reverse(sent.at));
    contact.sent.truncate(MOST_SENT);
}
