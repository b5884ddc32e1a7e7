//! Decisions, written and read.

use consentry_model::{Contact, Outbound, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::Row;

use super::connect::Connection;
use super::failure::Failure;
use super::read::{self, moment, optional_moment};
use crate::decisions::{Kept, Made};

/// Adds decisions in one statement, and takes those away that are older than the newest `keep`.
pub(super) async fn add(connection: Connection, kept: &[Kept], keep: u64) -> Result<(), Failure> {
    let insert = connection
        .prepare_cached(
            "INSERT INTO decision (id, at, policy, contact, question, verdict, reason, retry_at)
             SELECT id, at, policy, contact, question, verdict, reason, retry_at
             FROM json_populate_recordset(NULL::decision, $1::text::json)",
        )
        .await?;
    let rows: Vec<Value> = kept.iter().map(row).collect();
    let rows = Value::Array(rows).to_string();
    connection.execute(&insert, &[&rows]).await?;
    let prune = connection
        .prepare_cached("DELETE FROM decision WHERE seq <= (SELECT max(seq) FROM decision) - $1")
        .await?;
    let keep = i64::try_from(keep).unwrap_or(i64::MAX);
    connection.execute(&prune, &[&keep]).await?;
    Ok(())
}

fn row(kept: &Kept) -> Value {
    let made = kept.made.as_ref();
    json!({
        "id": kept.id,
        "at": kept.at.millis(),
        "policy": kept.policy,
        "contact": kept.contact,
        "question": made.map(|made| &made.question),
        "verdict": made.map(|made| &made.verdict),
        "reason": made.map(|made| &made.reason),
        "retry_at": made.and_then(|made| made.retry_at).map(Timestamp::millis),
    })
}

/// Up to `limit` of those made from one moment on and before another, the newest first.
pub(super) async fn list(
    connection: Connection,
    (since, until): (Option<Timestamp>, Option<Timestamp>),
    limit: u32,
) -> Result<Vec<Kept>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT id, at, policy, contact::text, question::text, verdict, reason, retry_at
             FROM decision WHERE at >= $1 AND at < $2 ORDER BY seq DESC LIMIT $3",
        )
        .await?;
    let since = since.map_or(i64::MIN, Timestamp::millis);
    let until = until.map_or(i64::MAX, Timestamp::millis);
    let rows = connection
        .query(&statement, &[&since, &until, &i64::from(limit)])
        .await?;
    rows.iter().map(kept).collect()
}

fn kept(row: &Row) -> Result<Kept, Failure> {
    let contact: Option<Contact> = read::json(row.try_get(3)?)?;
    let question: Option<Outbound> = read::json(row.try_get(4)?)?;
    let made = match question {
        None => None,
        Some(question) => Some(Made {
            question,
            verdict: row.try_get(5)?,
            reason: row.try_get(6)?,
            retry_at: optional_moment(row.try_get(7)?)?,
        }),
    };
    Ok(Kept {
        id: row.try_get(0)?,
        at: moment(row.try_get(1)?)?,
        policy: row.try_get(2)?,
        contact: contact.unwrap_or_default(),
        made,
    })
}
