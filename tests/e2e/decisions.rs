//! What was decided is kept with what the policy was told, and is decided again by others.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::policies::{build, rules};
use crate::support::{ANN, Answer, Gateway, consentry, ended, eventually, send};

/// A policy that asks for consent before anything of the category `utility` goes, built once.
struct Stricter(TempDir);

static STRICTER: LazyLock<Stricter> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let (before, after) = (
        "name = \"utility\"\nneeds = \"none\"",
        "name = \"utility\"\nneeds = \"express\"",
    );
    let rules = rules(folder.path(), "preflight.toml", before, after);
    let built = build(&rules, &folder.path().join("stricter.wasm"));
    assert!(built.status.success(), "{built:?}");
    Stricter(folder)
});

fn stricter() -> PathBuf {
    STRICTER.0.path().join("stricter.wasm")
}

fn utility() -> Value {
    json!({ "channel": "sms", "to": ANN, "category": "utility" })
}

/// How many decisions a gateway's store keeps.
fn kept(gateway: &Gateway) -> u64 {
    let store = Connection::open(gateway.store()).unwrap();
    let count = store.query_row("SELECT count(*) FROM decision", (), |row| {
        row.get::<_, i64>(0)
    });
    count.unwrap().unsigned_abs()
}

fn replay(gateway: &Gateway, policy: &Path, more: &[&str]) -> (i32, Value) {
    let store = format!("sqlite:{}", gateway.store().display());
    let mut command = consentry(&["policy", "replay", policy.to_str().unwrap(), "--json"]);
    let output = ended(command.args(["--store", &store]).args(more));
    let found = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), found)
}

/// Adds the stricter policy, and gives its digest.
fn add(gateway: &Gateway) -> String {
    let request = gateway.client().post(gateway.url("/v1/policies"));
    let added = send(request.body(fs::read(stricter()).unwrap())).unwrap();
    assert_eq!(added.status, 201, "{}", added.text);
    added.json["digest"].as_str().unwrap().to_owned()
}

fn shadow(gateway: &Gateway, digest: &str) -> Answer {
    gateway.post(&format!("/v1/policies/{digest}/shadow"), &json!({}))
}

#[test]
fn what_is_kept_can_be_decided_again_and_has_no_address() {
    let gateway = Gateway::start();
    assert_eq!(gateway.preflight(utility())["allowed"], true);
    gateway.text(ANN, "Stop texting me. Ann Example");
    assert_eq!(gateway.preflight(utility())["allowed"], false);
    // Whoever only asks changes nothing, and is not kept.
    gateway.ask(utility());
    eventually("decisions are kept", || kept(&gateway) == 3);

    let (code, found) = replay(&gateway, &stricter(), &["--at-most", "1"]);
    assert_eq!(
        (code, &found["messages"], &found["questions"]),
        (0, &json!(1), &json!(2)),
        "{found}"
    );
    // Before the STOP it went, and now it would not; after it, nothing has changed.
    assert_eq!(found["different"], 1, "{found}");
    let one = &found["differences"][0];
    assert_eq!(one["what"], "verdict", "{found}");
    assert_eq!(one["was"], "allow (allowed)", "{found}");
    assert_eq!(one["wouldBe"], "deny (no_consent)", "{found}");
    let (code, _) = replay(&gateway, &stricter(), &["--at-most", "0"]);
    assert_eq!(code, 4);

    let store = Connection::open(gateway.store()).unwrap();
    let mut rows = store
        .prepare("SELECT coalesce(question, '') || contact || coalesce(reason, '') FROM decision")
        .unwrap();
    let rows = rows.query_map((), |row| row.get::<_, String>(0)).unwrap();
    for row in rows.map(Result::unwrap) {
        assert!(!row.contains("555") && !row.contains("Ann"), "{row}");
    }
}

#[test]
fn decided_again_by_the_same_policy_everything_comes_out_as_it_was() {
    let gateway = Gateway::start();
    let same = gateway.folder().join("same.wasm");
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy/rules");
    assert!(build(&original, &same).status.success());
    // Of every kind of fact that a policy may be told: consent, windows, caps, places, templates.
    gateway.report(ANN, "status=OPTIN&channel=sms", &json!({}));
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "hello" }));
    let template = json!({ "name": "offer", "category": "marketing" });
    let mut count = 1;
    for channel in ["sms", "whatsapp", "voice", "email"] {
        for category in [
            "marketing",
            "newsletter",
            "service",
            "billing",
            "unheard-of",
        ] {
            let mut question = json!({ "channel": channel, "to": ANN, "category": category });
            gateway.preflight(question.clone());
            question["template"] = template.clone();
            question["timeZone"] = "Asia/Kolkata".into();
            gateway.preflight(question);
            count += 2;
        }
    }
    gateway.text(ANN, "STOP ads");
    gateway.preflight(json!({ "channel": "sms", "to": ANN }));
    count += 2;
    eventually("decisions are kept", || kept(&gateway) == count);
    let (code, found) = replay(&gateway, &same, &["--at-most", "0"]);
    assert_eq!(code, 0, "{found}");
    assert_eq!(found["questions"], count - 2, "{found}");
}

#[test]
fn only_the_newest_are_kept_and_none_where_none_are_wanted() {
    let few = Gateway::start_with(&["--decisions-kept", "5"]);
    let none = Gateway::start_with(&["--decisions-kept", "0"]);
    for at in 1..=8 {
        few.preflight(utility());
        none.preflight(utility());
        eventually("it is kept", || kept(&few) == at.min(5));
    }
    assert_eq!(kept(&none), 0);
}

#[test]
fn a_policy_that_decides_too_much_otherwise_is_not_activated() {
    let gateway = Gateway::start();
    let digest = add(&gateway);
    gateway.preflight(utility());
    eventually("it is kept", || kept(&gateway) == 1);
    let path = format!("/v1/policies/{digest}/activate");
    let refused = gateway.post(&path, &json!({ "reason": "x", "atMost": 0 }));
    refused.is_problem(409, "atMost");
    assert!(refused.text.contains("1 of the last 1"), "{}", refused.text);

    let store = format!("sqlite:{}", gateway.store().display());
    let file = stricter();
    let arguments = [
        "policy",
        "activate",
        file.to_str().unwrap(),
        "--why",
        "x",
        "--store",
        &store,
    ];
    let output = ended(&mut consentry(
        &[&arguments[..], &["--at-most", "0"]].concat(),
    ));
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(gateway.preflight(utility())["allowed"], true);

    gateway
        .post(&path, &json!({ "reason": "x", "atMost": 2 }))
        .ok();
    assert_eq!(gateway.preflight(utility())["allowed"], false);
}

#[test]
fn a_candidate_is_asked_about_live_traffic_and_nobody_acts_on_its_answers() {
    let gateway = Gateway::start();
    let digest = add(&gateway);
    assert_eq!(gateway.get("/v1/policies/shadow").status, 404);
    gateway.preflight(utility());
    let started = shadow(&gateway, &digest).ok();
    assert_eq!(
        (&started["digest"], &started["questions"]),
        (&json!(digest), &json!(0))
    );

    for _ in 0..3 {
        assert_eq!(gateway.preflight(utility())["allowed"], true);
    }
    gateway.text(ANN, "STOP");
    gateway.preflight(utility());
    let mut report = Value::Null;
    eventually("the candidate was asked", || {
        report = gateway.get("/v1/policies/shadow").ok();
        report["messages"] == 1 && report["questions"].as_u64() >= Some(4)
    });
    assert_eq!(
        report["differences"][0]["wouldBe"], "deny (no_consent)",
        "{report}"
    );
    assert_eq!(
        report["differences"].as_array().unwrap().len(),
        1,
        "{report}"
    );
    assert_eq!(report["passedOver"], 0, "{report}");

    let last = send(gateway.client().delete(gateway.url("/v1/policies/shadow"))).unwrap();
    assert_eq!(last.ok()["digest"], digest);
    assert_eq!(gateway.get("/v1/policies/shadow").status, 404);
}

#[test]
fn a_candidate_must_be_kept() {
    let gateway = Gateway::start();
    for digest in ["sha256:0", "x", "..%2Fx"] {
        let answer = shadow(&gateway, digest);
        assert_eq!(answer.status, 404, "{digest}: {}", answer.text);
    }
}

#[test]
fn two_policies_are_compared_on_messages_from_a_file() {
    let folder = TempDir::new().unwrap();
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy/rules");
    let (old, new) = (
        folder.path().join("old.wasm"),
        folder.path().join("new.wasm"),
    );
    assert!(build(&original, &old).status.success());
    let renamed = rules(folder.path(), "policy.toml", "Example Inc", "Acme Surf");
    assert!(build(&renamed, &new).status.success());
    let messages = folder.path().join("messages.txt");
    fs::write(
        &messages,
        b"HELP\nwhere is my order?\n\xff\xfe\n\nstop\\nplease\n",
    )
    .unwrap();
    let diff = |old: &Path, new: &Path| {
        let mut command = consentry(&["policy", "diff", "--json"]);
        let output = ended(command.arg(old).arg(new).arg(&messages));
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let found = diff(&old, &new);
    assert_eq!(
        (&found["messages"], &found["different"]),
        (&json!(5), &json!(2)),
        "{found}"
    );
    let what = found["differences"].as_array().unwrap();
    assert!(what.iter().all(|one| one["what"] == "reply"), "{found}");
    let lines: Vec<&Value> = what.iter().map(|one| &one["examples"][0]).collect();
    assert!(
        lines.contains(&&json!("line 1")) && lines.contains(&&json!("line 5")),
        "{found}"
    );
    assert_eq!(diff(&old, &old)["different"], 0);
}
