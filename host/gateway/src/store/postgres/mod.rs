//! PostgreSQL: one database for many gateways. Nothing is kept here: what is asked is asked of the
//! database, together with what else is asked at the same moment, and what must happen at once happens
//! under a lock on the contact's row.

mod alerts;
mod checkpoint;
mod connect;
mod contacts;
mod decisions;
mod erase;
mod failure;
mod gather;
mod group;
mod migrate;
mod people;
mod places;
mod policies;
mod read;
mod record;
mod rows;
mod snapshot;
mod tls;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use consentry_model::{Channel, EventId, Timestamp};

use super::forgotten::Forgotten;
use super::{
    Answerable, Checkpoint, Erased, Erasure, Event, History, Known, NewEvent, Outgoing, Place,
    Recorded, Seal, Snapshot, Store, StoreError,
};
use crate::address::Address;
use crate::alerts::{Alert, AlertKind, AlertTally};
use crate::decisions::Kept;
use crate::policies::{Change, Version};
pub use connect::Address as DatabaseAddress;
use connect::{Connection, PATIENCE, Pool};
use failure::Failure;
use gather::Gather;
use group::{again, all, together};

/// How many groups may be under way at a time: one that waits for somebody else's lock holds up no other.
const LOOKUPS: usize = 2;
const RECORDS: usize = 2;
const PLACES: usize = 2;
/// How many connections serve everything else.
const OTHERS: usize = 6;
/// How long what nobody waits for at a telephone may take: a change of the schema, a look at all messages.
const LONG: Duration = Duration::from_secs(3600);

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    forgotten: Arc<Forgotten>,
    others: Pool,
    lookups: Gather<Address, Known>,
    records: Gather<NewEvent, Recorded>,
    places: Gather<Outgoing, Place>,
}

impl PostgresStore {
    /// Connects to a database, and brings its schema up to date. `key` is the file of the key by which people
    /// are known who were erased.
    pub async fn open(address: &DatabaseAddress, key: PathBuf) -> Result<Self, StoreError> {
        let forgotten = Arc::new(Forgotten::new(key));
        let others = Pool::new(address, OTHERS)?;
        others.with(PATIENCE, fits).await?;
        again(|| others.transaction(LONG, migrate::migrate)).await?;
        // What people wait for has connections of its own, which no long history takes away.
        let lookups = Pool::new(address, LOOKUPS)?;
        let (records, places) = (Pool::new(address, RECORDS)?, Pool::new(address, PLACES)?);
        Ok(Self {
            lookups: Gather::start(LOOKUPS, {
                let forgotten = Arc::clone(&forgotten);
                move |addresses| look_up(lookups.clone(), Arc::clone(&forgotten), addresses)
            }),
            records: Gather::start(RECORDS, {
                let forgotten = Arc::clone(&forgotten);
                let write = move |connection, events| {
                    record::record(connection, Arc::clone(&forgotten), events)
                };
                move |events| together(records.clone(), events, write.clone())
            }),
            places: Gather::start(PLACES, {
                let forgotten = Arc::clone(&forgotten);
                let write = move |connection, messages| {
                    places::take(connection, Arc::clone(&forgotten), messages)
                };
                move |messages| together(places.clone(), messages, write.clone())
            }),
            forgotten,
            others,
        })
    }
}

impl PostgresStore {
    async fn read<T, F>(&self, work: impl FnOnce(Connection) -> F + Send) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        Ok(self.others.with(PATIENCE, work).await?)
    }

    async fn write<T, F>(
        &self,
        work: impl Fn(Connection) -> F + Send + Sync,
    ) -> Result<T, StoreError>
    where
        T: Send,
        F: Future<Output = Result<T, Failure>> + Send,
    {
        Ok(again(|| self.others.transaction(PATIENCE, &work)).await?)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn contact(&self, address: &Address) -> Result<Known, StoreError> {
        self.lookups.ask(address.clone()).await
    }

    async fn contacts(&self, addresses: Vec<Address>) -> Result<Vec<Known>, StoreError> {
        self.read(|connection| contacts::known(connection, &self.forgotten, &addresses))
            .await
    }

    async fn delivered(
        &self,
        address: &Address,
        channel: Channel,
        message_id: &str,
    ) -> Result<Option<Event>, StoreError> {
        self.read(|connection| read::delivered(connection, address, channel, message_id))
            .await
    }

    async fn record(&self, event: NewEvent) -> Result<Recorded, StoreError> {
        self.records.ask(event).await
    }

    async fn erase(
        &self,
        address: &Address,
        erasure: Erasure,
    ) -> Result<Option<Erased>, StoreError> {
        let forget = |connection| erase::erase(connection, &self.forgotten, address, &erasure);
        Ok(again(|| self.others.transaction(LONG, &forget)).await?)
    }

    async fn open_question(
        &self,
        address: &Address,
        channel: Channel,
        since: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        self.read(|connection| read::open_question(connection, address, channel, since))
            .await
    }

    async fn answerable(
        &self,
        address: &Address,
        event_id: &str,
    ) -> Result<Answerable, StoreError> {
        self.read(|connection| read::answerable(connection, address, event_id))
            .await
    }

    async fn take_place(&self, message: Outgoing) -> Result<Place, StoreError> {
        self.places.ask(message).await
    }

    async fn history(
        &self,
        address: &Address,
        after: u64,
        limit: u32,
    ) -> Result<Option<History>, StoreError> {
        self.read(|connection| read::history(connection, address, after, limit))
            .await
    }

    async fn event(
        &self,
        address: &Address,
        event_id: &EventId,
    ) -> Result<Option<Event>, StoreError> {
        self.read(|connection| read::one(connection, address, event_id))
            .await
    }

    async fn reviews(&self, before: Option<EventId>, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.read(|connection| read::reviews(connection, before.as_ref(), limit))
            .await
    }

    async fn opted_out(
        &self,
        channel: Channel,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Address>, StoreError> {
        self.read(|connection| contacts::opted_out(connection, channel, after.as_deref(), limit))
            .await
    }

    async fn add_alerts(&self, alerts: BTreeMap<AlertKind, AlertTally>) -> Result<(), StoreError> {
        self.write(|connection| alerts::add(connection, &alerts))
            .await
    }

    async fn alerts(&self, before: Option<String>, limit: u32) -> Result<Vec<Alert>, StoreError> {
        self.read(|connection| alerts::page(connection, before.as_deref(), limit))
            .await
    }

    async fn undelivered_alerts(&self, limit: u32) -> Result<Vec<Alert>, StoreError> {
        self.read(|connection| alerts::undelivered(connection, limit))
            .await
    }

    async fn alert_delivered(&self, id: String, at: Timestamp) -> Result<(), StoreError> {
        self.write(|connection| alerts::delivered(connection, &id, at))
            .await
    }

    async fn messages(
        &self,
        between: (Option<Timestamp>, Option<Timestamp>),
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let read = |connection| read::messages(connection, between, limit);
        Ok(self.others.with(LONG, read).await?)
    }

    async fn record_decisions(&self, kept: Vec<Kept>, keep: u64) -> Result<(), StoreError> {
        self.write(|connection| decisions::add(connection, &kept, keep))
            .await
    }

    async fn decisions(
        &self,
        between: (Option<Timestamp>, Option<Timestamp>),
        limit: u32,
    ) -> Result<Vec<Kept>, StoreError> {
        let read = |connection| decisions::list(connection, between, limit);
        Ok(self.others.with(LONG, read).await?)
    }

    async fn add_policy(
        &self,
        version: Version,
        component: Vec<u8>,
        signature: Option<String>,
    ) -> Result<(), StoreError> {
        self.write(|connection| {
            policies::add(connection, &version, &component, signature.as_deref())
        })
        .await
    }

    async fn policy(&self, digest: &str) -> Result<Option<(Vec<u8>, Option<String>)>, StoreError> {
        self.read(|connection| policies::component(connection, digest))
            .await
    }

    async fn policies(&self) -> Result<Vec<Version>, StoreError> {
        self.read(policies::versions).await
    }

    async fn change_policy(&self, change: Change) -> Result<Change, StoreError> {
        self.write(|connection| policies::change(connection, change.clone()))
            .await
    }

    async fn last_policy_change(&self) -> Result<u64, StoreError> {
        self.read(policies::last_change).await
    }

    async fn policy_changes(&self) -> Result<Vec<Change>, StoreError> {
        self.read(policies::changes).await
    }

    async fn add_checkpoint(&self, seal: Seal) -> Result<u64, StoreError> {
        self.write(|connection| checkpoint::add(connection, seal.clone()))
            .await
    }

    async fn last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.read(checkpoint::last).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(
            snapshot::PostgresSnapshot::of(&self.others).await?,
        ))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.read(writable).await
    }
}

/// Whether a database can keep what people write.
async fn fits(connection: Connection) -> Result<(), Failure> {
    let row = connection
        .query_one(
            "SELECT current_setting('server_encoding'), current_setting('fsync'),
                current_schema() IS NOT NULL",
            &[],
        )
        .await?;
    let encoding: &str = row.try_get(0)?;
    if encoding != "UTF8" {
        return Err(Failure::away(format!(
            "its encoding is {encoding}, which has not every character; make a database with the \
             encoding UTF8"
        )));
    }
    if !row.try_get::<_, bool>(2)? {
        return Err(Failure::away(
            "it has no schema to make tables in: the search_path names none that there is",
        ));
    }
    if row.try_get::<_, &str>(1)? == "off" {
        tracing::warn!("the database runs with fsync = off: a power cut can lose opt-outs");
    }
    Ok(())
}

/// Whether it can be written: a standby can only be read.
async fn writable(connection: Connection) -> Result<(), Failure> {
    let row = connection
        .query_one(
            "SELECT current_setting('transaction_read_only'), EXISTS (SELECT FROM address)",
            &[],
        )
        .await?;
    match row.try_get(0)? {
        "off" => Ok(()),
        _ => Err(Failure::away("it can only be read")),
    }
}

async fn look_up(
    pool: Pool,
    forgotten: Arc<Forgotten>,
    addresses: Vec<Address>,
) -> Vec<Result<Known, StoreError>> {
    match pool
        .with(PATIENCE, |connection| {
            contacts::known(connection, &forgotten, &addresses)
        })
        .await
    {
        Ok(known) => known.into_iter().map(Ok).collect(),
        Err(failure) => all(addresses.len(), failure),
    }
}
