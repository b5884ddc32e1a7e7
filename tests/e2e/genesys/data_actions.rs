//! The data actions, as Genesys Cloud would run them.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{KEY, action, exported, request, response, run};
use crate::support::{ANN, Gateway};

/// A gateway, and the data actions that ask it.
fn connected() -> (Gateway, TempDir) {
    let gateway = Gateway::start();
    let folder = exported(&gateway.url(""), &[]);
    (gateway, folder)
}

/// Texts that break a template which does not escape what it is given.
const NASTY: [&str; 9] = [
    "\"quoted\" and \\ back",
    "two\nlines\r\n\tand a tab",
    "stop 🛑👋🏽",
    "#if(true)${input.to}#end $esc.quote",
    "a & b = c ? d # e % f + g / h ; i",
    "ünïcödé · 停止 · أوقف",
    "\", \"from\": \"+14155550199",
    "${credentials.apiKey}",
    "null",
];

#[test]
fn a_stop_is_recorded_and_what_is_given_back_decides_the_way_of_the_flow() {
    let (gateway, folder) = connected();
    let classify = action(folder.path(), "classify-inbound");
    let given = run(&gateway, &classify, &[("from", ANN), ("body", "STOP!!")]).unwrap();
    assert_eq!(given["intent"], "opt-out");
    assert_eq!(given["scope"], "all");
    assert_eq!(given["route"], "disconnect");
    assert_eq!(given["review"], false);
    assert_ne!(given["reply"], "");
    let events = gateway.events(ANN);
    assert_eq!(given["eventId"], events[0]["eventId"]);

    let consent = action(folder.path(), "get-consent");
    let given = run(&gateway, &consent, &[("phoneNumber", ANN)]).unwrap();
    assert_eq!(given["consentStatus"], "OPTOUT");

    let preflight = action(folder.path(), "pre-flight");
    let given = run(&gateway, &preflight, &[("to", ANN)]).unwrap();
    assert_eq!(given["allowed"], false);
    assert_eq!(given["reason"], "opted_out");
    assert_eq!(given["route"], "silent-failure");
    assert_eq!(given["retryAt"], "");
}

#[test]
fn what_says_nothing_of_consent_has_empty_texts_and_not_the_names_of_variables() {
    let (gateway, folder) = connected();
    let consent = action(folder.path(), "get-consent");
    let given = run(&gateway, &consent, &[("phoneNumber", ANN)]).unwrap();
    let nothing =
        json!({ "contactId": "", "consentStatus": "NONE", "updatedAt": "", "eventId": "" });
    assert_eq!(given, nothing);
    let classify = action(folder.path(), "classify-inbound");
    let question = [("from", ANN), ("body", "Where is my order?")];
    let given = run(&gateway, &classify, &question).unwrap();
    assert_eq!(given["intent"], "other");
    assert_eq!(given["reply"], "");
    assert_eq!(given["route"], "bot");
}

#[test]
fn whatever_people_write_arrives_as_they_wrote_it() {
    let (gateway, folder) = connected();
    let classify = action(folder.path(), "classify-inbound");
    for text in NASTY {
        let input = [("from", ANN), ("body", text), ("footer", text)];
        run(&gateway, &classify, &input).unwrap();
        let events = gateway.events(ANN);
        assert_eq!(events.last().unwrap()["body"], text);
    }
    for events in gateway.events(ANN) {
        assert_ne!(events["body"], KEY);
    }
}

#[test]
fn an_address_in_a_path_is_encoded() {
    let (gateway, folder) = connected();
    let update = action(folder.path(), "update-consent");
    let consent = action(folder.path(), "get-consent");
    let input = [
        ("phoneNumber", ANN),
        ("status", "OPTOUT"),
        ("actor", "agent \"7\" / day"),
    ];
    let given = run(&gateway, &update, &input).unwrap();
    assert_eq!(given["consentStatus"], "OPTOUT");
    assert_eq!(gateway.events(ANN)[0]["actor"], "agent \"7\" / day");
    assert_eq!(gateway.events(ANN)[0]["source"], "genesys");
    for address in [
        "ann+news@example.com",
        "+1 (415) 555-0123",
        "US.13491208655302741918",
    ] {
        let input = [
            ("phoneNumber", address),
            ("status", "OPTOUT"),
            ("channel", "email"),
        ];
        run(&gateway, &update, &input).unwrap();
        let input = [("phoneNumber", address), ("channel", "email")];
        let given = run(&gateway, &consent, &input).unwrap();
        assert_eq!(given["consentStatus"], "OPTOUT", "{address}");
    }
}

#[test]
fn an_opt_in_is_taken_with_its_proof_and_refused_against_a_stop_without() {
    let (gateway, folder) = connected();
    let update = action(folder.path(), "update-consent");
    gateway.inbound(json!({
        "channel": "sms", "from": ANN, "body": "STOP", "sentAt": "2026-05-01T12:00:00Z",
    }));
    let opt_in = [
        ("phoneNumber", ANN),
        ("status", "OPTIN"),
        ("channel", "sms"),
    ];
    // The failure path of the flow.
    assert_eq!(run(&gateway, &update, &opt_in), Err(409));
    let proof = [
        ("evidenceTimestamp", "2026-06-01T12:00:00Z"),
        ("evidenceText", "Yes, \"text me\" again"),
    ];
    let given = run(&gateway, &update, &[&opt_in[..], &proof].concat()).unwrap();
    assert_eq!(given["consentStatus"], "OPTIN");
}

#[test]
fn a_template_goes_along_when_there_is_one() {
    let (gateway, folder) = connected();
    let preflight = action(folder.path(), "pre-flight");
    let input = [
        ("to", ANN),
        ("channel", "whatsapp"),
        ("category", "utility"),
        ("templateName", "order_\"1\""),
        ("templateCategory", "utility"),
    ];
    let given = run(&gateway, &preflight, &input).unwrap();
    assert_eq!(given["allowed"], false);
    // Free-form, it would be the window that is closed.
    assert_eq!(given["reason"], "no_opt_in_evidence");
    let given = run(&gateway, &preflight, &input[..3]).unwrap();
    assert_eq!(given["reason"], "window_closed");
}

#[test]
fn every_field_may_be_left_empty_as_a_flow_leaves_it() {
    let (gateway, folder) = connected();
    for (name, given) in [
        ("classify-inbound", [("from", ANN), ("body", "STOP")]),
        ("get-consent", [("phoneNumber", ANN), ("channel", "")]),
        ("pre-flight", [("to", ANN), ("channel", "")]),
        (
            "update-consent",
            [("phoneNumber", ANN), ("status", "OPTOUT")],
        ),
    ] {
        let action = action(folder.path(), name);
        let fields = action["contract"]["input"]["inputSchema"]["properties"].as_object();
        let mut input: Vec<(&str, &str)> = fields
            .unwrap()
            .keys()
            .map(|field| (field.as_str(), ""))
            .filter(|(field, _)| given.iter().all(|(known, _)| known != field))
            .collect();
        input.extend(given);
        assert!(run(&gateway, &action, &input).is_ok(), "{name}");
    }
}

#[test]
fn an_answer_that_does_not_say_yes_is_a_no() {
    let folder = exported("https://consentry.example.com", &[]);
    let preflight = action(folder.path(), "pre-flight");
    for answer in [
        "",
        "{}",
        "[]",
        "null",
        "<html>",
        "{\"allowed\": null}",
        "{\"allowed\": \"yes\"}",
        "{\"allowed\": 1}",
        "{\"Allowed\": true}",
        "{\"allowed\": {\"is\": true}}",
        // A text is not the value.
        "{\"allowed\": \"true\"}",
    ] {
        let given = response(&preflight, answer);
        assert_eq!(given["allowed"], false, "{answer}");
    }
    let given = response(&preflight, "{}");
    assert_eq!(given["route"], "internal-alert");
    assert_eq!(given["reason"], "no_answer");
    let given = response(&preflight, "{\"allowed\": true, \"route\": \"send\"}");
    assert_eq!(given["allowed"], true);

    let consent = action(folder.path(), "get-consent");
    assert_eq!(response(&consent, "{}")["consentStatus"], "OPTOUT");
    let classify = action(folder.path(), "classify-inbound");
    let given = response(&classify, "{}");
    assert_eq!(
        (&given["route"], &given["review"]),
        (&json!("agent"), &json!(true))
    );
}

#[test]
fn a_gateway_that_is_away_or_refuses_takes_the_failure_path() {
    let (mut gateway, folder) = connected();
    let preflight = action(folder.path(), "pre-flight");
    assert_eq!(run(&gateway, &preflight, &[("to", "nobody")]), Err(422));
    let input = [("to", ANN), ("category", "no such category")];
    assert!(matches!(
        run(&gateway, &preflight, &input),
        Err(422) | Ok(_)
    ));
    gateway.kill();
    let made = request(&preflight, &json!({ "to": ANN }));
    assert!(
        gateway
            .client()
            .post(made.url)
            .body(made.body)
            .send()
            .is_err()
    );
}

#[test]
fn the_key_of_the_integration_opens_a_gateway_that_asks_for_one() {
    let folder = exported("https://consentry.example.com", &[]);
    for name in [
        "classify-inbound",
        "get-consent",
        "pre-flight",
        "update-consent",
    ] {
        let input = match name {
            "classify-inbound" => json!({ "from": ANN, "body": "STOP" }),
            "pre-flight" => json!({ "to": ANN }),
            _ => json!({ "phoneNumber": ANN, "status": "OPTOUT" }),
        };
        let made = request(&action(folder.path(), name), &input);
        assert!(made.url.starts_with("https://consentry.example.com/"));
        let key = made.headers.iter().find(|(name, _)| name == "X-API-Key");
        assert_eq!(key.unwrap().1, KEY, "{name}");
    }
}

/// Every text that people can write makes a body that is JSON and says just that.
#[test]
fn no_text_breaks_a_body_or_an_address() {
    let folder = exported("https://consentry.example.com/base", &[]);
    let actions = super::ACTIONS.map(|name| action(folder.path(), name));
    let texts = ("\\PC*", any::<String>());
    TestRunner::new(ProptestConfig::with_cases(200))
        .run(&texts, |(first, second)| {
            for action in &actions {
                let fields = action["contract"]["input"]["inputSchema"]["properties"].as_object();
                let mut input = json!({});
                for (at, field) in fields.unwrap().keys().enumerate() {
                    let text = if at % 2 == 0 { &first } else { &second };
                    input[field] = text.as_str().into();
                }
                if input.get("status").is_some() {
                    input["status"] = "OPTOUT".into();
                }
                let made = request(action, &input);
                if made.method == "POST" {
                    let body: Value = serde_json::from_str(&made.body).unwrap();
                    for field in ["body", "actor", "to"] {
                        if input.get(field).is_some() && body.get(field).is_some() {
                            prop_assert_eq!(&body[field], &input[field]);
                        }
                    }
                }
                if made.url.starts_with("https") {
                    let url = reqwest::Url::parse(&made.url).unwrap();
                    prop_assert_eq!(url.host_str(), Some("consentry.example.com"));
                    prop_assert!(url.path().starts_with("/base/"));
                    prop_assert!(url.fragment().is_none());
                }
            }
            Ok(())
        })
        .unwrap();
}
