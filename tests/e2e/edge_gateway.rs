//! `host/examples/edge_gateway.rs`: an edge that embeds the host, between a business and its sender.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::alerts::Hook;
use crate::rollout::{ACME, BRAVO, BUILT_IN, activate, add_and_activate, digests_of};
use crate::support::{ANN, Answer, Gateway, PATIENCE, eventually, send};

/// The running example. It is killed when it goes out of scope.
struct Edge {
    child: Child,
    url: String,
    client: Client,
}

impl Edge {
    fn start(folder: &Path, centre: &Gateway, sender: &str) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_consentry"));
        let program = program.with_file_name("examples").join("edge_gateway");
        assert!(
            program.exists(),
            "build it first: cargo build -p consentry --example edge_gateway"
        );
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--sender", sender])
            .args(["--centre", &centre.url("/"), "--keep"])
            .arg(folder.join("policy.wasm"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap();
        Self {
            child,
            url: format!("http://{address}"),
            client: Client::builder().timeout(PATIENCE).build().unwrap(),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.client.post(format!("{}{path}", self.url)).json(body)).unwrap()
    }

    fn says(&self, from: &str, body: &str) -> Value {
        let said = json!({ "channel": "sms", "from": from, "body": body });
        self.post("/inbound", &said).ok()
    }

    fn send(&self, to: &str) -> Answer {
        let message = json!({ "channel": "sms", "to": to, "category": "billing", "body": "Due" });
        self.post("/send", &message)
    }

    fn health(&self) -> Answer {
        send(self.client.get(format!("{}/healthz", self.url))).unwrap()
    }

    fn decides_with(&self, digest: &Value) -> bool {
        self.health().json["policy"] == *digest
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_edge_asks_before_it_forwards_and_decides_on_while_the_centre_is_away() {
    let folder = TempDir::new().unwrap();
    let sender = Hook::answering(0, "");
    let mut centre = Gateway::start();
    let edge = Edge::start(folder.path(), &centre, &sender.url);
    eventually("it has a policy", || edge.health().status == 200);

    assert_eq!(edge.send(ANN).json["reason"], "unknown_contact");
    assert_eq!(edge.says(ANN, "Where is my order?")["intent"], "other");
    assert_eq!(edge.send(ANN).ok()["sent"], true);
    let (_, passed_on) = sender.next();
    assert_eq!(
        serde_json::from_str::<Value>(&passed_on).unwrap()["body"],
        "Due"
    );
    assert_eq!(edge.says(ANN, "please stop")["intent"], "opt-out");
    let refused = edge.send(ANN);
    assert_eq!(
        (refused.status, &refused.json["reason"]),
        (403, &json!("opted_out"))
    );

    let acme = add_and_activate(&centre, ACME)["digest"].clone();
    eventually("it follows the centre", || edge.decides_with(&acme));
    centre.kill();
    let reply = edge.says(ANN, "HELP")["reply"].clone();
    assert!(reply.as_str().unwrap().contains(ACME), "{reply}");
    // It has forgotten everybody, and says nothing to anybody.
    drop(edge);
    let edge = Edge::start(folder.path(), &centre, &sender.url);
    assert!(edge.decides_with(&acme), "the last known policy");
    assert_eq!(edge.send(ANN).json["reason"], "unknown_contact");
}

#[test]
fn an_edge_without_any_policy_sends_nothing_and_still_hears_a_stop() {
    let folder = TempDir::new().unwrap();
    let sender = Hook::answering(0, "");
    let mut centre = Gateway::start();
    centre.kill();
    let edge = Edge::start(folder.path(), &centre, &sender.url);
    assert_eq!(edge.health().status, 503);
    assert_eq!(edge.says(ANN, "Hello")["intent"], "other");
    assert_eq!(edge.send(ANN).json["reason"], "no_policy");
    assert_eq!(edge.says(ANN, "STOP")["intent"], "opt-out");
}

#[test]
fn no_call_to_an_edge_fails_while_the_centre_swaps_its_policy_under_load() {
    let folder = TempDir::new().unwrap();
    let sender = Hook::answering(0, "");
    let centre = Gateway::start();
    let digests = digests_of(&centre, [ACME, BRAVO]);
    let built_in = centre.get("/v1/policies").ok()["active"].clone();
    let edge = Edge::start(folder.path(), &centre, &sender.url);
    eventually("it has a policy", || edge.decides_with(&built_in));
    let brand_of = |digest: &Value| {
        let known = digests.iter().find(|(_, known)| known == digest);
        known.map_or(BUILT_IN, |(brand, _)| brand)
    };
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..3)
            .map(|number| {
                let (edge, done, brand_of) = (&edge, &done, &brand_of);
                scope.spawn(move || {
                    let somebody = format!("+1415555040{number}");
                    let mut rounds = 0;
                    while !done.load(Ordering::Relaxed) {
                        let answer = edge.says(&somebody, "HELP");
                        let reply = answer["reply"].as_str().unwrap();
                        assert!(reply.contains(brand_of(&answer["policy"])), "{answer}");
                        assert_eq!(edge.send(&somebody).ok()["sent"], true);
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        for round in 0..6 {
            let (_, digest) = &digests[round % 2];
            activate(&centre, digest).ok();
            eventually("the edge follows", || edge.decides_with(digest));
        }
        done.store(true, Ordering::Relaxed);
        for one in asking {
            assert!(one.join().unwrap() > 0);
        }
    });
}
