//! One contact's events, row by row, against their hashes and what checkpoints list.

use serde_json::Value;

use super::rows::{number, text};
use crate::store::Row;
use crate::store::chain::{content, link};

/// How far a contact's events were followed.
#[derive(Default)]
pub(super) struct Chain {
    /// The number of the last row.
    pub(super) seq: u64,
    pub(super) recorded_at: i64,
    /// The hash that the last row has.
    pub(super) hash: String,
    /// The hash that it should have, where that is another one.
    should: Option<String>,
}

impl Chain {
    /// Takes in the next row; says what is wrong with it.
    pub(super) fn follow(&mut self, mut row: Row) -> Vec<String> {
        let hash = row.remove("hash");
        self.add(&row, hash.as_ref(), &content(&row))
    }

    /// Takes in what is left of the next row, which was erased.
    pub(super) fn follow_erased(&mut self, row: &Row) -> Vec<String> {
        self.add(row, row.get("hash"), text(row, "content"))
    }

    fn add(&mut self, row: &Row, hash: Option<&Value>, content: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let seq = number(row, "seq");
        let recorded_at = row.get("recorded_at").and_then(Value::as_i64).unwrap_or(0);
        let found = hash.and_then(Value::as_str).unwrap_or_default().to_owned();
        let gap = seq != self.seq + 1;
        if gap {
            wrong.push(missing(self.seq + 1, seq.saturating_sub(1)));
        }
        let should = link(&self.hash, content);
        // The hash of the row before may be what was changed: then this one fits what it should be.
        let fits = found == should
            || self
                .should
                .as_ref()
                .is_some_and(|before| found == link(before, content));
        let reordered = recorded_at <= self.recorded_at && self.seq > 0;
        if reordered {
            wrong.push(
                "the row is not in its place: it was recorded before the one before it".to_owned(),
            );
        } else if !fits && !gap {
            wrong.push("the row was changed: it does not fit its hash".to_owned());
        }
        *self = Self {
            seq,
            recorded_at,
            should: (!gap && !fits).then_some(should),
            hash: found,
        };
        wrong
    }

    /// Whether a hash is the one of the last row.
    pub(super) fn is(&self, hash: &str) -> bool {
        self.hash == hash || self.should.as_ref().is_some_and(|should| should == hash)
    }
}

/// Rows that are not there.
pub(super) fn missing(from: u64, to: u64) -> String {
    if from == to {
        format!("the row {from} is missing")
    } else {
        format!("the rows {from} to {to} are missing")
    }
}

/// What the contact's own row says of its events, against them.
pub(super) fn compare(contact: &Row, chain: &Chain) -> Vec<String> {
    let mut wrong = Vec::new();
    let last_seq = number(contact, "last_seq");
    if last_seq > chain.seq {
        wrong.push(missing(chain.seq + 1, last_seq));
    } else if last_seq < chain.seq {
        wrong.push(format!(
            "the contact's row counts {last_seq} events and there are more"
        ));
    } else {
        if !chain.is(text(contact, "head")) {
            wrong.push("the contact's row has another hash than its newest event".to_owned());
        }
        let recorded_at = contact.get("last_recorded_at").and_then(Value::as_i64);
        if recorded_at != Some(chain.recorded_at) {
            wrong.push("the contact's row has another time than its newest event".to_owned());
        }
    }
    wrong
}
