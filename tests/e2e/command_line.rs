//! The command line.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ANN, Gateway, consentry, ended};

/// Runs a command that must succeed, and gives what it printed.
#[track_caller]
fn run(arguments: &[&str]) -> String {
    let output = consentry(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn run_json(arguments: &[&str]) -> Value {
    serde_json::from_str(&run(arguments)).unwrap()
}

/// Runs a command with something on its standard input.
fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = consentry(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn classify_says_what_was_understood() {
    let found = run_json(&["classify", "--json", "STOP!!"]);
    assert_eq!(found["intent"], "opt-out");
    assert_eq!(found["scope"], "all");
    assert_eq!(found["review"], false);
    assert!(found["matched"].as_str().unwrap().contains("STOP"));
    assert_eq!(found["language"], "en");
    assert!(found["rule"].is_string());
    assert!(run(&["classify", "HELP"]).contains("help"));
}

#[test]
fn classify_reads_one_message_a_line_and_answers_each_on_a_line() {
    let input = b"STOP\n\nstop\\nplease\nbroken \xff\xfe bytes\r\nHELP";
    let output = run_with_input(&["classify", "-"], input);
    assert!(output.status.success());
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let intents: Vec<&Value> = answers.iter().map(|answer| &answer["intent"]).collect();
    assert_eq!(intents, ["opt-out", "other", "opt-out", "other", "help"]);
    for name in ["intent", "scope", "review", "rule", "matched", "language"] {
        assert!(
            answers.iter().all(|answer| answer.get(name).is_some()),
            "{name}"
        );
    }
}

#[test]
fn classify_ends_well_when_its_reader_goes_away() {
    let mut child = consentry(&["classify", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // The program may end before it has read everything.
    let _ = input.write_all("hello\n".repeat(10_000).as_bytes());
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn consent_is_recorded_read_and_listed() {
    let folder = TempDir::new().unwrap();
    let store = format!("sqlite:{}", folder.path().join("x.db").display());
    let on = ["--store", &store];
    assert_eq!(run(&[&["consent", "get", ANN][..], &on].concat()), "NONE\n");
    assert_eq!(run(&[&["consent", "history", ANN][..], &on].concat()), "");

    let marketing = ["--channel", "sms", "--category", "Marketing"];
    let set = [
        "consent", "set", ANN, "--status", "OPTIN", "--source", "web-form", "--json",
    ];
    let set = run_json(&[&set[..], &marketing, &on].concat());
    assert_eq!(set["consentStatus"], "OPTIN");
    assert_eq!(set["category"], "marketing");
    let get = run_json(&[&["consent", "get", ANN, "--json"][..], &marketing, &on].concat());
    assert_eq!(get, set);

    let shown = run(&[&["consent", "history", ANN][..], &on].concat());
    assert!(shown.contains("web-form"), "{shown}");
    let listed = run_json(&[&["consent", "history", ANN, "--json"][..], &on].concat());
    assert_eq!(listed["eventId"], set["eventId"]);
}

#[test]
fn the_command_line_and_a_running_gateway_share_a_store() {
    let gateway = Gateway::start();
    let store = format!("sqlite:{}", gateway.store().display());
    run(&[
        "consent", "set", ANN, "--status", "OPTOUT", "--store", &store,
    ]);
    let question = json!({ "channel": "sms", "to": ANN });
    assert_eq!(gateway.preflight(question)["reason"], "opted_out");
    let asked = run_json(&["preflight", ANN, "--json", "--store", &store]);
    assert_eq!(asked["allowed"], false);
    assert_eq!(asked["reason"], "opted_out");
    assert_eq!(asked["route"], "silent-failure");
    assert!(run(&["preflight", ANN, "--store", &store]).starts_with("denied: opted_out"));
}

#[test]
fn preflight_knows_templates_and_moments() {
    let folder = TempDir::new().unwrap();
    let store = format!("sqlite:{}", folder.path().join("x.db").display());
    let ask = |more: &[&str]| {
        let whatsapp = [
            "preflight",
            ANN,
            "--channel",
            "whatsapp",
            "--json",
            "--store",
            &store,
        ];
        run_json(&[&whatsapp[..], more].concat())["reason"].clone()
    };
    assert_eq!(
        ask(&["--template", "order_update:utility"]),
        "no_opt_in_evidence"
    );
    assert_eq!(ask(&["--at", "2025-11-03T10:00:00Z"]), "window_closed");
    let proof = [
        "consent",
        "set",
        ANN,
        "--status",
        "OPTIN",
        "--channel",
        "whatsapp",
        "--evidence-timestamp",
        "2025-11-02T10:00:00Z",
        "--evidence-text",
        "Yes, send me order updates",
        "--store",
        &store,
    ];
    run(&proof);
    assert_eq!(ask(&["--template", "order_update:utility"]), "allowed");
}

#[test]
fn an_opt_in_does_not_lift_a_persons_own_stop_here_either() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let store = format!("sqlite:{}", gateway.store().display());
    let set = consentry(&[
        "consent", "set", ANN, "--status", "OPTIN", "--store", &store,
    ])
    .output()
    .unwrap();
    assert_eq!(set.status.code(), Some(1));
    assert!(
        String::from_utf8(set.stderr)
            .unwrap()
            .contains("opt-out stands")
    );
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn the_demo_shows_the_whole_day() {
    let shown = run(&["demo"]);
    for part in [
        "STOP!!",
        "You have been unsubscribed",
        "opted_out",
        "START",
        "Welcome back",
        "HELP",
        "Marketing",
        "OPTIN",
        "Billing",
        "OPTOUT",
        "window_closed",
        "no_opt_in_evidence",
        "YES: allowed",
        "rule ",
        "consentry serve",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn bad_arguments_end_with_2() {
    let folder = TempDir::new().unwrap();
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["classify"],
        &["classify", "--channel", "fax", "STOP"],
        &["preflight", "4155550123"],
        &["preflight", ANN, "--at", "yesterday"],
        &["preflight", ANN, "--template", "order_update"],
        &["consent", "get", "hello"],
        &["consent", "set", ANN, "--status", "MAYBE"],
        &[
            "consent",
            "set",
            ANN,
            "--status",
            "OPTIN",
            "--evidence-text",
            "Yes",
        ],
        &["serve", "--listen", "somewhere"],
        &["serve", "--store", "mysql:x"],
        &["serve", "--store", "sqlite:"],
        // What is gone when the process ends is no store, and a URI is no path.
        &["serve", "--store", "sqlite::memory:"],
        &["serve", "--store", "sqlite:file:x?mode=memory"],
        &["key", "desk", "--scope", "everything"],
    ] {
        let output = ended(consentry(arguments).current_dir(folder.path()));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_store_that_cannot_be_opened_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("x.db");
    std::fs::write(
        &file,
        "this is no database, however long it may be. ".repeat(100),
    )
    .unwrap();
    for path in [
        file.as_path(),
        folder.path(),
        &folder.path().join("no/such/x.db"),
    ] {
        let store = format!("sqlite:{}", path.display());
        let output = consentry(&["consent", "get", ANN, "--store", &store])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{store}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&path.display().to_string()), "{said}");
    }
}
