//! Decisions, written and read.

use consentry_model::{Contact, Outbound, Timestamp};
use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use super::read::moment;
use crate::decisions::{Kept, Made};

/// Adds decisions, and takes those away that are older than the newest `keep`.
pub(super) fn add(connection: &Connection, kept: &[Kept], keep: u64) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO decision (id, at, policy, contact, question, verdict, reason, retry_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for one in kept {
        let made = one.made.as_ref();
        insert.execute(rusqlite::params![
            one.id,
            one.at.millis(),
            one.policy,
            serde_json::to_string(&one.contact).map_err(unwritable)?,
            made.map(|made| serde_json::to_string(&made.question))
                .transpose()
                .map_err(unwritable)?,
            made.map(|made| &made.verdict),
            made.map(|made| &made.reason),
            made.and_then(|made| made.retry_at).map(Timestamp::millis),
        ])?;
    }
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    connection
        .prepare_cached("DELETE FROM decision WHERE seq <= (SELECT max(seq) FROM decision) - ?1")?
        .execute([keep])
        .map(drop)
}

/// Up to `limit` of those made from one moment on and before another, the newest first.
pub(super) fn list(
    connection: &Connection,
    (since, until): (Option<Timestamp>, Option<Timestamp>),
    limit: u32,
) -> rusqlite::Result<Vec<Kept>> {
    connection
        .prepare_cached(
            "SELECT id, at, policy, contact, question, verdict, reason, retry_at FROM decision
             WHERE at >= ?1 AND at < ?2 ORDER BY seq DESC LIMIT ?3",
        )?
        .query_map(
            (
                since.map_or(i64::MIN, Timestamp::millis),
                until.map_or(i64::MAX, Timestamp::millis),
                limit,
            ),
            kept,
        )?
        .collect()
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let contact: Contact = json(row, 3)?;
    let made = match row.get_ref(4)?.as_str_or_null()? {
        None => None,
        Some(_) => Some(Made {
            question: json::<Outbound>(row, 4)?,
            verdict: row.get(5)?,
            reason: row.get(6)?,
            retry_at: match row.get::<_, Option<i64>>(7)? {
                Some(_) => Some(moment(row, 7)?),
                None => None,
            },
        }),
    };
    Ok(Kept {
        id: row.get(0)?,
        at: moment(row, 1)?,
        policy: row.get(2)?,
        contact,
        made,
    })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(at)?.as_str()?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, error.into())
    })
}

fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}
