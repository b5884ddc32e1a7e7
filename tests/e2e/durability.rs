//! What was acknowledged is there, whatever happens to the process.

use std::sync::Mutex;
use std::thread;

use serde_json::json;

use crate::support::{ANN, Gateway, eventually};

#[test]
fn kill_9_between_any_two_requests_loses_no_acknowledged_change() {
    let mut gateway = Gateway::start();
    let mut events = Vec::new();
    let steps = [("STOP", "OPTOUT"), ("START", "OPTIN"), ("Quit", "OPTOUT")];
    for (words, status) in steps {
        events.push(gateway.text(ANN, words)["eventId"].clone());
        gateway = gateway.kill_and_restart();
        assert_eq!(gateway.consent(ANN, ""), status, "{words}");
    }
    let opt_in = gateway.report(
        "+442071838750",
        "status=OPTIN&channel=sms&category=marketing",
        &json!({ "source": "web-form" }),
    );
    events.push(opt_in.ok()["eventId"].clone());
    gateway = gateway.kill_and_restart();
    assert_eq!(
        gateway.consent("+442071838750", "category=marketing"),
        "OPTIN"
    );

    let recorded = [gateway.events(ANN), gateway.events("+442071838750")].concat();
    let recorded: Vec<_> = recorded
        .iter()
        .map(|event| event["eventId"].clone())
        .collect();
    assert_eq!(recorded, events);
}

#[test]
fn an_acknowledged_message_delivered_again_after_a_crash_is_still_a_duplicate() {
    let gateway = Gateway::start();
    let message = json!({ "channel": "sms", "from": ANN, "body": "STOP", "messageId": "SM1" });
    let first = gateway.inbound(message.clone());
    let gateway = gateway.kill_and_restart();
    let again = gateway.inbound(message);
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["eventId"], first["eventId"]);
}

#[test]
fn kill_9_during_requests_loses_no_acknowledged_change() {
    let mut gateway = Gateway::start();
    for round in 0..3 {
        let acknowledged = opt_outs_until(&mut gateway, round, Gateway::kill);
        gateway = gateway.another();
        all_are_there(&gateway, &acknowledged);
    }
}

#[test]
fn told_to_stop_under_load_it_ends_well_and_loses_nothing() {
    let mut gateway = Gateway::start();
    let acknowledged = opt_outs_until(&mut gateway, 0, |gateway| {
        gateway.terminate();
        assert!(gateway.ended().success());
    });
    assert!(gateway.log().contains("\"stopped\""), "it ended by itself");
    let gateway = gateway.another();
    all_are_there(&gateway, &acknowledged);
}

#[test]
fn told_to_stop_it_still_answers_what_it_was_asked() {
    use std::io::{Read as _, Write as _};

    let mut gateway = Gateway::start();
    let body = json!({ "channel": "sms", "from": ANN, "body": "STOP" }).to_string();
    let mut stream = std::net::TcpStream::connect(gateway.address()).unwrap();
    let head = format!(
        "POST /v1/inbound HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // It says so when it has taken the request up.
    let mut continued = [0; 25];
    stream.read_exact(&mut continued).unwrap();
    assert_eq!(&continued, b"HTTP/1.1 100 Continue\r\n\r\n");
    gateway.terminate();
    eventually("it has heard", || gateway.log().contains("\"stopping\""));
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(gateway.ended().success());
    assert_eq!(gateway.another().consent(ANN, ""), "OPTOUT");
}

#[test]
fn two_gateways_on_one_store_see_each_others_changes_at_once() {
    let one = Gateway::start();
    let other = one.another();
    for _ in 0..10 {
        one.text(ANN, "STOP");
        assert_eq!(other.consent(ANN, ""), "OPTOUT");
        let question = json!({ "channel": "sms", "to": ANN, "category": "marketing" });
        assert_eq!(other.preflight(question)["reason"], "opted_out");
        other.text(ANN, "START");
        assert_eq!(one.consent(ANN, ""), "OPTIN");
    }
}

#[test]
fn two_gateways_that_write_at_the_same_time_lose_nothing() {
    let one = Gateway::start();
    let other = one.another();
    thread::scope(|scope| {
        for (gateway, first) in [(&one, 0), (&other, 50)] {
            scope.spawn(move || {
                for index in first..first + 50 {
                    gateway.text(&number(0, index), "STOP");
                    gateway.text(ANN, "hello");
                }
            });
        }
    });
    for index in 0..100 {
        assert_eq!(one.consent(&number(0, index), ""), "OPTOUT", "{index}");
    }
    let numbers: Vec<_> = one
        .events(ANN)
        .iter()
        .map(|event| event["seq"].clone())
        .collect();
    assert_eq!(numbers, (1..=100).map(|seq| json!(seq)).collect::<Vec<_>>());
}

#[test]
fn gateways_that_start_together_on_a_new_store_all_come_up() {
    let gateways = Gateway::start_together(4);
    for gateway in &gateways {
        gateway.text(ANN, "STOP");
    }
    assert_eq!(gateways[0].events(ANN).len(), 4);
}

fn number(round: usize, index: usize) -> String {
    format!("+1415{:03}{index:04}", 555 + round)
}

/// Several people say stop, one after the other, without end. When enough of them were
/// acknowledged, something happens to the gateway; gives all who were acknowledged.
fn opt_outs_until(
    gateway: &mut Gateway,
    round: usize,
    happens: impl FnOnce(&mut Gateway),
) -> Vec<String> {
    let acknowledged = Mutex::new(Vec::new());
    let (url, client) = (gateway.url("/v1/inbound"), gateway.client().clone());
    thread::scope(|scope| {
        for writer in 0..8 {
            let (url, client, acknowledged) = (&url, &client, &acknowledged);
            scope.spawn(move || {
                for index in 0..1000 {
                    let from = number(round, writer * 1000 + index);
                    let message = json!({ "channel": "sms", "from": &from, "body": "STOP" });
                    let sent = client.post(url).json(&message).send();
                    // The gateway is gone, or it goes and says so.
                    let Ok(answer) = sent else { return };
                    if answer.status() != 200 || answer.bytes().is_err() {
                        return;
                    }
                    acknowledged.lock().unwrap().push(from);
                }
                panic!("the gateway outlived the test");
            });
        }
        eventually("some were acknowledged", || {
            acknowledged.lock().unwrap().len() > 60
        });
        happens(gateway);
    });
    acknowledged.into_inner().unwrap()
}

fn all_are_there(gateway: &Gateway, acknowledged: &[String]) {
    for from in acknowledged {
        assert_eq!(gateway.consent(from, ""), "OPTOUT", "{from}");
        assert_eq!(gateway.events(from).len(), 1, "{from}");
    }
}
