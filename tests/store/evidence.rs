//! Whatever is changed behind the store's back shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry::evidence::{Problem, Verifier};
use consentry::jws::{Kind, PublicKeys, SigningKeys};
use consentry::store::{Row, Seal, Table};
use futures_util::future::join_all;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::events::full;
use crate::support::*;

on_both_stores! {
    what_was_recorded_holds,
    the_hashes_are_those_that_the_documentation_describes,
    a_change_of_any_column_of_an_event_shows,
    a_row_that_is_missing_or_not_in_its_place_shows,
    a_contact_that_is_gone_with_everything_shows,
    a_checkpoint_that_is_gone_or_changed_shows,
    a_tail_that_is_gone_with_its_checkpoints_shows_by_one_that_was_kept,
    what_holds_must_be_what_the_events_give,
    gateways_that_make_checkpoints_at_once_make_one_chain,
    nothing_is_sealed_twice_and_nothing_is_left_out,
}

/// A store with people, events and checkpoints.
struct Scene {
    place: Place,
    store: Shared,
    keys: Arc<SigningKeys>,
    public: PublicKeys,
    /// The contacts' identifiers.
    ann: String,
    bob: String,
}

impl Scene {
    /// Ann has three events under two checkpoints, and Bob has one.
    async fn new(place: Place) -> Self {
        let store = place.open().await;
        let keys = Arc::new(SigningKeys::ephemeral().unwrap());
        let public = serde_json::to_vec(&keys.public()).unwrap();
        let ann = store.record(stop(ANN)).await.unwrap().contact_id;
        let scene = Self {
            public: PublicKeys::read(&public).unwrap(),
            bob: store.record(stop(BOB)).await.unwrap().contact_id,
            ann,
            place,
            store,
            keys,
        };
        scene.checkpoint().await;
        scene.store.record(full()).await.unwrap();
        scene.store.record(start(ANN)).await.unwrap();
        scene.checkpoint().await;
        scene
    }

    async fn checkpoint(&self) -> u64 {
        let seal = Seal {
            keys: Arc::clone(&self.keys),
            at: at(1_800_000_000_000),
        };
        self.store.add_checkpoint(seal).await.unwrap()
    }

    async fn problems(&self) -> Vec<Problem> {
        self.problems_with(None).await
    }

    async fn problems_with(&self, kept: Option<&Row>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let snapshot = self.store.snapshot().await.unwrap();
        let tell = |problem: &Problem| problems.push(problem.clone());
        let verifier = Verifier::new(snapshot, None, Some(&self.public), tell);
        let verified = verifier.all(kept, |_| {}).await.unwrap();
        assert_eq!(verified.problems, problems.len() as u64);
        problems
    }

    /// Does something behind the store's back, and gives what is wrong then. Afterwards all is as before.
    async fn tampered(&self, sql: &str) -> Vec<Problem> {
        const TABLES: [&str; 6] = [
            "contact",
            "address",
            "event",
            "consent",
            "checkpoint",
            "checkpoint_head",
        ];
        for table in TABLES {
            self.place.tamper(&format!(
                "CREATE TABLE kept_{table} AS SELECT * FROM {table}"
            ));
        }
        self.place.tamper(sql);
        let problems = self.problems().await;
        for table in TABLES {
            self.place.tamper(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table};
                 DROP TABLE kept_{table}"
            ));
        }
        assert_eq!(self.problems().await, [], "after {sql}");
        problems
    }

    async fn rows(&self, table: Table) -> Vec<Row> {
        let mut snapshot = self.store.snapshot().await.unwrap();
        snapshot.rows(table, None, None, 1000).await.unwrap()
    }
}

#[track_caller]
fn says(problems: &[Problem], contact: &str, seq: Option<u64>, what: &str) {
    let found = problems.iter().any(|problem| {
        problem.contact_id.as_deref() == Some(contact)
            && problem.seq == seq
            && problem.what.contains(what)
    });
    assert!(found, "{contact} {seq:?} {what}: {problems:#?}");
}

#[track_caller]
fn says_of_checkpoint(problems: &[Problem], seq: u64, what: &str) {
    let found = problems
        .iter()
        .any(|problem| problem.checkpoint == Some(seq) && problem.what.contains(what));
    assert!(found, "checkpoint {seq} {what}: {problems:#?}");
}

async fn what_was_recorded_holds(place: Place) {
    let scene = Scene::new(place).await;
    assert_eq!(scene.problems().await, []);
    // What belongs to several, what comes twice, what SQL cannot keep, and what no checkpoint lists yet.
    let shared = consentry::store::NewEvent {
        other_addresses: vec![address(BOB), address("kim@example.org")],
        message_id: Some("M1".to_owned()),
        evidence: Some(
            serde_json::json!({ "z": [1e300, -0.0, 18_446_744_073_709_551_615_u64], "a\0": "\0" }),
        ),
        ..wrote(ANN, "STOP\0 \u{e9} \u{1f44d} \u{7f} \u{2028}", OptOut)
    };
    for _ in 0..2 {
        scene.store.record(shared.clone()).await.unwrap();
    }
    for number in 0..30 {
        scene.store.record(stop(&person(number))).await.unwrap();
    }
    assert_eq!(scene.problems().await, []);
    assert_eq!(scene.checkpoint().await, 32);
    assert_eq!(scene.problems().await, []);
    let one = Verifier::new(
        scene.store.snapshot().await.unwrap(),
        Some(&scene.ann),
        None,
        |problem| panic!("{problem:?}"),
    );
    let verified = one.one().await.unwrap();
    assert_eq!((verified.contacts, verified.events), (1, 4));
}

async fn the_hashes_are_those_that_the_documentation_describes(place: Place) {
    let scene = Scene::new(place).await;
    let sha = |text: String| {
        let digest = Sha256::digest(text);
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    let rows = scene.rows(Table::Event).await;
    assert_eq!(rows.len(), 4);
    for mut row in rows {
        let hash = row.remove("hash").unwrap();
        // Sorted by the names, without spaces.
        let sorted: BTreeMap<&String, &Value> = row.iter().collect();
        let json = serde_json::to_string(&sorted).unwrap();
        let content = sha(format!("consentry event\n{json}"));
        let contact = row["contact_id"].as_str().unwrap().to_owned();
        let last = before.entry(contact).or_default();
        let chained = sha(format!("consentry chain\n{last}\n{content}"));
        assert_eq!(hash, Value::from(chained.clone()));
        *last = chained;
    }
    let checkpoints = scene.rows(Table::Checkpoint).await;
    let mut previous = String::new();
    for row in &checkpoints {
        let heads = scene.rows(Table::HeadOfCheckpoint).await;
        let lines = heads
            .iter()
            .filter(|head| head["checkpoint"] == row["seq"])
            .map(|head| {
                let text = |name: &str| head[name].as_str().unwrap().to_owned();
                format!("{} {} {}\n", text("contact_id"), head["seq"], text("hash"))
            });
        let listed = sha(format!("consentry heads\n{}", lines.collect::<String>()));
        assert_eq!(row["heads_hash"], Value::from(listed));
        assert_eq!(row["previous"], Value::from(previous));
        let mut said: BTreeMap<&String, &Value> = row.iter().collect();
        said.retain(|name, _| !["hash", "token"].contains(&name.as_str()));
        let json = serde_json::to_string(&said).unwrap();
        previous = sha(format!("consentry checkpoint\n{json}"));
        assert_eq!(row["hash"], Value::from(previous.clone()));
        let token = row["token"].as_str().unwrap();
        let signed = scene.public.verify(Kind::Checkpoint, token).unwrap();
        assert_eq!(signed["hash"], row["hash"]);
    }
    let counts: Vec<_> = checkpoints
        .iter()
        .map(|row| {
            (
                row["contacts"].clone(),
                row["events"].clone(),
                row["heads"].clone(),
            )
        })
        .collect();
    let expected = [(2, 2, 2), (2, 4, 1)]
        .map(|(one, two, three)| (Value::from(one), Value::from(two), Value::from(three)));
    assert_eq!(counts, expected);
}

async fn a_change_of_any_column_of_an_event_shows(place: Place) {
    let scene = Scene::new(place).await;
    let rows = scene.rows(Table::Event).await;
    let row = rows
        .iter()
        .find(|row| row["contact_id"] == *scene.ann && row["seq"] == 2);
    let row = row.unwrap();
    // Something stands in every column.
    assert_eq!(row.len(), 36);
    for (column, value) in row {
        let is_document = ["other_addresses", "selection", "evidence", "changes"];
        let changed = match (column.as_str(), value) {
            ("kind", _) => "'reported'".to_owned(),
            ("statement", _) => "'proven'".to_owned(),
            ("seq", _) => "77".to_owned(),
            (_, Value::Number(_)) => format!("{column} + 1"),
            (_, Value::Bool(_)) => format!("NOT {column}"),
            (column, _) if is_document.contains(&column) => scene.place.document(column),
            _ => format!("substr({column}, 1, length({column}) - 1) || '~'"),
        };
        let ann = &scene.ann;
        let change =
            format!("UPDATE event SET {column} = {changed} WHERE contact_id = '{ann}' AND seq = 2");
        let problems = scene.tampered(&change).await;
        match column.as_str() {
            "contact_id" => says(&problems, ann, Some(3), "2 is missing"),
            "seq" => says(&problems, ann, Some(3), "2 is missing"),
            "recorded_at" => says(&problems, ann, Some(2), "changed"),
            "hash" => {
                says(&problems, ann, Some(2), "changed");
                // The one after it is as it was.
                assert_eq!(problems.len(), 1, "{problems:#?}");
            }
            _ => says(&problems, ann, Some(2), "changed"),
        }
    }
    let gone = format!(
        "UPDATE event SET footer = NULL WHERE contact_id = '{}'",
        scene.ann
    );
    says(&scene.tampered(&gone).await, &scene.ann, Some(2), "changed");
}

async fn a_row_that_is_missing_or_not_in_its_place_shows(place: Place) {
    let scene = Scene::new(place).await;
    let ann = &scene.ann;
    for seq in 1..=2 {
        let gone = format!("DELETE FROM event WHERE contact_id = '{ann}' AND seq = {seq}");
        let what = format!("row {seq} is missing");
        says(&scene.tampered(&gone).await, ann, Some(seq + 1), &what);
    }
    let last = format!("DELETE FROM event WHERE contact_id = '{ann}' AND seq = 3");
    let problems = scene.tampered(&last).await;
    says(&problems, ann, None, "row 3 is missing");
    says(
        &problems,
        ann,
        Some(3),
        "row 3 is missing, as checkpoint 2 says",
    );
    // Even when the contact knows no better.
    let hidden = format!(
        "{last}; UPDATE contact SET last_seq = 2, sealed_seq = 2,
            head = (SELECT hash FROM event WHERE contact_id = '{ann}' AND seq = 2),
            last_recorded_at = (SELECT recorded_at FROM event WHERE contact_id = '{ann}' AND seq = 2)
         WHERE id = '{ann}'"
    );
    let problems = scene.tampered(&hidden).await;
    says(
        &problems,
        ann,
        Some(3),
        "row 3 is missing, as checkpoint 2 says",
    );
    let swapped = format!(
        "UPDATE event SET seq = 99 WHERE contact_id = '{ann}' AND seq = 1;
         UPDATE event SET seq = 1 WHERE contact_id = '{ann}' AND seq = 2;
         UPDATE event SET seq = 2 WHERE contact_id = '{ann}' AND seq = 99"
    );
    says(
        &scene.tampered(&swapped).await,
        ann,
        Some(2),
        "not in its place",
    );
    let counted = format!("UPDATE contact SET last_seq = 4 WHERE id = '{ann}'");
    says(
        &scene.tampered(&counted).await,
        ann,
        None,
        "row 4 is missing",
    );
    let head = format!("UPDATE contact SET head = 'x' WHERE id = '{ann}'");
    says(&scene.tampered(&head).await, ann, None, "another hash");
    // What would never be listed again.
    let sealed = format!("UPDATE contact SET sealed_seq = 9 WHERE id = '{ann}'");
    says(
        &scene.tampered(&sealed).await,
        ann,
        None,
        "checkpoint lists",
    );
}

async fn a_contact_that_is_gone_with_everything_shows(place: Place) {
    let scene = Scene::new(place).await;
    let bob = &scene.bob;
    let gone = format!(
        "DELETE FROM event WHERE contact_id = '{bob}'; DELETE FROM consent WHERE contact_id = '{bob}';
         DELETE FROM last_inbound WHERE contact_id = '{bob}';
         DELETE FROM address WHERE contact_id = '{bob}'; DELETE FROM contact WHERE id = '{bob}'"
    );
    let problems = scene.tampered(&gone).await;
    says(&problems, bob, None, "the contact is missing");
    says(&problems, bob, Some(1), "as checkpoint 1 says");
    let thorough = format!("{gone}; DELETE FROM checkpoint_head WHERE contact_id = '{bob}'");
    let problems = scene.tampered(&thorough).await;
    says_of_checkpoint(&problems, 1, "made over 2 contacts, and lists 1");
    says_of_checkpoint(
        &problems,
        2,
        "2 contacts with 4 events, and there are 1 with 3",
    );
    let unlisted = format!("DELETE FROM checkpoint_head WHERE contact_id = '{bob}'");
    says(
        &scene.tampered(&unlisted).await,
        bob,
        None,
        "checkpoint lists",
    );
}

async fn a_checkpoint_that_is_gone_or_changed_shows(place: Place) {
    let scene = Scene::new(place).await;
    let gone = "DELETE FROM checkpoint WHERE seq = 1";
    says_of_checkpoint(&scene.tampered(gone).await, 2, "checkpoint 1 is missing");
    let gone = format!("{gone}; DELETE FROM checkpoint_head WHERE checkpoint = 1");
    says_of_checkpoint(&scene.tampered(&gone).await, 2, "checkpoint 1 is missing");
    let last = "DELETE FROM checkpoint WHERE seq = 2";
    says_of_checkpoint(&scene.tampered(last).await, 2, "it is missing");
    let last = format!("{last}; DELETE FROM checkpoint_head WHERE checkpoint = 2");
    says(
        &scene.tampered(&last).await,
        &scene.ann,
        None,
        "checkpoint lists",
    );
    for column in ["at", "contacts", "events"] {
        let change = format!("UPDATE checkpoint SET {column} = {column} + 1 WHERE seq = 1");
        let problems = scene.tampered(&change).await;
        says_of_checkpoint(&problems, 1, "does not fit its hash");
        says_of_checkpoint(&problems, 1, "what was signed is something else");
    }
    for column in ["heads_hash", "hash", "token"] {
        let change = format!("UPDATE checkpoint SET {column} = {column} || 'A' WHERE seq = 1");
        assert!(!scene.tampered(&change).await.is_empty(), "{column}");
    }
    let change = "UPDATE checkpoint_head SET hash = 'x' WHERE checkpoint = 1";
    let problems = scene.tampered(change).await;
    says_of_checkpoint(&problems, 1, "what it lists was changed");
    says(
        &problems,
        &scene.bob,
        Some(1),
        "another one than checkpoint 1 lists",
    );
    // Somebody else's signature.
    let stranger = SigningKeys::ephemeral().unwrap();
    let mut said = scene.rows(Table::Checkpoint).await[1].clone();
    said.remove("token");
    let token = stranger.sign(Kind::Checkpoint, &said);
    let change = format!("UPDATE checkpoint SET token = '{token}' WHERE seq = 2");
    says_of_checkpoint(&scene.tampered(&change).await, 2, "not among those given");
}

async fn a_tail_that_is_gone_with_its_checkpoints_shows_by_one_that_was_kept(place: Place) {
    let scene = Scene::new(place).await;
    let newest = scene.store.last_checkpoint().await.unwrap().unwrap();
    let kept = scene
        .public
        .verify(Kind::Checkpoint, &newest.token)
        .unwrap();
    let kept = kept.as_object().unwrap();
    assert_eq!(scene.problems_with(Some(kept)).await, []);
    let ann = &scene.ann;
    scene.place.tamper(&format!(
        "DELETE FROM checkpoint_head WHERE checkpoint = 2; DELETE FROM checkpoint WHERE seq = 2;
         DELETE FROM event WHERE contact_id = '{ann}' AND seq > 1;
         DELETE FROM consent WHERE contact_id = '{ann}' AND channel = 'whatsapp';
         UPDATE consent SET status = 'OPTOUT', own_opt_in_at = NULL, own_opt_in_event = NULL
         WHERE contact_id = '{ann}';
         UPDATE contact SET last_seq = 1, sealed_seq = 1,
            head = (SELECT hash FROM event WHERE contact_id = '{ann}'),
            last_recorded_at = (SELECT recorded_at FROM event WHERE contact_id = '{ann}')
         WHERE id = '{ann}'"
    ));
    assert_eq!(scene.problems().await, [], "nothing in the store tells");
    let problems = scene.problems_with(Some(kept)).await;
    says_of_checkpoint(&problems, 2, "kept elsewhere");
}

async fn what_holds_must_be_what_the_events_give(place: Place) {
    let scene = Scene::new(place).await;
    let bob = &scene.bob;
    let of = |sql: &str| sql.replace("BOB", bob);
    let change = of("UPDATE consent SET status = 'OPTIN' WHERE contact_id = 'BOB'");
    says(
        &scene.tampered(&change).await,
        bob,
        None,
        "not what the events give",
    );
    let change =
        of("UPDATE consent SET own_opt_out_at = own_opt_out_at + 1 WHERE contact_id = 'BOB'");
    says(
        &scene.tampered(&change).await,
        bob,
        None,
        "not what the events give",
    );
    let change = of("DELETE FROM consent WHERE contact_id = 'BOB'");
    says(
        &scene.tampered(&change).await,
        bob,
        None,
        "(sms *) is missing",
    );
    let change = of("UPDATE consent SET channel = 'voice' WHERE contact_id = 'BOB'");
    says(
        &scene.tampered(&change).await,
        bob,
        None,
        "(voice *) follows from no event",
    );
    let change = of(&format!(
        "UPDATE address SET contact_id = '{}' WHERE contact_id = 'BOB'",
        scene.ann
    ));
    says(&scene.tampered(&change).await, bob, None, "address");
    let change = of("DELETE FROM address WHERE contact_id = 'BOB'");
    says(&scene.tampered(&change).await, bob, None, "address");
}

async fn gateways_that_make_checkpoints_at_once_make_one_chain(place: Place) {
    let scene = Scene::new(place).await;
    let others = scene.place.open_together(3).await;
    let work = others.iter().enumerate().map(|(number, store)| {
        let keys = Arc::clone(&scene.keys);
        async move {
            for round in 0..10 {
                let who = person(number * 100 + round);
                store.record(stop(&who)).await.unwrap();
                let (keys, at) = (Arc::clone(&keys), at(1_800_000_000_000));
                store.add_checkpoint(Seal { keys, at }).await.unwrap();
            }
        }
    });
    join_all(work).await;
    scene.checkpoint().await;
    assert_eq!(scene.problems().await, []);
    assert_eq!(scene.rows(Table::HeadOfContact).await.len(), 3 + 30);
    let rows = scene.rows(Table::Contact).await;
    assert!(rows.iter().all(|row| row["last_seq"] == row["sealed_seq"]));
}

async fn nothing_is_sealed_twice_and_nothing_is_left_out(place: Place) {
    let scene = Scene::new(place).await;
    assert_eq!(scene.checkpoint().await, 0);
    let newest = scene.store.last_checkpoint().await.unwrap().unwrap();
    assert_eq!((newest.seq, newest.contacts, newest.events), (2, 2, 4));
    scene.store.record(start(BOB)).await.unwrap();
    assert_eq!(scene.checkpoint().await, 1);
    let newest = scene.store.last_checkpoint().await.unwrap().unwrap();
    assert_eq!((newest.seq, newest.contacts, newest.events), (3, 2, 5));
}
