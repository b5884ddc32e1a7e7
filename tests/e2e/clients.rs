//! The providers' own clients, unmodified, at the gate. `tests/clients/gate.py` is what uses them.

use std::process::Command;

use serde_json::json;

use crate::elsewhere::{Elsewhere, Says};
use crate::support::{ANN, Gateway, ended};

/// The Python that has the clients, which `.ci/run` makes.
const PYTHON: &str = "CONSENTRY_CLIENTS";
const GONE: &str = "+14155550199";

/// A gateway at which Ann may be written to, and somebody else may not.
fn at_the_gate(provider: &str) -> (Gateway, Elsewhere) {
    let elsewhere = Elsewhere::saying(200, json!({}));
    let gateway = Gateway::start_with(&["--gate", &format!("{provider}={}", elsewhere.url)]);
    gateway.text(GONE, "STOP");
    (gateway, elsewhere)
}

/// Runs a part of the script.
fn run(part: &str, gateway: &Gateway, upstream: &str) {
    let python = std::env::var_os(PYTHON).unwrap_or_else(|| {
        panic!("{PYTHON} names a Python with tests/clients/requirements.txt; .ci/run makes one")
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/gate.py");
    let mut command = Command::new(python);
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "AWS_PROFILE",
    ] {
        command.env_remove(name);
    }
    command.args([script, part, &gateway.url(""), upstream, ANN, GONE]);
    let output = ended(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
#[ignore = "needs the clients from PyPI, which .ci/run installs"]
fn twilio() {
    let (gateway, provider) = at_the_gate("twilio");
    let sent = json!({ "sid": "SM1", "status": "queued", "account_sid": "AC1", "body": "Hi" });
    provider.now_says(Says::Json(201, sent));
    run("twilio", &gateway, &provider.url);
    let arrived = provider.next();
    // ACaa… and the token, in base64.
    assert!(
        arrived
            .header("authorization")
            .starts_with("Basic QUNhYWFh")
    );
    assert!(arrived.header("user-agent").starts_with("twilio-python/"));
    assert!(arrived.body.contains("To=%2B14155550123"));
    provider.got_nothing();
}

#[test]
#[ignore = "needs the clients from PyPI, which .ci/run installs"]
fn telnyx() {
    let (gateway, provider) = at_the_gate("telnyx");
    provider.now_says(Says::Json(200, json!({ "data": { "id": "1", "to": [] } })));
    run("telnyx", &gateway, &provider.url);
    let arrived = provider.next();
    assert_eq!(arrived.header("authorization"), "Bearer KEY_OF_TELNYX");
    assert!(arrived.header("user-agent").starts_with("Telnyx/Python"));
    assert_eq!(arrived.header("idempotency-key"), "once");
    provider.got_nothing();
}

#[test]
#[ignore = "needs the clients from PyPI, which .ci/run installs"]
fn aws_by_its_endpoint() {
    let (gateway, provider) = at_the_gate("aws");
    provider.now_says(Says::Json(200, json!({ "MessageId": "1" })));
    run("aws", &gateway, &provider.url);
    let arrived = provider.next();
    assert_eq!(arrived.header("host"), gateway.address());
    assert!(arrived.is_signed_with("SECRET_OF_AWS"));
    assert!(!arrived.is_signed_with("another"));
    provider.got_nothing();
}

/// As its proxy: the client signs the provider's own name.
#[test]
#[ignore = "needs the clients from PyPI, which .ci/run installs"]
fn aws_by_its_proxy() {
    let (gateway, provider) = at_the_gate("aws");
    provider.now_says(Says::Json(200, json!({ "MessageId": "1" })));
    run("aws-proxy", &gateway, &provider.url);
    let arrived = provider.next();
    assert_eq!(
        arrived.header("host"),
        provider.url.trim_start_matches("http://")
    );
    assert!(arrived.is_signed_with("SECRET_OF_AWS"));
    provider.got_nothing();
}
