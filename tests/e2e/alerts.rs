//! What was stopped for a reason that somebody should look at is listed, and delivered.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, Sender, channel};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::support::{ANN, Gateway, PATIENCE, eventually};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A webhook that takes what comes, after it has refused some.
pub(crate) struct Hook {
    pub(crate) url: String,
    posts: Receiver<(HeaderMap, String)>,
}

impl Hook {
    fn start(refuses: usize) -> Self {
        Self::answering(refuses, "")
    }

    /// The same with something to say when it takes what comes, and when it does not.
    pub(crate) fn answering(refuses: usize, says: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (post, posts) = channel();
        std::thread::spawn(move || serve(&listener, refuses, says, &post));
        Self { url, posts }
    }

    pub(crate) fn next(&self) -> (HeaderMap, String) {
        self.posts.recv_timeout(PATIENCE).unwrap()
    }
}

fn serve(listener: &TcpListener, refuses: usize, says: &str, post: &Sender<(HeaderMap, String)>) {
    for number in 0.. {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut headers = HeaderMap::new();
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        headers.insert("request-line", line.trim_end().parse().unwrap());
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let status = if number < refuses {
            "503 No"
        } else {
            "200 Yes"
        };
        let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n{says}");
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
        post.send((headers, String::from_utf8(body).unwrap()))
            .unwrap();
    }
}

/// Asks about a message to somebody who never agreed to any.
fn stopped(gateway: &Gateway, to: &str) {
    let question = json!({ "channel": "sms", "to": to, "category": "marketing" });
    let answer = gateway.preflight(question);
    assert_eq!(answer["route"], "internal-alert", "{answer}");
}

fn alerts(gateway: &Gateway, query: &str) -> Vec<Value> {
    let page = gateway.get(&format!("/v1/alerts{query}")).ok();
    page["alerts"].as_array().unwrap().clone()
}

/// How many messages the listed alerts are about. An hour may end while a test runs.
fn count(gateway: &Gateway) -> u64 {
    let counts = alerts(gateway, "");
    counts
        .iter()
        .map(|alert| alert["count"].as_u64().unwrap())
        .sum()
}

#[test]
fn messages_that_are_stopped_for_one_reason_are_one_alert_an_hour() {
    let gateway = Gateway::start();
    for last in 10..30 {
        stopped(&gateway, &format!("+14155550{last}0"));
    }
    gateway.ask(json!({ "channel": "sms", "to": ANN, "category": "marketing" }));
    eventually("all are listed", || count(&gateway) == 20);
    let listed = alerts(&gateway, "");
    assert!(listed.len() <= 2, "{listed:?}");
    for (name, value) in [
        ("reason", "no_consent"),
        ("channel", "sms"),
        ("category", "marketing"),
    ] {
        assert_eq!(listed[0][name], value, "{listed:?}");
    }
    assert_eq!(listed[0]["deliveredAt"], Value::Null);
    assert!(!listed[0]["lastDecisionId"].as_str().unwrap().is_empty());
    // No number and no text is in the log or in an alert.
    assert!(!gateway.log().contains("+1415"), "{}", gateway.log());
    assert!(!format!("{listed:?}").contains("+1415"));
}

#[test]
fn alerts_are_listed_page_by_page_newest_first() {
    let gateway = Gateway::start();
    let question = |category: &str| json!({ "channel": "sms", "to": ANN, "category": category });
    for category in ["marketing", "newsletter", "promotions"] {
        gateway.preflight(question(category));
        eventually("it is listed", || {
            alerts(&gateway, "")
                .iter()
                .any(|alert| alert["category"] == category)
        });
    }
    let first = gateway.get("/v1/alerts?limit=2").ok();
    assert_eq!(first["alerts"][0]["category"], "promotions", "{first}");
    let next = first["next"].as_str().unwrap();
    let second = gateway
        .get(&format!("/v1/alerts?limit=2&before={next}"))
        .ok();
    assert_eq!(second["alerts"][0]["category"], "marketing", "{second}");
    assert_eq!(second["next"], Value::Null);
}

#[test]
fn an_alert_is_delivered_signed_until_it_is_taken() {
    let hook = Hook::start(1);
    let gateway = Gateway::start_with(&["--alerts-to", &hook.url, "--alerts-secret", SECRET]);
    stopped(&gateway, ANN);
    let (refused, first) = hook.next();
    let (headers, body) = hook.next();
    assert_eq!(first, body, "the same again");
    assert_eq!(refused["webhook-id"], headers["webhook-id"]);
    assert_eq!(headers["content-type"], "application/cloudevents+json");
    let verifier = Webhook::new(SECRET).unwrap();
    verifier.verify(body.as_bytes(), &headers).unwrap();
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "consentry.alert");
    assert_eq!(event["data"]["reason"], "no_consent");
    assert_eq!(event["id"], headers["webhook-id"].to_str().unwrap());
    eventually("it counts as delivered", || {
        alerts(&gateway, "")[0]["deliveredAt"].is_string()
    });
}

#[test]
fn an_alert_that_was_not_delivered_before_kill_9_is_delivered_after_it() {
    let hook = Hook::start(0);
    let gateway = Gateway::start();
    stopped(&gateway, ANN);
    eventually("it is on disk", || count(&gateway) == 1);
    let delivering = gateway.kill_and_restart_with(&["--alerts-to", &hook.url]);
    let (headers, body) = hook.next();
    assert!(headers.get("webhook-signature").is_none());
    assert!(body.contains("no_consent"), "{body}");
    drop(delivering);
}

#[test]
fn an_alert_noted_just_before_the_gateway_ends_is_not_lost() {
    let mut gateway = Gateway::start();
    stopped(&gateway, ANN);
    gateway.terminate();
    assert!(gateway.ended().success());
    let again = gateway.another();
    assert_eq!(count(&again), 1);
}

#[test]
fn a_secret_that_is_none_is_refused_at_the_start() {
    let secret = [
        "--alerts-to",
        "http://127.0.0.1:9/",
        "--alerts-secret",
        "whsec_%%",
    ];
    let mut command = crate::support::consentry(&["serve"]);
    let output = command.args(secret).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("whsec_ and base64"), "{said}");
}
