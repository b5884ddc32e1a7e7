//! Rows as they are, in one transaction that only reads.

use async_trait::async_trait;
use serde_json::Value;
use tokio_postgres::types::ToSql;

use super::super::chain::Row;
use super::super::{Snapshot, StoreError, Table};
use super::connect::{Connection, Lease, Pool};
use super::failure::Failure;

/// A connection of its own, which is closed at the end.
pub(super) struct PostgresSnapshot(Lease);

impl PostgresSnapshot {
    pub(super) async fn of(pool: &Pool) -> Result<Self, Failure> {
        let lease = pool.lease().await?;
        // Whoever reads may take the time that writing a long file takes.
        lease
            .connection()?
            .batch_execute(
                "SET idle_in_transaction_session_timeout = 0;
                BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            )
            .await?;
        Ok(Self(lease))
    }
}

#[async_trait]
impl Snapshot for PostgresSnapshot {
    async fn rows(
        &mut self,
        table: Table,
        of: Option<&str>,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let connection = self.0.connection()?;
        Ok(read(connection, table, of, after, limit).await?)
    }
}

/// Rows of a table, as [`Snapshot::rows`] has it.
pub(super) async fn read(
    connection: &Connection,
    table: Table,
    of: Option<&str>,
    after: Option<&Row>,
    limit: u32,
) -> Result<Vec<Row>, Failure> {
    let parameter = |number: usize| format!("${number}");
    let document = |column: &str| format!("{column}::text");
    let (query, values) = table.page(of, after, limit, parameter, document);
    // Each row as JSON, so that whatever is in it arrives as it is.
    let query = format!("SELECT row_to_json(page)::text FROM ({query}) AS page");
    let statement = connection.prepare_cached(&query).await?;
    let values: Vec<Box<dyn ToSql + Sync + Send>> = values.into_iter().map(parameter_of).collect();
    let values: Vec<&(dyn ToSql + Sync)> = values
        .iter()
        .map(|value| -> &(dyn ToSql + Sync) { value.as_ref() })
        .collect();
    let rows = connection.query(&statement, &values).await?;
    let read = rows.iter().map(|row| {
        let mut row: Row = serde_json::from_str(row.try_get(0)?).map_err(Failure::unreadable)?;
        row.retain(|_, value| !value.is_null());
        Ok(row)
    });
    read.collect()
}

fn parameter_of(value: Value) -> Box<dyn ToSql + Sync + Send> {
    match value {
        Value::String(text) => Box::new(text),
        value => Box::new(value.as_i64()),
    }
}
