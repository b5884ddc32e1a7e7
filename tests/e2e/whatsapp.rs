//! WhatsApp: the service window, and templates.

use serde_json::{Value, json};

use crate::support::{ANN, Gateway, changes};

const QUESTION: &str = "Would you like to receive order updates from Example Inc via WhatsApp?";

fn template() -> Value {
    json!({
        "channel": "whatsapp", "to": ANN,
        "template": { "name": "order_update", "category": "utility" },
    })
}

fn writes_at(gateway: &Gateway, channel: &str, moment: &str) {
    gateway.inbound(json!({
        "channel": channel, "from": ANN, "body": "Do you ship to Brazil?", "sentAt": moment,
    }));
}

fn free_form_at(gateway: &Gateway, moment: &str) -> Value {
    gateway.ask(json!({ "channel": "whatsapp", "to": ANN, "at": moment }))
}

#[test]
fn a_template_without_a_recorded_opt_in_is_denied() {
    let gateway = Gateway::start();
    let answer = gateway.preflight(template());
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["reason"], "no_opt_in_evidence");
    assert_ne!(answer["route"], "send");

    // A chat that the customer began is no opt-in, and nor is one that somebody merely asserts.
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Hello" }));
    assert_eq!(
        gateway.preflight(template())["reason"],
        "no_opt_in_evidence"
    );
    let query = "status=OPTIN&channel=whatsapp&category=utility";
    gateway
        .report(ANN, query, &json!({ "source": "agent" }))
        .ok();
    assert_eq!(
        gateway.preflight(template())["reason"],
        "no_opt_in_evidence"
    );
}

#[test]
fn a_tapped_yes_in_a_list_picker_is_an_opt_in_with_time_number_and_exact_text() {
    let gateway = Gateway::start();
    let answer = gateway.inbound(json!({
        "channel": "whatsapp", "from": ANN, "body": "Yes", "sentAt": "2025-11-02T10:00:00Z",
        "selection": { "id": "yes", "title": "Yes" }, "question": QUESTION,
    }));
    assert_eq!(answer["intent"], "answer-yes");
    assert_eq!(changes(&answer), ["whatsapp utility OPTIN"]);
    let allowed = gateway.preflight(template());
    assert_eq!(allowed["allowed"], true);
    assert_eq!(allowed["route"], "send");

    let event = gateway.events(ANN).pop().unwrap();
    assert_eq!(event["saidAt"], "2025-11-02T10:00:00.000Z");
    assert_eq!(event["address"], ANN);
    assert_eq!(event["question"], QUESTION);
    assert_eq!(event["selection"], json!({ "id": "yes", "title": "Yes" }));

    // Order updates were asked for, offers were not.
    let mut offer = template();
    offer["template"] = json!({ "name": "black_friday", "category": "marketing" });
    assert_eq!(gateway.preflight(offer)["allowed"], false);
}

#[test]
fn an_opt_in_reported_with_time_number_and_exact_text_allows_a_template() {
    let gateway = Gateway::start();
    let evidence = json!({
        "timestamp": "2025-11-02T10:00:00Z", "address": ANN, "text": QUESTION,
    });
    let query = "status=OPTIN&channel=whatsapp&category=utility";
    let mut missing = evidence.clone();
    missing.as_object_mut().unwrap().remove("text");
    gateway
        .report(ANN, query, &json!({ "evidence": missing }))
        .ok();
    assert_eq!(
        gateway.preflight(template())["reason"],
        "no_opt_in_evidence"
    );
    gateway
        .report(ANN, query, &json!({ "evidence": evidence }))
        .ok();
    assert_eq!(gateway.preflight(template())["allowed"], true);
}

#[test]
fn a_free_form_message_is_allowed_for_24_hours_and_not_a_millisecond_longer() {
    let gateway = Gateway::start();
    assert_eq!(
        free_form_at(&gateway, "2025-11-02T10:00:00Z")["reason"],
        "window_closed"
    );
    writes_at(&gateway, "whatsapp", "2025-11-02T10:00:00Z");
    for moment in [
        "2025-11-02T10:00:00Z",
        "2025-11-03T09:59:59Z",
        "2025-11-03T10:00:00Z",
        "2025-11-03T05:00:00-05:00",
    ] {
        assert_eq!(free_form_at(&gateway, moment)["allowed"], true, "{moment}");
    }
    for moment in ["2025-11-03T10:00:00.001Z", "2025-11-03T10:00:01Z"] {
        let answer = free_form_at(&gateway, moment);
        assert_eq!(answer["allowed"], false, "{moment}");
        assert_eq!(answer["reason"], "window_closed", "{moment}");
    }
}

#[test]
fn the_window_counts_from_the_last_message_whatever_the_order_of_arrival() {
    let gateway = Gateway::start();
    writes_at(&gateway, "whatsapp", "2025-11-02T12:00:00Z");
    writes_at(&gateway, "whatsapp", "2025-11-02T10:00:00Z");
    assert_eq!(
        free_form_at(&gateway, "2025-11-03T12:00:00Z")["allowed"],
        true
    );
    assert_eq!(
        free_form_at(&gateway, "2025-11-03T12:00:01Z")["allowed"],
        false
    );
}

#[test]
fn a_text_message_opens_no_window_on_whatsapp() {
    let gateway = Gateway::start();
    writes_at(&gateway, "sms", "2025-11-02T10:00:00Z");
    assert_eq!(
        free_form_at(&gateway, "2025-11-02T10:00:01Z")["reason"],
        "window_closed"
    );
}

#[test]
fn a_message_dated_in_the_future_does_not_keep_the_window_open_until_then() {
    let gateway = Gateway::start();
    writes_at(&gateway, "whatsapp", "2099-01-01T00:00:00Z");
    assert_eq!(
        free_form_at(&gateway, "2099-01-01T00:00:00Z")["reason"],
        "window_closed"
    );
}

#[test]
fn a_stop_on_whatsapp_ends_texts_too_and_closes_the_window() {
    let gateway = Gateway::start();
    let answer = gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Stop." }));
    assert_eq!(answer["route"], "disconnect");
    assert_eq!(gateway.consent(ANN, "channel=sms"), "OPTOUT");
    let free_form = json!({ "channel": "whatsapp", "to": ANN });
    assert_eq!(gateway.preflight(free_form)["reason"], "opted_out");
}
