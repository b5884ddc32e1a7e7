//! An edge gateway takes its policy from the centre, and decides on when the centre is away.

use serde_json::json;

use crate::rollout::{ACME, BRAVO, BUILT_IN, add_and_activate, answers_as};
use crate::support::{Gateway, eventually, send};

fn edge(centre: &Gateway) -> Gateway {
    Gateway::start_with(&["--policy-from", &centre.url("/")])
}

#[test]
fn an_edge_gateway_follows_the_centre_and_decides_on_when_it_is_away() {
    let mut centre = Gateway::start();
    let edge = edge(&centre);
    assert!(answers_as(&edge, BUILT_IN));
    add_and_activate(&centre, ACME);
    eventually("the edge follows", || answers_as(&edge, ACME));
    let confirmed = |edge: &Gateway| edge.get("/v1/policies").ok()["confirmedAt"].clone();
    eventually("the centre confirms it", || confirmed(&edge).is_string());

    centre.kill();
    eventually("it is noticed", || {
        edge.log().contains("the centre gives no policy")
    });
    assert!(answers_as(&edge, ACME));
    // It does not know how old its policy is after a start without the centre, and says so.
    let edge = edge.kill_and_restart();
    assert!(answers_as(&edge, ACME), "the last known policy");
    assert!(confirmed(&edge).is_null());
    let listed = edge.get("/v1/policies").ok();
    assert!(
        listed["source"].as_str().unwrap().starts_with("http://"),
        "{listed}"
    );
    assert!(
        edge.get("/metrics")
            .text
            .contains("consentry_inbound_total")
    );
}

#[test]
fn an_edge_gateway_is_told_what_to_do_by_the_centre_alone() {
    let centre = Gateway::start();
    let edge = edge(&centre);
    let refused = edge.post("/v1/policies/rollback", &json!({ "reason": "x" }));
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(
        refused.text.contains("policy-from-elsewhere"),
        "{}",
        refused.text
    );
}

#[test]
fn the_centres_policy_is_sent_once() {
    let centre = Gateway::start();
    add_and_activate(&centre, BRAVO);
    let ask = |known: &str| {
        let request = centre.client().get(centre.url("/v1/policies/active"));
        send(request.header("If-None-Match", known)).unwrap()
    };
    let first = ask("\"sha256:00\"");
    let tag = first.headers["etag"].to_str().unwrap();
    assert_eq!(first.status, 200);
    let active = centre.get("/v1/policies").ok()["active"].clone();
    assert_eq!(tag, format!("\"{}\"", active.as_str().unwrap()));
    assert_eq!(ask(tag).status, 304);
}

#[test]
fn an_edge_gateway_that_trusts_keys_takes_nothing_unsigned_from_the_centre() {
    let centre = Gateway::start();
    let keys = centre.folder().join("keys.json");
    let keys = keys.to_str().unwrap();
    let public = crate::support::consentry(&["policy", "keys", "--keys", keys])
        .output()
        .unwrap();
    let trusted = centre.folder().join("trusted.json");
    std::fs::write(&trusted, public.stdout).unwrap();
    let trusted = trusted.to_str().unwrap();
    let edge = Gateway::start_with(&["--policy-from", &centre.url("/"), "--trusted-keys", trusted]);
    add_and_activate(&centre, ACME);
    eventually("it is refused", || edge.log().contains("was not taken"));
    assert!(answers_as(&edge, BUILT_IN));
}
