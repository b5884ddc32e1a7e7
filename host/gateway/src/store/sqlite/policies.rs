//! Policies, and which of them is active.

use consentry_model::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::read::moment;
use crate::policies::{Change, ChangeKind, Version};

pub(super) fn add(
    connection: &Connection,
    version: &Version,
    component: &[u8],
    signature: Option<&str>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO policy VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (digest) DO UPDATE SET
                signature = coalesce(excluded.signature, signature)",
        )?
        .execute(rusqlite::params![
            version.digest,
            version.name,
            version.version,
            version.engine,
            component,
            signature,
            version.added_at.millis(),
            version.added_by,
        ])
        .map(drop)
}

/// A component and its signature.
pub(super) fn component(
    connection: &Connection,
    digest: &str,
) -> rusqlite::Result<Option<(Vec<u8>, Option<String>)>> {
    connection
        .prepare_cached("SELECT component, signature FROM policy WHERE digest = ?1")?
        .query_row([digest], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The newest first.
pub(super) fn versions(connection: &Connection) -> rusqlite::Result<Vec<Version>> {
    connection
        .prepare_cached(
            "SELECT digest, name, version, engine, length(component), signature IS NOT NULL,
                added_at, added_by FROM policy ORDER BY added_at DESC, digest",
        )?
        .query_map((), |row| {
            Ok(Version {
                digest: row.get(0)?,
                name: row.get(1)?,
                version: row.get(2)?,
                engine: row.get(3)?,
                size: row.get::<_, i64>(4)?.unsigned_abs(),
                signed: row.get(5)?,
                added_at: moment(row, 6)?,
                added_by: row.get(7)?,
            })
        })?
        .collect()
}

pub(super) fn change(connection: &Connection, mut change: Change) -> rusqlite::Result<Change> {
    connection
        .prepare_cached(
            "INSERT INTO policy_change (kind, digest, actor, reason, at)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((
            change.kind.as_str(),
            &change.digest,
            &change.actor,
            &change.reason,
            change.at.millis(),
        ))?;
    change.seq = connection.last_insert_rowid().unsigned_abs();
    Ok(change)
}

pub(super) fn last_change(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM policy_change")?
        .query_row((), |row| Ok(row.get::<_, i64>(0)?.unsigned_abs()))
}

/// The oldest first.
pub(super) fn changes(connection: &Connection) -> rusqlite::Result<Vec<Change>> {
    connection
        .prepare_cached(
            "SELECT seq, kind, digest, actor, reason, at FROM policy_change ORDER BY seq",
        )?
        .query_map((), read)?
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Change> {
    let kind: String = row.get(1)?;
    let at: Timestamp = moment(row, 5)?;
    Ok(Change {
        seq: row.get::<_, i64>(0)?.unsigned_abs(),
        kind: if kind == ChangeKind::Rollback.as_str() {
            ChangeKind::Rollback
        } else {
            ChangeKind::Activate
        },
        digest: row.get(2)?,
        actor: row.get(3)?,
        reason: row.get(4)?,
        at,
    })
}
