//! The chain of checkpoints, against what each lists and what was signed.

use serde_json::Value;

use super::rows::{Rows, number, text};
use super::verify::Problem;
use crate::jws::{Kind, PublicKeys};
use crate::store::checkpoint::{HeadsHash, hash_of};
use crate::store::{Row, Snapshot, StoreError, Table};

/// What was found of the checkpoints.
#[derive(Default)]
pub(super) struct Checkpoints {
    pub(super) count: u64,
    /// How many contacts and events they list together.
    pub(super) contacts: u64,
    pub(super) events: u64,
    /// The newest one.
    pub(super) newest: Option<Row>,
    pub(super) problems: Vec<Problem>,
}

/// Verifies all. `kept` is what was signed in checkpoints that were kept elsewhere, each of which must
/// be there.
pub(super) async fn verify(
    snapshot: &mut dyn Snapshot,
    keys: Option<&PublicKeys>,
    kept: Option<&Row>,
) -> Result<Checkpoints, StoreError> {
    let mut found = Checkpoints::default();
    let mut rows = Rows::of(Table::Checkpoint, None);
    let mut heads = Rows::of(Table::HeadOfCheckpoint, None);
    let (mut before, mut last_hash) = (0, String::new());
    let mut kept_is_there = kept.is_none();
    while let Some(row) = rows.next(snapshot).await? {
        let seq = number(&row, "seq");
        let mut wrong = Vec::new();
        if seq != before + 1 {
            let gone = super::chain::missing(before + 1, seq.saturating_sub(1));
            wrong.push(gone.replace("row", "checkpoint"));
        } else if text(&row, "previous") != last_hash {
            wrong.push("it does not fit the checkpoint before".to_owned());
        }
        let mut listed = HeadsHash::default();
        let mut count = 0;
        while let Some(head) = heads.peek(snapshot).await? {
            let of = number(head, "checkpoint");
            if of > seq {
                break;
            }
            if of == seq {
                listed.add(
                    text(head, "contact_id"),
                    number(head, "seq"),
                    text(head, "hash"),
                );
                count += 1;
            }
            heads.next(snapshot).await?;
        }
        if count != number(&row, "heads") {
            wrong.push(format!(
                "it was made over {} contacts, and lists {count}",
                number(&row, "heads")
            ));
        } else if listed.finish() != text(&row, "heads_hash") {
            wrong.push("what it lists was changed".to_owned());
        }
        let mut said = row.clone();
        said.remove("token");
        said.remove("hash");
        if hash_of(&said) != text(&row, "hash") {
            wrong.push("the row was changed: it does not fit its hash".to_owned());
        }
        wrong.extend(signature(&row, keys));
        if kept.is_some_and(|kept| kept.get("hash") == row.get("hash")) {
            kept_is_there = true;
        }
        found.problems.extend(
            wrong
                .into_iter()
                .map(|what| Problem::of_checkpoint(seq, what)),
        );
        found.count += 1;
        before = seq;
        last_hash = text(&row, "hash").to_owned();
        found.contacts = number(&row, "contacts");
        found.events = number(&row, "events");
        found.newest = Some(row);
    }
    if let Some(row) = heads.peek(snapshot).await? {
        let gone = number(row, "checkpoint");
        found.problems.push(Problem::of_checkpoint(
            gone,
            "it is missing, and what it lists is there".to_owned(),
        ));
    }
    if let Some(kept) = kept.filter(|_| !kept_is_there) {
        let what = "the one that was kept elsewhere is not there: it, or all since, was taken away or changed";
        found
            .problems
            .push(Problem::of_checkpoint(number(kept, "seq"), what.to_owned()));
    }
    Ok(found)
}

/// What is wrong with a signature.
fn signature(row: &Row, keys: Option<&PublicKeys>) -> Option<String> {
    let said = match keys?.verify(Kind::Checkpoint, text(row, "token")) {
        Ok(Value::Object(said)) => said,
        Ok(_) => return Some("what was signed is no checkpoint".to_owned()),
        Err(error) => return Some(error.to_string()),
    };
    let mut row = row.clone();
    row.remove("token");
    (said != row).then(|| "what was signed is something else".to_owned())
}
