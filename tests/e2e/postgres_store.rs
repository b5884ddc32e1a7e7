//! The program on PostgreSQL: its command line, its addresses, and a database that goes away.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::postgres::{self, Schema};
use crate::proxy::{Proxy, Way};
use crate::support::{ANN, Gateway, NOON, consentry, ended, eventually};

/// How long an answer may take at most, on a machine that has much to do: five seconds are what it is given.
const BOUND: Duration = Duration::from_secs(10);

#[test]
fn when_the_database_is_away_nothing_is_sent_and_nothing_is_lost_and_all_goes_on_when_it_is_back() {
    let schema = Schema::new();
    let proxy = Proxy::to(&postgres::host());
    let gateway = Gateway::start_on(&schema.url_by(proxy.address()));
    let question =
        json!({ "channel": "sms", "to": ANN, "category": "billing", "at": NOON, "dryRun": true });
    assert_eq!(gateway.ask(question.clone())["allowed"], true);
    for (way, id) in [(Way::Cut, "M1"), (Way::Silent, "M2")] {
        proxy.set(way);
        let started = Instant::now();
        let answer = gateway.ask(question.clone());
        assert_eq!(answer["allowed"], false, "{answer}");
        assert_eq!(answer["reason"], "store_unavailable", "{answer}");
        let batch = gateway.post_bytes("/v1/preflight/batch", question.to_string());
        assert!(batch.text.contains("\"allowed\":false"), "{}", batch.text);
        let message = json!({ "channel": "sms", "from": ANN, "body": "STOP", "messageId": id });
        let refused = gateway.post("/v1/inbound", &message);
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(gateway.get("/readyz").status, 503);
        assert_eq!(gateway.get("/healthz").status, 200);
        assert!(started.elapsed() < 4 * BOUND, "{:?}", started.elapsed());
        proxy.set(Way::Open);
        eventually("it is found again", || gateway.get("/readyz").status == 200);
        // The provider sends again, and it counts once.
        gateway.inbound(message.clone());
        assert_eq!(gateway.inbound(message)["duplicate"], true);
        assert_eq!(gateway.ask(question.clone())["reason"], "opted_out");
    }
    assert_eq!(gateway.events(ANN).len(), 2);
    assert!(!gateway.log().contains(ANN));
}

#[test]
fn commands_work_on_the_same_database() {
    let schema = Schema::new();
    let gateway = Gateway::start_on(&schema.url());
    let run = |arguments: &[&str]| -> String {
        let mut command = consentry(arguments);
        let output = command.args(["--store", &schema.url()]).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    gateway.text(ANN, "STOP");
    let known: Value = serde_json::from_str(&run(&["consent", "get", ANN, "--json"])).unwrap();
    assert_eq!(known["consentStatus"], "OPTOUT");
    assert!(run(&["consent", "history", ANN]).contains("STOP"));
    let bob = "+442071838750";
    run(&[
        "consent", "set", bob, "--status", "OPTOUT", "--source", "letter",
    ]);
    assert_eq!(gateway.consent(bob, ""), "OPTOUT");

    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let list = format!("phone\n{ANN}\n+14155550199\n{bob}\n");
    std::fs::write(path("in.csv"), list).unwrap();
    let scrub = [
        "scrub",
        &path("in.csv"),
        "--column",
        "phone",
        "--channel",
        "sms",
        "--category",
        "billing",
        "--at",
        NOON,
        "--allowed",
        &path("allowed.csv"),
        "--blocked",
        &path("blocked.csv"),
    ];
    run(&scrub);
    let allowed = std::fs::read_to_string(path("allowed.csv")).unwrap();
    assert_eq!(allowed.lines().count(), 2, "{allowed}");
    assert!(allowed.contains("+14155550199"), "{allowed}");
}

#[test]
fn a_schema_is_brought_up_to_date_without_serving() {
    let (folder, schema) = (TempDir::new().unwrap(), Schema::new());
    let file = folder.path().join("x.db");
    for store in [format!("sqlite:{}", file.display()), schema.url()] {
        for _ in 0..2 {
            let mut migrate = consentry(&["serve", "--migrate-only", "--store", &store]);
            let done = ended(migrate.current_dir(folder.path()));
            assert!(done.status.success(), "{done:?}");
        }
    }
    let versions: Vec<i64> = schema.column("SELECT version FROM schema_version");
    assert_eq!(versions, [2]);
    let tables: Vec<i64> = schema.column("SELECT count(*) FROM event");
    assert_eq!(tables, [0]);
    // Nothing else was made.
    let mut left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("x.db"))
        .collect();
    left.sort();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn an_address_that_cannot_be_used_is_refused_without_its_password() {
    for (store, code, says) in [
        (
            "postgres://kim:sesame@127.0.0.1/d?sslmode=allow",
            2,
            "verify-full",
        ),
        ("postgres://kim:sesame@127.0.0.1:x/d", 2, "port"),
        ("postgres://kim:sesame@127.0.0.1:1/d", 1, "refused"),
        ("mysql://kim@127.0.0.1/d", 2, "postgres://"),
    ] {
        let mut command = consentry(&["consent", "get", ANN, "--store", store]);
        let output = ended(&mut command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{store}: {said}");
        assert!(said.contains(says), "{store}: {said}");
        assert!(!said.contains("sesame"), "{said}");
    }
    let mut help = consentry(&["serve", "--help"]);
    let help = ended(help.env("CONSENTRY_STORE", "postgres://kim:sesame@127.0.0.1/d"));
    assert!(!String::from_utf8_lossy(&help.stdout).contains("sesame"));
}

#[test]
fn the_questions_in_sql_can_be_asked_and_find_something() {
    let schema = Schema::new();
    let gateway = Gateway::start_on(&schema.url());
    let question = "Would you like to receive order updates via WhatsApp?";
    let yes = json!({ "channel": "whatsapp", "from": ANN, "body": "Yes", "question": question });
    gateway.inbound(yes);
    let bob = "+442071838750";
    gateway.text(bob, "STOP");
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let page = std::fs::read_to_string(docs.join("store.md")).unwrap();
    let rows = page.split("```sql\n").skip(1).map(|rest| {
        let sql = rest
            .split("```")
            .next()
            .unwrap()
            .trim_end_matches([';', '\n']);
        let sql = sql.replace("datetime(", "to_timestamp(");
        let sql = sql.replace(" / 1000, 'unixepoch')", " / 1000.0)");
        schema.column::<String>(&format!("SELECT rows::text FROM ({sql}) AS rows"))
    });
    let [stopped, said, wording, waiting] = rows.collect::<Vec<_>>().try_into().unwrap();
    assert!(stopped[0].contains(bob), "{stopped:?}");
    assert!(said[0].contains("Yes"), "{said:?}");
    assert!(wording[0].contains(question), "{wording:?}");
    assert!(waiting.is_empty(), "{waiting:?}");
}
