//! Checkpoints: now and then, the newest hashes of all contacts that have changed, in a row that is hashed
//! with the one before and signed. So a contact that is gone, with everything, is missed.

use std::sync::Arc;

use consentry_model::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::chain::{Row, canonical, hash, hex};
use crate::jws::{Kind, SigningKeys};

/// How many contacts one checkpoint lists at most: they are locked while it is written.
pub(crate) const MOST_HEADS: u32 = 2000;

/// A contact's newest event.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) contact_id: String,
    pub(crate) seq: u64,
    pub(crate) hash: String,
    /// The newest event that a checkpoint before lists; 0 where none does.
    pub(crate) sealed_seq: u64,
}

/// A checkpoint.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Its number, from 1.
    pub seq: u64,
    /// When it was made.
    pub at: Timestamp,
    /// How many contacts it and those before it list.
    pub contacts: u64,
    /// How many events they have.
    pub events: u64,
    /// How many contacts it lists.
    pub heads: u64,
    /// The hash over what it lists.
    pub heads_hash: String,
    /// The hash of the one before; empty for the first.
    pub previous: String,
    /// The hash of all this.
    pub hash: String,
    /// All this, signed.
    pub token: String,
}

/// What a checkpoint is made with.
#[derive(Clone)]
pub struct Seal {
    /// The keys that sign it.
    pub keys: Arc<SigningKeys>,
    /// When it is made.
    pub at: Timestamp,
}

impl Seal {
    /// The checkpoint after another one, over what it lists.
    pub(super) fn checkpoint(&self, last: Option<Checkpoint>, heads: &[Head]) -> Checkpoint {
        let mut listed = HeadsHash::default();
        let (mut contacts, mut events) = last
            .as_ref()
            .map_or((0, 0), |last| (last.contacts, last.events));
        for head in heads {
            listed.add(&head.contact_id, head.seq, &head.hash);
            contacts += u64::from(head.sealed_seq == 0);
            events += head.seq - head.sealed_seq.min(head.seq);
        }
        let mut checkpoint = Checkpoint {
            seq: last.as_ref().map_or(0, |last| last.seq) + 1,
            // The order of checkpoints is that of their times, whatever the clock does.
            at: last.as_ref().map_or(self.at, |last| last.at.max(self.at)),
            contacts,
            events,
            heads: heads.len() as u64,
            heads_hash: listed.finish(),
            previous: last.map(|last| last.hash).unwrap_or_default(),
            hash: String::new(),
            token: String::new(),
        };
        let mut said = checkpoint.said();
        checkpoint.hash = hash_of(&said);
        said.insert("hash".to_owned(), checkpoint.hash.clone().into());
        checkpoint.token = self.keys.sign(Kind::Checkpoint, &said);
        checkpoint
    }
}

impl Checkpoint {
    /// All but the hash and the signature.
    fn said(&self) -> Row {
        let members: [(&str, Value); 7] = [
            ("seq", self.seq.into()),
            ("at", self.at.millis().into()),
            ("contacts", self.contacts.into()),
            ("events", self.events.into()),
            ("heads", self.heads.into()),
            ("heads_hash", self.heads_hash.as_str().into()),
            ("previous", self.previous.as_str().into()),
        ];
        let owned = |(name, value): (&str, Value)| (name.to_owned(), value);
        members.into_iter().map(owned).collect()
    }
}

/// The hash of what a checkpoint says, without the hash and the signature.
pub(crate) fn hash_of(said: &Row) -> String {
    hash("consentry checkpoint", &canonical(said))
}

/// The hash over what a checkpoint lists, in the order of the contacts: a line for each.
pub(crate) struct HeadsHash(Sha256);

impl Default for HeadsHash {
    fn default() -> Self {
        Self(Sha256::new_with_prefix("consentry heads\n"))
    }
}

impl HeadsHash {
    pub(crate) fn add(&mut self, contact_id: &str, seq: u64, hash: &str) {
        self.0.update(format!("{contact_id} {seq} {hash}\n"));
    }

    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}
