//! Providers deliver webhooks more than once.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::support::{ANN, Gateway};

fn message(id: &str, words: &str) -> Value {
    json!({ "channel": "sms", "from": ANN, "body": words, "messageId": id })
}

/// An answer without the mark that tells the first from the others.
fn but_for_the_mark(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("duplicate").unwrap();
    answer
}

#[test]
fn a_message_delivered_twice_gets_the_first_answer_and_changes_nothing() {
    let gateway = Gateway::start();
    let first = gateway.inbound(message("SM1", "STOP"));
    assert_eq!(first["duplicate"], false);
    gateway.inbound(message("SM2", "START"));
    let again = gateway.inbound(message("SM1", "STOP"));
    assert_eq!(again["duplicate"], true);
    assert_eq!(but_for_the_mark(again), but_for_the_mark(first));
    // The start in between stands.
    assert_eq!(gateway.consent(ANN, ""), "OPTIN");
    assert_eq!(gateway.events(ANN).len(), 2);
}

#[test]
fn the_first_words_count_when_an_identifier_comes_with_others() {
    let gateway = Gateway::start();
    let first = gateway.inbound(message("SM1", "STOP"));
    let other = gateway.inbound(message("SM1", "START"));
    assert_eq!(other["eventId"], first["eventId"]);
    assert_eq!(other["intent"], "opt-out");
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn an_identifier_is_one_contacts_and_one_channels() {
    let gateway = Gateway::start();
    gateway.inbound(message("1", "STOP"));
    let mut bobs = message("1", "STOP");
    bobs["from"] = json!("+442071838750");
    assert_eq!(gateway.inbound(bobs)["duplicate"], false);
    let mut by_whatsapp = message("1", "START");
    by_whatsapp["channel"] = json!("whatsapp");
    assert_eq!(gateway.inbound(by_whatsapp)["duplicate"], false);
}

#[test]
fn twenty_deliveries_at_once_make_one_event_and_equal_answers() {
    let gateway = Gateway::start();
    let answers = at_once(20, |_| gateway.inbound(message("SM1", "STOP")));
    let firsts = answers.iter().filter(|answer| answer["duplicate"] == false);
    assert_eq!(firsts.count(), 1);
    let answers: Vec<Value> = answers.into_iter().map(but_for_the_mark).collect();
    assert!(
        answers.windows(2).all(|pair| pair[0] == pair[1]),
        "{answers:#?}"
    );
    assert_eq!(gateway.events(ANN).len(), 1);
}

#[test]
fn two_gateways_on_one_store_count_a_message_once() {
    let one = Gateway::start();
    let other = one.another();
    let answers = at_once(20, |turn| {
        let gateway = if turn % 2 == 0 { &one } else { &other };
        gateway.inbound(message("SM1", "STOP"))
    });
    let firsts = answers.iter().filter(|answer| answer["duplicate"] == false);
    assert_eq!(firsts.count(), 1);
    assert_eq!(one.events(ANN).len(), 1);
}

#[test]
fn messages_without_an_identifier_are_never_taken_for_duplicates() {
    let gateway = Gateway::start();
    for _ in 0..2 {
        assert_eq!(gateway.text(ANN, "STOP")["duplicate"], false);
        assert_eq!(gateway.inbound(message("", "STOP"))["duplicate"], false);
    }
    assert_eq!(gateway.events(ANN).len(), 4);
}

/// Does something many times at the same time.
fn at_once(times: usize, act: impl Fn(usize) -> Value + Sync) -> Vec<Value> {
    let barrier = Barrier::new(times);
    let (act, barrier) = (&act, &barrier);
    thread::scope(|scope| {
        let start = |turn| {
            scope.spawn(move || {
                barrier.wait();
                act(turn)
            })
        };
        let started: Vec<_> = (0..times).map(start).collect();
        started.into_iter().map(|one| one.join().unwrap()).collect()
    })
}
