//! API keys, and what is served without them.

use std::process::Output;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{ANN, Answer, Gateway, consentry, ended, send};

/// A new key with these scopes, and its entry for the file of keys.
pub(crate) fn key(scopes: &[&str]) -> (String, String) {
    let mut command = consentry(&["key", "test"]);
    for scope in scopes {
        command.args(["--scope", scope]);
    }
    let Output {
        stdout,
        stderr,
        status,
    } = command.output().unwrap();
    assert!(status.success());
    let shown = String::from_utf8(stderr).unwrap();
    let key = shown.lines().find(|line| line.starts_with("cy_")).unwrap();
    (key.to_owned(), String::from_utf8(stdout).unwrap())
}

/// A gateway that knows one key for each scope; gives the keys too: read, preflight, write, admin.
fn guarded() -> (Gateway, [String; 4]) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.toml");
    let keys = ["read", "preflight", "write", "admin"].map(|scope| key(&[scope]));
    let entries: String = keys.iter().map(|(_, entry)| entry.as_str()).collect();
    std::fs::write(&file, entries).unwrap();
    let gateway = Gateway::start_with(&["--keys", file.to_str().unwrap()]);
    (gateway, keys.map(|(key, _)| key))
}

/// Makes one of the calls there are.
fn call(gateway: &Gateway, what: &str, key: Option<&str>) -> Answer {
    let (client, url) = (gateway.client(), |path: &str| gateway.url(path));
    let consent = url(&format!("/consent/{ANN}"));
    let mut request = match what {
        "consent" => client.get(consent),
        "history" => client.get(url(&format!("/v1/contacts/{ANN}/history"))),
        "metrics" => client.get(url("/metrics")),
        "preflight" => {
            let question = json!({ "channel": "sms", "to": ANN });
            client.post(url("/v1/preflight")).json(&question)
        }
        "inbound" => {
            let message = json!({ "channel": "sms", "from": ANN, "body": "STOP" });
            client.post(url("/v1/inbound")).json(&message)
        }
        "change" => client.post(format!("{consent}?status=OPTOUT")),
        _ => panic!("no such call: {what}"),
    };
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    send(request).unwrap()
}

const CALLS: [&str; 6] = [
    "inbound",
    "change",
    "consent",
    "history",
    "metrics",
    "preflight",
];

#[test]
fn a_key_allows_what_its_scope_says_and_nothing_else() {
    let (gateway, [read, preflight, write, admin]) = guarded();
    let allowed = |key: &str| -> Vec<&str> {
        let may = |what: &&str| match call(&gateway, what, Some(key)).status {
            200 => true,
            403 => false,
            status => panic!("{what}: {status}"),
        };
        CALLS.into_iter().filter(may).collect()
    };
    assert_eq!(allowed(&write), ["inbound", "change"]);
    assert_eq!(allowed(&read), ["consent", "history", "metrics"]);
    assert_eq!(allowed(&preflight), ["preflight"]);
    assert_eq!(allowed(&admin), CALLS);
}

#[test]
fn without_a_key_or_with_a_wrong_one_nothing_is_told_and_nothing_is_done() {
    let (gateway, [read, ..]) = guarded();
    let longer = format!("{read}0");
    for key in [
        None,
        Some(""),
        Some("cy_0"),
        Some("Bearer"),
        Some(longer.as_str()),
    ] {
        for what in CALLS {
            let answer = call(&gateway, what, key);
            assert_eq!(answer.status, 401, "{what}: {}", answer.text);
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert_eq!(answer.headers["www-authenticate"], "Bearer", "{what}");
        }
    }
    assert_eq!(call(&gateway, "history", Some(&read)).status, 404);
}

#[test]
fn a_key_may_come_as_x_api_key_too() {
    let (gateway, [read, ..]) = guarded();
    let request = gateway.client().get(gateway.url("/metrics"));
    assert_eq!(send(request.header("x-api-key", read)).unwrap().status, 200);
}

#[test]
fn whether_the_gateway_is_well_may_be_asked_without_a_key() {
    let (gateway, _) = guarded();
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(gateway.get(path).status, 200, "{path}");
    }
}

#[test]
fn an_address_that_others_can_reach_is_refused_without_keys() {
    let folder = TempDir::new().unwrap();
    let store = format!("sqlite:{}", folder.path().join("x.db").display());
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let output = ended(&mut consentry(&[
            "serve", "--listen", address, "--store", &store,
        ]));
        assert_eq!(output.status.code(), Some(2), "{address}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("--keys"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A web page may point a host name of its own at loopback once it is loaded.
#[test]
fn without_keys_only_the_names_of_this_machine_are_answered() {
    let gateway = Gateway::start();
    let with_host = |host: &str| {
        let message = json!({ "channel": "sms", "from": ANN, "body": "STOP" });
        let request = gateway.client().post(gateway.url("/v1/inbound"));
        send(request.json(&message).header("host", host)).unwrap()
    };
    for host in [
        "rebound.example",
        "rebound.example:8080",
        "localhost.example",
        "127.0.0.1.example",
        "192.0.2.1",
        "[2001:db8::1]:80",
        "localhost:8080:8080",
        "",
    ] {
        with_host(host).is_problem(421, "Host");
    }
    assert!(gateway.events(ANN).is_empty());
    let without = gateway.raw(b"GET /healthz HTTP/1.0\r\n\r\n");
    assert!(without.starts_with("HTTP/1.0 421"), "{without}");
    for host in [
        "localhost",
        "LocalHost:1",
        "127.0.0.1",
        "127.8.9.10:80",
        "[::1]",
        "[::1]:8080",
    ] {
        with_host(host).ok();
    }
}

#[test]
fn with_keys_the_gateway_may_have_any_name() {
    let (gateway, [read, ..]) = guarded();
    let request = gateway.client().get(gateway.url("/metrics"));
    let request = request.header("host", "consentry.example");
    assert_eq!(send(request.bearer_auth(read)).unwrap().status, 200);
}

#[test]
fn a_file_of_keys_that_protects_nothing_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.toml");
    std::fs::write(&file, "").unwrap();
    for file in [file.as_path(), &folder.path().join("missing.toml")] {
        let output = ended(
            consentry(&["serve", "--listen", "0.0.0.0:0", "--keys"])
                .arg(file)
                .current_dir(folder.path()),
        );
        assert_eq!(output.status.code(), Some(2), "{}", file.display());
    }
}

#[test]
fn a_key_is_shown_once_and_only_its_hash_is_kept() {
    let (key, entry) = key(&["read", "write"]);
    assert!(!entry.contains(&key));
    assert!(entry.contains("sha256"), "{entry}");
}
