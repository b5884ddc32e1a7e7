//! People who were forgotten and must not be written to all the same: known by a keyed hash of each address,
//! so that the tables name nobody. The key is in a file beside the store.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use consentry_model::{Change, ChangeKind, Channel, Contact, EventId, Mark, Statement, Timestamp};
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::Sha256;
use tempfile::NamedTempFile;

use super::chain::{hash, hex};
use super::{EventKind, NewEvent, StoreError};
use crate::address::Address;

/// Where an erasure comes from, and what comes from one.
pub(crate) const ERASURE: &str = "erasure";

/// Whoever erases somebody, and why.
#[derive(Clone, Debug, Default)]
pub struct Erasure {
    /// Who.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Erased {
    /// The contact, whose row is left.
    pub contact_id: String,
    /// How many events.
    pub events: u64,
    /// How many addresses, which stay suppressed.
    pub addresses: u64,
}

/// A suppression that is left of somebody.
#[derive(Clone, Debug)]
pub(super) struct Suppressed {
    /// When the person was forgotten.
    pub(super) at: Timestamp,
    /// The event that records it.
    pub(super) event_id: String,
}

impl Suppressed {
    /// What is known of the person: every channel is stopped.
    pub(super) fn contact(&self) -> Contact {
        let mut contact = Contact::default();
        for change in stops() {
            let mark = Mark {
                at: self.at,
                event: EventId(self.event_id.clone()),
            };
            contact.apply(&change, Statement::Own, mark);
        }
        contact
    }

    /// An event of whoever has one of the addresses now. With a contact that is new, it is said when the person
    /// was forgotten, so that what came later counts. One that was known before is stopped now: what that
    /// one agreed to was not agreed to for this address.
    pub(super) fn event(&self, address: &Address, is_new: bool) -> NewEvent {
        NewEvent {
            source: Some(ERASURE.to_owned()),
            evidence: Some(json!({ "erasure": self.event_id })),
            said_at: is_new.then_some(self.at),
            changes: stops(),
            ..NewEvent::new(EventKind::Reported, address.clone(), Statement::Own)
        }
    }
}

impl Erasure {
    /// The last event of somebody who is forgotten. It names nobody.
    pub(super) fn event(&self, addresses: usize) -> NewEvent {
        NewEvent {
            source: Some(ERASURE.to_owned()),
            actor: self.actor.clone(),
            evidence: Some(json!({ "reason": self.reason, "addresses": addresses })),
            ..NewEvent::new(EventKind::Reported, Address::erased(), Statement::Reported)
        }
    }
}

fn stops() -> Vec<Change> {
    let stop = |channel| Change::general(channel, ChangeKind::OptOut);
    Channel::ALL.into_iter().map(stop).collect()
}

/// The key, which is read when it is needed first.
pub(super) struct Forgotten {
    path: PathBuf,
    key: OnceLock<Key>,
}

struct Key {
    secret: Vec<u8>,
    id: String,
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    key: String,
}

impl Forgotten {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            key: OnceLock::new(),
        }
    }

    /// The hash of an address, by the key that has this name. Nobody can say who is suppressed without it.
    pub(super) fn hash(&self, key_id: &str, address: &str) -> Result<String, StoreError> {
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let key = read(&self.path).map_err(|error| self.unusable(&error.to_string()))?;
                self.key.get_or_init(|| key)
            }
        };
        if key.id != key_id {
            return Err(
                self.unusable("it is another key than the one that people were erased with")
            );
        }
        Ok(hashed(key, address))
    }

    /// The name of the key. It is made when there is none.
    pub(super) fn make(&self) -> Result<String, StoreError> {
        if let Some(key) = self.key.get() {
            return Ok(key.id.clone());
        }
        let key = match read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => made(&self.path),
            read => read,
        };
        let key = key.map_err(|error| self.unusable(&error.to_string()))?;
        Ok(self.key.get_or_init(|| key).id.clone())
    }

    fn unusable(&self, why: &str) -> StoreError {
        StoreError::Unavailable(format!(
            "the key by which people are known who were erased, {}: {why}",
            self.path.display()
        ))
    }
}

fn hashed(key: &Key, address: &str) -> String {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key.secret) else {
        return String::new();
    };
    mac.update(address.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn read(path: &Path) -> std::io::Result<Key> {
    let file: KeyFile = serde_json::from_slice(&fs::read(path)?)?;
    if file.key.len() < 64 {
        let short = "it has fewer than 64 characters";
        return Err(std::io::Error::new(ErrorKind::InvalidData, short));
    }
    let secret = file.key.into_bytes();
    Ok(Key {
        id: hash("consentry suppression key", &secret),
        secret,
    })
}

/// A new one, in a file that nobody else can read, and that appears whole or not at all.
fn made(path: &Path) -> std::io::Result<Key> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| std::io::Error::other(error.to_string()))?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    let key = hex(&secret);
    file.write_all(&serde_json::to_vec_pretty(&KeyFile { key })?)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        // Another process made it at the same time: then its key is the one.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.error),
    }
    read(path)
}
