//! Somebody says stop.

use serde_json::json;

use crate::support::{ANN, Gateway, NOON, changes};

const CONFIRMATION: &str =
    "You have been unsubscribed from SMS alerts. To re-subscribe, text START.";

const EVERY_CHANNEL: [&str; 4] = ["sms", "whatsapp", "voice", "email"];

#[test]
fn every_way_to_say_stop_by_sms_opts_out_on_every_channel_at_once() {
    let gateway = Gateway::start();
    let words = [
        "STOP",
        "STOP!!",
        "stop please",
        "Quit",
        "CANCEL",
        "unsubscribe",
    ];
    for (index, words) in words.into_iter().enumerate() {
        let number = format!("+1415555010{index}");
        let answer = gateway.text(&number, words);
        assert_eq!(answer["intent"], "opt-out", "{words}");
        assert_eq!(answer["scope"], "all", "{words}");
        assert_eq!(
            changes(&answer),
            [
                "email * OPTOUT",
                "sms * OPTOUT",
                "voice * OPTOUT",
                "whatsapp * OPTOUT"
            ],
            "{words}"
        );
        for channel in EVERY_CHANNEL {
            let status = gateway.consent(&number, &format!("channel={channel}"));
            assert_eq!(status, "OPTOUT", "{words}, {channel}");
        }
    }
}

#[test]
fn a_stop_is_confirmed_once_and_never_reaches_an_agent() {
    let gateway = Gateway::start();
    let message = json!({
        "channel": "sms", "from": ANN, "body": "STOP", "messageId": "SM1",
    });
    let answer = gateway.inbound(message.clone());
    let reply = answer["reply"].as_str().unwrap();
    assert!(reply.contains(CONFIRMATION), "{reply}");
    assert_eq!(answer["route"], "disconnect");
    // Delivered again, it is the same confirmation and not a second one.
    let again = gateway.inbound(message);
    assert_eq!(again["duplicate"], true);
    assert_eq!(again["eventId"], answer["eventId"]);
    assert_eq!(gateway.events(ANN).len(), 1);
}

#[test]
fn an_opt_out_has_the_priority_of_a_high_value_lead() {
    let gateway = Gateway::start();
    assert_eq!(gateway.text(ANN, "STOP")["priority"], "high");
    assert_eq!(gateway.text(ANN, "When do you open?")["priority"], "normal");
}

#[test]
fn nothing_goes_on_any_channel_to_somebody_who_said_stop() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    for channel in EVERY_CHANNEL {
        for category in ["marketing", "billing", "utility", "no-such-category"] {
            let answer = gateway.preflight(json!({
                "channel": channel, "to": ANN, "category": category,
            }));
            assert_eq!(answer["allowed"], false, "{channel} {category}");
            assert_eq!(answer["reason"], "opted_out", "{channel} {category}");
            assert_eq!(answer["route"], "silent-failure", "{channel} {category}");
            assert_eq!(answer["retryAt"], json!(null), "{channel} {category}");
        }
    }
    let template = json!({ "name": "order_update", "category": "utility" });
    let answer = gateway.preflight(json!({
        "channel": "whatsapp", "to": ANN, "template": template,
    }));
    assert_eq!(answer["reason"], "opted_out");
}

#[test]
fn a_stale_campaign_list_changes_nothing() {
    let gateway = Gateway::start();
    let campaign = json!({
        "channel": "sms", "to": ANN, "category": "marketing", "at": NOON, "dryRun": true,
    });
    let opt_in = gateway.report(
        ANN,
        "status=OPTIN&channel=sms&category=marketing",
        &json!({ "source": "web-form" }),
    );
    assert_eq!(opt_in.ok()["consentStatus"], "OPTIN");
    assert_eq!(gateway.preflight(campaign.clone())["allowed"], true);
    gateway.text(ANN, "STOP");

    // The list still has the number, asks for it again and again, and imports it anew.
    for _ in 0..3 {
        assert_eq!(gateway.preflight(campaign.clone())["reason"], "opted_out");
    }
    let import = gateway.report(
        ANN,
        "status=OPTIN&channel=sms&category=marketing",
        &json!({ "source": "import" }),
    );
    import.is_problem(409, "evidence");
    assert_eq!(gateway.preflight(campaign)["reason"], "opted_out");
    assert_eq!(gateway.consent(ANN, "category=marketing"), "OPTOUT");
    // The attempt is on record, and nothing that it wanted holds.
    let attempt = gateway.events(ANN).pop().unwrap();
    assert_eq!(attempt["eventId"], import.json["eventId"]);
    assert_eq!(attempt["source"], "import");
}

#[test]
fn a_stop_said_on_one_address_of_a_person_counts_for_the_others() {
    let gateway = Gateway::start();
    let other = "ann@example.org";
    let opt_in = gateway.report(
        ANN,
        "status=OPTIN&channel=email&category=marketing",
        &json!({ "addresses": [other] }),
    );
    opt_in.ok();
    let newsletter = json!({ "channel": "email", "to": other, "category": "marketing" });
    assert_eq!(gateway.preflight(newsletter.clone())["allowed"], true);
    gateway.text(ANN, "STOP");
    assert_eq!(gateway.preflight(newsletter)["reason"], "opted_out");
}

#[test]
fn an_opt_out_that_somebody_reports_counts_too() {
    let gateway = Gateway::start();
    let answer = gateway.report(
        ANN,
        "status=OPTOUT",
        &json!({ "source": "agent", "actor": "agent-7" }),
    );
    assert_eq!(answer.ok()["consentStatus"], "OPTOUT");
    for channel in EVERY_CHANNEL {
        assert_eq!(
            gateway.consent(ANN, &format!("channel={channel}")),
            "OPTOUT"
        );
    }
    // On one channel only, when one is named.
    let bob = "+442071838750";
    gateway
        .report(bob, "status=OPTOUT&channel=sms", &json!({}))
        .ok();
    assert_eq!(gateway.consent(bob, "channel=sms"), "OPTOUT");
    assert_eq!(gateway.consent(bob, "channel=email"), "NONE");
}

/// Two contacts that turn out to be one person.
#[test]
fn a_reported_opt_out_with_an_address_of_another_contact_holds_for_both() {
    let gateway = Gateway::start();
    let (bob, email, new) = ("+442071838750", "bob@example.org", "ann@example.org");
    let opt_in = "status=OPTIN&channel=sms";
    gateway.report(ANN, opt_in, &json!({})).ok();
    gateway
        .report(bob, opt_in, &json!({ "addresses": [email] }))
        .ok();

    let report = json!({ "source": "agent", "addresses": [new, bob, email] });
    let answer = gateway.report(ANN, "status=OPTOUT", &report).ok();
    assert_eq!(answer["consentStatus"], "OPTOUT");
    for of in [ANN, new, bob, email] {
        for channel in EVERY_CHANNEL {
            let status = gateway.consent(of, &format!("channel={channel}"));
            assert_eq!(status, "OPTOUT", "{of}, {channel}");
        }
        // One event for each contact, however many of its addresses were named.
        let events = gateway.events(of);
        assert_eq!(events.len(), 2, "{of}");
        assert_eq!(events[1]["source"], "agent", "{of}");
    }
    let (anns, bobs) = (gateway.events(ANN), gateway.events(bob));
    assert_eq!(anns[1]["eventId"], answer["eventId"]);
    assert_eq!(anns[1]["address"], ANN);
    assert_eq!(bobs[1]["address"], bob);
    assert_ne!(anns[1]["eventId"], bobs[1]["eventId"]);
}

#[test]
fn the_record_holds_what_was_said_verbatim() {
    let gateway = Gateway::start();
    let said = "  stop!! \u{1f6d1}\n";
    let message = json!({
        "channel": "sms", "from": ANN, "to": "+18335550100", "body": said,
        "messageId": "SM1", "sentAt": "2025-11-02T10:00:00.5-05:00",
        "footer": "Reply STOP to end", "question": "Still there?",
    });
    let answer = gateway.inbound(message);
    let events = gateway.events(ANN);
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event["body"], said);
    assert_eq!(event["address"], ANN);
    assert_eq!(event["businessAddress"], "+18335550100");
    assert_eq!(event["messageId"], "SM1");
    assert_eq!(event["footer"], "Reply STOP to end");
    assert_eq!(event["question"], "Still there?");
    assert_eq!(event["saidAt"], "2025-11-02T15:00:00.500Z");
    for name in [
        "eventId", "rule", "policy", "reply", "route", "intent", "changes",
    ] {
        assert_eq!(event[name], answer[name], "{name}");
    }
}

#[test]
fn the_confirmation_asks_what_may_go_on_and_silence_means_nothing() {
    let gateway = Gateway::start();
    let utility = |from: &str| gateway.consent(from, "channel=sms&category=utility");
    let marketing = |from: &str| gateway.consent(from, "channel=sms&category=marketing");
    let reply = gateway.text(ANN, "STOP")["reply"].clone();
    let reply = reply.as_str().unwrap();
    assert!(
        reply.ends_with(" To keep order updates only, reply YES."),
        "{reply}"
    );
    assert_eq!(
        (utility(ANN), marketing(ANN)),
        ("OPTOUT".into(), "OPTOUT".into())
    );
    // What people say to any confirmation is no answer; the word that was asked for is one.
    for (from, says, then) in [
        ("+14155550124", vec!["ok thanks"], "OPTOUT"),
        ("+14155550125", vec!["what is this", "yes"], "OPTOUT"),
        ("+14155550126", vec!["STOP", "no"], "OPTOUT"),
        ("+14155550127", vec!["Yes please"], "OPTIN"),
        ("+14155550128", vec!["stop!", "YES"], "OPTIN"),
    ] {
        gateway.text(from, "STOP");
        for said in &says {
            gateway.text(from, said);
        }
        assert_eq!(utility(from), then, "{says:?}");
        assert_eq!(marketing(from), "OPTOUT", "{says:?}");
        assert_eq!(
            gateway.consent(from, "channel=voice&category=utility"),
            "OPTOUT"
        );
    }
}

#[test]
fn the_question_of_a_confirmation_is_open_for_a_day() {
    let gateway = Gateway::start();
    let says = |body: &str, at: &str| {
        let message = json!({ "channel": "sms", "from": ANN, "body": body, "sentAt": at });
        gateway.inbound(message)
    };
    says("STOP", "2026-06-10T12:00:00Z");
    assert_eq!(says("yes", "2026-06-11T12:00:01Z")["intent"], "other");
    says("STOP", "2026-06-12T12:00:00Z");
    assert_eq!(says("yes", "2026-06-13T12:00:00Z")["intent"], "answer-yes");
}
