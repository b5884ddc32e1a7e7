//! Checkpoints, written and read.

use rusqlite::{Connection, OptionalExtension as _};

use super::super::checkpoint::{Checkpoint, Head, MOST_HEADS, Seal};
use super::read::moment;
use super::write::to_sql;

/// Makes the next checkpoint, when something has changed since the last one. Gives how many contacts it
/// lists.
pub(super) fn add(connection: &Connection, seal: &Seal) -> rusqlite::Result<u64> {
    let heads: Vec<Head> = connection
        .prepare_cached(
            "SELECT id, last_seq, head, sealed_seq FROM contact INDEXED BY contact_unsealed
             WHERE last_seq > sealed_seq ORDER BY id LIMIT ?1",
        )?
        .query_map([MOST_HEADS], |row| {
            Ok(Head {
                contact_id: row.get(0)?,
                seq: row.get::<_, i64>(1)?.unsigned_abs(),
                hash: row.get(2)?,
                sealed_seq: row.get::<_, i64>(3)?.unsigned_abs(),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    if heads.is_empty() {
        return Ok(0);
    }
    let checkpoint = seal.checkpoint(last(connection)?, &heads);
    connection
        .prepare_cached("INSERT INTO checkpoint VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
        .execute((
            to_sql(checkpoint.seq),
            checkpoint.at.millis(),
            to_sql(checkpoint.contacts),
            to_sql(checkpoint.events),
            to_sql(checkpoint.heads),
            &checkpoint.heads_hash,
            &checkpoint.previous,
            &checkpoint.hash,
            &checkpoint.token,
        ))?;
    let mut list =
        connection.prepare_cached("INSERT INTO checkpoint_head VALUES (?1, ?2, ?3, ?4)")?;
    let mut seal = connection.prepare_cached("UPDATE contact SET sealed_seq = ?2 WHERE id = ?1")?;
    for head in &heads {
        let seq = to_sql(head.seq);
        list.execute((&head.contact_id, to_sql(checkpoint.seq), seq, &head.hash))?;
        seal.execute((&head.contact_id, seq))?;
    }
    Ok(checkpoint.heads)
}

pub(super) fn last(connection: &Connection) -> rusqlite::Result<Option<Checkpoint>> {
    connection
        .prepare_cached(
            "SELECT seq, at, contacts, events, heads, heads_hash, previous, hash, token
             FROM checkpoint ORDER BY seq DESC LIMIT 1",
        )?
        .query_row((), |row| {
            let number = |column: usize| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok(Checkpoint {
                seq: number(0)?,
                at: moment(row, 1)?,
                contacts: number(2)?,
                events: number(3)?,
                heads: number(4)?,
                heads_hash: row.get(5)?,
                previous: row.get(6)?,
                hash: row.get(7)?,
                token: row.get(8)?,
            })
        })
        .optional()
}
