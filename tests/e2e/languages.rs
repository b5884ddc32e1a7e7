//! A policy is begun in any language, passes the same gate, and decides in the same host.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::policies::build;
use crate::rollout::{activate, upload};
use crate::support::{ANN, Gateway, NOON, consentry};

fn policy(arguments: &[&str], path: &Path) -> Output {
    let mut command = consentry(&["policy"]);
    command.args(arguments).arg(path).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A policy that `.ci/languages` has built.
fn built(language: &str) -> PathBuf {
    let folder = std::env::var_os("CONSENTRY_TEST_POLICIES");
    let folder = PathBuf::from(folder.expect("run .ci/languages"));
    folder.join(language).join("policy.wasm")
}

#[test]
fn the_default_rules_are_copied_and_build_into_the_default_policy() {
    let folder = TempDir::new().unwrap();
    let rules = folder.path().join("mine");
    let begun = policy(&["new", "--lang", "rules"], &rules);
    assert!(begun.status.success(), "{begun:?}");
    assert!(text(&begun.stdout).contains("README.md"), "{begun:?}");
    let component = folder.path().join("policy.wasm");
    assert!(build(&rules, &component).status.success());
    assert_eq!(fs::read(&component).unwrap(), consentry_default_policy());
    let checked = policy(&["check"], &component);
    assert!(checked.status.success(), "{checked:?}");
}

/// The built-in policy, as a gateway that has no other gives it.
fn consentry_default_policy() -> Vec<u8> {
    let gateway = Gateway::start();
    let active = gateway.client().get(gateway.url("/v1/policies/active"));
    active.send().unwrap().bytes().unwrap().to_vec()
}

#[test]
fn what_is_in_a_folder_is_never_written_over() {
    let folder = TempDir::new().unwrap();
    for language in ["rules", "rust", "js"] {
        let mine = folder.path().join(language);
        let begun = policy(&["new", "--lang", language], &mine);
        assert!(begun.status.success(), "{begun:?}");
        let readme = mine.join("README.md");
        fs::write(&readme, "mine").unwrap();
        let again = policy(&["new", "--lang", language], &mine);
        assert_eq!(again.status.code(), Some(2), "{again:?}");
        assert!(text(&again.stderr).contains("not empty"), "{again:?}");
        assert_eq!(fs::read_to_string(&readme).unwrap(), "mine");
        // A file is no folder.
        assert!(
            !policy(&["new", "--lang", language], &readme)
                .status
                .success()
        );
        assert!(language == "rules" || mine.join("wit/policy.wit").exists());
    }
    let unknown = policy(&["new", "--lang", "cobol"], &folder.path().join("cobol"));
    assert_eq!(unknown.status.code(), Some(2), "{unknown:?}");
}

#[test]
fn what_is_no_module_for_the_contract_is_not_built() {
    let folder = TempDir::new().unwrap();
    let output = folder.path().join("policy.wasm");
    let module = folder.path().join("module.wasm");
    for (bytes, says) in [
        (b"hello".as_slice(), "no WebAssembly module"),
        (b"\0asm\x01\0\0\0", "does not export"),
        (b"\0asm\x0d\0\x01\0", "component already"),
    ] {
        fs::write(&module, bytes).unwrap();
        let built = build(&module, &output);
        assert!(!built.status.success(), "{built:?}");
        assert!(text(&built.stderr).contains(says), "{built:?}");
        assert!(!output.exists());
    }
}

#[test]
fn a_policy_that_is_too_large_for_the_limits_is_told_which_one_to_raise() {
    let folder = TempDir::new().unwrap();
    let component = folder.path().join("policy.wasm");
    fs::write(&component, consentry_default_policy()).unwrap();
    for (flag, size, code) in [
        ("--policy-memory", "64KiB", 3),
        ("--policy-size", "1KiB", 3),
        ("--policy-memory", "5GiB", 2),
        ("--policy-memory", "much", 2),
    ] {
        let checked = policy(&["check", flag, size], &component);
        assert_eq!(checked.status.code(), Some(code), "{checked:?}");
        assert!(text(&checked.stderr).contains(flag), "{checked:?}");
    }
    let checked = policy(&["check", "--policy-memory", "1GiB"], &component);
    assert!(checked.status.success(), "{checked:?}");
}

#[test]
fn compiled_policies_are_kept_beside_the_store_for_nobody_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let gateway = Gateway::start();
    let folder = gateway.folder().join("consentry.db.compiled");
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let files = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let [file] = files().try_into().unwrap();
    let whole = fs::read(&file).unwrap();
    // One that is damaged is passed over, and written anew.
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&file, damaged).unwrap();
    let gateway = gateway.kill_and_restart();
    assert_eq!(gateway.text(ANN, "STOP")["intent"], "opt-out");
    assert!(gateway.log().contains("damaged code"), "{}", gateway.log());
    assert_eq!(fs::read(&file).unwrap(), whole);
    // A folder that others may write to is not used.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let gateway = gateway.kill_and_restart();
    assert!(
        gateway.log().contains("others may write"),
        "{}",
        gateway.log()
    );
    assert_eq!(gateway.text(ANN, "STOP")["intent"], "opt-out");
    let named = ["--policy-cache", folder.to_str().unwrap()];
    let refused = consentry(&["classify", "STOP"])
        .args(named)
        .output()
        .unwrap();
    assert!(!refused.status.success(), "{refused:?}");
    // It can be had elsewhere, or not at all.
    let without = Gateway::start_with(&["--policy-cache", "off"]);
    assert!(!without.folder().join("consentry.db.compiled").exists());
}

/// The whole way: the gate, an upload, both kinds of decisions, taking it back. It is compiled once: an
/// engine takes longer than an upload may, where the compiler itself is not optimised.
fn decides(component: &Path, limits: &[&str]) {
    let inspected = policy(&[&["inspect", "--json"], limits].concat(), component);
    assert!(inspected.status.success(), "{inspected:?}");
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    let imports = inspected["imports"].as_array().unwrap().iter();
    for import in imports.map(|import| import.as_str().unwrap()) {
        assert!(import.starts_with("consentry:policy/"), "{import}");
    }
    let checked = policy(&[&["check"], limits].concat(), component);
    assert!(checked.status.success(), "{checked:?}");

    let gateway = Gateway::start_with(limits);
    let added = upload(&gateway, fs::read(component).unwrap(), None);
    assert_eq!(added.status, 201, "{}", added.text);
    activate(&gateway, &added.json["digest"]).ok();
    let ask = || {
        let question = json!({ "channel": "sms", "to": ANN, "category": "marketing", "at": NOON });
        gateway.ask(question)["reason"].clone()
    };
    assert_eq!(ask(), "no_consent");
    let start = gateway.text(ANN, "Start!");
    assert_eq!(
        (&start["intent"], &start["policy"]),
        (&json!("opt-in"), &added.json["digest"])
    );
    assert_eq!(ask(), "allowed");
    let night = json!({ "channel": "sms", "to": ANN, "at": "2026-06-10T10:00:00Z" });
    assert_eq!(gateway.ask(night)["retryAt"], "2026-06-10T15:00:00.000Z");
    let stop = gateway.text(ANN, "Ｓtop, please");
    assert_eq!(
        (&stop["intent"], &stop["rule"]),
        (&json!("opt-out"), &json!("words.opt-out"))
    );
    assert_eq!(gateway.consent(ANN, "channel=email"), "OPTOUT");
    assert_eq!(ask(), "opted_out");
    let metrics = gateway.get("/metrics").text;
    for answered_for in ["decided_by=\"floor\"", "decided_by=\"fault\""] {
        assert!(!metrics.contains(answered_for), "{metrics}");
    }
    let why = json!({ "reason": "back to the rules" });
    gateway.post("/v1/policies/rollback", &why).ok();
    assert_eq!(ask(), "opted_out");
}

#[test]
#[ignore = "needs the policies that .ci/languages builds, with npm and a nested cargo"]
fn a_policy_in_rust_decides_as_any_other() {
    decides(&built("rust"), &["--policy-cache", "off"]);
}

#[test]
#[ignore = "needs the policies that .ci/languages builds, with npm and a nested cargo"]
fn a_policy_in_javascript_decides_as_any_other_with_as_much_memory_as_it_needs() {
    let component = built("js");
    let cache = TempDir::new().unwrap();
    let cache = ["--policy-cache", cache.path().to_str().unwrap()];
    decides(&component, &cache);
    decides(
        &component,
        &[&cache[..], &["--policy-memory", "256MiB"]].concat(),
    );
    let too_little = [&["check", "--policy-memory", "8MiB"], &cache[..]].concat();
    let refused = policy(&too_little, &component);
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    assert!(
        text(&refused.stderr).contains("--policy-memory"),
        "{refused:?}"
    );
}

#[test]
#[ignore = "needs the policies that .ci/languages builds, with npm and a nested cargo"]
fn a_host_without_the_compiler_loads_what_was_compiled_for_it_and_nothing_else() {
    let component = built("rust");
    let folder = TempDir::new().unwrap();
    let cache = folder.path().join("compiled");
    let program = std::env::var_os("CONSENTRY_TEST_WITHOUT_COMPILER").expect("run .ci/languages");
    let run = || {
        let mut command = Command::new(&program);
        command
            .arg(&cache)
            .arg(&component)
            .arg("STOP")
            .output()
            .unwrap()
    };
    let refused = run();
    assert!(!refused.status.success(), "{refused:?}");
    assert!(text(&refused.stderr).contains("no compiler"), "{refused:?}");

    let named = ["check", "--policy-cache", cache.to_str().unwrap()];
    assert!(policy(&named, &component).status.success());
    let answered = run();
    assert_eq!(text(&answered.stdout), "opt-out\n", "{answered:?}");

    let file = fs::read_dir(&cache)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut damaged = fs::read(&file).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&file, damaged).unwrap();
    assert!(!run().status.success());
}
