//! Alerts, written and read.

use std::collections::BTreeMap;

use consentry_model::Timestamp;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::read::{moment, parsed};
use crate::alerts::{Alert, AlertKind, AlertTally};

pub(super) fn add(
    connection: &Connection,
    alerts: BTreeMap<AlertKind, AlertTally>,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO alert VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL)
         ON CONFLICT (hour, reason, channel, category) DO UPDATE SET
            count = count + excluded.count,
            first_at = min(first_at, excluded.first_at),
            last_at = max(last_at, excluded.last_at),
            last_decision_id = excluded.last_decision_id",
    )?;
    for (kind, tally) in alerts {
        insert.execute(rusqlite::params![
            Uuid::now_v7().to_string(),
            kind.hour.millis(),
            kind.reason,
            kind.channel.as_str(),
            kind.category.as_str(),
            i64::try_from(tally.count).unwrap_or(i64::MAX),
            tally.first_at.millis(),
            tally.last_at.millis(),
            tally.last_decision_id,
        ])?;
    }
    Ok(())
}

/// The newest that are older than one.
pub(super) fn page(
    connection: &Connection,
    before: Option<&str>,
    limit: u32,
) -> rusqlite::Result<Vec<Alert>> {
    connection
        .prepare_cached(
            "SELECT * FROM alert WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2",
        )?
        .query_map((before, limit), alert)?
        .collect()
}

pub(super) fn undelivered(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Alert>> {
    connection
        .prepare_cached("SELECT * FROM alert WHERE delivered_at IS NULL ORDER BY id LIMIT ?1")?
        .query_map([limit], alert)?
        .collect()
}

pub(super) fn delivered(connection: &Connection, id: &str, at: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE alert SET delivered_at = ?2 WHERE id = ?1")?
        .execute((id, at.millis()))
        .map(drop)
}

fn alert(row: &Row<'_>) -> rusqlite::Result<Alert> {
    Ok(Alert {
        alert_id: row.get(0)?,
        kind: AlertKind {
            hour: moment(row, 1)?,
            reason: row.get(2)?,
            channel: parsed(3, row.get_ref(3)?.as_str()?)?,
            category: parsed(4, row.get_ref(4)?.as_str()?)?,
        },
        tally: AlertTally {
            count: row.get::<_, i64>(5)?.unsigned_abs(),
            first_at: moment(row, 6)?,
            last_at: moment(row, 7)?,
            last_decision_id: row.get(8)?,
        },
        delivered_at: match row.get::<_, Option<i64>>(9)? {
            Some(_) => Some(moment(row, 9)?),
            None => None,
        },
    })
}
