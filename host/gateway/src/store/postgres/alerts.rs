//! Alerts, written and read.

use std::collections::BTreeMap;

use consentry_model::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::connect::Connection;
use super::failure::Failure;
use super::read::{moment, optional_moment, parsed, text};
use crate::alerts::{Alert, AlertKind, AlertTally};

/// Adds to alerts, in the order of their kinds: so no two gateways wait for each other.
pub(super) async fn add(
    connection: Connection,
    alerts: &BTreeMap<AlertKind, AlertTally>,
) -> Result<(), Failure> {
    let statement = connection
        .prepare_cached(
            "INSERT INTO alert VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL)
             ON CONFLICT (hour, reason, channel, category) DO UPDATE SET
                count = alert.count + excluded.count,
                first_at = least(alert.first_at, excluded.first_at),
                last_at = greatest(alert.last_at, excluded.last_at),
                last_decision_id = excluded.last_decision_id",
        )
        .await?;
    for (kind, tally) in alerts {
        connection
            .execute(
                &statement,
                &[
                    &Uuid::now_v7().to_string(),
                    &kind.hour.millis(),
                    &text(&kind.reason),
                    &kind.channel.as_str(),
                    &kind.category.as_str(),
                    &i64::try_from(tally.count).unwrap_or(i64::MAX),
                    &tally.first_at.millis(),
                    &tally.last_at.millis(),
                    &tally.last_decision_id,
                ],
            )
            .await?;
    }
    Ok(())
}

/// The newest that are older than one.
pub(super) async fn page(
    connection: Connection,
    before: Option<&str>,
    limit: u32,
) -> Result<Vec<Alert>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT * FROM alert WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
        )
        .await?;
    let rows = connection
        .query(&statement, &[&before.map(text), &i64::from(limit)])
        .await?;
    rows.iter().map(alert).collect()
}

pub(super) async fn undelivered(connection: Connection, limit: u32) -> Result<Vec<Alert>, Failure> {
    let statement = connection
        .prepare_cached("SELECT * FROM alert WHERE delivered_at IS NULL ORDER BY id LIMIT $1")
        .await?;
    let rows = connection.query(&statement, &[&i64::from(limit)]).await?;
    rows.iter().map(alert).collect()
}

pub(super) async fn delivered(
    connection: Connection,
    id: &str,
    at: Timestamp,
) -> Result<(), Failure> {
    let statement = connection
        .prepare_cached("UPDATE alert SET delivered_at = $2 WHERE id = $1")
        .await?;
    connection
        .execute(&statement, &[&text(id), &at.millis()])
        .await?;
    Ok(())
}

fn alert(row: &Row) -> Result<Alert, Failure> {
    Ok(Alert {
        alert_id: row.try_get(0)?,
        kind: AlertKind {
            hour: moment(row.try_get(1)?)?,
            reason: row.try_get(2)?,
            channel: parsed(row.try_get(3)?)?,
            category: parsed(row.try_get(4)?)?,
        },
        tally: AlertTally {
            count: row.try_get::<_, i64>(5)?.unsigned_abs(),
            first_at: moment(row.try_get(6)?)?,
            last_at: moment(row.try_get(7)?)?,
            last_decision_id: row.try_get(8)?,
        },
        delivered_at: optional_moment(row.try_get(9)?)?,
    })
}
