//! The store is away, or too much is asked, or somebody is slow on purpose.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;

use crate::support::{ANN, Gateway, PATIENCE, eventually};

#[test]
fn a_message_that_cannot_be_written_is_not_acknowledged_and_can_be_sent_again() {
    let gateway = Gateway::start();
    let message = json!({ "channel": "sms", "from": ANN, "body": "STOP", "messageId": "SM1" });
    // Somebody else holds the store for longer than the gateway waits.
    let mut connection = Connection::open(gateway.store()).unwrap();
    let held = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    let answer = gateway.post("/v1/inbound", &message);
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.headers.contains_key("retry-after"));
    drop(held);
    assert!(gateway.events(ANN).is_empty());
    assert_eq!(gateway.inbound(message)["duplicate"], false);
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn nothing_may_go_while_the_store_cannot_be_read() {
    let gateway = Gateway::start();
    let question = json!({ "channel": "sms", "to": ANN, "category": "utility" });
    assert_eq!(gateway.preflight(question.clone())["allowed"], true);
    rename_table(&gateway, "address", "away");
    let answer = gateway.preflight(question.clone());
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["reason"], "store_unavailable");
    assert_eq!(answer["route"], "internal-alert");
    let consent = gateway.get(&format!("/consent/{ANN}"));
    assert_eq!(consent.status, 503, "{}", consent.text);
    let stop = json!({ "channel": "sms", "from": ANN, "body": "STOP" });
    assert_eq!(gateway.post("/v1/inbound", &stop).status, 503);
    assert_eq!(gateway.get("/readyz").status, 503);
    assert_eq!(gateway.get("/healthz").status, 200);
    // It recovers by itself.
    rename_table(&gateway, "away", "address");
    assert_eq!(gateway.get("/readyz").status, 200);
    assert_eq!(gateway.preflight(question)["allowed"], true);
}

#[test]
fn a_gateway_that_cannot_write_is_not_ready() {
    let gateway = Gateway::start();
    let mut connection = Connection::open(gateway.store()).unwrap();
    let held = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    assert_eq!(gateway.get("/readyz").status, 503);
    // It can still answer what needs reading only.
    assert_eq!(gateway.consent(ANN, ""), "NONE");
    drop(held);
    eventually("it is ready again", || gateway.get("/readyz").status == 200);
}

/// Each begins a request and never ends it.
#[test]
fn a_hundred_callers_who_never_finish_do_not_delay_a_stop() {
    let gateway = Gateway::start();
    let slow = |path: &str| {
        let mut stream = TcpStream::connect(gateway.address()).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 1000\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let callers: Vec<TcpStream> = (0..100)
        .flat_map(|_| [slow("/v1/inbound"), slow("/v1/preflight")])
        .collect();
    for _ in 0..5 {
        gateway.text(ANN, "STOP");
        let question = json!({ "channel": "sms", "to": ANN, "category": "utility" });
        assert_eq!(gateway.preflight(question)["reason"], "opted_out");
    }
    drop(callers);
}

#[test]
fn whoever_never_ends_the_headers_of_a_request_is_hung_up_on() {
    let gateway = Gateway::start();
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost:").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
}

/// More callers than there are places. Whoever comes after them waits, and not for long.
#[test]
fn callers_who_say_nothing_take_a_bounded_number_of_places_for_a_bounded_time() {
    let gateway = Gateway::start();
    let callers: Vec<TcpStream> = (0..600)
        .map(|_| TcpStream::connect(gateway.address()).unwrap())
        .collect();
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    let question = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(question).unwrap();
    let mut answer = String::new();
    let not_yet = Some(Duration::from_secs(1));
    stream.set_read_timeout(not_yet).unwrap();
    stream.read_to_string(&mut answer).unwrap_err();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(callers);
}

fn rename_table(gateway: &Gateway, from: &str, to: &str) {
    let connection = Connection::open(gateway.store()).unwrap();
    let sql = format!("ALTER TABLE {from} RENAME TO {to}");
    connection.execute(&sql, ()).unwrap();
}
