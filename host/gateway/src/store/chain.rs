//! The chain of hashes over the events of each contact: each is over all that its row holds and over the
//! one before. `docs/evidence.md` describes it for those who verify it with a program of their own.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::Event;
use super::columns::event_row;

/// The columns that hold documents. Their text is hashed as it is kept, so that every byte of it counts.
pub(crate) const DOCUMENTS: [&str; 4] = ["other_addresses", "selection", "evidence", "changes"];

/// A row by its columns: texts, whole numbers and truth values; documents as text. Columns without a value
/// are left out, so that a column that is added later changes no hash.
pub type Row = Map<String, Value>;

impl Event {
    /// Closes the event, as it is kept, with the hash that ties it to the one before.
    pub(super) fn seal(&mut self, contact_id: &str, before: &str) {
        self.hash = link(before, &content(&self.row(contact_id)));
    }

    /// The row, without the hash.
    fn row(&self, contact_id: &str) -> Row {
        let Value::Object(mut row) = event_row(contact_id, self) else {
            return Row::new();
        };
        row.remove("hash");
        row.retain(|_, value| !value.is_null());
        for name in DOCUMENTS {
            if let Some(document) = row.get_mut(name) {
                *document = Value::String(document.to_string());
            }
        }
        row
    }
}

/// The hash of what a row holds, without its own hash.
pub(crate) fn content(row: &Row) -> String {
    hash("consentry event", &canonical(row))
}

/// The hash of a row after the one before.
pub(crate) fn link(before: &str, content: &str) -> String {
    hash("consentry chain", format!("{before}\n{content}").as_bytes())
}

/// JSON in the one form of RFC 8785.
pub(crate) fn canonical(row: &Row) -> Vec<u8> {
    // Texts, whole numbers and truth values have a form.
    serde_json_canonicalizer::to_vec(row).unwrap_or_default()
}

/// SHA-256 in hexadecimal digits, of something that is named, so that nothing passes for something else.
pub(crate) fn hash(what: &str, bytes: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(what);
    hasher.update("\n");
    hasher.update(bytes);
    hex(&hasher.finalize())
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
