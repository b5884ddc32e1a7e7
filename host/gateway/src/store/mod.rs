//! Where contacts, events and consent are kept: the source of truth.

pub(crate) mod chain;
pub(crate) mod checkpoint;
pub(crate) mod columns;
mod forgotten;
pub mod postgres;
mod raw;
mod record;
pub mod sqlite;

use std::collections::BTreeMap;

use async_trait::async_trait;
use consentry_model::{Answers, Category, Channel, Contact, EventId, Limit, Timestamp};
use thiserror::Error;

pub use chain::Row;
pub use checkpoint::{Checkpoint, Seal};
pub(crate) use forgotten::ERASURE;
pub use forgotten::{Erased, Erasure};
pub use raw::{Snapshot, Table};
pub(crate) use record::name;
pub use record::{Backoff, Event, EventKind, NewEvent, Recorded, Selection, Understood};

use crate::address::Address;
use crate::alerts::{Alert, AlertKind, AlertTally};
use crate::decisions::Kept;
use crate::policies::{Change, Version};

/// A store. What [`Store::record`] has acknowledged is on disk.
#[async_trait]
pub trait Store: Send + Sync {
    /// What is known of the contact that an address belongs to, as it is at this moment.
    async fn contact(&self, address: &Address) -> Result<Known, StoreError>;

    /// The same of many addresses, all as they are at one moment.
    async fn contacts(&self, addresses: Vec<Address>) -> Result<Vec<Known>, StoreError>;

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

    /// Forgets the contact that an address belongs to: of its events, what they were hashed over is taken
    /// away, and all else with it. Each of its addresses stays suppressed: whoever has it is opted out of
    /// everything, until the person opts in again.
    async fn erase(
        &self,
        address: &Address,
        erasure: Erasure,
    ) -> Result<Option<Erased>, StoreError>;

    /// The question that is open for a contact on a channel: what the answer to its newest message
    /// asked, if that was said since a moment.
    async fn open_question(
        &self,
        address: &Address,
        channel: Channel,
        since: Timestamp,
    ) -> Result<Option<String>, StoreError>;

    /// What a message to an address is bound to that names an event as the one it answers.
    async fn answerable(&self, address: &Address, event_id: &str)
    -> Result<Answerable, StoreError>;

    /// Takes a place for a message that is about to be sent, if its limits have one and what it
    /// answers has no answer yet. Of many that ask at once no more get one than there are.
    async fn take_place(&self, message: Outgoing) -> Result<Place, StoreError>;

    /// A contact's events in the order in which they were recorded: up to `limit` of them, from
    /// the one after the sequence number `after`.
    async fn history(
        &self,
        address: &Address,
        after: u64,
        limit: u32,
    ) -> Result<Option<History>, StoreError>;

    /// One event of a contact.
    async fn event(
        &self,
        address: &Address,
        event_id: &EventId,
    ) -> Result<Option<Event>, StoreError>;

    /// Messages that a person must look at and nobody has decided about, the newest first: up to `limit`
    /// of them, from the one after `before`.
    async fn reviews(&self, before: Option<EventId>, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The telephone numbers that everything has stopped for on a channel, in order: up to `limit` of
    /// them, from the one after `after`.
    async fn opted_out(
        &self,
        channel: Channel,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Address>, StoreError>;

    /// Adds to alerts.
    async fn add_alerts(&self, alerts: BTreeMap<AlertKind, AlertTally>) -> Result<(), StoreError>;

    /// Alerts, the newest first: up to `limit` of them, from the one after `before`.
    async fn alerts(&self, before: Option<String>, limit: u32) -> Result<Vec<Alert>, StoreError>;

    /// Alerts that have not been delivered, the oldest first.
    async fn undelivered_alerts(&self, limit: u32) -> Result<Vec<Alert>, StoreError>;

    /// Records that an alert was delivered.
    async fn alert_delivered(&self, id: String, at: Timestamp) -> Result<(), StoreError>;

    /// Messages that came in, of all contacts, the newest first: up to `limit` of those recorded from one
    /// moment on and before another.
    async fn messages(
        &self,
        between: (Option<Timestamp>, Option<Timestamp>),
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// Records decisions, and lets go of those that are older than the newest `keep`.
    async fn record_decisions(&self, decisions: Vec<Kept>, keep: u64) -> Result<(), StoreError>;

    /// Decisions that are kept, the newest first: up to `limit` of those made from one moment on and
    /// before another.
    async fn decisions(
        &self,
        between: (Option<Timestamp>, Option<Timestamp>),
        limit: u32,
    ) -> Result<Vec<Kept>, StoreError>;

    /// Keeps a policy. One that is kept already keeps what is known of it.
    async fn add_policy(
        &self,
        version: Version,
        component: Vec<u8>,
        signature: Option<String>,
    ) -> Result<(), StoreError>;

    /// A policy's component and its signature, if it is kept.
    async fn policy(&self, digest: &str) -> Result<Option<(Vec<u8>, Option<String>)>, StoreError>;

    /// The policies that are kept, the newest first.
    async fn policies(&self) -> Result<Vec<Version>, StoreError>;

    /// Records that another policy is active, and gives the change its number.
    async fn change_policy(&self, change: Change) -> Result<Change, StoreError>;

    /// The number of the newest change of the policy; 0 where there is none.
    async fn last_policy_change(&self) -> Result<u64, StoreError>;

    /// Every change of the policy, the oldest first.
    async fn policy_changes(&self) -> Result<Vec<Change>, StoreError>;

    /// Makes a checkpoint over what has changed since the last one, and gives how many contacts it lists:
    /// 0 when nothing has changed, and none was made.
    async fn add_checkpoint(&self, seal: Seal) -> Result<u64, StoreError>;

    /// The newest checkpoint.
    async fn last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError>;

    /// Everything, as it is at this moment.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Whether the store can be read and written at this moment.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// What a message that names an event is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answerable {
    /// To this, which has no answer yet.
    Yes(Answers),
    /// The event has its answer.
    Answered,
    /// The contact has opted out again since.
    NotNewest,
    /// The contact has no such event, or it asks for no answer.
    Unknown,
}

/// A message that is about to be sent.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// To whom.
    pub address: Address,
    /// How.
    pub channel: Channel,
    /// What kind of message it is.
    pub category: Category,
    /// When.
    pub at: Timestamp,
    /// The decision that allowed it.
    pub decision_id: String,
    /// The event that it answers.
    pub answers: Option<EventId>,
    /// What it must not exceed.
    pub limits: Vec<Limit>,
}

/// Whether there was a place for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// It has one.
    Taken,
    /// A limit is reached.
    Full {
        /// The rule.
        rule: String,
        /// When there is room again.
        until: Timestamp,
    },
    /// What it answers has its answer.
    Answered,
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
    /// Where it is was not written as it must be.
    #[error("its address cannot be used: {0}")]
    Address(String),
    /// It was written before the first release.
    #[error(
        "the store has schema version {found}, of before the first release, which cannot be read; \
         start with a new file"
    )]
    Older {
        /// The version found.
        found: i64,
    },
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
