//! Whose address is whose: found or made, and locked, before anything is written about somebody.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use consentry_model::Timestamp;
use uuid::Uuid;

use super::super::forgotten::{Forgotten, Suppressed};
use super::super::record::Newest;
use super::connect::Connection;
use super::failure::Failure;
use super::{contacts, erase};
use crate::address::Address;

/// The contacts that the addresses of a group belong to.
pub(super) struct People {
    owners: HashMap<String, String>,
    /// Addresses that nobody had, and who has them now.
    fresh: BTreeMap<String, String>,
    /// Contacts that were made.
    made: BTreeSet<String>,
    /// All who are written about.
    meant: BTreeSet<String>,
    /// Of the addresses that nobody has, those of people who were erased.
    left: HashMap<String, Suppressed>,
}

impl People {
    /// Finds the contacts that addresses belong to.
    pub(super) async fn find(
        connection: &Connection,
        forgotten: &Forgotten,
        addresses: &[String],
    ) -> Result<Self, Failure> {
        let statement = contacts::owners_of(connection).await?;
        let owners = contacts::owners(connection, &statement, addresses).await?;
        let strangers = addresses
            .iter()
            .filter(|value| !owners.contains_key(*value));
        let strangers: Vec<&String> = strangers.collect();
        Ok(Self {
            left: erase::suppressed(connection, forgotten, &strangers).await?,
            owners,
            fresh: BTreeMap::new(),
            made: BTreeSet::new(),
            meant: BTreeSet::new(),
        })
    }

    /// Whom an address belongs to, if to anybody.
    pub(super) fn owner(&self, address: &Address) -> Option<&String> {
        self.owners.get(&address.to_string())
    }

    /// What is left of somebody who was erased and had an address, if nobody has it now.
    pub(super) fn left(&self, address: &Address) -> Option<&Suppressed> {
        let value = address.to_string();
        self.left
            .get(&value)
            .filter(|_| !self.owners.contains_key(&value))
    }

    /// An identifier for somebody who is new.
    pub(super) fn stranger() -> String {
        Uuid::now_v7().to_string()
    }

    /// Something will be written about a contact: one that is known, or one that is made with this
    /// address.
    pub(super) fn mean(&mut self, contact_id: &str, address: &Address) {
        if self.owner(address).is_none() {
            self.made.insert(contact_id.to_owned());
            self.give(contact_id, address);
        }
        self.meant.insert(contact_id.to_owned());
    }

    /// Gives a contact an address that nobody has.
    pub(super) fn give(&mut self, contact_id: &str, address: &Address) {
        let value = address.to_string();
        self.owners.insert(value.clone(), contact_id.to_owned());
        self.fresh.insert(value, contact_id.to_owned());
    }

    /// Writes what is new, and locks everybody who is meant. All do so in the order of the addresses, then
    /// in that of the contacts, so that no two wait for each other.
    pub(super) async fn lock(
        self,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<HashMap<String, Newest>, Failure> {
        if !self.fresh.is_empty() {
            self.write_fresh(connection, now).await?;
        }
        let ids: Vec<&str> = self.meant.iter().map(String::as_str).collect();
        lock(connection, &ids).await
    }

    async fn write_fresh(&self, connection: &Connection, now: Timestamp) -> Result<(), Failure> {
        let statement = connection
            .prepare_cached(
                "INSERT INTO address (value, contact_id)
                 SELECT value, contact_id FROM unnest($1::text[], $2::text[])
                    AS fresh (value, contact_id) ORDER BY value
                 ON CONFLICT DO NOTHING",
            )
            .await?;
        let (values, ids): (Vec<&String>, Vec<&String>) = self.fresh.iter().unzip();
        let written = connection.execute(&statement, &[&values, &ids]).await?;
        if written != self.fresh.len() as u64 {
            return Err(Failure::Again(
                "an address was given to somebody else in the same moment".to_owned(),
            ));
        }
        let statement = connection
            .prepare_cached(
                "INSERT INTO contact (id, created_at, last_seq, last_recorded_at)
                 SELECT id, $2::bigint, 0, 0 FROM unnest($1::text[]) AS id",
            )
            .await?;
        let made: Vec<&String> = self.made.iter().collect();
        connection
            .execute(&statement, &[&made, &now.millis()])
            .await?;
        Ok(())
    }
}

/// Locks contacts, in their order, and gives the newest event of each.
pub(super) async fn lock(
    connection: &Connection,
    ids: &[&str],
) -> Result<HashMap<String, Newest>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT id, last_seq, last_recorded_at, head, erased_at IS NOT NULL FROM contact
             WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
        )
        .await?;
    let mut newest = HashMap::new();
    for row in connection.query(&statement, &[&ids]).await? {
        if row.try_get(4)? {
            return Err(Failure::Again(
                "somebody was erased in the same moment".to_owned(),
            ));
        }
        let columns = Newest::of_columns(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        newest.insert(row.try_get(0)?, columns);
    }
    match ids.iter().find(|id| !newest.contains_key(**id)) {
        Some(_) => Err(Failure::unreadable("an address belongs to nobody")),
        None => Ok(newest),
    }
}
