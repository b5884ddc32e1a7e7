//! Messages that a person must look at, and what happens here as it happens.

use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::support::{ANN, Answer, Gateway, eventually};

const BOB: &str = "+14155550188";

fn open(gateway: &Gateway) -> Vec<Value> {
    let page = gateway.get("/v1/reviews").ok();
    page["reviews"].as_array().unwrap().clone()
}

fn decide(gateway: &Gateway, event: &Value, verdict: &str) -> Answer {
    let path = format!("/v1/reviews/{}", event["eventId"].as_str().unwrap());
    let document = json!({ "address": event["address"], "verdict": verdict });
    gateway.post(&path, &document)
}

#[test]
fn what_is_unclear_waits_until_somebody_says_what_was_meant() {
    let gateway = Gateway::start();
    gateway.text(BOB, "Where is my order?");
    assert_eq!(gateway.text(ANN, "S")["review"], true);
    let waiting = open(&gateway);
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(
        (&waiting[0]["body"], &waiting[0]["address"]),
        (&json!("S"), &json!(ANN))
    );
    assert_eq!(
        gateway.consent(ANN, "channel=sms&category=marketing"),
        "OPTOUT"
    );
    assert_eq!(gateway.consent(ANN, "channel=sms&category=billing"), "NONE");

    assert_eq!(
        decide(&gateway, &waiting[0], "opt-out").ok()["duplicate"],
        false
    );
    assert!(open(&gateway).is_empty());
    for channel in ["sms", "whatsapp", "voice", "email"] {
        let status = gateway.consent(ANN, &format!("channel={channel}&category=billing"));
        assert_eq!(status, "OPTOUT", "{channel}");
    }
    let decision = &gateway.events(ANN)[1];
    assert_eq!(
        (&decision["source"], &decision["actor"]),
        (&json!("review"), &json!("local"))
    );
    assert_eq!(decision["evidence"]["review"], waiting[0]["eventId"]);
}

#[test]
fn whoever_looks_at_a_message_gives_no_consent_in_the_contacts_place() {
    let gateway = Gateway::start();
    gateway.text(ANN, "S");
    let waiting = open(&gateway);
    decide(&gateway, &waiting[0], "no-opt-out").ok();
    assert!(open(&gateway).is_empty());
    assert_eq!(
        gateway.consent(ANN, "channel=sms&category=marketing"),
        "OPTOUT"
    );
    assert_eq!(gateway.consent(ANN, "channel=sms&category=billing"), "NONE");
    gateway.text(ANN, "START");
    gateway.text(ANN, "S");
    assert_eq!(
        open(&gateway).len(),
        1,
        "another message is another question"
    );
}

#[test]
fn of_many_who_decide_at_once_one_does() {
    let gateway = Gateway::start();
    gateway.text(ANN, "S");
    let waiting = open(&gateway);
    let decided = std::thread::scope(|scope| {
        let one = |at| {
            let (gateway, event) = (&gateway, &waiting[0]);
            let verdict = if at % 2 == 0 { "opt-out" } else { "no-opt-out" };
            scope.spawn(move || decide(gateway, event, verdict).ok()["duplicate"].clone())
        };
        let running: Vec<_> = (0..8).map(one).collect();
        running
            .into_iter()
            .map(|one| one.join().unwrap())
            .filter(|it| it == false)
            .count()
    });
    assert_eq!(decided, 1);
    assert_eq!(gateway.events(ANN).len(), 2);
}

#[test]
fn the_queue_has_pages() {
    let gateway = Gateway::start();
    for number in 0..5 {
        gateway.text(&format!("+1415555012{number}"), "S");
    }
    let mut seen = Vec::new();
    let mut path = "/v1/reviews?limit=2".to_owned();
    loop {
        let page = gateway.get(&path).ok();
        let events = page["reviews"].as_array().unwrap();
        seen.extend(
            events
                .iter()
                .map(|event| event["address"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/reviews?limit=2&before={next}");
    }
    let newest_first = ["4", "3", "2", "1", "0"].map(|number| format!("+1415555012{number}"));
    assert_eq!(seen, newest_first);
}

#[test]
fn what_is_not_in_the_queue_cannot_be_decided() {
    let gateway = Gateway::start();
    gateway.text(ANN, "hello");
    gateway.text(BOB, "S");
    let plain = &gateway.events(ANN)[0];
    decide(&gateway, plain, "opt-out").is_problem(404, "eventId");
    let mut stolen = open(&gateway)[0].clone();
    stolen["address"] = ANN.into();
    decide(&gateway, &stolen, "opt-out").is_problem(404, "eventId");
    stolen["address"] = "nobody".into();
    decide(&gateway, &stolen, "opt-out").is_problem(422, "address");
    stolen["address"] = BOB.into();
    decide(&gateway, &stolen, "perhaps").is_problem(422, "verdict");
    assert_eq!(gateway.events(ANN).len(), 1);
}

/// Reads what the gateway pushes until something is so.
fn pushed(gateway: &Gateway, mut is_so: impl FnMut(&Value) -> bool) -> Value {
    let answer = gateway
        .client()
        .get(gateway.url("/v1/live"))
        .send()
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    for line in BufReader::new(answer).lines() {
        let line = line.unwrap();
        let Some(data) = line.strip_prefix("data: ") else {
            continue;
        };
        let snapshot: Value = serde_json::from_str(data).unwrap();
        if is_so(&snapshot) {
            return snapshot;
        }
    }
    panic!("the gateway ended before it was so");
}

#[test]
fn an_operator_sees_what_happens_as_it_happens() {
    let gateway = Gateway::start();
    let first = pushed(&gateway, |_| true);
    assert_eq!(
        (&first["messages"], &first["newestReview"]),
        (&json!({}), &Value::Null)
    );
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            pushed(&gateway, |now| {
                now["newestReview"].is_string() && now["questions"]["opted_out"] == 1
            })
        });
        gateway.text(BOB, "STOP");
        gateway.preflight(json!({ "channel": "sms", "to": BOB }));
        gateway.text(ANN, "S");
        let now = watching.join().unwrap();
        assert_eq!(now["messages"]["opt-out"], 1, "{now}");
        assert_eq!(now["store"], true);
        let text = now.to_string();
        assert!(!text.contains("5550"), "no addresses: {text}");
    });
}

#[test]
fn whoever_watches_does_not_keep_a_gateway_from_stopping() {
    let mut gateway = Gateway::start();
    let started = std::time::Instant::now();
    let watching = gateway
        .client()
        .get(gateway.url("/v1/live"))
        .send()
        .unwrap();
    let mut lines = BufReader::new(watching).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("data: "));
    gateway.terminate();
    assert!(gateway.ended().success());
    // The time that open requests have is ten seconds.
    assert!(started.elapsed().as_secs() < 9, "{:?}", started.elapsed());
    eventually("it ends", || lines.next().is_none());
}
