//! The store after the worst: killed at any moment, and with a page of its file overwritten.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::Output;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::support::{ANN, Gateway, NOON, consentry, ended};

/// How often the gateway is killed; `CONSENTRY_CRASH_ROUNDS` says otherwise.
const ROUNDS: usize = 30;
const PAGE: usize = 4096;

fn verify(gateway: &Gateway) -> Output {
    let store = format!("sqlite:{}", gateway.store().display());
    ended(&mut consentry(&["consent", "verify", "--store", &store]))
}

fn number(round: usize, index: usize) -> String {
    format!("+1415{:03}{index:04}", 200 + round % 800)
}

#[test]
fn kill_9_at_any_moment_loses_no_acknowledged_stop_and_breaks_no_chain() {
    let rounds = std::env::var("CONSENTRY_CRASH_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let mut gateway = Gateway::start_with(&["--checkpoint-every", "1"]);
    let mut chats = 0;
    for round in 0..rounds {
        let pause = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
        let (acknowledged, answered) = killed_after(&mut gateway, round, pause);
        chats += answered;
        let output = verify(&gateway);
        assert!(
            output.status.success(),
            "round {round}, {pause} ms: {output:?}"
        );
        gateway = gateway.another();
        for from in &acknowledged {
            assert_eq!(
                gateway.consent(from, ""),
                "OPTOUT",
                "{from} in round {round}, {pause} ms"
            );
        }
    }
    // What was written and not acknowledged may be there as well.
    let known: usize = {
        let store = rusqlite::Connection::open(gateway.store()).unwrap();
        let count = "SELECT count(*) FROM event WHERE body = 'hello'";
        store
            .query_row(count, (), |row| row.get::<_, i64>(0))
            .unwrap() as usize
    };
    assert!(known >= chats, "{known} of {chats}");
    assert!(verify(&gateway).status.success());
}

/// Kills the gateway while eight people write. Gives those whose STOP was acknowledged, and how many other
/// messages of one person were.
fn killed_after(gateway: &mut Gateway, round: usize, millis: u64) -> (BTreeSet<String>, usize) {
    let acknowledged = Mutex::new((BTreeSet::new(), 0));
    let (url, client) = (gateway.url("/v1/inbound"), gateway.client().clone());
    thread::scope(|scope| {
        for writer in 0..8 {
            let (url, client, acknowledged) = (&url, &client, &acknowledged);
            scope.spawn(move || {
                for index in 0..1250 {
                    let stops = index % 2 == 0;
                    let from = if stops {
                        number(round, writer * 1250 + index)
                    } else {
                        ANN.to_owned()
                    };
                    let body = if stops { "STOP" } else { "hello" };
                    let message = json!({ "channel": "sms", "from": &from, "body": body });
                    let Ok(answer) = client.post(url).json(&message).send() else {
                        return;
                    };
                    if answer.status() != 200 || answer.bytes().is_err() {
                        return;
                    }
                    let mut acknowledged = acknowledged.lock().unwrap();
                    if stops {
                        acknowledged.0.insert(from);
                    } else {
                        acknowledged.1 += 1;
                    }
                }
            });
        }
        // At some moment, whatever is under way.
        thread::sleep(Duration::from_millis(millis));
        gateway.kill();
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn a_page_of_the_file_that_is_overwritten_is_reported_and_allows_nothing() {
    let mut gateway = Gateway::start();
    let people: Vec<String> = (0..200).map(|index| number(0, index)).collect();
    for from in &people {
        gateway.text(from, "STOP");
    }
    gateway.terminate();
    assert!(gateway.ended().success());
    let store = gateway.store();
    let good = fs::read(&store).unwrap();
    let pages = good.len() / PAGE;
    assert!(pages > 20, "{pages}");
    let folder = gateway.folder().to_owned();
    let list = folder.join("list.csv");
    fs::write(&list, format!("phone\n{}\n", people.join("\n"))).unwrap();
    let mut reported = 0;
    for page in (1..pages).step_by((pages / 12).max(1)) {
        fs::write(&store, &good).unwrap();
        let mut file = OpenOptions::new().write(true).open(&store).unwrap();
        file.seek(SeekFrom::Start((page * PAGE) as u64)).unwrap();
        file.write_all(&[0xA5; PAGE]).unwrap();
        drop(file);
        let output = verify(&gateway);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "page {page}: {said}");
        if !output.status.success() {
            reported += 1;
            assert!(
                matches!(output.status.code(), Some(1 | 4)),
                "page {page}: {output:?}"
            );
        }
        let (allowed, blocked) = (folder.join("allowed.csv"), folder.join("blocked.csv"));
        let scrub = ended(
            consentry(&[
                "scrub",
                "--column",
                "phone",
                "--category",
                "billing",
                "--at",
                NOON,
            ])
            .arg(&list)
            .arg("--store")
            .arg(format!("sqlite:{}", store.display()))
            .arg("--allowed")
            .arg(&allowed)
            .arg("--blocked")
            .arg(&blocked),
        );
        let said = String::from_utf8_lossy(&scrub.stderr).into_owned();
        assert!(!said.contains("panicked"), "page {page}: {said}");
        // One line: the names of the columns.
        let allowed = fs::read_to_string(&allowed).unwrap_or_default();
        assert!(allowed.lines().count() <= 1, "page {page}: {allowed}");
    }
    assert!(reported >= 4, "{reported}");
}

#[test]
fn a_gateway_whose_file_is_damaged_under_it_denies_and_goes_on() {
    let gateway = Gateway::start();
    let people: Vec<String> = (0..60).map(|index| number(0, index)).collect();
    for from in &people {
        gateway.text(from, "STOP");
    }
    let gateway = gateway.kill_and_restart();
    let size = fs::metadata(gateway.store()).unwrap().len() as usize / PAGE * PAGE;
    let mut file = OpenOptions::new()
        .write(true)
        .open(gateway.store())
        .unwrap();
    file.seek(SeekFrom::Start(PAGE as u64)).unwrap();
    file.write_all(&vec![0xA5; size - PAGE]).unwrap();
    for from in &people {
        let question = json!({ "channel": "sms", "to": from, "category": "billing" });
        let answer = gateway.post("/v1/preflight", &question);
        assert_ne!(answer.json["allowed"], true, "{}", answer.text);
    }
    assert_eq!(gateway.get("/healthz").status, 200);
    assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
}
