//! Open Messaging: what goes from the contact to Genesys Cloud, and from there to the contact.

use serde_json::{Value, json};

use crate::support::ANN;
use crate::webhooks::{connected, counted, meta_signature, open_messaging, refused};

const SMS: &str = "?channel=sms&category=service";

/// What a contact wrote, as it goes to Genesys Cloud.
fn inbound(id: &str, from: Value, text: &str) -> Value {
    json!({
        "channel": {
            "platform": "Open", "type": "Private", "messageId": id,
            "to": { "id": "6a5bd2b1-0000-4000-8000-000000000000" },
            "from": from, "time": "2026-06-10T19:00:00.000Z",
        },
        "type": "Text", "text": text, "direction": "Inbound",
    })
}

/// What an agent wrote, as it comes from there.
fn outbound(to: &str, text: &str) -> Value {
    json!({
        "id": "b1946ac92492d2347c6235b4d2611184",
        "channel": {
            "id": "6a5bd2b1-0000-4000-8000-000000000000", "platform": "Open", "type": "Private",
            "to": { "id": to, "idType": "Opaque" },
            "from": { "nickname": "Support", "id": "6a5bd2b1-0000-4000-8000-000000000000", "idType": "Opaque" },
            "time": "2026-06-10T19:05:00.000Z",
        },
        "type": "Text", "text": text, "originatingEntity": "Human", "direction": "Outbound",
    })
}

#[test]
fn after_a_stop_an_agents_message_stays() {
    let gateway = connected();
    let allowed = open_messaging(&gateway, SMS, &outbound(ANN, "How can I help?"));
    assert_eq!(allowed.status, 200, "{}", allowed.text);
    assert_eq!(allowed.json["allowed"], true);

    let stop = inbound(
        "m1",
        json!({ "id": ANN, "idType": "Phone", "firstName": "Ann" }),
        "STOP!!",
    );
    let answer = open_messaging(&gateway, SMS, &stop).ok();
    assert_eq!(answer["intent"], "opt-out");
    assert_eq!(answer["duplicate"], false);
    assert!(answer["reply"].is_string());
    assert_eq!(open_messaging(&gateway, SMS, &stop).ok()["duplicate"], true);

    let denied = open_messaging(&gateway, SMS, &outbound(ANN, "Wait, one more offer!"));
    assert_eq!(denied.status, 403);
    assert_eq!(denied.json["allowed"], false);
    assert_eq!(denied.json["reason"], "opted_out");
}

#[test]
fn without_a_category_an_agents_message_needs_the_most() {
    let gateway = connected();
    let answer = open_messaging(&gateway, "?channel=sms", &outbound(ANN, "Hello"));
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json["reason"], "no_consent");
}

#[test]
fn a_button_decides_by_its_payload() {
    let gateway = connected();
    let mut tapped = inbound("m1", json!({ "id": ANN, "idType": "Phone" }), "Fine");
    tapped["type"] = "Structured".into();
    tapped["content"] = json!([{
        "contentType": "ButtonResponse",
        "buttonResponse": { "type": "Button", "text": "Fine", "payload": "STOP" },
    }]);
    open_messaging(&gateway, "?channel=whatsapp", &tapped).ok();
    let event = &gateway.events(ANN)[0];
    assert_eq!(event["selection"], json!({ "id": "STOP", "title": "Fine" }));
}

#[test]
fn whoever_has_no_plus_has_one_all_the_same() {
    let gateway = connected();
    for (query, from) in [
        (
            "?channel=sms",
            json!({ "id": "14155550123", "idType": "Phone" }),
        ),
        ("?channel=sms", json!({ "id": ANN, "idType": "Opaque" })),
        (
            "?channel=sms&country=US",
            json!({ "id": "4155550123", "idType": "Phone" }),
        ),
    ] {
        let id = from.to_string();
        open_messaging(&gateway, query, &inbound(&id, from, "hello")).ok();
    }
    assert_eq!(gateway.events(ANN).len(), 3);
}

#[test]
fn what_is_no_message_changes_nothing() {
    let gateway = connected();
    for kind in ["Event", "Receipt", "HealthCheck", "Tomorrow"] {
        let mut other = outbound(ANN, "");
        other["type"] = kind.into();
        assert_eq!(open_messaging(&gateway, "", &other).status, 204, "{kind}");
    }
    let nobody = inbound(
        "m1",
        json!({ "id": "visitor-7", "idType": "Opaque" }),
        "STOP",
    );
    assert_eq!(open_messaging(&gateway, SMS, &nobody).status, 204);
    assert!(gateway.events(ANN).is_empty());
}

#[test]
fn what_cannot_be_used_names_the_field_and_lets_nothing_out() {
    let gateway = connected();
    let good = outbound(ANN, "Hello");
    let without = |field: &str| {
        let mut document = good.clone();
        document.as_object_mut().unwrap().remove(field);
        document
    };
    for (query, document, field) in [
        ("", good.clone(), "channel"),
        ("?channel=fax", good.clone(), "channel"),
        (
            "?channel=sms&category=no category",
            good.clone(),
            "category",
        ),
        (SMS, without("direction"), "direction"),
        (SMS, without("type"), "type"),
        (SMS, without("channel"), "channel.to.id"),
        (SMS, outbound("visitor-7", "Hello"), "channel.to.id"),
    ] {
        open_messaging(&gateway, query, &document).is_problem(422, field);
    }
    // Meta writes the same signature another way.
    let body = good.to_string();
    let signature = meta_signature("a secret of the integration", body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("x-hub-signature-256", &*signature),
    ];
    let path = "/webhooks/genesys?channel=sms";
    let answer = crate::webhooks::deliver(&gateway, path, &headers, body);
    assert_eq!(answer.status, 403);
    assert!(counted(&gateway, &refused("genesys", "bad-signature")) > 0);
}
