//! Where contacts, events and consent are kept: the source of truth.

mod record;
pub mod sqlite;

use async_trait::async_trait;
use consentry_model::{Channel, Contact};
use thiserror::Error;

pub use record::{Event, EventKind, NewEvent, Recorded, Selection, Understood};

use crate::address::Address;

/// A store. What [`Store::record`] has acknowledged is on disk.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is known of the contact that an address belongs to, as it is at this moment.
    async fn contact(&self, address: &Address) -> Result<Known, StoreError>;

    /// The event that a provider's message has already made, if it came before.
    async fn delivered(
        &self,
        address: &Address,
        channel: Channel,
        message_id: &str,
    ) -> Result<Option<Event>, StoreError>;

    /// Records an event and what follows from it, in one transaction. A provider's message that
    /// came before changes nothing, and gives the first event.
    ///
    /// When other contacts have some of its addresses, an opt-out is recorded for each of them too.
    /// Anything else is refused, and nothing is recorded.
    async fn record(&self, event: NewEvent) -> Result<Recorded, StoreError>;

    /// A contact's events in the order in which they were recorded: up to `limit` of them, from
    /// the one after the sequence number `after`.
    async fn history(
        &self,
        address: &Address,
        after: u64,
        limit: u32,
    ) -> Result<Option<History>, StoreError>;

    /// Whether the store can be read and written at this moment.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// A contact as the store knows it.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Its identifier; nothing when the address was never seen.
    pub id: Option<String>,
    /// Its consent.
    pub contact: Contact,
}

/// One page of a contact's events.
#[derive(Clone, Debug)]
pub struct History {
    /// The contact's identifier.
    pub contact_id: String,
    /// Every address of the contact.
    pub addresses: Vec<String>,
    /// The events.
    pub events: Vec<Event>,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// It cannot be reached, or its disk is full, or it is damaged.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// More is waiting to be written than is wise.
    #[error("the store has too much to write at the moment")]
    Busy,
    /// An address belongs to another contact.
    #[error("an address belongs to another contact")]
    AddressTaken,
    /// It was written by a newer version.
    #[error(
        "the store has schema version {found}, and this version of Consentry knows {known}; use \
         the newer version that wrote it"
    )]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
}
