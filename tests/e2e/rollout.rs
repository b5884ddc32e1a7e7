//! Another policy takes over while messages flow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::policies::{build, rules};
use crate::support::{ANN, Answer, Gateway, consentry, eventually};

/// Two policies that answer in the name of different brands, built once.
struct Built {
    folder: TempDir,
}

impl Built {
    fn path(&self, brand: &str) -> PathBuf {
        self.folder.path().join(format!("{brand}.wasm"))
    }

    fn bytes(&self, brand: &str) -> Vec<u8> {
        fs::read(self.path(brand)).unwrap()
    }
}

pub(crate) const ACME: &str = "Acme Surf";
pub(crate) const BRAVO: &str = "Bravo Ltd";
pub(crate) const BUILT_IN: &str = "Example Inc";

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    for brand in [ACME, BRAVO] {
        let rules = rules(folder.path(), "policy.toml", BUILT_IN, brand);
        let built = build(&rules, &folder.path().join(format!("{brand}.wasm")));
        assert!(built.status.success(), "{built:?}");
    }
    Built { folder }
});

pub(crate) fn upload(gateway: &Gateway, component: Vec<u8>, signature: Option<&str>) -> Answer {
    let mut request = gateway.client().post(gateway.url("/v1/policies"));
    if let Some(signature) = signature {
        request = request.header("Consentry-Signature", signature);
    }
    crate::support::send(request.body(component)).unwrap()
}

pub(crate) fn activate(gateway: &Gateway, digest: &Value) -> Answer {
    let path = format!("/v1/policies/{}/activate", digest.as_str().unwrap());
    gateway.post(&path, &json!({ "reason": "the law has changed" }))
}

pub(crate) fn add_and_activate(gateway: &Gateway, brand: &str) -> Value {
    let added = upload(gateway, BUILT.bytes(brand), None);
    assert_eq!(added.status, 201, "{}", added.text);
    activate(gateway, &added.json["digest"]).ok()
}

/// Adds policies, and gives the digest of each.
pub(crate) fn digests_of<const N: usize>(
    gateway: &Gateway,
    brands: [&'static str; N],
) -> [(&'static str, Value); N] {
    brands.map(|brand| {
        let added = upload(gateway, BUILT.bytes(brand), None);
        assert_eq!(added.status, 201, "{}", added.text);
        (brand, added.json["digest"].clone())
    })
}

/// In whose name a gateway answers.
pub(crate) fn answers_as(gateway: &Gateway, brand: &str) -> bool {
    let reply = gateway.text(ANN, "HELP")["reply"].clone();
    reply.as_str().unwrap().contains(brand)
}

#[test]
fn an_activation_reaches_every_gateway_on_the_store_and_so_does_taking_it_back() {
    let gateway = Gateway::start();
    let other = gateway.another();
    let change = add_and_activate(&gateway, ACME);
    assert_eq!(change["kind"], "activate");
    assert!(answers_as(&gateway, ACME), "at once where it was said");
    eventually("the other follows", || answers_as(&other, ACME));
    add_and_activate(&other, BRAVO);
    eventually("the first follows", || answers_as(&gateway, BRAVO));

    let why = json!({ "reason": "too strict" });
    for brand in [ACME, BUILT_IN] {
        gateway.post("/v1/policies/rollback", &why).ok();
        assert!(answers_as(&gateway, brand), "{brand}");
        eventually("the other follows", || answers_as(&other, brand));
    }
    let nothing = gateway.post("/v1/policies/rollback", &why);
    assert_eq!(nothing.status, 409, "{}", nothing.text);

    let listed = gateway.get("/v1/policies").ok();
    let kinds: Vec<&str> = listed["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["rollback", "rollback", "activate", "activate"]);
    assert_eq!(listed["changes"][3]["reason"], "the law has changed");
    assert_eq!(listed["changes"][3]["actor"], "local");
    assert_eq!(listed["policies"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_active_survives_kill_9_and_decides_from_the_first_message_on() {
    let gateway = Gateway::start();
    add_and_activate(&gateway, ACME);
    let gateway = gateway.kill_and_restart();
    assert!(answers_as(&gateway, ACME));
}

#[test]
fn a_policy_is_activated_listed_and_rolled_back_on_the_command_line() {
    let gateway = Gateway::start();
    let store = format!("sqlite:{}", gateway.store().display());
    let run = |arguments: &[&str]| -> Output {
        let mut command = consentry(&["policy"]);
        command
            .args(arguments)
            .args(["--store", &store])
            .output()
            .unwrap()
    };
    let acme = BUILT.path(ACME);
    let said = run(&[
        "activate",
        acme.to_str().unwrap(),
        "--why",
        "new law",
        "--by",
        "kim",
    ]);
    assert!(said.status.success(), "{said:?}");
    eventually("the gateway follows", || answers_as(&gateway, ACME));
    let listed = String::from_utf8(run(&["list"]).stdout).unwrap();
    assert!(listed.starts_with("active sha256:"), "{listed}");
    assert!(listed.contains("by kim: new law"), "{listed}");
    let said = run(&["rollback", "--why", "not yet"]);
    assert!(said.status.success(), "{said:?}");
    eventually("the gateway follows", || answers_as(&gateway, BUILT_IN));
}

#[test]
fn nothing_unsigned_is_taken_where_keys_are_trusted() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (acme, bravo) = (path("acme.wasm"), path("bravo.wasm"));
    fs::copy(BUILT.path(ACME), &acme).unwrap();
    fs::copy(BUILT.path(BRAVO), &bravo).unwrap();
    for policy in [&acme, &bravo] {
        let mut sign = consentry(&["policy", "sign", policy, "--keys", &path("keys.json")]);
        let signed = sign.output().unwrap();
        assert!(signed.status.success(), "{signed:?}");
    }
    let mut public = consentry(&["policy", "keys", "--keys", &path("keys.json")]);
    fs::write(path("public.json"), public.output().unwrap().stdout).unwrap();
    let signature = |policy: &str| fs::read_to_string(format!("{policy}.sig")).unwrap();

    let gateway = Gateway::start_with(&["--trusted-keys", &path("public.json")]);
    // The other one's words under this one's signature.
    let (of_acme, of_bravo) = (signature(&acme), signature(&bravo));
    let (words, seal) = (
        of_bravo.rsplit_once('.').unwrap().0,
        of_acme.rsplit_once('.').unwrap().1,
    );
    let other = format!("{words}.{seal}");
    for (wrong, kind) in [
        (None, "policy-not-signed"),
        (Some(other.as_str()), "policy-not-signed"),
        (Some(signature(&bravo).as_str()), "policy-refused"),
    ] {
        let refused = upload(&gateway, BUILT.bytes(ACME), wrong);
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert!(refused.text.contains(kind), "{}", refused.text);
    }
    assert!(answers_as(&gateway, BUILT_IN));
    let added = upload(&gateway, BUILT.bytes(ACME), Some(&signature(&acme)));
    assert_eq!(added.status, 201, "{}", added.text);
    activate(&gateway, &added.json["digest"]).ok();
    assert!(answers_as(&gateway, ACME));
    let listed = gateway.get("/v1/policies").ok();
    assert_eq!(listed["policies"][0]["signed"], true);
}

#[test]
fn what_does_not_pass_the_gate_leaves_the_old_policy_in_place() {
    let gateway = Gateway::start();
    let mut damaged = BUILT.bytes(ACME);
    damaged.truncate(damaged.len() / 2);
    for (component, status, says) in [
        (b"no component".to_vec(), 422, "no WebAssembly component"),
        (damaged, 422, "no WebAssembly component"),
    ] {
        let refused = upload(&gateway, component, None);
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(says), "{}", refused.text);
    }
    let unknown = activate(&gateway, &json!("sha256:00"));
    assert_eq!(unknown.status, 404, "{}", unknown.text);
    assert!(answers_as(&gateway, BUILT_IN));
    assert!(
        gateway.get("/v1/policies").ok()["policies"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_policy_that_goes_under_the_floor_is_taken_back_by_itself_when_that_is_set() {
    // It passes the statutory cases, and knows nothing of "STOPALL".
    let folder = TempDir::new().unwrap();
    let known = "\"stopall\", \"stop all\", \"unsub\"";
    let rules = rules(folder.path(), "languages/en.toml", known, "\"unsub\"");
    let conversation = rules.join("conversation.toml");
    let text = fs::read_to_string(&conversation).unwrap();
    fs::write(&conversation, text.replace(", \"stopall\"]", "]")).unwrap();
    let policy = folder.path().join("forgetful.wasm");
    let built = build(&rules, &policy);
    assert!(built.status.success(), "{built:?}");

    let gateway = Gateway::start_with(&["--rollback-after", "3"]);
    let added = upload(&gateway, fs::read(policy).unwrap(), None);
    activate(&gateway, &added.json["digest"]).ok();
    for last in 0..3 {
        let still = gateway.get("/v1/policies").ok();
        assert_eq!(still["active"], added.json["digest"], "after {last}");
        let from = format!("+1415555030{last}");
        let answer = gateway.text(&from, "STOPALL");
        assert_eq!(answer["rule"], "floor.stop-word");
        assert_eq!(gateway.consent(&from, "channel=sms"), "OPTOUT");
    }
    eventually("it is taken back", || {
        gateway.get("/v1/policies").ok()["active"] != added.json["digest"]
    });
    let change = gateway.get("/v1/policies").ok()["changes"][0].clone();
    assert_eq!(
        (&change["kind"], &change["actor"]),
        (&json!("rollback"), &json!("floor"))
    );
    assert_ne!(gateway.text(ANN, "STOPALL")["rule"], "floor.stop-word");
}

#[test]
fn recorded_messages_are_run_again_and_what_would_be_different_is_listed() {
    let gateway = Gateway::start();
    let asked = json!({ "channel": "whatsapp", "from": ANN, "body": "yes",
        "question": "Do you want to receive our offers?", "answered": true });
    gateway.inbound(asked);
    for body in [
        "HELP",
        "Where is my order?",
        "arrêtez de m'écrire",
        "STOP",
        "HELP",
    ] {
        gateway.text(ANN, body);
    }
    let store = format!("sqlite:{}", gateway.store().display());
    let replay = |policy: &Path, more: &[&str]| {
        let mut command = consentry(&["policy", "replay", policy.to_str().unwrap(), "--json"]);
        let output = command
            .args(["--store", &store])
            .args(more)
            .output()
            .unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), found)
    };
    // The same rules understand everything as before.
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy/rules");
    let same = gateway.folder().join("same.wasm");
    assert!(build(&original, &same).status.success());
    let (code, found) = replay(&same, &["--at-most", "0"]);
    assert_eq!((code, &found["messages"]), (Some(0), &json!(6)), "{found}");
    assert_eq!(found["differences"], json!([]));
    // Another brand answers otherwise, and in nothing else.
    let (code, found) = replay(&BUILT.path(ACME), &["--at-most", "3"]);
    assert_eq!((code, &found["different"]), (Some(4), &json!(4)), "{found}");
    let most = &found["differences"][0];
    assert_eq!(
        (&most["what"], &most["count"]),
        (&json!("reply"), &json!(2)),
        "{found}"
    );
    assert!(most["wouldBe"].as_str().unwrap().contains(ACME), "{found}");
    let (code, found) = replay(&BUILT.path(ACME), &["--last", "1"]);
    assert_eq!((code, &found["messages"]), (Some(0), &json!(1)), "{found}");
    let (_, found) = replay(&BUILT.path(ACME), &["--until", "2020-01-01T00:00:00Z"]);
    assert_eq!(found["messages"], 0, "{found}");
}

/// Puts a file in the place of another in one step.
fn replace(file: &Path, with: &[u8]) {
    let next = file.with_extension("next");
    fs::write(&next, with).unwrap();
    fs::rename(next, file).unwrap();
}

#[test]
fn a_policy_file_is_followed_and_one_that_is_cut_off_is_not() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("policy.wasm");
    replace(&file, &BUILT.bytes(ACME));
    let gateway = Gateway::start_with(&["--policy", file.to_str().unwrap()]);
    assert!(answers_as(&gateway, ACME));
    let whole = BUILT.bytes(BRAVO);
    fs::write(&file, &whole[..whole.len() / 3]).unwrap();
    eventually("it is refused", || gateway.log().contains("was not taken"));
    assert!(answers_as(&gateway, ACME));
    replace(&file, &whole);
    eventually("it is followed", || answers_as(&gateway, BRAVO));
    fs::remove_file(&file).unwrap();
    // The file decides here, and nobody else.
    let refused = gateway.post("/v1/policies/rollback", &json!({ "reason": "x" }));
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(answers_as(&gateway, BRAVO));
}
