//! Rows as they are, in one transaction that only reads.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::Value;

use super::super::chain::Row;
use super::super::{Snapshot, StoreError, Table};

/// The columns that hold a truth value, as 0 or 1.
const TRUTHS: [&str; 2] = ["answered", "review"];

pub(super) struct SqliteSnapshot(Arc<Mutex<Connection>>);

impl SqliteSnapshot {
    pub(super) fn of(path: &Path) -> rusqlite::Result<Self> {
        let connection = super::reader(path)?;
        // The first look at the file fixes the moment.
        connection.execute_batch("BEGIN")?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(()))?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }
}

#[async_trait]
impl Snapshot for SqliteSnapshot {
    async fn rows(
        &mut self,
        table: Table,
        of: Option<&str>,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let connection = Arc::clone(&self.0);
        let (of, after) = (of.map(str::to_owned), after.cloned());
        let read = move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            page(&connection, table, of.as_deref(), after.as_ref(), limit)
        };
        let read = tokio::task::spawn_blocking(read).await;
        Ok(read.map_err(|error| StoreError::Unavailable(error.to_string()))??)
    }
}

/// Rows of a table, as [`Snapshot::rows`] has it.
pub(super) fn page(
    connection: &Connection,
    table: Table,
    of: Option<&str>,
    after: Option<&Row>,
    limit: u32,
) -> rusqlite::Result<Vec<Row>> {
    let parameter = |number: usize| format!("?{number}");
    let (query, values) = table.page(of, after, limit, parameter, str::to_owned);
    let mut statement = connection.prepare_cached(&query)?;
    let values = rusqlite::params_from_iter(values.iter().map(parameter_of));
    let mut rows = statement.query(values)?;
    let mut page = Vec::new();
    while let Some(found) = rows.next()? {
        page.push(row(table, found)?);
    }
    Ok(page)
}

fn parameter_of(value: &Value) -> Sql {
    match value {
        Value::String(text) => Sql::Text(text.clone()),
        value => value.as_i64().map_or(Sql::Null, Sql::Integer),
    }
}

fn row(table: Table, found: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let mut row = Row::new();
    for (at, column) in table.columns().iter().enumerate() {
        let value = match found.get_ref(at)? {
            ValueRef::Null => continue,
            ValueRef::Integer(truth @ 0..=1) if TRUTHS.contains(column) => Value::from(truth == 1),
            ValueRef::Integer(number) => Value::from(number),
            ValueRef::Real(number) => Value::from(number),
            // What is no text is shown as one, and fits no hash.
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                Value::from(String::from_utf8_lossy(bytes))
            }
        };
        row.insert((*column).to_owned(), value);
    }
    Ok(row)
}
