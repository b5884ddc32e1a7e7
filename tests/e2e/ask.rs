//! An opt-in is asked for with a list on WhatsApp, and a tapped row of it is one, with its evidence.

use serde_json::{Value, json};

use crate::alerts::Hook;
use crate::support::{ANN, Answer, Gateway, changes, consentry, ended};
use crate::webhooks::{connected, connected_with, meta, written};

const TEXT: &str = "Would you like to receive order updates via WhatsApp?";
const BOB: &str = "+442071838750";

/// Somebody has just written, so that the window is open.
fn writes(gateway: &Gateway, who: &str) {
    gateway.inbound(json!({ "channel": "whatsapp", "from": who, "body": "Hello" }));
}

fn ask(gateway: &Gateway, who: &str, more: &Value) -> Answer {
    let mut request = json!({ "category": "utility", "text": TEXT });
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    gateway.post(&format!("/consent/{who}/ask"), &request)
}

/// The rows of a list: yes and no.
fn rows(message: &Value) -> [String; 2] {
    let rows = &message["interactive"]["action"]["sections"][0]["rows"];
    [0, 1].map(|at| rows[at]["id"].as_str().unwrap().to_owned())
}

/// Somebody taps a row. Gives what is on record of it.
fn taps(gateway: &Gateway, who: &str, id: &str, row: &str, title: &str) -> Value {
    let message = json!({
        "from": who.trim_start_matches('+'), "id": id, "type": "interactive",
        "timestamp": chrono::Utc::now().timestamp().to_string(),
        "interactive": { "type": "list_reply", "list_reply": { "id": row, "title": title } },
    });
    assert_eq!(meta(gateway, &written(message)).status, 200);
    gateway.events(who).pop().unwrap()
}

fn template(gateway: &Gateway, who: &str, category: &str) -> Value {
    gateway.ask(json!({
        "channel": "whatsapp", "to": who, "template": { "name": "news", "category": category },
        "at": "2026-06-10T19:00:00Z",
    }))
}

#[test]
fn a_tapped_yes_is_an_opt_in_with_the_exact_words_that_were_shown() {
    let gateway = connected();
    writes(&gateway, ANN);
    let asked = ask(
        &gateway,
        ANN,
        &json!({ "from": "+18335550100", "wordingVersion": "v3" }),
    )
    .ok();
    assert_eq!(asked["sent"], false);
    assert!(asked["receipt"].is_string());
    let message = &asked["message"];
    assert_eq!(message["to"], ANN);
    assert_eq!(message["type"], "interactive");
    assert_eq!(message["interactive"]["type"], "list");
    assert_eq!(message["interactive"]["body"]["text"], TEXT);
    let [yes, _] = rows(message);
    assert!(yes.contains(":utility:v3:"), "{yes}");
    assert!(yes.len() <= 200);
    // Asking is no answer.
    assert_eq!(gateway.consent(ANN, "channel=whatsapp"), "NONE");

    let event = taps(&gateway, ANN, "wamid.1", &yes, "Yes");
    assert_eq!(event["intent"], "answer-yes");
    assert_eq!(changes(&event), ["whatsapp utility OPTIN"]);
    assert_eq!(event["question"], TEXT);
    let evidence = &event["evidence"];
    assert_eq!(evidence["text"], TEXT);
    assert_eq!(evidence["address"], ANN);
    assert_eq!(evidence["timestamp"], event["saidAt"]);
    assert_eq!(evidence["wordingVersion"], "v3");
    assert_eq!(evidence["row"], *yes);
    assert_eq!(evidence["offer"]["eventId"], asked["eventId"]);
    assert_eq!(template(&gateway, ANN, "utility")["allowed"], true);
    assert_eq!(template(&gateway, ANN, "marketing")["allowed"], false);

    // Once more is once.
    taps(&gateway, ANN, "wamid.1", &yes, "Yes");
    assert_eq!(gateway.events(ANN).len(), 3);
}

/// What holds is what was offered, whatever the words seem to be about, in whatever language.
#[test]
fn the_offer_says_what_the_yes_is_for() {
    let gateway = connected();
    writes(&gateway, ANN);
    let words = json!({
        "category": "loyalty", "text": "Möchten Sie von uns hören?", "yes": "Ja, gerne", "no": "Nein",
        "button": "Antworten",
    });
    let asked = ask(&gateway, ANN, &words).ok();
    let [yes, _] = rows(&asked["message"]);
    let event = taps(&gateway, ANN, "wamid.1", &yes, "Ja, gerne");
    assert_eq!(changes(&event), ["whatsapp loyalty OPTIN"]);
    assert_eq!(event["evidence"]["text"], "Möchten Sie von uns hören?");
    // Twelve digits of the words, which change with them.
    let version = asked["wordingVersion"].as_str().unwrap();
    assert_eq!(version.len(), 12);
    let other = json!({ "category": "loyalty", "text": "Möchten Sie von uns hören!" });
    assert_ne!(ask(&gateway, ANN, &other).ok()["wordingVersion"], version);
}

#[test]
fn a_tapped_no_is_none_and_takes_back_an_earlier_yes() {
    let gateway = connected();
    writes(&gateway, ANN);
    let asked = ask(&gateway, ANN, &json!({})).ok();
    let [yes, no] = rows(&asked["message"]);
    taps(&gateway, ANN, "wamid.1", &yes, "Yes");
    let event = taps(&gateway, ANN, "wamid.2", &no, "No");
    assert_eq!(event["intent"], "answer-no");
    assert_eq!(changes(&event), ["whatsapp utility OPTOUT"]);
    assert_eq!(template(&gateway, ANN, "utility")["reason"], "opted_out");
    assert_eq!(gateway.consent(ANN, "channel=sms&category=utility"), "NONE");
}

#[test]
fn an_answer_to_what_was_never_offered_is_no_opt_in() {
    let gateway = connected();
    for who in [ANN, BOB] {
        writes(&gateway, who);
    }
    let asked = ask(&gateway, ANN, &json!({})).ok();
    let [yes, no] = rows(&asked["message"]);
    let offer = asked["offerId"].as_str().unwrap();
    let made_up = [
        // Of another person's list.
        (BOB, yes.clone()),
        // Of an offer that there is, for something else, in other words.
        (ANN, yes.replace(":utility:", ":marketing:")),
        (
            ANN,
            yes.replace(asked["wordingVersion"].as_str().unwrap(), "v4"),
        ),
        (ANN, yes.replace("yes", "YES")),
        // Of none.
        (
            ANN,
            yes.replace(offer, "019a0000-0000-7000-8000-000000000000"),
        ),
        (ANN, format!("{yes}0")),
        (ANN, "consentry:".to_owned()),
        (ANN, "consentry:yes:utility".to_owned()),
    ];
    for (at, (who, row)) in made_up.into_iter().enumerate() {
        let event = taps(&gateway, who, &format!("wamid.{at}"), &row, "START");
        assert_eq!(event["changes"], json!([]), "{row}");
        assert_eq!(event["rule"], "gateway.never-offered", "{row}");
        assert_eq!(event["review"], true, "{row}");
        assert_eq!(event["reply"], Value::Null, "{row}");
        // Nor by the API.
        let message = json!({
            "channel": "whatsapp", "from": who, "selection": { "id": row, "title": "Yes" },
            "question": TEXT,
        });
        assert_eq!(gateway.inbound(message)["changes"], json!([]), "{row}");
    }
    // An answer that says stop is one all the same.
    let stop = taps(
        &gateway,
        BOB,
        "wamid.stop",
        "consentry:no:utility:v1:x",
        "STOP",
    );
    assert_eq!(stop["intent"], "opt-out");
    assert_eq!(gateway.consent(BOB, ""), "OPTOUT");
    // The list that was offered is not spent by all this.
    assert_eq!(
        changes(&taps(&gateway, ANN, "wamid.y", &yes, "Yes")),
        ["whatsapp utility OPTIN"]
    );
    assert_eq!(
        changes(&taps(&gateway, ANN, "wamid.n", &no, "No")),
        ["whatsapp utility OPTOUT"]
    );
}

#[test]
fn nobody_is_asked_who_may_not_be() {
    let gateway = connected();
    let denied = |answer: &Answer, reason: &str| {
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert_eq!(answer.json["type"], "urn:consentry:problem:may-not-go");
        assert!(answer.text.contains(reason), "{}", answer.text);
    };
    denied(&ask(&gateway, ANN, &json!({})), "window_closed");
    assert!(gateway.events(ANN).is_empty());
    writes(&gateway, ANN);
    gateway
        .report(
            ANN,
            "status=OPTOUT&channel=whatsapp&category=marketing",
            &json!({}),
        )
        .ok();
    let marketing = json!({ "category": "marketing" });
    denied(&ask(&gateway, ANN, &marketing), "opted_out");
    assert_eq!(ask(&gateway, ANN, &json!({})).status, 200);
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "STOP" }));
    denied(&ask(&gateway, ANN, &json!({})), "opted_out");
}

#[test]
fn what_whatsapp_would_not_take_is_refused() {
    let gateway = connected();
    writes(&gateway, ANN);
    for (more, status, field) in [
        (json!({ "text": " " }), 422, "text"),
        (json!({ "text": "x".repeat(4097) }), 422, "text"),
        (json!({ "yes": "x".repeat(25) }), 422, "yes"),
        (json!({ "no": "" }), 422, "no"),
        (json!({ "button": "x".repeat(21) }), 422, "button"),
        (json!({ "wordingVersion": "a:b" }), 422, "wordingVersion"),
        (
            json!({ "wordingVersion": "x".repeat(33) }),
            422,
            "wordingVersion",
        ),
        (json!({ "category": "" }), 422, "category"),
        (json!({ "sned": true }), 422, "sned"),
        (json!({ "send": true }), 422, "send"),
    ] {
        ask(&gateway, ANN, &more).is_problem(status, field);
    }
    ask(&gateway, "nobody", &json!({})).is_problem(422, "phoneNumber");
    assert_eq!(gateway.events(ANN).len(), 1);
}

#[test]
fn it_is_sent_from_the_number_that_is_configured() {
    let hook = Hook::answering(
        1,
        r#"{"messages":[{"id":"wamid.sent"}],"error":{"code":131000}}"#,
    );
    let url = hook.url.replace("/hook", "/v23.0/77/");
    let gateway = connected_with(&["--whatsapp-url", &url, "--whatsapp-token", "hush"]);
    writes(&gateway, ANN);
    let not_sent = ask(&gateway, ANN, &json!({ "send": true }));
    assert_eq!(not_sent.status, 502, "{}", not_sent.text);
    assert!(not_sent.text.contains("error 131000"), "{}", not_sent.text);
    hook.next();
    let sent = ask(&gateway, ANN, &json!({ "send": true })).ok();
    assert_eq!(sent["sent"], true);
    assert_eq!(sent["messageId"], "wamid.sent");
    let (headers, body) = hook.next();
    assert_eq!(headers["request-line"], "POST /v23.0/77/messages HTTP/1.1");
    assert_eq!(headers["authorization"], "Bearer hush");
    let posted: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(posted, sent["message"]);
    assert!(!gateway.log().contains("hush"), "{}", gateway.log());
}

#[test]
fn the_command_line_asks_too() {
    let gateway = connected();
    writes(&gateway, ANN);
    let store = format!("sqlite:{}", gateway.store().display());
    let arguments = [
        "consent",
        "ask",
        ANN,
        "--category",
        "utility",
        "--text",
        TEXT,
    ];
    let run = |more: &[&str]| {
        let mut command = consentry(&[&arguments, more, &["--store", &store]].concat());
        ended(&mut command)
    };
    let output = run(&[]);
    assert!(output.status.success(), "{output:?}");
    let message: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [yes, _] = rows(&message);
    assert_eq!(
        changes(&taps(&gateway, ANN, "wamid.1", &yes, "Yes")),
        ["whatsapp utility OPTIN"]
    );

    let output = run(&["--json", "--wording-version", "v3"]);
    let asked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(asked["wordingVersion"], "v3");
    assert_eq!(run(&["--wording-version", "a:b"]).status.code(), Some(2));
    assert_eq!(run(&["--send"]).status.code(), Some(2));
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "STOP" }));
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("opted_out")
    );
}

/// What was bound to an offer stays so when the messages are run again.
#[test]
fn a_policy_that_is_the_same_makes_the_same_of_it() {
    let gateway = connected();
    writes(&gateway, ANN);
    let words = json!({ "category": "loyalty", "text": "Möchten Sie von uns hören?" });
    let [yes, _] = rows(&ask(&gateway, ANN, &words).ok()["message"]);
    taps(&gateway, ANN, "wamid.1", &yes, "Ja");
    taps(
        &gateway,
        ANN,
        "wamid.2",
        "consentry:yes:utility:v1:x",
        "START",
    );
    let custom = [
        ("MessageSid", "SM1"),
        ("From", ANN),
        ("Body", "Do you ship to Brazil?"),
        ("OptOutType", "STOP"),
    ];
    assert_eq!(crate::webhooks::twilio(&gateway, &custom).status, 200);
    let policy = gateway.folder().join("policy.wasm");
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy/rules");
    let policy = policy.to_str().unwrap();
    assert!(
        ended(&mut consentry(&["policy", "build", rules, "-o", policy]))
            .status
            .success()
    );
    let store = format!("sqlite:{}", gateway.store().display());
    let replay = ["policy", "replay", policy, "--store", &store, "--json"];
    let output = ended(&mut consentry(&replay));
    assert!(output.status.success(), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["messages"], 4, "{found}");
    assert_eq!(found["different"], 0, "{found}");
}
