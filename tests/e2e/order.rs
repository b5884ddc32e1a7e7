//! The order in which people spoke counts, not the order in which webhooks arrived.

use serde_json::json;

use crate::support::{ANN, Gateway};

fn says_at(gateway: &Gateway, words: &str, moment: &str) {
    gateway.inbound(json!({ "channel": "sms", "from": ANN, "body": words, "sentAt": moment }));
}

#[test]
fn a_late_older_start_never_undoes_a_stop() {
    let gateway = Gateway::start();
    says_at(&gateway, "STOP", "2025-11-02T10:00:00Z");
    says_at(&gateway, "START", "2025-11-02T09:59:59Z");
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
    // A newer one does.
    says_at(&gateway, "START", "2025-11-02T10:00:01Z");
    assert_eq!(gateway.consent(ANN, ""), "OPTIN");
    // And a stop older than that one changes nothing either.
    says_at(&gateway, "STOP", "2025-11-02T10:00:00.5Z");
    assert_eq!(gateway.consent(ANN, ""), "OPTIN");
    assert_eq!(gateway.events(ANN).len(), 4);
}

#[test]
fn of_a_stop_and_a_start_in_the_same_second_the_stop_counts() {
    for (first, second) in [("STOP", "START"), ("START", "STOP")] {
        let gateway = Gateway::start();
        says_at(&gateway, first, "2025-11-02T10:00:00Z");
        says_at(&gateway, second, "2025-11-02T10:00:00Z");
        assert_eq!(gateway.consent(ANN, ""), "OPTOUT", "{first}, {second}");
    }
}

#[test]
fn a_moment_that_is_yet_to_come_counts_as_now() {
    let gateway = Gateway::start();
    says_at(&gateway, "START", "2099-01-01T00:00:00Z");
    assert_eq!(gateway.consent(ANN, ""), "OPTIN");
    // Otherwise nobody could stop until 2099.
    gateway.text(ANN, "STOP");
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
    let said_at = gateway.events(ANN)[0]["saidAt"].clone();
    assert!(!said_at.as_str().unwrap().starts_with("2099"), "{said_at}");
}

#[test]
fn messages_without_a_time_count_in_the_order_in_which_they_came() {
    let gateway = Gateway::start();
    for _ in 0..5 {
        gateway.text(ANN, "STOP");
        assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
        gateway.text(ANN, "START");
        assert_eq!(gateway.consent(ANN, ""), "OPTIN");
    }
}
