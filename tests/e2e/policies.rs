//! Policies that people build from their own rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ANN, Gateway, consentry, ended};

/// A copy of the default rules, with a text in one file replaced.
pub(crate) fn rules(folder: &Path, file: &str, from: &str, to: &str) -> PathBuf {
    let copy = folder.join("rules");
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy/rules");
    for part in ["", "languages"] {
        fs::create_dir_all(copy.join(part)).unwrap();
        for entry in fs::read_dir(original.join(part)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), copy.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    let file = copy.join(file);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{}: {from}", file.display());
    fs::write(&file, text.replace(from, to)).unwrap();
    copy
}

pub(crate) fn build(rules: &Path, policy: &Path) -> Output {
    let mut command = consentry(&["policy", "build"]);
    command.arg(rules).arg("-o").arg(policy).output().unwrap()
}

#[test]
fn a_stopped_message_fails_silently_or_raises_an_alert_as_configured() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("alerting.wasm");
    let (silent, alert) = (
        r#"opted_out = "silent-failure""#,
        r#"opted_out = "internal-alert""#,
    );
    let built = build(
        &rules(folder.path(), "preflight.toml", silent, alert),
        &policy,
    );
    assert!(built.status.success(), "{built:?}");

    let routes = [
        (Vec::new(), "silent-failure"),
        (vec!["--policy", policy.to_str().unwrap()], "internal-alert"),
    ];
    for (arguments, route) in routes {
        let gateway = Gateway::start_with(&arguments);
        gateway.text(ANN, "STOP");
        let answer = gateway.preflight(json!({ "channel": "sms", "to": ANN }));
        assert_eq!(answer["reason"], "opted_out");
        assert_eq!(answer["route"], route);
        let metrics = gateway.get("/metrics").text;
        assert_eq!(
            metrics.contains("consentry_internal_alerts_total 1"),
            route == "internal-alert"
        );
    }
}

#[test]
fn every_answer_names_the_policy_that_gave_it() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("mine.wasm");
    let built = build(
        &rules(folder.path(), "policy.toml", "Example Inc", "Acme Surf"),
        &policy,
    );
    let built = String::from_utf8(built.stdout).unwrap();
    let digest = built.split(' ').next().unwrap();
    assert!(digest.starts_with("sha256:"), "{built}");

    let gateway = Gateway::start_with(&["--policy", policy.to_str().unwrap()]);
    let answer = gateway.text(ANN, "HELP");
    assert!(answer["reply"].as_str().unwrap().contains("Acme Surf"));
    assert_eq!(answer["policy"], digest);
    assert_eq!(gateway.events(ANN)[0]["policy"], digest);
    let question = json!({ "channel": "sms", "to": ANN });
    assert_eq!(gateway.preflight(question)["policy"], digest);
    assert!(gateway.log().contains(digest));
}

#[test]
fn the_same_rules_give_the_same_policy_byte_for_byte() {
    let folder = TempDir::new().unwrap();
    let rules = rules(folder.path(), "policy.toml", "Example Inc", "Acme Surf");
    let built = ["one.wasm", "two.wasm"].map(|name| {
        let policy = folder.path().join(name);
        assert!(build(&rules, &policy).status.success());
        fs::read(policy).unwrap()
    });
    assert!(built[0] == built[1]);
}

#[test]
fn rules_that_make_no_sense_are_refused_with_the_file_they_are_in() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("bad.wasm");
    let (good, bad) = (
        r#"opted_out = "silent-failure""#,
        r#"opted_out = "carrier-pigeon""#,
    );
    let built = build(&rules(folder.path(), "preflight.toml", good, bad), &policy);
    assert_eq!(built.status.code(), Some(3));
    let said = String::from_utf8(built.stderr).unwrap();
    assert!(said.contains("preflight.toml"), "{said}");
    assert!(said.contains("carrier-pigeon"), "{said}");
    assert!(!policy.exists());
}

#[test]
fn a_policy_imports_the_consent_lookup_and_its_types_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("mine.wasm");
    build(
        &rules(folder.path(), "policy.toml", "Example Inc", "Acme Surf"),
        &policy,
    );
    let shown = consentry(&["policy", "inspect", "--json"])
        .arg(&policy)
        .output()
        .unwrap();
    assert!(shown.status.success());
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let imports = shown["imports"].as_array().unwrap();
    let names: Vec<&str> = imports
        .iter()
        .map(|import| import.as_str().unwrap().split('@').next().unwrap())
        .collect();
    assert!(
        names.contains(&"consentry:policy/consent-lookup"),
        "{names:?}"
    );
    for name in names {
        let known = ["consentry:policy/consent-lookup", "consentry:policy/types"];
        assert!(known.contains(&name), "{name}");
    }
    let exports = shown["exports"].as_array().unwrap();
    for name in ["classify", "preflight", "describe"] {
        assert!(exports.iter().any(|export| export == name), "{name}");
    }
    assert!(shown["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(shown["witVersion"].is_string());
}

#[test]
fn what_is_no_policy_is_refused_and_nothing_is_served() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("policy.wasm");
    for bytes in [&b""[..], b"not wasm", b"\0asm\x01\0\0\0"] {
        fs::write(&file, bytes).unwrap();
        for arguments in [
            &["policy", "inspect"][..],
            &["serve", "--listen", "127.0.0.1:0", "--policy"],
            &["classify", "STOP", "--policy"],
        ] {
            let output = ended(consentry(arguments).arg(&file).current_dir(folder.path()));
            assert_eq!(output.status.code(), Some(3), "{arguments:?} {bytes:?}");
        }
    }
}

#[test]
fn a_bad_pattern_is_refused_with_its_file_line_and_entry() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("bad.wasm");
    let rules = rules(
        folder.path(),
        "languages/en.toml",
        "@recipient\"",
        "@recipeint\"",
    );
    let built = build(&rules, &policy);
    assert_eq!(built.status.code(), Some(3));
    let said = String::from_utf8(built.stderr).unwrap();
    let line = fs::read_to_string(rules.join("languages/en.toml")).unwrap();
    let line = 1 + line
        .lines()
        .position(|line| line.contains("@recipeint"))
        .unwrap();
    assert!(
        said.contains(&format!("en.toml:{line}: opt-out.stop-sending")),
        "{said}"
    );
    assert!(said.contains("@recipeint is not defined"), "{said}");
}

#[test]
fn the_default_policy_passes_the_check_and_one_that_forgets_a_stop_word_does_not() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("policy.wasm");
    let check = |rules: &Path| {
        assert!(build(rules, &policy).status.success());
        let mut command = consentry(&["policy", "check", "--json"]);
        let checked = command.arg(&policy).output().unwrap();
        let shown: Value = serde_json::from_slice(&checked.stdout).unwrap();
        (checked.status.code(), shown)
    };
    let (code, shown) = check(&rules(
        folder.path(),
        "policy.toml",
        "Example Inc",
        "Acme Surf",
    ));
    assert_eq!(
        (code, &shown["accepted"]),
        (Some(0), &json!(true)),
        "{shown}"
    );
    assert!(shown["cases"].as_u64().unwrap() > 40);

    let forgetful = rules(
        folder.path(),
        "languages/en.toml",
        "\"optout\", \"revoke\"]",
        "\"optout\"]",
    );
    let (code, shown) = check(&forgetful);
    assert_eq!(
        (code, &shown["accepted"]),
        (Some(3), &json!(false)),
        "{shown}"
    );
    let failed: Vec<&Value> = shown["failures"].as_array().unwrap().iter().collect();
    assert!(
        failed
            .iter()
            .all(|failure| failure["case"].as_str().unwrap().contains("revoke")),
        "{failed:?}"
    );
}

#[test]
fn labelled_messages_say_how_well_a_policy_understands() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("cases.tsv");
    let cases = "lang\texpected\ttext\nen\tstop\tSTOP!!\nen\tstop\tthe weather is fine\nen\tnone\thello\nen\tnone\tunsubscribe\nen\thelp\tHELP\n";
    fs::write(&file, cases).unwrap();
    let evaluate = |more: &[&str]| {
        let mut command = consentry(&["policy", "evaluate"]);
        command.arg(&file).args(more).output().unwrap()
    };
    let shown: Value = serde_json::from_slice(&evaluate(&["--json"]).stdout).unwrap();
    assert_eq!(
        (&shown["recall"], &shown["falseAlarms"]),
        (&json!(0.5), &json!(1))
    );
    assert_eq!(shown["misses"][0]["line"], 3);
    assert_eq!(shown["misses"].as_array().unwrap().len(), 2);
    let text = String::from_utf8(evaluate(&[]).stdout).unwrap();
    assert!(text.contains("opt-outs found  1 of 2 (50.00 %)"), "{text}");
    assert!(
        text.contains("line 3: \"the weather is fine\" is opt-out, understood as other"),
        "{text}"
    );

    fs::write(&file, "text\texpected\nhello\tmaybe\n").unwrap();
    let refused = evaluate(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("line 2: \"maybe\" is no label")
    );
}

#[test]
fn an_answer_explains_why_other_rules_did_not_decide() {
    let explain = |text: &str| {
        let shown = consentry(&["classify", "--json", "--explain", text])
            .output()
            .unwrap();
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        shown
    };
    let shown = explain("Please DON\u{2019}T stop texting me!");
    assert_eq!(shown["intent"], "other");
    assert_eq!(shown["normalised"], "please dont stop texting me");
    let rejected = &shown["rejected"][0];
    assert_eq!(rejected["matched"], "stop texting me");
    assert!(
        rejected["why"].as_str().unwrap().contains("negated"),
        "{rejected}"
    );
}

/// Rules hold from one day until another. A clock that goes wrong must not lead past them.
#[test]
fn a_message_from_the_future_is_judged_by_the_rules_of_today() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("mine.wasm");
    let first = "[[keyword]]\nid = \"opt-out.statutory\"\n";
    let passing = "[[keyword]]\nid = \"opt-out.passing\"\nintent = \"opt-out\"\n\
                   words = [\"xyzzy\"]\nuntil = 2090-01-01\nsource = \"a test\"\n\n";
    let rules = rules(
        folder.path(),
        "languages/en.toml",
        first,
        &format!("{passing}{first}"),
    );
    let built = build(&rules, &policy);
    assert!(built.status.success(), "{built:?}");
    let gateway = Gateway::start_with(&["--policy", policy.to_str().unwrap()]);
    let answer = gateway.inbound(json!({
        "channel": "sms", "from": ANN, "body": "xyzzy", "sentAt": "2099-01-01T00:00:00Z",
    }));
    assert_eq!(answer["rule"], "opt-out.passing.whole-message");
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}
