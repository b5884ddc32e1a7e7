//! Stores to test, and short ways to make what is put into them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use consentry::address::Address;
use consentry::store::postgres::{DatabaseAddress, PostgresStore};
use consentry::store::sqlite::SqliteStore;
use consentry::store::{EventKind, NewEvent, Store, StoreError};
use consentry_model::{
    Category, Change, ChangeKind, Channel, ConsentStatus, Contact, Statement, Timestamp,
};
use tempfile::TempDir;

use crate::postgres::Schema;

pub(crate) use consentry_model::ChangeKind::{OptIn, OptOut};
pub(crate) use consentry_model::ConsentStatus::{OptIn as In, OptOut as Out};

pub(crate) const ANN: &str = "+14155550123";
pub(crate) const BOB: &str = "+442071838750";

pub(crate) type Shared = Arc<dyn Store>;

/// Where a store is. Whoever opens it is another gateway.
pub(crate) enum Place {
    Sqlite(TempDir),
    Postgres(Schema),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(Schema::new())
    }

    pub(crate) async fn open(&self) -> Shared {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Shared, StoreError> {
        match self {
            Self::Sqlite(folder) => Ok(Arc::new(SqliteStore::open(&folder.path().join("s.db"))?)),
            Self::Postgres(schema) => {
                let address = DatabaseAddress::parse(&schema.url())?;
                Ok(Arc::new(PostgresStore::open(&address, self.key()).await?))
            }
        }
    }

    /// The file of the key by which people are known who were erased.
    pub(crate) fn key(&self) -> PathBuf {
        match self {
            Self::Sqlite(folder) => folder.path().join("s.db.suppression-key.json"),
            Self::Postgres(schema) => {
                let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
                folder.join(format!("{}.json", schema.name()))
            }
        }
    }

    /// Several gateways, started at the same moment.
    pub(crate) async fn open_together(&self, count: usize) -> Vec<Shared> {
        let opened = futures_util::future::join_all((0..count).map(|_| self.open()));
        opened.await
    }

    /// Runs statements behind the store's back.
    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let file = rusqlite::Connection::open(folder.path().join("s.db")).unwrap();
                file.execute_batch(sql).unwrap();
            }
            Self::Postgres(schema) => schema.execute(sql),
        }
    }

    /// The same, past everything that guards the tables.
    pub(crate) fn tamper(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                let file = rusqlite::Connection::open(folder.path().join("s.db")).unwrap();
                file.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
                for table in ["event", "checkpoint", "checkpoint_head"] {
                    for what in ["changed", "deleted"] {
                        let drop = format!("DROP TRIGGER IF EXISTS {table}_is_never_{what}");
                        file.execute_batch(&drop).unwrap();
                    }
                }
                file.execute_batch(sql).unwrap();
            }
            Self::Postgres(schema) => {
                schema.execute(&format!("SET session_replication_role = replica; {sql}"));
            }
        }
    }

    /// A document with one more space.
    pub(crate) fn document(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("{column} || ' '"),
            Self::Postgres(_) => format!("({column}::text || ' ')::json"),
        }
    }
}

pub(crate) async fn open_postgres(url: &str) -> Result<Shared, StoreError> {
    let address = DatabaseAddress::parse(url)?;
    let no_key = "no-suppression-key.json".into();
    Ok(Arc::new(PostgresStore::open(&address, no_key).await?))
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text, None).unwrap()
}

/// A number of its own for each of many people.
pub(crate) fn person(number: usize) -> String {
    format!("+1415555{number:04}")
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

pub(crate) fn change(channel: Channel, category: Option<&str>, kind: ChangeKind) -> Change {
    Change {
        channel,
        category: category.map(|name| name.parse().unwrap()),
        kind,
    }
}

/// What somebody wrote by SMS, and that this is what follows.
pub(crate) fn wrote(from: &str, words: &str, kind: ChangeKind) -> NewEvent {
    NewEvent {
        channel: Some(Channel::Sms),
        body: Some(words.to_owned()),
        changes: vec![change(Channel::Sms, None, kind)],
        ..NewEvent::new(EventKind::Inbound, address(from), Statement::Own)
    }
}

pub(crate) fn stop(from: &str) -> NewEvent {
    wrote(from, "STOP", OptOut)
}

pub(crate) fn start(from: &str) -> NewEvent {
    wrote(from, "START", OptIn)
}

/// A message that nothing follows from.
pub(crate) fn chat(from: &str, channel: Channel, words: &str) -> NewEvent {
    NewEvent {
        channel: Some(channel),
        body: Some(words.to_owned()),
        ..NewEvent::new(EventKind::Inbound, address(from), Statement::Own)
    }
}

pub(crate) async fn contact(store: &Shared, of: &str) -> Contact {
    store.contact(&address(of)).await.unwrap().contact
}

/// What holds by SMS in general.
pub(crate) async fn status(store: &Shared, of: &str) -> ConsentStatus {
    contact(store, of).await.status_of(Channel::Sms, None)
}

pub(crate) fn marketing() -> Category {
    Category::marketing()
}

/// Every event of somebody.
pub(crate) async fn events(store: &Shared, of: &str) -> Vec<consentry::store::Event> {
    let page = store.history(&address(of), 0, 10_000).await.unwrap();
    page.map(|page| page.events).unwrap_or_default()
}
