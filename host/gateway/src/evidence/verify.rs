//! Everything in a store, verified in one pass: the tables side by side, contact by contact.

use std::collections::BTreeSet;

use serde::Serialize;

use super::chain::{Chain, compare, missing};
use super::checkpoints;
use super::rows::{Rows, number, text};
use super::view::View;
use crate::address::ERASED;
use crate::jws::PublicKeys;
use crate::store::{ERASURE, Row, Snapshot, StoreError, Table};

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The contact, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    /// The number of the contact's event, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The checkpoint, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    fn of_contact(contact_id: &str, seq: Option<u64>, what: String) -> Self {
        Self {
            contact_id: Some(contact_id.to_owned()),
            seq,
            checkpoint: None,
            what,
        }
    }

    pub(super) fn of_checkpoint(checkpoint: u64, what: String) -> Self {
        Self {
            contact_id: None,
            seq: None,
            checkpoint: Some(checkpoint),
            what,
        }
    }
}

/// What was verified.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// How many contacts.
    pub contacts: u64,
    /// How many events.
    pub events: u64,
    /// How many of them were erased.
    pub erased: u64,
    /// How many checkpoints; none when one contact was asked for.
    pub checkpoints: u64,
    /// How many events no checkpoint lists yet.
    pub unsealed: u64,
    /// The newest checkpoint, signed: what should be kept elsewhere.
    pub checkpoint: Option<String>,
    /// How much is wrong.
    pub problems: u64,
}

/// Verifies a store, or one contact.
pub struct Verifier<'v> {
    snapshot: Box<dyn Snapshot>,
    keys: Option<&'v PublicKeys>,
    contacts: Rows,
    events: Rows,
    heads: Rows,
    consent: Rows,
    addresses: Rows,
    erased: Rows,
    /// What is told of what is wrong, as it is found.
    tell: Box<dyn FnMut(&Problem) + Send + 'v>,
    /// How many contacts and events checkpoints list, of what is there.
    sealed: (u64, u64),
    verified: Verified,
}

impl<'v> Verifier<'v> {
    /// Of all, or of one contact. Without keys, signatures are not looked at.
    pub fn new(
        snapshot: Box<dyn Snapshot>,
        of: Option<&str>,
        keys: Option<&'v PublicKeys>,
        tell: impl FnMut(&Problem) + Send + 'v,
    ) -> Self {
        Self {
            snapshot,
            keys,
            contacts: Rows::of(Table::Contact, of),
            events: Rows::of(Table::Event, of),
            heads: Rows::of(Table::HeadOfContact, of),
            consent: Rows::of(Table::Consent, of),
            addresses: Rows::of(Table::Address, of),
            erased: Rows::of(Table::ErasedEvent, of),
            tell: Box::new(tell),
            sealed: (0, 0),
            verified: Verified::default(),
        }
    }

    /// Verifies all contacts and all checkpoints. `kept` is what a checkpoint says that was kept elsewhere.
    pub async fn all(
        mut self,
        kept: Option<&Row>,
        mut progress: impl FnMut(u64),
    ) -> Result<Verified, StoreError> {
        let found = checkpoints::verify(self.snapshot.as_mut(), self.keys, kept).await?;
        for problem in &found.problems {
            self.problem(problem);
        }
        while self.contact().await? {
            progress(self.verified.events);
        }
        if (found.contacts, found.events) != self.sealed {
            let what = format!(
                "it and those before count {} contacts with {} events, and there are {} with {}",
                found.contacts, found.events, self.sealed.0, self.sealed.1
            );
            self.problem(&Problem::of_checkpoint(found.count, what));
        }
        self.verified.checkpoints = found.count;
        let token = found
            .newest
            .as_ref()
            .map(|row| text(row, "token").to_owned());
        self.verified.checkpoint = token;
        Ok(self.verified)
    }

    /// Verifies the one contact.
    pub async fn one(mut self) -> Result<Verified, StoreError> {
        while self.contact().await? {}
        Ok(self.verified)
    }

    fn problem(&mut self, problem: &Problem) {
        self.verified.problems += 1;
        (self.tell)(problem);
    }

    fn wrong(&mut self, contact_id: &str, seq: Option<u64>, what: Vec<String>) {
        for what in what {
            self.problem(&Problem::of_contact(contact_id, seq, what));
        }
    }

    /// Verifies the next contact, whichever table names it. Says whether there was one.
    async fn contact(&mut self) -> Result<bool, StoreError> {
        let snapshot = self.snapshot.as_mut();
        let mut next: Option<String> = None;
        for rows in [
            &mut self.contacts,
            &mut self.events,
            &mut self.heads,
            &mut self.consent,
            &mut self.addresses,
            &mut self.erased,
        ] {
            let whose = rows.whose(snapshot).await?;
            next = match (next, whose) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        let Some(id) = next else { return Ok(false) };
        let contact = self.contacts.next_of(snapshot, &id).await?;
        let followed = self.events_of(&id).await?;
        let snapshot = self.snapshot.as_mut();
        let mut written = Vec::new();
        while let Some(row) = self.consent.next_of(snapshot, &id).await? {
            written.push(row);
        }
        let mut addresses = BTreeSet::new();
        while let Some(row) = self.addresses.next_of(snapshot, &id).await? {
            addresses.insert(text(&row, "value").to_owned());
        }
        self.sealed.0 += u64::from(followed.listed > 0);
        self.sealed.1 += followed.listed;
        self.verified.unsealed += followed.chain.seq.saturating_sub(followed.listed);
        let Some(contact) = contact else {
            let what = "the contact is missing, and other rows name it";
            self.wrong(&id, None, vec![what.to_owned()]);
            return Ok(true);
        };
        self.verified.contacts += 1;
        let mut wrong = compare(&contact, &followed.chain);
        if number(&contact, "sealed_seq") != followed.listed {
            let what =
                "the contact's row names another event as the newest that a checkpoint lists";
            wrong.push(what.to_owned());
        }
        if followed.unexplained {
            wrong.push("events were erased, and no event after them records it".to_owned());
        }
        wrong.extend(followed.view.compare(&id, written));
        if !followed.named.is_subset(&addresses) {
            let what = "an address that its events came from is not its address any more";
            wrong.push(what.to_owned());
        }
        self.wrong(&id, None, wrong);
        Ok(true)
    }

    /// Follows the events of a contact, and what checkpoints list of them.
    async fn events_of(&mut self, id: &str) -> Result<Followed, StoreError> {
        let mut followed = Followed::default();
        while let Some((row, is_erased)) = self.next_event(id).await? {
            self.verified.events += 1;
            self.verified.erased += u64::from(is_erased);
            let records_erasure =
                text(&row, "source") == ERASURE && text(&row, "address") == ERASED;
            if !is_erased && !records_erasure {
                followed.view.take(&row);
                followed.named.insert(text(&row, "address").to_owned());
            }
            // What was erased ends with the record of it.
            followed.unexplained = is_erased || (followed.unexplained && !records_erasure);
            let wrong = if is_erased {
                followed.chain.follow_erased(&row)
            } else {
                followed.chain.follow(row)
            };
            self.wrong(id, Some(followed.chain.seq), wrong);
            while let Some(head) = self.head_of(id, Some(followed.chain.seq)).await? {
                followed.listed = number(&head, "seq");
                let hash = text(&head, "hash");
                if followed.listed == followed.chain.seq && !followed.chain.is(hash) {
                    let at = number(&head, "checkpoint");
                    let what = format!("the row is another one than checkpoint {at} lists");
                    self.wrong(id, Some(followed.listed), vec![what]);
                }
            }
        }
        while let Some(head) = self.head_of(id, None).await? {
            followed.listed = number(&head, "seq");
            let at = number(&head, "checkpoint");
            let gone = missing(followed.chain.seq + 1, followed.listed);
            let what = format!("{gone}, as checkpoint {at} says");
            self.wrong(id, Some(followed.listed), vec![what]);
        }
        Ok(followed)
    }

    /// A contact's next event, or what is left of it, and which.
    async fn next_event(&mut self, id: &str) -> Result<Option<(Row, bool)>, StoreError> {
        let snapshot = self.snapshot.as_mut();
        let column = Table::ErasedEvent.contact();
        let left = self.erased.peek(snapshot).await?;
        let left = left
            .filter(|row| text(row, column) == id)
            .map(|row| number(row, "seq"));
        let event = self.events.peek(snapshot).await?;
        let event = event
            .filter(|row| text(row, column) == id)
            .map(|row| number(row, "seq"));
        let is_erased = match (left, event) {
            (Some(left), Some(event)) => left <= event,
            (left, _) => left.is_some(),
        };
        let rows = if is_erased {
            &mut self.erased
        } else {
            &mut self.events
        };
        let row = rows.next_of(snapshot, id).await?;
        Ok(row.map(|row| (row, is_erased)))
    }

    /// The next that a checkpoint lists of a contact, up to an event.
    async fn head_of(&mut self, id: &str, up_to: Option<u64>) -> Result<Option<Row>, StoreError> {
        let snapshot = self.snapshot.as_mut();
        if let (Some(up_to), Some(head)) = (up_to, self.heads.peek(snapshot).await?)
            && number(head, "seq") > up_to
        {
            return Ok(None);
        }
        self.heads.next_of(snapshot, id).await
    }
}

/// What was found of one contact's events.
#[derive(Default)]
struct Followed {
    chain: Chain,
    view: View,
    /// The addresses that they came from.
    named: BTreeSet<String>,
    /// The newest that a checkpoint lists.
    listed: u64,
    /// Whether events were erased and no event says so.
    unexplained: bool,
}
