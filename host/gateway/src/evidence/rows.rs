//! Rows of a table, read page by page as they are needed.

use std::collections::VecDeque;

use serde_json::Value;

use crate::store::{Row, Snapshot, StoreError, Table};

const PAGE: u32 = 1000;

pub(crate) struct Rows {
    table: Table,
    of: Option<String>,
    waiting: VecDeque<Row>,
    /// The last one of the page before; nothing more comes after a page that was not full.
    last: Option<Row>,
    ended: bool,
}

impl Rows {
    /// All of a table, or of one contact.
    pub(crate) fn of(table: Table, of: Option<&str>) -> Self {
        Self {
            table,
            of: of.map(str::to_owned),
            waiting: VecDeque::new(),
            last: None,
            ended: false,
        }
    }

    /// The next row, which stays the next.
    pub(crate) async fn peek(
        &mut self,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Option<&Row>, StoreError> {
        if self.waiting.is_empty() && !self.ended {
            let of = self.of.as_deref();
            let page = snapshot.rows(self.table, of, self.last.as_ref(), PAGE);
            self.waiting = page.await?.into();
            self.ended = u32::try_from(self.waiting.len()).is_ok_and(|count| count < PAGE);
            self.last = self.waiting.back().cloned();
        }
        Ok(self.waiting.front())
    }

    /// The next row.
    pub(crate) async fn next(
        &mut self,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Option<Row>, StoreError> {
        self.peek(snapshot).await?;
        Ok(self.waiting.pop_front())
    }

    /// The next row, when it is one of a contact.
    pub(crate) async fn next_of(
        &mut self,
        snapshot: &mut dyn Snapshot,
        contact_id: &str,
    ) -> Result<Option<Row>, StoreError> {
        let column = self.table.contact();
        match self.peek(snapshot).await? {
            Some(row) if text(row, column) == contact_id => Ok(self.waiting.pop_front()),
            _ => Ok(None),
        }
    }

    /// Whose the next row is.
    pub(crate) async fn whose(
        &mut self,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Option<String>, StoreError> {
        let column = self.table.contact();
        let row = self.peek(snapshot).await?;
        Ok(row.map(|row| text(row, column).to_owned()))
    }
}

/// A column that holds a text; empty where it does not.
pub(crate) fn text<'r>(row: &'r Row, column: &str) -> &'r str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// A column that holds a number from 0; 0 where it does not.
pub(crate) fn number(row: &Row, column: &str) -> u64 {
    row.get(column).and_then(Value::as_u64).unwrap_or_default()
}
