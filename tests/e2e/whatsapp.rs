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

fn notice(gateway: &Gateway, what: Value) -> Value {
    let mut notice = json!({ "platform": "meta", "address": CLEO });
    for (name, value) in what.as_object().unwrap() {
        notice[name] = value.clone();
    }
    gateway.post("/v1/platform-notices", &notice).ok()
}

const CLEO: &str = "+5511961234567";

/// Somebody in Brazil who agreed to offers by WhatsApp, and how the next one fares.
fn agreed() -> (Gateway, impl Fn(&Gateway) -> Value) {
    let gateway = Gateway::start();
    let evidence = json!({ "evidence": {
        "timestamp": "2025-11-02T10:00:00Z", "address": CLEO, "text": "Send me offers",
    }});
    let query = "status=OPTIN&channel=whatsapp&category=marketing";
    gateway.report(CLEO, query, &evidence).ok();
    let offer = |gateway: &Gateway| {
        gateway.preflight(json!({
            "channel": "whatsapp", "to": CLEO,
            "template": { "name": "offer", "category": "marketing" },
        }))
    };
    (gateway, offer)
}

#[test]
fn a_stop_set_with_meta_ends_marketing_alone_until_it_is_resumed_there() {
    let (gateway, offer) = agreed();
    assert_eq!(offer(&gateway)["allowed"], true);
    for stop in [json!({ "preference": "stop" }), json!({ "code": 131_050 })] {
        assert_eq!(notice(&gateway, stop)["effect"], "opt-out");
        assert_eq!(offer(&gateway)["reason"], "opted_out");
        assert_eq!(
            gateway.consent(CLEO, "channel=sms&category=marketing"),
            "NONE"
        );
        assert_eq!(
            gateway.consent(CLEO, "channel=whatsapp&category=utility"),
            "NONE"
        );
        let resumed = notice(&gateway, json!({ "preference": "resume" }));
        assert_eq!(resumed["effect"], "resume");
        assert_eq!(offer(&gateway)["allowed"], true);
    }
}

#[test]
fn a_resume_with_meta_never_undoes_the_persons_own_stop() {
    let (gateway, offer) = agreed();
    notice(&gateway, json!({ "preference": "stop" }));
    gateway.inbound(json!({ "channel": "whatsapp", "from": CLEO, "body": "PARAR" }));
    notice(&gateway, json!({ "preference": "resume" }));
    assert_eq!(offer(&gateway)["reason"], "opted_out");
}

#[test]
fn errors_of_delivery_are_what_they_are_and_no_opt_outs() {
    let (gateway, offer) = agreed();
    for (code, effect) in [
        (130_472, "none"),
        (131_047, "window-closed"),
        (131_026, "none"),
    ] {
        assert_eq!(notice(&gateway, json!({ "code": code }))["effect"], effect);
        assert_eq!(offer(&gateway)["allowed"], true, "{code}");
    }
    let once = json!({ "code": 131_049, "messageId": "wamid.1" });
    assert_eq!(notice(&gateway, once.clone())["effect"], "backoff");
    assert_eq!(notice(&gateway, once)["duplicate"], true);
    let waits = offer(&gateway);
    assert_eq!(waits["reason"], "provider_backoff");
    assert_ne!(waits["retryAt"], Value::Null);
    let both =
        json!({ "platform": "meta", "address": CLEO, "preference": "stop", "code": 131_050 });
    gateway
        .post("/v1/platform-notices", &both)
        .is_problem(422, "code");
}
