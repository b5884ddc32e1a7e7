//! Checkpoints, written and read.

use super::super::checkpoint::{Checkpoint, Head, MOST_HEADS, Seal};
use super::connect::Connection;
use super::failure::Failure;
use super::read::moment;

/// Makes the next checkpoint, when something has changed since the last one. Gives how many contacts it
/// lists. Of two gateways that make the same one, the second finds its number taken, and tries again.
pub(super) async fn add(connection: Connection, seal: Seal) -> Result<u64, Failure> {
    // Who is being written about at this moment is listed the next time.
    let unsealed = connection
        .prepare_cached(
            "SELECT id, last_seq, head, sealed_seq FROM contact
             WHERE last_seq > sealed_seq ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
        )
        .await?;
    let rows = connection
        .query(&unsealed, &[&i64::from(MOST_HEADS)])
        .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let head = |row: &tokio_postgres::Row| {
        Ok(Head {
            contact_id: row.try_get(0)?,
            seq: row.try_get::<_, i64>(1)?.unsigned_abs(),
            hash: row.try_get(2)?,
            sealed_seq: row.try_get::<_, i64>(3)?.unsigned_abs(),
        })
    };
    let mut heads: Vec<Head> = rows.iter().map(head).collect::<Result<_, Failure>>()?;
    heads.sort_by(|one, other| one.contact_id.cmp(&other.contact_id));
    let last = newest(&connection).await?;
    let checkpoint = seal.checkpoint(last, &heads);
    let insert = connection
        .prepare_cached("INSERT INTO checkpoint VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .await?;
    connection
        .execute(
            &insert,
            &[
                &to_sql(checkpoint.seq),
                &checkpoint.at.millis(),
                &to_sql(checkpoint.contacts),
                &to_sql(checkpoint.events),
                &to_sql(checkpoint.heads),
                &checkpoint.heads_hash,
                &checkpoint.previous,
                &checkpoint.hash,
                &checkpoint.token,
            ],
        )
        .await?;
    let ids: Vec<&str> = heads.iter().map(|head| head.contact_id.as_str()).collect();
    let numbers: Vec<i64> = heads.iter().map(|head| to_sql(head.seq)).collect();
    let hashes: Vec<&str> = heads.iter().map(|head| head.hash.as_str()).collect();
    let list = connection
        .prepare_cached(
            "INSERT INTO checkpoint_head (contact_id, checkpoint, seq, hash)
             SELECT id, $4, seq, hash FROM unnest($1::text[], $2::bigint[], $3::text[])
                AS head (id, seq, hash)",
        )
        .await?;
    connection
        .execute(&list, &[&ids, &numbers, &hashes, &to_sql(checkpoint.seq)])
        .await?;
    let update = connection
        .prepare_cached(
            "UPDATE contact SET sealed_seq = head.seq
             FROM unnest($1::text[], $2::bigint[]) AS head (id, seq) WHERE contact.id = head.id",
        )
        .await?;
    connection.execute(&update, &[&ids, &numbers]).await?;
    Ok(checkpoint.heads)
}

pub(super) async fn last(connection: Connection) -> Result<Option<Checkpoint>, Failure> {
    newest(&connection).await
}

async fn newest(connection: &Connection) -> Result<Option<Checkpoint>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT seq, at, contacts, events, heads, heads_hash, previous, hash, token
             FROM checkpoint ORDER BY seq DESC LIMIT 1",
        )
        .await?;
    let Some(row) = connection.query_opt(&statement, &[]).await? else {
        return Ok(None);
    };
    let number = |column: usize| row.try_get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(Some(Checkpoint {
        seq: number(0)?,
        at: moment(row.try_get(1)?)?,
        contacts: number(2)?,
        events: number(3)?,
        heads: number(4)?,
        heads_hash: row.try_get(5)?,
        previous: row.try_get(6)?,
        hash: row.try_get(7)?,
        token: row.try_get(8)?,
    }))
}

fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
