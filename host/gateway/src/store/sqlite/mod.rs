//! SQLite, embedded: one file, one writer that groups commits, many readers.

mod alerts;
mod checkpoint;
mod contacts;
mod decisions;
mod erase;
mod policies;
mod read;
mod snapshot;
mod write;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use consentry_model::{Channel, EventId, Timestamp};
use rusqlite::{Connection, OpenFlags};

use super::forgotten::Forgotten;
use super::{
    Answerable, Checkpoint, Erased, Erasure, Event, History, Known, NewEvent, Outgoing, Place,
    Recorded, Seal, Snapshot, Store, StoreError,
};
use crate::address::Address;
use crate::alerts::{Alert, AlertKind, AlertTally};
use crate::decisions::Kept;
use crate::policies::{Change, Version};
use writer::Writer;

const SCHEMA: &str = include_str!("schema.sql");
const SCHEMA_VERSION: i64 = 7;
/// How long to wait for another process that is writing.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the writer may take to say that it could write.
const READY: Duration = Duration::from_secs(2);

/// A store in one SQLite file.
pub struct SqliteStore {
    readers: Arc<Readers>,
    writer: Writer,
    forgotten: Arc<Forgotten>,
}

impl SqliteStore {
    /// Opens a store, and makes it when the file is not there.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut key = path.as_os_str().to_owned();
        key.push(".suppression-key.json");
        Self::open_with(path, key.into())
    }

    /// The same, with the key by which people are known who were erased in this file.
    pub fn open_with(path: &Path, key: PathBuf) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        settings(&connection)?;
        migrate(&mut connection)?;
        let readers = Readers {
            path: path.to_owned(),
            idle: Mutex::new(Vec::new()),
        };
        Ok(Self {
            readers: Arc::new(readers),
            writer: Writer::start(connection)?,
            forgotten: Arc::new(Forgotten::new(key)),
        })
    }

    async fn read<T: Send + 'static, E: 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || readers.with(query))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn contact(&self, address: &Address) -> Result<Known, StoreError> {
        let (address, forgotten) = (address.to_string(), Arc::clone(&self.forgotten));
        self.read(move |connection| contacts::known(connection, &forgotten, &address))
            .await
    }

    async fn contacts(&self, addresses: Vec<Address>) -> Result<Vec<Known>, StoreError> {
        let forgotten = Arc::clone(&self.forgotten);
        self.read(move |connection| contacts::many(connection, &forgotten, &addresses))
            .await
    }

    async fn delivered(
        &self,
        address: &Address,
        channel: Channel,
        message_id: &str,
    ) -> Result<Option<Event>, StoreError> {
        let (address, message_id) = (address.to_string(), message_id.to_owned());
        self.read(move |connection| {
            let Some(contact_id) = read::contact_id(connection, &address)? else {
                return Ok(None);
            };
            read::delivered(connection, &contact_id, channel, &message_id)
        })
        .await
    }

    async fn record(&self, event: NewEvent) -> Result<Recorded, StoreError> {
        let forgotten = Arc::clone(&self.forgotten);
        self.writer
            .write(move |savepoint| write::record(savepoint, &forgotten, event))
            .await
    }

    async fn erase(
        &self,
        address: &Address,
        erasure: Erasure,
    ) -> Result<Option<Erased>, StoreError> {
        let (address, forgotten) = (address.clone(), Arc::clone(&self.forgotten));
        self.writer
            .write(move |savepoint| erase::erase(savepoint, &forgotten, &address, &erasure))
            .await
    }

    async fn open_question(
        &self,
        address: &Address,
        channel: Channel,
        since: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let address = address.to_string();
        self.read(move |connection| read::open_question(connection, &address, channel, since))
            .await
    }

    async fn answerable(
        &self,
        address: &Address,
        event_id: &str,
    ) -> Result<Answerable, StoreError> {
        let (address, event_id) = (address.to_string(), event_id.to_owned());
        self.read(move |connection| read::answerable(connection, &address, &event_id))
            .await
    }

    async fn take_place(&self, message: Outgoing) -> Result<Place, StoreError> {
        let forgotten = Arc::clone(&self.forgotten);
        self.writer
            .write(move |savepoint| write::take_place(savepoint, &forgotten, message))
            .await
    }

    async fn history(
        &self,
        address: &Address,
        after: u64,
        limit: u32,
    ) -> Result<Option<History>, StoreError> {
        let address = address.to_string();
        self.read(move |connection| read::history(connection, &address, after, limit))
            .await
    }

    async fn event(
        &self,
        address: &Address,
        event_id: &EventId,
    ) -> Result<Option<Event>, StoreError> {
        let (address, event_id) = (address.to_string(), event_id.0.clone());
        self.read(move |connection| read::one(connection, &address, &event_id))
            .await
    }

    async fn reviews(&self, before: Option<EventId>, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.read(move |connection| read::reviews(connection, before.as_ref(), limit))
            .await
    }

    async fn opted_out(
        &self,
        channel: Channel,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Address>, StoreError> {
        self.read(move |connection| {
            contacts::opted_out(connection, channel, &after.unwrap_or_default(), limit)
        })
        .await
    }

    async fn add_alerts(&self, alerts: BTreeMap<AlertKind, AlertTally>) -> Result<(), StoreError> {
        self.writer
            .write(move |savepoint| Ok(alerts::add(savepoint, alerts)?))
            .await
    }

    async fn alerts(&self, before: Option<String>, limit: u32) -> Result<Vec<Alert>, StoreError> {
        self.read(move |connection| alerts::page(connection, before.as_deref(), limit))
            .await
    }

    async fn undelivered_alerts(&self, limit: u32) -> Result<Vec<Alert>, StoreError> {
        self.read(move |connection| alerts::undelivered(connection, limit))
            .await
    }

    async fn alert_delivered(&self, id: String, at: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |savepoint| Ok(alerts::delivered(savepoint, &id, at)?))
            .await
    }

    async fn messages(
        &self,
        between: (Option<Timestamp>, Option<Timestamp>),
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.read(move |connection| read::messages(connection, between, limit))
            .await
    }

    async fn record_decisions(&self, kept: Vec<Kept>, keep: u64) -> Result<(), StoreError> {
        self.writer
            .write(move |savepoint| Ok(decisions::add(savepoint, &kept, keep)?))
            .await
    }

    async fn decisions(
        &self,
        between: (Option<Timestamp>, Option<Timestamp>),
        limit: u32,
    ) -> Result<Vec<Kept>, StoreError> {
        self.read(move |connection| decisions::list(connection, between, limit))
            .await
    }

    async fn add_policy(
        &self,
        version: Version,
        component: Vec<u8>,
        signature: Option<String>,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |savepoint| {
                let signature = signature.as_deref();
                Ok(policies::add(savepoint, &version, &component, signature)?)
            })
            .await
    }

    async fn policy(&self, digest: &str) -> Result<Option<(Vec<u8>, Option<String>)>, StoreError> {
        let digest = digest.to_owned();
        self.read(move |connection| policies::component(connection, &digest))
            .await
    }

    async fn policies(&self) -> Result<Vec<Version>, StoreError> {
        self.read(policies::versions).await
    }

    async fn change_policy(&self, change: Change) -> Result<Change, StoreError> {
        self.writer
            .write(move |savepoint| Ok(policies::change(savepoint, change)?))
            .await
    }

    async fn last_policy_change(&self) -> Result<u64, StoreError> {
        self.read(policies::last_change).await
    }

    async fn policy_changes(&self) -> Result<Vec<Change>, StoreError> {
        self.read(policies::changes).await
    }

    async fn add_checkpoint(&self, seal: Seal) -> Result<u64, StoreError> {
        self.writer
            .write(move |savepoint| Ok(checkpoint::add(savepoint, &seal)?))
            .await
    }

    async fn last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.read(checkpoint::last).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let path = self.readers.path.clone();
        let open = move || snapshot::SqliteSnapshot::of(&path);
        let opened = tokio::task::spawn_blocking(open).await;
        let opened = opened.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Box::new(opened?))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.read(|connection| {
            // A query of nothing would be answered without a look at the file.
            connection.query_row("SELECT EXISTS (SELECT 1 FROM address)", (), |_| Ok(()))
        })
        .await?;
        tokio::time::timeout(READY, self.writer.write(|_| Ok(())))
            .await
            .map_err(|_| StoreError::Unavailable("its writer is stuck".to_owned()))?
    }
}

/// Read connections that wait for their next query.
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    fn with<T, E>(&self, query: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        let idle = self.lock().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        // One snapshot for all the statements of a query.
        let transaction = connection.transaction()?;
        let answer = query(&transaction)?;
        transaction.commit()?;
        self.lock().push(connection);
        Ok(answer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that only reads.
fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(PATIENCE)?;
    rusqlite::vtab::array::load_module(&connection)?;
    Ok(connection)
}

/// Every acknowledged event must survive a power cut: `synchronous = FULL` syncs the log at each
/// commit.
fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    match version {
        0 => {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        SCHEMA_VERSION => {}
        found if found < SCHEMA_VERSION => return Err(StoreError::Older { found }),
        found => {
            return Err(StoreError::Newer {
                found,
                known: SCHEMA_VERSION,
            });
        }
    }
    transaction.commit()?;
    Ok(())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
