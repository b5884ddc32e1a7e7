//! People are forgotten; what is left of them is kept and found.

use std::collections::HashMap;

use super::super::chain::content;
use super::super::forgotten::{Erased, Erasure, Forgotten, Suppressed};
use super::super::{StoreError, Table};
use super::connect::Connection;
use super::failure::Failure;
use super::read::moment;
use super::{contacts, record, snapshot};
use crate::address::Address;

const PAGE: u32 = 1000;

/// Forgets the contact that an address belongs to.
pub(super) async fn erase(
    connection: Connection,
    forgotten: &Forgotten,
    address: &Address,
    erasure: &Erasure,
) -> Result<Option<Erased>, Failure> {
    let statement = contacts::owners_of(&connection).await?;
    let owners = contacts::owners(&connection, &statement, &[address.to_string()]).await?;
    let Some(contact_id) = owners.into_values().next() else {
        return Ok(None);
    };
    // Whoever writes about somebody locks this row first, and finds the addresses gone afterwards.
    let lock = "SELECT FROM contact WHERE id = $1 FOR UPDATE";
    connection.execute(lock, &[&contact_id]).await?;
    let of = "SELECT value FROM address WHERE contact_id = $1 ORDER BY value";
    let rows = connection.query(of, &[&contact_id]).await?;
    let addresses: Vec<String> = rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?;
    if addresses.is_empty() {
        return Ok(None);
    }
    let event = erasure.event(addresses.len());
    let last = record::record_for(&connection, &contact_id, event).await?;
    let made = forgotten.make()?;
    let insert = "INSERT INTO suppression_key (key_id) VALUES ($1) ON CONFLICT DO NOTHING";
    connection.execute(insert, &[&made]).await?;
    // A store that has another key already says so.
    let key_id = self::key_id(&connection).await?.unwrap_or_default();
    let hashes = addresses
        .iter()
        .map(|address| forgotten.hash(&key_id, address));
    let hashes: Vec<String> = hashes.collect::<Result<_, StoreError>>()?;
    connection
        .execute(
            "INSERT INTO suppressed (address_hash, at, event_id)
             SELECT hash, $2, $3 FROM unnest($1::text[]) AS hash
             ON CONFLICT (address_hash) DO UPDATE SET at = excluded.at, event_id = excluded.event_id",
            &[&hashes, &last.recorded_at.millis(), &last.event_id.0],
        )
        .await?;
    let last_seq = i64::try_from(last.seq).unwrap_or(i64::MAX);
    let mut events = 0;
    let mut after = None;
    loop {
        let page = snapshot::read(
            &connection,
            Table::Event,
            Some(&contact_id),
            after.as_ref(),
            PAGE,
        )
        .await?;
        let Some(newest) = page.last().cloned() else {
            break;
        };
        for mut row in page {
            let number = |row: &super::super::Row, name: &str| {
                row.get(name)
                    .and_then(serde_json::Value::as_i64)
                    .unwrap_or(0)
            };
            let seq = number(&row, "seq");
            if seq >= last_seq {
                continue;
            }
            let hash = row.remove("hash");
            let hash = hash.as_ref().and_then(serde_json::Value::as_str);
            let insert = connection
                .prepare_cached("INSERT INTO erased_event VALUES ($1, $2, $3, $4, $5)")
                .await?;
            let recorded_at = number(&row, "recorded_at");
            connection
                .execute(
                    &insert,
                    &[&contact_id, &seq, &content(&row), &hash, &recorded_at],
                )
                .await?;
            events += 1;
        }
        after = Some(newest);
    }
    let mark = "UPDATE contact SET erased_at = $2 WHERE id = $1";
    connection
        .execute(mark, &[&contact_id, &last.recorded_at.millis()])
        .await?;
    let delete = "DELETE FROM event WHERE contact_id = $1 AND seq < $2";
    connection
        .execute(delete, &[&contact_id, &last_seq])
        .await?;
    for table in ["address", "consent", "last_inbound", "backoff", "sent"] {
        let delete = format!("DELETE FROM {table} WHERE contact_id = $1");
        connection.execute(&delete, &[&contact_id]).await?;
    }
    Ok(Some(Erased {
        contact_id,
        events,
        addresses: addresses.len() as u64,
    }))
}

/// What is left of those whom nobody knows by these addresses any more, by address.
pub(super) async fn suppressed(
    connection: &Connection,
    forgotten: &Forgotten,
    addresses: &[&String],
) -> Result<HashMap<String, Suppressed>, Failure> {
    if addresses.is_empty() {
        return Ok(HashMap::new());
    }
    let Some(key_id) = key_id(connection).await? else {
        return Ok(HashMap::new());
    };
    let hashes = addresses
        .iter()
        .map(|address| forgotten.hash(&key_id, address));
    let hashes: Vec<String> = hashes.collect::<Result<_, StoreError>>()?;
    let statement = connection
        .prepare_cached(
            "SELECT address_hash, at, event_id FROM suppressed WHERE address_hash = ANY ($1)",
        )
        .await?;
    let mut by_hash = HashMap::new();
    for row in connection.query(&statement, &[&hashes]).await? {
        let suppressed = Suppressed {
            at: moment(row.try_get(1)?)?,
            event_id: row.try_get(2)?,
        };
        by_hash.insert(row.try_get::<_, String>(0)?, suppressed);
    }
    let pairs = addresses.iter().zip(hashes);
    let found = pairs.filter_map(|(address, hash)| {
        let suppressed = by_hash.get(&hash)?;
        Some(((*address).clone(), suppressed.clone()))
    });
    Ok(found.collect())
}

/// The key that people were erased with, if anybody was.
async fn key_id(connection: &Connection) -> Result<Option<String>, Failure> {
    let statement = connection
        .prepare_cached("SELECT key_id FROM suppression_key")
        .await?;
    let row = connection.query_opt(&statement, &[]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}
