//! Somebody comes back.

use serde_json::json;

use crate::support::{ANN, Gateway, NOON, changes};

#[test]
fn start_and_unstop_opt_in_again_with_a_welcome_and_the_privacy_policy() {
    for words in ["START", "UNSTOP"] {
        let gateway = Gateway::start();
        gateway.text(ANN, "STOP");
        let answer = gateway.text(ANN, words);
        assert_eq!(answer["intent"], "opt-in", "{words}");
        assert!(
            changes(&answer).contains(&"sms * OPTIN".to_owned()),
            "{words}"
        );
        let reply = answer["reply"].as_str().unwrap().to_lowercase();
        assert!(reply.contains("welcome back"), "{reply}");
        assert!(reply.contains("https://"), "{reply}");
        assert!(reply.contains("privacy"), "{reply}");

        assert_eq!(gateway.consent(ANN, ""), "OPTIN", "{words}");
        let answer = gateway.ask(json!({
            "channel": "sms", "to": ANN, "category": "marketing", "at": NOON,
        }));
        assert_eq!(answer["allowed"], true, "{words}");
        assert_eq!(answer["reason"], "allowed", "{words}");
        assert_eq!(answer["route"], "send", "{words}");
    }
}

#[test]
fn asking_for_texts_again_is_not_asking_for_calls() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    gateway.text(ANN, "START");
    assert_eq!(gateway.consent(ANN, "channel=voice"), "NONE");
    let call = json!({ "channel": "voice", "to": ANN, "category": "marketing" });
    assert_eq!(gateway.preflight(call)["reason"], "no_consent");
}

#[test]
fn an_opt_in_from_before_a_stop_does_not_come_back_to_life() {
    let gateway = Gateway::start();
    let by_email = json!({ "channel": "email", "to": ANN, "category": "marketing" });
    let query = "status=OPTIN&channel=email&category=marketing";
    gateway.report(ANN, query, &json!({})).ok();
    assert_eq!(gateway.preflight(by_email.clone())["allowed"], true);
    gateway.text(ANN, "STOP");
    gateway.text(ANN, "START");
    assert_eq!(gateway.preflight(by_email)["reason"], "no_consent");
}

#[test]
fn nobody_but_the_person_lifts_the_persons_own_stop() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let without_proof = [
        json!({ "source": "agent" }),
        json!({ "source": "agent", "at": "2099-01-01T00:00:00Z" }),
        // When, but not the wording; the wording, but not when.
        json!({ "evidence": { "timestamp": now() } }),
        json!({ "evidence": { "text": "Yes, text me offers" } }),
        json!({ "evidence": { "timestamp": now(), "text": "  " } }),
        // Proof of an opt-in from before the stop.
        json!({ "evidence": { "timestamp": "2020-01-01T00:00:00Z", "text": "Yes" } }),
    ];
    for body in without_proof {
        let answer = gateway.report(ANN, "status=OPTIN&channel=sms", &body);
        answer.is_problem(409, "evidence");
        assert_eq!(gateway.consent(ANN, "channel=sms"), "OPTOUT", "{body}");
    }
}

#[test]
fn proof_of_an_opt_in_given_after_the_stop_lifts_it() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let proof = json!({ "source": "web-form", "evidence": {
        "timestamp": now(), "address": ANN, "text": "Yes, text me offers. Reply STOP to end.",
    }});
    let answer = gateway.report(ANN, "status=OPTIN&channel=sms", &proof);
    assert_eq!(answer.ok()["consentStatus"], "OPTIN");
    let event = gateway.events(ANN).pop().unwrap();
    assert_eq!(event["evidence"], proof["evidence"]);
}

#[test]
fn proof_from_the_future_is_no_proof() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let proof = json!({ "evidence": {
        "timestamp": "2099-01-01T00:00:00Z", "address": ANN, "text": "Yes, text me offers.",
    }});
    let answer = gateway.report(ANN, "status=OPTIN&channel=sms", &proof);
    answer.is_problem(422, "evidence.timestamp");
    assert_eq!(gateway.consent(ANN, "channel=sms"), "OPTOUT");
}

#[test]
fn proof_about_another_person_is_refused() {
    let gateway = Gateway::start();
    let proof = json!({ "evidence": {
        "timestamp": now(), "address": "+442071838750", "text": "Yes, text me offers.",
    }});
    let answer = gateway.report(ANN, "status=OPTIN&channel=sms", &proof);
    answer.is_problem(422, "evidence.address");
    assert_eq!(gateway.events(ANN).len(), 0);
}

/// What one person agreed to must not become what another one did.
#[test]
fn an_opt_in_with_an_address_of_another_contact_is_refused_and_changes_nothing() {
    let gateway = Gateway::start();
    let bob = "+442071838750";
    gateway.text(bob, "hello");
    let answer = gateway.report(
        ANN,
        "status=OPTIN&channel=sms",
        &json!({ "addresses": ["ann@example.org", bob] }),
    );
    answer.is_problem(409, "addresses");
    for of in [ANN, "ann@example.org"] {
        assert!(gateway.events(of).is_empty(), "{of}");
        let consent = gateway.get(&format!("/consent/{of}")).ok();
        assert_eq!(consent["contactId"], json!(null), "{of}");
    }
    assert_eq!(gateway.events(bob).len(), 1);
}

fn now() -> String {
    chrono::Utc::now().to_rfc3339()
}
