//! The simulator as it is served and exported, and scenarios on the command line. What the page does is
//! tested in a browser, by `tests/browser/run`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Gateway, consentry, ended, send};

const SCENARIO: &str = include_str!("../../docs/scenarios/stop-ends-everything.json");

fn test(folder: &TempDir, scenario: &str) -> (Option<i32>, Value) {
    let file = folder.path().join("scenario.json");
    fs::write(&file, scenario).unwrap();
    let output = ended(consentry(&["policy", "test", "--json"]).arg(&file));
    let printed = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code(), printed)
}

#[test]
fn the_page_is_served_with_the_policy_that_decides_and_may_load_nothing_else() {
    let gateway = Gateway::start();
    let page = gateway.get("/simulator/");
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<title>"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"));
    for name in [
        "main.js",
        "engine.js",
        "engine_bg.wasm",
        "bindings.js",
        "policy.wasm",
    ] {
        let file = gateway
            .client()
            .get(gateway.url(&format!("/simulator/{name}")));
        let file = file.send().unwrap();
        assert_eq!(file.status(), 200, "{name}");
        let tag = file.headers()["etag"].clone();
        let again = gateway
            .client()
            .get(gateway.url(&format!("/simulator/{name}")));
        assert_eq!(
            again.header("if-none-match", tag).send().unwrap().status(),
            304,
            "{name}"
        );
    }
    assert_eq!(gateway.get("/simulator/nothing.js").status, 404);
    assert_eq!(gateway.get("/simulator/..%2Fmain.rs").status, 404);
}

#[test]
fn bindings_are_made_for_a_policy_and_for_nothing_else() {
    let gateway = Gateway::start();
    let url = gateway.url("/simulator/bindings");
    let make = |component: Vec<u8>| {
        let request = gateway.client().post(&url).body(component);
        send(request.header("content-type", "application/wasm")).unwrap()
    };
    // As a web page of another origin could send it.
    let plain = gateway
        .client()
        .post(&url)
        .header("content-type", "text/plain");
    assert_eq!(send(plain.body("hello")).unwrap().status, 415);
    let policy = gateway.client().get(gateway.url("/simulator/policy.wasm"));
    let policy = policy.send().unwrap().bytes().unwrap().to_vec();
    let made = make(policy.clone());
    assert_eq!(made.status, 200);
    assert!(made.text.contains("export function instantiate"));
    for component in [
        Vec::new(),
        b"hello".to_vec(),
        policy[..policy.len() / 2].to_vec(),
    ] {
        let refused = make(component);
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json["type"], "urn:consentry:problem:policy-refused");
    }
}

#[test]
fn the_exported_folder_holds_the_policy_that_is_named() {
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("deep/simulator");
    let output = ended(consentry(&["simulator", "export"]).arg(&to));
    assert!(output.status.success(), "{output:?}");
    for name in ["index.html", "main.js", "engine_bg.wasm", "bindings.js"] {
        assert!(to.join(name).exists(), "{name}");
    }
    let inspected = ended(consentry(&["policy", "inspect", "--json"]).arg(to.join("policy.wasm")));
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let digest = inspected["digest"].as_str().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains(digest));
    // In place of a folder there is a file.
    let output = ended(consentry(&["simulator", "export"]).arg(to.join("index.html")));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_scenario_passes_or_says_which_step_did_not_come_out() {
    let folder = TempDir::new().unwrap();
    let (code, printed) = test(&folder, SCENARIO);
    assert_eq!(
        (code, &printed[0]["passed"]),
        (Some(0), &json!(true)),
        "{printed}"
    );

    let other = SCENARIO.replace("\"intent\": \"opt-out\"", "\"intent\": \"help\"");
    let (code, printed) = test(&folder, &other);
    assert_eq!(code, Some(4));
    let wrong = json!([{ "step": 3, "what": "intent must be \"help\"; it was \"opt-out\"" }]);
    assert_eq!(printed[0]["wrong"], wrong);
}

#[test]
fn every_scenario_in_the_documents_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenarios");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let output = ended(consentry(&["policy", "test"]).args(files));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(told.lines().count() >= 3, "{told}");
}

#[test]
fn what_is_no_scenario_is_refused_before_anything_is_played() {
    let folder = TempDir::new().unwrap();
    for (scenario, what) in [
        ("{", "no JSON"),
        ("{}", "no scenario"),
        (
            &SCENARIO.replace("\"consentry\": 1", "\"consentry\": 2"),
            "version 2",
        ),
        (
            &SCENARIO.replace("\"body\"", "\"text\""),
            "steps[2].inbound",
        ),
    ] {
        let file = folder.path().join("scenario.json");
        fs::write(&file, scenario).unwrap();
        let output = ended(consentry(&["policy", "test"]).arg(&file));
        assert_eq!(output.status.code(), Some(2), "{what}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(what), "{said}");
        assert!(output.stdout.is_empty());
    }
    let output = ended(consentry(&["policy", "test"]).arg(Path::new("nowhere.json")));
    assert_eq!(output.status.code(), Some(1));
}
