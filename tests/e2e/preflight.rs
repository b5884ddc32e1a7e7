//! Pre-flight beyond consent: the hour, the number of messages, what is answered, and the receipt.

use std::thread;

use serde_json::{Value, json};

use crate::support::{ANN, Gateway, NOON, consentry, ended};

/// A number of Florida, which allows three messages in a day.
const FAY: &str = "+13055550123";

fn opted_in(gateway: &Gateway, who: &str) {
    let query = "status=OPTIN&channel=sms&category=marketing";
    gateway
        .report(who, query, &json!({ "source": "web-form" }))
        .ok();
}

/// Noon in Florida, some days from now.
fn coming_noon(days: i64) -> String {
    let day = chrono::Utc::now().date_naive() + chrono::Days::new(days.unsigned_abs());
    format!("{day}T17:00:00Z")
}

#[test]
fn marketing_waits_for_the_morning_and_a_code_does_not() {
    let gateway = Gateway::start();
    opted_in(&gateway, ANN);
    let ask = |category: &str, at: &str| {
        gateway.ask(json!({ "channel": "sms", "to": ANN, "category": category, "at": at }))
    };
    let night = "2026-06-10T07:00:00Z";
    let answer = ask("marketing", night);
    assert_eq!(answer["allowed"], false);
    assert_eq!(answer["reason"], "quiet_hours");
    assert_eq!(answer["retryAt"], "2026-06-10T15:00:00.000Z");
    assert_eq!(ask("marketing", "2026-06-10T15:00:00Z")["allowed"], true);
    assert_eq!(ask("authentication", night)["allowed"], true);
}

#[test]
fn the_clock_of_a_known_time_zone_counts_instead_of_the_numbers() {
    let gateway = Gateway::start();
    opted_in(&gateway, ANN);
    let mut question = json!({
        "channel": "sms", "to": ANN, "category": "marketing", "at": "2026-06-10T12:30:00Z",
    });
    assert_eq!(gateway.ask(question.clone())["reason"], "quiet_hours");
    question["timeZone"] = "America/New_York".into();
    question["region"] = "US-NY".into();
    assert_eq!(gateway.ask(question.clone())["allowed"], true);
    question["timeZone"] = "Mars/Olympus".into();
    question["dryRun"] = true.into();
    gateway
        .post("/v1/preflight", &question)
        .is_problem(422, "timeZone");
}

#[test]
fn of_twenty_that_race_for_three_places_three_get_one() {
    let gateway = Gateway::start();
    opted_in(&gateway, FAY);
    let question = json!({
        "channel": "sms", "to": FAY, "category": "marketing", "at": coming_noon(1),
    });
    let answers: Vec<Value> = thread::scope(|scope| {
        let asked: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| gateway.preflight(question.clone())))
            .collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    let allowed = answers.iter().filter(|answer| answer["allowed"] == true);
    assert_eq!(allowed.count(), 3, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer["allowed"] == false) {
        assert_eq!(answer["reason"], "frequency_cap");
        assert_eq!(answer["retryAt"], coming_noon(2).replace('Z', ".000Z"));
    }
    // Only to ask takes no place.
    let mut later = question;
    later["at"] = coming_noon(2).into();
    for _ in 0..5 {
        assert_eq!(gateway.ask(later.clone())["allowed"], true);
    }
}

#[test]
fn one_message_may_confirm_the_newest_opt_out() {
    let gateway = Gateway::start();
    let first = gateway.text(ANN, "STOP");
    let newest = gateway.text(ANN, "Stop!!");
    let confirm = |event: &Value| {
        gateway.preflight(json!({
            "channel": "sms", "to": ANN, "category": "service", "inReplyTo": event,
        }))
    };
    assert_eq!(confirm(&first["eventId"])["reason"], "not_newest_opt_out");
    assert_eq!(confirm(&newest["eventId"])["allowed"], true);
    assert_eq!(confirm(&newest["eventId"])["reason"], "already_answered");
    let without = gateway.preflight(json!({ "channel": "sms", "to": ANN, "category": "service" }));
    assert_eq!(without["reason"], "opted_out");
    let question = gateway.text(ANN, "Do you ship to Brazil?");
    for event in [&question["eventId"], &"no-such-event".into()] {
        let ask = json!({ "channel": "sms", "to": ANN, "category": "service", "inReplyTo": event });
        gateway
            .post("/v1/preflight", &ask)
            .is_problem(422, "inReplyTo");
    }
}

#[test]
fn a_confirmation_that_comes_six_minutes_later_is_refused() {
    let gateway = Gateway::start();
    let said = chrono::Utc::now() - chrono::TimeDelta::minutes(6);
    let stop = gateway.inbound(json!({
        "channel": "sms", "from": ANN, "body": "STOP", "sentAt": said.to_rfc3339(),
    }));
    let answer = gateway.preflight(json!({
        "channel": "sms", "to": ANN, "category": "service", "inReplyTo": stop["eventId"],
    }));
    assert_eq!(answer["reason"], "confirmation_too_late");
}

#[test]
fn who_asks_for_help_is_answered_even_after_a_stop() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let help = gateway.text(ANN, "HELP");
    let question = json!({
        "channel": "sms", "to": ANN, "category": "service", "inReplyTo": help["eventId"],
    });
    assert_eq!(gateway.preflight(question.clone())["allowed"], true);
    assert_eq!(gateway.preflight(question)["reason"], "already_answered");
}

#[test]
fn a_send_time_in_the_past_is_refused_and_named() {
    let gateway = Gateway::start();
    let question = json!({
        "channel": "sms", "to": ANN, "category": "authentication", "at": NOON,
    });
    gateway
        .post("/v1/preflight", &question)
        .is_problem(422, "at");
    assert_eq!(gateway.ask(question)["allowed"], true);
}

#[test]
fn all_reasons_are_given_when_they_are_asked_for() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let answer = gateway.ask(json!({
        "channel": "whatsapp", "to": ANN, "at": "2026-06-10T07:00:00Z", "explain": true,
        "template": { "name": "offer", "category": "marketing" },
    }));
    assert_eq!(
        answer["reasons"],
        json!([
            "opted_out",
            "no_consent",
            "no_opt_in_evidence",
            "template_paused",
            "quiet_hours"
        ])
    );
    assert_eq!(answer["reason"], "opted_out");
    assert_eq!(answer["retryAt"], Value::Null);
}

#[test]
fn a_chat_from_an_advertisement_opens_a_window_of_three_days() {
    let gateway = Gateway::start();
    gateway.inbound(json!({
        "channel": "whatsapp", "from": ANN, "body": "Hi", "sentAt": "2026-06-01T12:00:00Z",
        "adEntry": true,
    }));
    let at = |moment: &str| {
        gateway.ask(json!({ "channel": "whatsapp", "to": ANN, "at": moment }))["allowed"].clone()
    };
    assert_eq!(at("2026-06-04T12:00:00Z"), true);
    assert_eq!(at("2026-06-04T12:00:01Z"), false);
}

#[test]
fn a_receipt_is_verified_offline_and_fails_when_a_byte_is_changed() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let answer = gateway.preflight(json!({ "channel": "sms", "to": ANN, "category": "billing" }));
    let receipt = answer["receipt"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let public = gateway.get("/.well-known/jwks.json").ok();
    assert!(public["keys"][0].get("d").is_none());
    std::fs::write(&keys, public.to_string()).unwrap();
    let keys = keys.to_str().unwrap();

    let verified = ended(&mut consentry(&[
        "receipt", "verify", receipt, "--keys", keys,
    ]));
    assert!(verified.status.success(), "{verified:?}");
    let said: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(said["answer"]["reason"], "opted_out");
    assert_eq!(said["question"]["to"], ANN);
    assert_eq!(said["consentEvent"], gateway.events(ANN)[0]["eventId"]);
    assert_eq!(said["decisionId"], answer["decisionId"]);
    assert_eq!(said["policy"], answer["policy"]);

    let changed = receipt.replacen('.', ".A", 1);
    let refused = ended(&mut consentry(&[
        "receipt", "verify", &changed, "--keys", keys,
    ]));
    assert_eq!(refused.status.code(), Some(1));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("signature does not fit"), "{error}");
}
