//! Policies, and which of them is active.

use tokio_postgres::Row;

use super::connect::Connection;
use super::failure::Failure;
use super::read::{moment, text};
use crate::policies::{Change, ChangeKind, Version};

pub(super) async fn add(
    connection: Connection,
    version: &Version,
    component: &[u8],
    signature: Option<&str>,
) -> Result<(), Failure> {
    let statement = connection
        .prepare_cached(
            "INSERT INTO policy VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (digest) DO UPDATE SET
                signature = coalesce(excluded.signature, policy.signature)",
        )
        .await?;
    connection
        .execute(
            &statement,
            &[
                &text(&version.digest),
                &text(&version.name),
                &text(&version.version),
                &text(&version.engine),
                &component,
                &signature.map(text),
                &version.added_at.millis(),
                &text(&version.added_by),
            ],
        )
        .await?;
    Ok(())
}

/// A component and its signature.
pub(super) async fn component(
    connection: Connection,
    digest: &str,
) -> Result<Option<(Vec<u8>, Option<String>)>, Failure> {
    let statement = connection
        .prepare_cached("SELECT component, signature FROM policy WHERE digest = $1")
        .await?;
    let row = connection.query_opt(&statement, &[&text(digest)]).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .transpose()
}

/// The newest first.
pub(super) async fn versions(connection: Connection) -> Result<Vec<Version>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT digest, name, version, engine, length(component)::bigint,
                signature IS NOT NULL, added_at, added_by
             FROM policy ORDER BY added_at DESC, digest",
        )
        .await?;
    let rows = connection.query(&statement, &[]).await?;
    let version = |row: &Row| {
        Ok(Version {
            digest: row.try_get(0)?,
            name: row.try_get(1)?,
            version: row.try_get(2)?,
            engine: row.try_get(3)?,
            size: row.try_get::<_, i64>(4)?.unsigned_abs(),
            signed: row.try_get(5)?,
            added_at: moment(row.try_get(6)?)?,
            added_by: row.try_get(7)?,
        })
    };
    rows.iter().map(version).collect()
}

/// Gives a change the number after the newest. Of two that take the same, one waits for the other and is
/// refused, to be tried again, so that numbers are seen in their order and none is left out.
pub(super) async fn change(connection: Connection, mut change: Change) -> Result<Change, Failure> {
    let statement = connection
        .prepare_cached(
            "INSERT INTO policy_change (seq, kind, digest, actor, reason, at)
             SELECT coalesce(max(seq), 0) + 1, $1, $2, $3, $4, $5::bigint
             FROM policy_change
             RETURNING seq",
        )
        .await?;
    let row = connection
        .query_one(
            &statement,
            &[
                &change.kind.as_str(),
                &text(&change.digest),
                &text(&change.actor),
                &text(&change.reason),
                &change.at.millis(),
            ],
        )
        .await?;
    change.seq = row.try_get::<_, i64>(0)?.unsigned_abs();
    Ok(change)
}

pub(super) async fn last_change(connection: Connection) -> Result<u64, Failure> {
    let statement = connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM policy_change")
        .await?;
    let row = connection.query_one(&statement, &[]).await?;
    Ok(row.try_get::<_, i64>(0)?.unsigned_abs())
}

/// The oldest first.
pub(super) async fn changes(connection: Connection) -> Result<Vec<Change>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT seq, kind, digest, actor, reason, at FROM policy_change ORDER BY seq",
        )
        .await?;
    let rows = connection.query(&statement, &[]).await?;
    let change = |row: &Row| {
        let kind: &str = row.try_get(1)?;
        Ok(Change {
            seq: row.try_get::<_, i64>(0)?.unsigned_abs(),
            kind: if kind == ChangeKind::Rollback.as_str() {
                ChangeKind::Rollback
            } else {
                ChangeKind::Activate
            },
            digest: row.try_get(2)?,
            actor: row.try_get(3)?,
            reason: row.try_get(4)?,
            at: moment(row.try_get(5)?)?,
        })
    };
    rows.iter().map(change).collect()
}
