//! People are forgotten; what is left of them is kept and found.

use rusqlite::{Connection, OptionalExtension as _, Savepoint};

use super::super::chain::content;
use super::super::forgotten::{Erased, Erasure, Forgotten, Suppressed};
use super::super::{StoreError, Table};
use super::write::{record_for, to_sql};
use super::{read, snapshot};
use crate::address::Address;
use crate::clock;

const PAGE: u32 = 1000;

/// Forgets the contact that an address belongs to.
pub(super) fn erase(
    connection: &Savepoint<'_>,
    forgotten: &Forgotten,
    address: &Address,
    erasure: &Erasure,
) -> Result<Option<Erased>, StoreError> {
    let Some(contact_id) = read::contact_id(connection, &address.to_string())? else {
        return Ok(None);
    };
    let addresses: Vec<String> = connection
        .prepare_cached("SELECT value FROM address WHERE contact_id = ?1")?
        .query_map([&contact_id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let event = erasure.event(addresses.len());
    let last = record_for(connection, contact_id.clone(), event, clock::now())?.event;
    let key_id = forgotten.make()?;
    connection.execute(
        "INSERT OR IGNORE INTO suppression_key VALUES (1, ?1)",
        [&key_id],
    )?;
    // A store that has another key already says so.
    let key_id = self::key_id(connection)?.unwrap_or_default();
    for address in &addresses {
        connection
            .prepare_cached("INSERT OR REPLACE INTO suppressed VALUES (?1, ?2, ?3)")?
            .execute((
                forgotten.hash(&key_id, address)?,
                last.recorded_at.millis(),
                &last.event_id.0,
            ))?;
    }
    let mut events = 0;
    let mut after = None;
    loop {
        let page = snapshot::page(
            connection,
            Table::Event,
            Some(&contact_id),
            after.as_ref(),
            PAGE,
        )?;
        let Some(newest) = page.last().cloned() else {
            break;
        };
        for mut row in page {
            let seq = row
                .get("seq")
                .and_then(serde_json::Value::as_i64)
                .unwrap_or(0);
            if seq >= to_sql(last.seq) {
                continue;
            }
            let hash = row.remove("hash");
            connection
                .prepare_cached("INSERT INTO erased_event VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute((
                    &contact_id,
                    seq,
                    content(&row),
                    hash.as_ref().and_then(serde_json::Value::as_str),
                    row.get("recorded_at").and_then(serde_json::Value::as_i64),
                ))?;
            events += 1;
        }
        after = Some(newest);
    }
    connection.execute(
        "UPDATE contact SET erased_at = ?2 WHERE id = ?1",
        (&contact_id, last.recorded_at.millis()),
    )?;
    connection.execute(
        "DELETE FROM event WHERE contact_id = ?1 AND seq < ?2",
        (&contact_id, to_sql(last.seq)),
    )?;
    for table in ["address", "consent", "last_inbound", "backoff", "sent"] {
        connection.execute(
            &format!("DELETE FROM {table} WHERE contact_id = ?1"),
            [&contact_id],
        )?;
    }
    Ok(Some(Erased {
        contact_id,
        events,
        addresses: addresses.len() as u64,
    }))
}

/// What is left of somebody whom nobody knows by this address any more.
pub(super) fn suppressed(
    connection: &Connection,
    forgotten: &Forgotten,
    address: &str,
) -> Result<Option<Suppressed>, StoreError> {
    let Some(key_id) = key_id(connection)? else {
        return Ok(None);
    };
    let hash = forgotten.hash(&key_id, address)?;
    let found = connection
        .prepare_cached("SELECT at, event_id FROM suppressed WHERE address_hash = ?1")?
        .query_row([hash], |row| {
            Ok(Suppressed {
                at: read::moment(row, 0)?,
                event_id: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// The key that people were erased with, if anybody was.
pub(super) fn key_id(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT key_id FROM suppression_key")?
        .query_row((), |row| row.get(0))
        .optional()
}
