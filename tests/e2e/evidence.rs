//! The evidence: verified, looked at as it was, carried out as a file, and brought in from lists.

use std::path::PathBuf;
use std::process::Output;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::postgres::Schema;
use crate::support::{ANN, Gateway, consentry, ended, eventually};

const BOB: &str = "+442071838750";

/// Runs a command on a gateway's store.
fn run(gateway: &Gateway, arguments: &[&str]) -> Output {
    let mut command = consentry(arguments);
    let store = format!("sqlite:{}", gateway.store().display());
    ended(command.args(["--store", &store]))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn ok(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    text(&output.stdout)
}

/// A gateway whose checkpoints come fast, with something under one.
fn gateway() -> Gateway {
    let gateway = Gateway::start_with(&["--checkpoint-every", "1"]);
    gateway.text(ANN, "STOP");
    gateway.text(BOB, "START");
    gateway.text(ANN, "hello?");
    eventually("all is under checkpoints", || {
        verified(&gateway)["verified"]["unsealed"] == 0
    });
    gateway
}

fn verified(gateway: &Gateway) -> Value {
    let output = run(gateway, &["consent", "verify", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn tamper(gateway: &Gateway, sql: &str) {
    let store = Connection::open(gateway.store()).unwrap();
    store
        .execute_batch(&format!(
            "PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS event_is_never_changed;
             DROP TRIGGER IF EXISTS event_is_never_deleted;
             DROP TRIGGER IF EXISTS checkpoint_is_never_deleted;
             DROP TRIGGER IF EXISTS checkpoint_head_is_never_deleted; {sql}"
        ))
        .unwrap();
}

#[test]
fn verify_finds_nothing_in_what_was_recorded_and_ends_with_4_when_a_word_was_changed() {
    let gateway = gateway();
    let found = verified(&gateway);
    assert_eq!(found["problems"], json!([]), "{found}");
    assert_eq!(found["verified"]["contacts"], 2);
    assert_eq!(found["verified"]["events"], 3);
    assert!(found["verified"]["checkpoints"].as_u64().unwrap() > 0);
    let said = ok(run(&gateway, &["consent", "verify"]));
    assert!(
        said.contains("2 contacts with 3 events verified: 0 problems"),
        "{said}"
    );
    assert!(!said.contains("without their signatures"), "{said}");
    let contact = gateway.get(&format!("/consent/{ANN}")).ok()["contactId"].clone();
    tamper(
        &gateway,
        "UPDATE event SET body = 'STOP?' WHERE body = 'STOP'",
    );
    let output = run(&gateway, &["consent", "verify"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    let expected = format!(
        "contact {}, event 1: the row was changed",
        contact.as_str().unwrap()
    );
    assert!(text(&output.stdout).contains(&expected), "{output:?}");
    assert!(
        text(&output.stderr).contains("1 problem found"),
        "{output:?}"
    );
    assert_eq!(verified(&gateway)["problems"][0]["seq"], 1);
    let one = run(&gateway, &["consent", "verify", ANN]);
    assert_eq!(one.status.code(), Some(4));
    ok(run(&gateway, &["consent", "verify", BOB]));
}

#[test]
fn a_checkpoint_that_was_kept_elsewhere_tells_of_a_tail_that_was_taken_away() {
    let gateway = gateway();
    let kept = ok(run(&gateway, &["consent", "checkpoint"]));
    assert!(!kept.contains(ANN));
    let file = gateway.folder().join("kept.jws");
    std::fs::write(&file, &kept).unwrap();
    let keys = gateway.folder().join("jwks.json");
    std::fs::write(&keys, gateway.get("/.well-known/jwks.json").text).unwrap();
    let (file, keys) = (file.display().to_string(), keys.display().to_string());
    let with = ["consent", "verify", "--checkpoint", &file, "--keys", &keys];
    ok(run(&gateway, &with));
    ok(run(
        &gateway,
        &["consent", "verify", "--checkpoint", kept.trim()],
    ));
    // Everything, so that nothing in the store tells.
    tamper(
        &gateway,
        "DELETE FROM checkpoint_head; DELETE FROM checkpoint; DELETE FROM event; DELETE FROM consent;
         DELETE FROM last_inbound; DELETE FROM address; DELETE FROM contact",
    );
    ok(run(&gateway, &["consent", "verify"]));
    let output = run(&gateway, &with);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(
        text(&output.stdout).contains("kept elsewhere"),
        "{output:?}"
    );
    let other = run(&gateway, &["consent", "verify", "--checkpoint", "nonsense"]);
    assert_eq!(other.status.code(), Some(2), "{other:?}");
}

#[test]
fn verify_works_on_postgresql_while_gateways_write() {
    let schema = Schema::new();
    let gateway = Gateway::start_on(&schema.url());
    let keys = gateway.folder().join("receipt-keys.json");
    let verify = || {
        let mut command = consentry(&["consent", "verify", "--json", "--store", &schema.url()]);
        let output = ended(command.args(["--receipt-keys", &keys.display().to_string()]));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), found)
    };
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..200 {
                gateway.text(&format!("+1415555{:04}", number % 20), "STOP");
            }
        });
        while !writing.is_finished() {
            let (code, found) = verify();
            assert_eq!(code, Some(0), "{found}");
        }
    });
    gateway.terminate();
    let mut gateway = gateway;
    assert!(gateway.ended().success());
    let (code, found) = verify();
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(found["verified"]["events"], 200);
    assert_eq!(
        found["verified"]["unsealed"], 0,
        "the last checkpoint is made at the end"
    );
    schema.execute(
        "SET session_replication_role = replica; UPDATE event SET rule = 'x' WHERE seq = 3",
    );
    let (code, found) = verify();
    assert_eq!(code, Some(4), "{found}");
    assert_eq!(found["problems"].as_array().unwrap().len(), 20, "{found}");
}

#[test]
fn a_history_as_of_a_moment_is_what_was_known_then() {
    let gateway = Gateway::start();
    let history = format!("/v1/contacts/{ANN}/history");
    let stop = gateway.text(ANN, "STOP");
    let events = gateway.events(ANN);
    assert_eq!(events[0]["eventId"], stop["eventId"]);
    let then = events[0]["recordedAt"].as_str().unwrap().to_owned();
    gateway.text(ANN, "START");
    // Said before, and heard of only now.
    let late = json!({ "source": "letter", "at": "2026-01-01T00:00:00Z" });
    gateway
        .report(ANN, "status=OPTOUT&channel=email", &late)
        .ok();

    let known = gateway.get(&format!("{history}?asOf={then}")).ok();
    assert_eq!(known["events"].as_array().unwrap().len(), 1);
    assert_eq!(known["next"], json!(null));
    let sms = |known: &Value| {
        let rows = known["consents"].as_array().unwrap().iter();
        let mut rows = rows.filter(|row| row["channelType"] == "sms" && row["category"].is_null());
        rows.next().unwrap()["consentStatus"].clone()
    };
    assert_eq!(sms(&known), "OPTOUT");
    let now = gateway
        .get(&format!("{history}?asOf=2999-01-01T00:00:00Z&limit=1"))
        .ok();
    assert_eq!(sms(&now), "OPTIN");
    assert_eq!(now["next"], 1);
    let before = gateway
        .get(&format!("{history}?asOf=2026-01-02T00:00:00Z"))
        .ok();
    assert_eq!(
        (&before["events"], &before["consents"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(gateway.get(&history).ok().get("consents"), None);
    gateway
        .get(&format!("{history}?asOf=yesterday"))
        .is_problem(422, "asOf");

    let said = ok(run(
        &gateway,
        &["consent", "history", ANN, "--as-of", &then],
    ));
    assert!(said.contains(&format!("{then} sms * OPTOUT")), "{said}");
    assert!(!said.contains("START"), "{said}");
    let lines = ok(run(
        &gateway,
        &["consent", "history", ANN, "--as-of", &then, "--json"],
    ));
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["asOf"], then);
}

#[test]
fn one_persons_file_has_everything_and_its_page_runs_nothing() {
    let gateway = Gateway::start();
    let hostile =
        "</blockquote><script>alert(1)</script> & \" ' <img src=x onerror=alert(1)> \u{202e}STOP";
    gateway.text(ANN, hostile);
    gateway.text(ANN, "STOP");
    gateway.text(BOB, "Not for others");
    let html = gateway.folder().join("ann.html");
    let page = html.display().to_string();
    let file = ok(run(&gateway, &["consent", "export", ANN, "--html", &page]));
    let file: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(file["addresses"], json!([ANN]));
    assert_eq!(json!(gateway.events(ANN)), file["events"]);
    let consents = file["consents"].as_array().unwrap();
    assert!(
        consents
            .iter()
            .any(|row| row["consentStatus"] == "OPTOUT" && !row["eventId"].is_null())
    );
    let page = std::fs::read_to_string(html).unwrap();
    assert!(
        page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot; &#39;"),
        "{page}"
    );
    for never in [
        "<script",
        "<img",
        "\u{202e}",
        "http://",
        "https://",
        "Not for others",
    ] {
        assert!(!page.contains(never), "{never}");
    }
    assert!(
        page.contains("@media print") && page.contains("OPTOUT"),
        "{page}"
    );
    let stranger = run(&gateway, &["consent", "export", "+14155550177"]);
    assert_eq!(stranger.status.code(), Some(1));
    for wrong in [&["consent", "export"][..], &["consent", "export", "--all"]] {
        assert_eq!(run(&gateway, wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn tables_are_exported_whole_and_an_export_can_be_verified_by_itself() {
    let gateway = Gateway::start();
    for number in 0..1200 {
        gateway.text(&format!("+1415555{number:04}"), "STOP, \"please\"\nnow");
    }
    let lines = ok(run(
        &gateway,
        &["consent", "export", "--all", "--format", "ndjson"],
    ));
    assert_eq!(lines.lines().count(), 1200);
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["body"], "STOP, \"please\"\nnow");
    assert_eq!(first["hash"].as_str().unwrap().len(), 64);
    let csv = gateway.folder().join("events.csv");
    let path = csv.display().to_string();
    ok(run(
        &gateway,
        &["consent", "export", "--all", "--format", "csv", "-o", &path],
    ));
    let mut rows = csv::Reader::from_path(&csv).unwrap();
    let header = rows.headers().unwrap().clone();
    let body = header.iter().position(|name| name == "body").unwrap();
    let said_at = header.iter().position(|name| name == "said_at").unwrap();
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1200);
    assert!(rows.iter().all(|row| &row[body] == "STOP, \"please\"\nnow"));
    assert!(rows[0][said_at].ends_with('Z'), "{:?}", &rows[0][said_at]);
    for (table, count) in [("addresses", 1200), ("checkpoints", 0)] {
        let format = [
            "consent", "export", "--all", "--format", "ndjson", "--table", table,
        ];
        assert_eq!(ok(run(&gateway, &format)).lines().count(), count, "{table}");
    }
}

/// Writes a list and imports it. Gives the summary.
fn import(gateway: &Gateway, list: &str, more: &[&str]) -> Value {
    let path = write(gateway, list);
    let path = path.display().to_string();
    let arguments = [
        &[
            "consent",
            "import",
            &path,
            "--json",
            "--column",
            "Phone No.",
        ][..],
        more,
    ];
    serde_json::from_str(&ok(run(gateway, &arguments.concat()))).unwrap()
}

fn write(gateway: &Gateway, list: &str) -> PathBuf {
    let path = gateway.folder().join("list.csv");
    std::fs::write(&path, list).unwrap();
    path
}

#[test]
fn a_list_is_imported_once_however_often_it_is_run_and_nothing_is_dropped() {
    let gateway = Gateway::start();
    let list = "\u{feff}Phone No.,State,When,Comment\n\
                +14155550123,optout,2026-01-01T10:00:00Z,\"said so, \"\"twice\"\"\"\n\
                020 7183 8750,OPTOUT,,\n\
                12,OPTOUT,,too short\n\
                +14155550124,MAYBE,,\n\
                +14155550125,OPTOUT,soon,\n\
                +14155550126,OPTOUT\n\
                +14155550127,OPTOUT,2999-01-01T00:00:00Z,\n\
                +14155550128,,,\n";
    let more = [
        "--status-column",
        "state",
        "--time-column",
        "When",
        "--evidence-column",
        "Comment",
        "--country",
        "GB",
        "--source",
        "crm",
        "--actor",
        "kim",
    ];
    let dry = import(&gateway, list, &[&more[..], &["--dry-run"]].concat());
    assert_eq!(
        dry["outcomes"],
        json!({ "opted_out": 2, "rejected": 6 }),
        "{dry}"
    );
    assert!(gateway.events(ANN).is_empty());
    let done = import(&gateway, list, &more);
    assert_eq!(
        done["outcomes"],
        json!({ "opted_out": 2, "rejected": 6 }),
        "{done}"
    );
    let rejected = std::fs::read_to_string(done["rejected"].as_str().unwrap()).unwrap();
    assert_eq!(rejected.lines().count(), 7, "{rejected}");
    for what in [
        "MAYBE",
        "RFC 3339",
        "2 fields instead of 4",
        "yet to come",
        "neither OPTIN",
    ] {
        assert!(rejected.contains(what), "{what}: {rejected}");
    }
    assert_eq!(gateway.consent(ANN, "channel=whatsapp"), "OPTOUT");
    assert_eq!(gateway.consent(BOB, ""), "OPTOUT");
    let event = &gateway.events(ANN)[0];
    assert_eq!(event["saidAt"], "2026-01-01T10:00:00.000Z");
    assert_eq!(
        (&event["source"], &event["actor"]),
        (&json!("crm"), &json!("kim"))
    );
    assert_eq!(event["evidence"]["Comment"], "said so, \"twice\"");
    assert_eq!(event["evidence"]["line"], 2);
    for _ in 0..2 {
        let again = import(&gateway, list, &more);
        assert_eq!(
            again["outcomes"],
            json!({ "duplicate": 2, "rejected": 6 }),
            "{again}"
        );
    }
    assert_eq!(gateway.events(ANN).len(), 1);
    ok(run(&gateway, &["consent", "verify"]));
}

#[test]
fn an_import_opts_nobody_in_again() {
    let gateway = Gateway::start();
    let person = |number: u32| format!("+141555501{number:02}");
    gateway.text(&person(1), "STOP");
    gateway.text(&person(2), "STOP");
    let reported = json!({ "source": "agent" });
    gateway
        .report(&person(3), "status=OPTOUT&channel=sms", &reported)
        .ok();
    let list = format!(
        "Phone No.,Status,Agreed,Wording,Key\n\
         {},OPTIN,,,a\n\
         {},OPTIN,2020-01-01T00:00:00Z,I agree,b\n\
         {},OPTIN,,,c\n\
         {},OPTIN,2026-02-01T00:00:00Z,I agree,d\n\
         {},OPTIN,,,e\n\
         {},OPTOUT,,,f\n\
         {},OPTIN,,,g\n",
        person(1),
        person(2),
        person(3),
        person(4),
        person(5),
        person(5),
        person(6),
    );
    let more = [
        "--status-column",
        "Status",
        "--evidence-time-column",
        "Agreed",
        "--evidence-text-column",
        "Wording",
        "--id-column",
        "Key",
        "--category",
        "marketing",
        "--channel",
        "sms",
    ];
    let done = import(&gateway, &list, &more);
    let outcomes = json!({ "opted_in": 2, "opted_out": 1, "opt_out_stands": 4 });
    assert_eq!(done["outcomes"], outcomes, "{done}");
    for number in [1, 2, 3, 5] {
        let holds = gateway.consent(&person(number), "channel=sms&category=marketing");
        assert_eq!(holds, "OPTOUT", "{number}");
        // It is on record all the same.
        let events = gateway.events(&person(number));
        assert!(
            events.iter().any(|event| event["source"] == "import"),
            "{number}"
        );
    }
    for number in [4, 6] {
        let holds = gateway.consent(&person(number), "channel=sms&category=marketing");
        assert_eq!(holds, "OPTIN", "{number}");
    }
    // The same rows in another file are the same rows.
    let again = import(&gateway, &format!("{list}\n"), &more);
    assert_eq!(again["outcomes"], json!({ "duplicate": 7 }), "{again}");
    ok(run(&gateway, &["consent", "verify"]));
}

#[test]
fn a_list_that_cannot_be_imported_is_refused_before_anything_is() {
    let gateway = Gateway::start();
    let path = write(&gateway, "phone,status\n+14155550123,OPTOUT\n");
    let path = path.display().to_string();
    let column = ["consent", "import", &path, "--column"];
    for (more, says) in [
        (
            &["nobody", "--status", "OPTOUT"][..],
            "its columns are phone, status",
        ),
        (&["phone"][..], "--status-column"),
        (&["phone", "--status", "MAYBE"][..], "MAYBE"),
        (&["phone", "--status-column", "none"][..], "its columns are"),
        (
            &["phone", "--status", "OPTOUT", "--rejected", &path][..],
            "overwritten",
        ),
    ] {
        let output = run(&gateway, &[&column[..], more].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(says), "{says}: {output:?}");
    }
    assert!(gateway.events(ANN).is_empty());
}

#[test]
fn somebody_who_was_erased_is_forgotten_and_left_alone() {
    let gateway = Gateway::start();
    gateway.text(ANN, "START");
    gateway.text(ANN, "My name is Ann");
    gateway.text(BOB, "START");
    let erase = [
        "consent",
        "erase",
        ANN,
        "--actor",
        "kim",
        "--reason",
        "she asked",
    ];
    let said = ok(run(&gateway, &erase));
    assert!(
        said.contains("2 events erased; 1 addresses stay suppressed"),
        "{said}"
    );
    assert!(gateway.events(ANN).is_empty());
    // The gateway that was running all the while.
    for category in ["billing", "marketing"] {
        let question = json!({ "channel": "sms", "to": ANN, "category": category });
        let answer = gateway.preflight(question);
        assert_eq!(
            (&answer["allowed"], &answer["reason"]),
            (&json!(false), &json!("opted_out"))
        );
    }
    let list = format!("Phone No.\n{ANN}\n{BOB}\n");
    let path = write(&gateway, &list).display().to_string();
    let (allowed, blocked) = (
        gateway.folder().join("a.csv"),
        gateway.folder().join("b.csv"),
    );
    let (allowed, blocked) = (allowed.display().to_string(), blocked.display().to_string());
    ok(run(
        &gateway,
        &[
            "scrub",
            &path,
            "--column",
            "Phone No.",
            "--category",
            "billing",
            "--at",
            crate::support::NOON,
            "--allowed",
            &allowed,
            "--blocked",
            &blocked,
        ],
    ));
    assert!(
        std::fs::read_to_string(blocked)
            .unwrap()
            .contains("opted_out")
    );
    let done = import(&gateway, &list, &["--status", "OPTIN"]);
    assert_eq!(
        done["outcomes"],
        json!({ "opted_in": 1, "opt_out_stands": 1 }),
        "{done}"
    );
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
    let said = ok(run(&gateway, &["consent", "verify"]));
    assert!(said.contains("2 of the events were erased"), "{said}");
    gateway.text(ANN, "START");
    assert_eq!(gateway.consent(ANN, "channel=sms"), "OPTIN");
    ok(run(&gateway, &["consent", "verify"]));
    assert_eq!(
        run(&gateway, &["consent", "erase", "+14155550199"])
            .status
            .code(),
        Some(1)
    );
}
