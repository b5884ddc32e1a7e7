//! The webhook for everybody without one of their own.

use serde_json::{Value, json};

use crate::support::ANN;
use crate::webhooks::{connected, counted, generic, now, refused};

#[test]
fn a_signed_message_is_answered_as_by_the_api() {
    let gateway = connected();
    let stop = json!({
        "channel": "sms", "from": ANN, "to": "+18335550100", "body": "STOP", "messageId": "A1",
        "fieldOfTomorrow": [1, 2],
    });
    let answer = generic(&gateway, "msg_1", now(), &stop).ok();
    assert_eq!(answer["intent"], "opt-out");
    assert_eq!(answer["duplicate"], false);
    assert!(answer["reply"].is_string());
    // Its own identifier counts, whatever the delivery is called.
    let again = generic(&gateway, "msg_2", now(), &stop).ok();
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["eventId"], answer["eventId"]);
}

#[test]
fn what_the_platform_said_comes_the_same_way() {
    let gateway = connected();
    let error = json!({ "platform": "telnyx", "channel": "sms", "address": ANN, "code": 40_300 });
    let answer = generic(&gateway, "msg_1", now(), &error).ok();
    assert_eq!(answer["effect"], "opt-out-all");
    assert_eq!(
        generic(&gateway, "msg_1", now(), &error).ok()["duplicate"],
        true
    );
    assert_eq!(gateway.consent(ANN, "channel=sms"), "OPTOUT");
}

#[test]
fn a_delivery_of_more_than_five_minutes_ago_is_refused() {
    let gateway = connected();
    let stop = json!({ "channel": "sms", "from": ANN, "body": "STOP" });
    for seconds in [now() - 400, now() + 400, 0, i64::MAX] {
        let answer = generic(&gateway, "msg_1", seconds, &stop);
        assert_eq!(answer.status, 403, "{seconds}: {}", answer.text);
    }
    assert!(counted(&gateway, &refused("generic", "stale-signature")) > 0);
    assert!(gateway.events(ANN).is_empty());
    assert_eq!(generic(&gateway, "msg_1", now() - 200, &stop).status, 200);
}

#[test]
fn what_cannot_be_used_names_the_field() {
    let gateway = connected();
    for (message, status, field) in [
        (
            json!({ "channel": "fax", "from": ANN, "body": "STOP" }),
            422,
            "channel",
        ),
        (
            json!({ "channel": "sms", "from": "4155550123", "body": "STOP" }),
            422,
            "from",
        ),
        (json!({ "channel": "sms", "from": ANN }), 422, "body"),
        (json!({ "from": ANN, "body": "STOP" }), 422, "channel"),
        (json!({ "platform": "telnyx", "address": ANN }), 422, "code"),
        (Value::Null, 422, "(body)"),
    ] {
        generic(&gateway, "msg_1", now(), &message).is_problem(status, field);
    }
    assert!(counted(&gateway, &refused("generic", "invalid-field")) > 0);
    assert!(gateway.events(ANN).is_empty());
}
