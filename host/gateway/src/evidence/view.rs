//! What holds, made again from the events, against what is written.

use std::collections::BTreeMap;

use consentry_model::{Change, Contact, EventId, Mark, Statement, Timestamp};
use serde_json::Value;

use super::rows::text;
use crate::store::Row;
use crate::store::columns::consent_row;

/// What the events of a contact give.
#[derive(Default)]
pub(super) struct View {
    contact: Contact,
    /// An event could not be read, and what it gives is not known. Its hash says so too.
    unknown: bool,
}

impl View {
    /// Takes in an event.
    pub(super) fn take(&mut self, event: &Row) {
        self.unknown |= self.try_take(event).is_none();
    }

    fn try_take(&mut self, event: &Row) -> Option<()> {
        let changes: Vec<Change> = serde_json::from_str(text(event, "changes")).ok()?;
        let statement: Statement = text(event, "statement").parse().ok()?;
        let at = event.get("said_at").and_then(Value::as_i64)?;
        for change in &changes {
            let mark = Mark {
                at: Timestamp::from_millis(at)?,
                event: EventId(text(event, "id").to_owned()),
            };
            self.contact.apply(change, statement, mark);
        }
        Some(())
    }

    /// What is wrong with the rows that are written.
    pub(super) fn compare(&self, contact_id: &str, written: Vec<Row>) -> Vec<String> {
        if self.unknown {
            return Vec::new();
        }
        let key = |row: &Row| {
            (
                text(row, "channel").to_owned(),
                text(row, "category").to_owned(),
            )
        };
        let mut written: BTreeMap<_, Row> =
            written.into_iter().map(|row| (key(&row), row)).collect();
        let mut wrong = Vec::new();
        for ((channel, category), marks) in &self.contact.marks {
            let row = consent_row(
                contact_id,
                &self.contact,
                *channel,
                category.as_ref(),
                marks,
            );
            let Value::Object(mut row) = row else {
                continue;
            };
            row.retain(|_, value| !value.is_null());
            let found = written.remove(&key(&row));
            if found.as_ref() != Some(&row) {
                wrong.push(different(&key(&row), found.is_none()));
            }
        }
        let more = written
            .keys()
            .map(|key| format!("what holds ({} {}) follows from no event", key.0, key.1));
        wrong.extend(more);
        wrong
    }
}

fn different((channel, category): &(String, String), missing: bool) -> String {
    if missing {
        format!("what holds ({channel} {category}) is missing")
    } else {
        format!("what holds ({channel} {category}) is not what the events give")
    }
}
