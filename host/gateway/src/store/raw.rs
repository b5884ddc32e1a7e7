//! Rows as they are in the tables, at one moment, in the order of their keys: for those who verify them and
//! carry them out. Nothing of them is read as anything yet, so that what was tampered with can be told.

use async_trait::async_trait;
use serde_json::Value;

use super::StoreError;
use super::chain::{DOCUMENTS, Row};

/// A table, in one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Table {
    Contact,
    Address,
    Event,
    Consent,
    ErasedEvent,
    Checkpoint,
    /// What checkpoints list, contact by contact.
    HeadOfContact,
    /// What checkpoints list, checkpoint by checkpoint.
    HeadOfCheckpoint,
}

/// Everything, as it was at one moment.
#[async_trait]
pub trait Snapshot: Send {
    /// Rows of a table in its order: up to `limit` of them, from the one after `after`; those of one
    /// contact, where one is named.
    async fn rows(
        &mut self,
        table: Table,
        of: Option<&str>,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError>;
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Address => "address",
            Self::Event => "event",
            Self::Consent => "consent",
            Self::ErasedEvent => "erased_event",
            Self::Checkpoint => "checkpoint",
            Self::HeadOfContact | Self::HeadOfCheckpoint => "checkpoint_head",
        }
    }

    /// The columns that it is in the order of.
    fn key(self) -> &'static [&'static str] {
        match self {
            Self::Contact => &["id"],
            Self::Address => &["contact_id", "value"],
            Self::Event | Self::ErasedEvent => &["contact_id", "seq"],
            Self::Consent => &["contact_id", "channel", "category"],
            Self::Checkpoint => &["seq"],
            Self::HeadOfContact => &["contact_id", "checkpoint"],
            Self::HeadOfCheckpoint => &["checkpoint", "contact_id"],
        }
    }

    /// The column that says whose a row is.
    pub(crate) fn contact(self) -> &'static str {
        match self {
            Self::Contact => "id",
            _ => "contact_id",
        }
    }

    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Contact => &[
                "id",
                "created_at",
                "last_seq",
                "last_recorded_at",
                "head",
                "sealed_seq",
            ],
            Self::Address => &["value", "contact_id"],
            Self::Event => &EVENT,
            Self::Consent => &CONSENT,
            Self::ErasedEvent => &["contact_id", "seq", "content", "hash", "recorded_at"],
            Self::Checkpoint => &[
                "seq",
                "at",
                "contacts",
                "events",
                "heads",
                "heads_hash",
                "previous",
                "hash",
                "token",
            ],
            Self::HeadOfContact | Self::HeadOfCheckpoint => {
                &["contact_id", "checkpoint", "seq", "hash"]
            }
        }
    }

    /// The query for a page, and what its parameters are. `parameter` writes one, `document` a column that
    /// holds one.
    pub(super) fn page(
        self,
        of: Option<&str>,
        after: Option<&Row>,
        limit: u32,
        parameter: fn(usize) -> String,
        document: fn(&str) -> String,
    ) -> (String, Vec<Value>) {
        let columns = self.columns().iter().map(|column| {
            if DOCUMENTS.contains(column) {
                document(column)
            } else {
                (*column).to_owned()
            }
        });
        let columns: Vec<String> = columns.collect();
        let key = self.key().join(", ");
        let mut values = Vec::new();
        let mut conditions = Vec::new();
        if let Some(of) = of {
            values.push(Value::from(of));
            conditions.push(format!("{} = {}", self.contact(), parameter(values.len())));
        }
        if let Some(after) = after {
            let parameters = self.key().iter().map(|column| {
                values.push(after.get(*column).cloned().unwrap_or_default());
                parameter(values.len())
            });
            let parameters: Vec<String> = parameters.collect();
            conditions.push(format!("({key}) > ({})", parameters.join(", ")));
        }
        let condition = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        let query = format!(
            "SELECT {} FROM {} {condition} ORDER BY {key} LIMIT {limit}",
            columns.join(", "),
            self.name(),
        );
        (query, values)
    }
}

const EVENT: [&str; 36] = [
    "contact_id",
    "seq",
    "id",
    "kind",
    "address",
    "other_addresses",
    "channel",
    "business_address",
    "message_id",
    "body",
    "selection",
    "footer",
    "question",
    "last_category",
    "country",
    "contact_language",
    "answered",
    "source",
    "actor",
    "evidence",
    "intent",
    "scope",
    "review",
    "rule",
    "matched",
    "language",
    "reply",
    "asks",
    "route",
    "priority",
    "policy",
    "changes",
    "said_at",
    "recorded_at",
    "statement",
    "hash",
];

const CONSENT: [&str; 20] = [
    "contact_id",
    "channel",
    "category",
    "status",
    "own_opt_out_at",
    "own_opt_out_event",
    "reported_opt_out_at",
    "reported_opt_out_event",
    "own_opt_in_at",
    "own_opt_in_event",
    "proven_opt_in_at",
    "proven_opt_in_event",
    "reported_opt_in_at",
    "reported_opt_in_event",
    "release_at",
    "release_event",
    "platform_stop_at",
    "platform_stop_event",
    "platform_resume_at",
    "platform_resume_event",
];
