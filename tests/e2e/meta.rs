//! Meta's webhooks.

use serde_json::{Value, json};

use crate::alerts::Hook;
use crate::support::{ANN, Gateway, changes, eventually, send};
use crate::webhooks::{
    VERIFY_TOKEN, connected, connected_with, counted, deliver, meta, meta_signature, refused,
    written,
};

const CLEO: &str = "+5511961234567";
const USER: &str = "US.13491208655302741918";

fn text(id: &str, body: &str) -> Value {
    json!({
        "from": "14155550123", "id": id, "timestamp": "1760000000", "type": "text",
        "text": { "body": body },
    })
}

/// Several values of one field, in one delivery.
fn delivery(field: &str, values: &[Value]) -> Value {
    let changes = values
        .iter()
        .map(|value| json!({ "field": field, "value": value }));
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": changes.collect::<Vec<_>>() }],
    })
}

fn took(gateway: &Gateway, document: &Value) {
    let answer = meta(gateway, document);
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn items(gateway: &Gateway, kind: &str) -> u64 {
    let metric = format!("consentry_webhook_items_total{{provider=\"meta\",kind=\"{kind}\"}}");
    counted(gateway, &metric)
}

fn last(gateway: &Gateway, of: &str) -> Value {
    gateway.events(of).pop().unwrap()
}

fn status(id: &str, code: u32) -> Value {
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "18335550100", "phone_number_id": "77" },
        "statuses": [{
            "id": id, "status": "failed", "timestamp": "1760000000",
            "recipient_id": CLEO.trim_start_matches('+'),
            "errors": [{ "code": code, "title": "why" }],
        }],
    });
    delivery("messages", &[value])
}

fn preference(value: &str, seconds: Value) -> Value {
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "18335550100", "phone_number_id": "77" },
        "contacts": [{ "wa_id": CLEO.trim_start_matches('+'), "user_id": USER }],
        "user_preferences": [{
            "wa_id": CLEO.trim_start_matches('+'), "category": "marketing_messages",
            "value": value, "timestamp": seconds,
        }],
    });
    delivery("user_preferences", &[value])
}

#[test]
fn the_handshake_is_answered_to_whoever_knows_the_token() {
    let gateway = connected();
    let ask = |mode: &str, token: &str| {
        let query = [
            ("hub.mode", mode),
            ("hub.verify_token", token),
            ("hub.challenge", "1158201444 <b>"),
        ];
        send(
            gateway
                .client()
                .get(gateway.url("/webhooks/meta"))
                .query(&query),
        )
        .unwrap()
    };
    let answer = ask("subscribe", VERIFY_TOKEN);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text, "1158201444 <b>");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    for (mode, token) in [
        ("subscribe", "another"),
        ("subscribe", ""),
        ("subscribe", VERIFY_TOKEN.trim_start_matches('a')),
        ("unsubscribe", VERIFY_TOKEN),
    ] {
        assert_eq!(ask(mode, token).status, 403, "{mode} {token}");
    }
    assert_eq!(gateway.get("/webhooks/meta").status, 403);
    let without = Gateway::start_with(&["--meta-secret", "hush"]);
    let answer = without.get("/webhooks/meta?hub.mode=subscribe&hub.verify_token=&hub.challenge=1");
    assert_eq!(answer.status, 403);
    assert!(
        answer.text.contains("CONSENTRY_META_VERIFY_TOKEN"),
        "{}",
        answer.text
    );
}

#[test]
fn a_stop_counts_from_when_it_was_said_on_every_address_of_the_person() {
    let gateway = connected();
    let mut stop = written(text("wamid.1", "STOP"));
    stop["entry"][0]["changes"][0]["value"]["contacts"][0]["user_id"] = USER.into();
    stop["entry"][0]["changes"][0]["value"]["field_of_tomorrow"] = json!([{}]);
    took(&gateway, &stop);
    took(&gateway, &stop);
    let event = last(&gateway, ANN);
    assert_eq!(event["channel"], "whatsapp");
    assert_eq!(event["businessAddress"], "18335550100");
    assert_eq!(event["messageId"], "wamid.1");
    assert_eq!(event["saidAt"], "2025-10-09T08:53:20.000Z");
    assert_eq!(gateway.events(ANN).len(), 1);
    for of in [ANN, USER] {
        assert_eq!(gateway.consent(of, ""), "OPTOUT", "{of}");
    }
}

/// Somebody with a user name may have no number that is told.
#[test]
fn a_person_without_a_number_is_known_by_the_user_id() {
    let gateway = connected();
    let mut stop = written(text("wamid.1", "stop"));
    let value = &mut stop["entry"][0]["changes"][0]["value"];
    value["messages"][0].as_object_mut().unwrap().remove("from");
    value["messages"][0]["from_user_id"] = USER.into();
    value["contacts"][0] = json!({ "profile": { "username": "@ann" }, "user_id": USER });
    took(&gateway, &stop);
    assert_eq!(gateway.consent(USER, ""), "OPTOUT");
    // The number comes later, and the stop holds for it.
    let mut hello = written(text("wamid.2", "hello"));
    hello["entry"][0]["changes"][0]["value"]["messages"][0]["from_user_id"] = USER.into();
    took(&gateway, &hello);
    let mut start = written(text("wamid.3", "hello again"));
    start["entry"][0]["changes"][0]["value"]["messages"][0]["from_user_id"] = USER.into();
    took(&gateway, &start);
    assert_eq!(gateway.consent(USER, ""), "OPTOUT");
}

/// Meta wants no answer, so what there is to say goes as a message of its own, from the number that was
/// written to.
#[test]
fn a_stop_is_confirmed_once_and_a_help_answered() {
    let hook = Hook::answering(0, "{}");
    let url = hook.url.replace("/hook", "/v23.0/1");
    let gateway = connected_with(&["--whatsapp-url", &url, "--whatsapp-token", "hush"]);
    let now = chrono::Utc::now().timestamp().to_string();
    let says = |id: &str, body: &str| {
        let mut message = text(id, body);
        message["timestamp"] = now.as_str().into();
        took(&gateway, &written(message));
    };
    says("wamid.1", "STOP");
    says("wamid.1", "STOP");
    let (headers, posted) = hook.next();
    assert_eq!(headers["request-line"], "POST /v23.0/77/messages HTTP/1.1");
    let posted: Value = serde_json::from_str(&posted).unwrap();
    assert_eq!(posted["to"], ANN);
    assert_eq!(posted["text"]["body"], last(&gateway, ANN)["reply"]);
    says("wamid.2", "Do you ship to Brazil?");
    says("wamid.3", "HELP");
    let (_, posted) = hook.next();
    let posted: Value = serde_json::from_str(&posted).unwrap();
    assert_eq!(posted["text"]["body"], last(&gateway, ANN)["reply"]);
    let sent = "consentry_replies_total{outcome=\"sent\"}";
    eventually("both are counted", || counted(&gateway, sent) == 2);
    // What was said too long ago is confirmed no more.
    took(&gateway, &written(text("wamid.4", "STOP")));
    let denied = "consentry_replies_total{outcome=\"denied\"}";
    eventually("it is denied", || counted(&gateway, denied) == 1);
}

/// WhatsApp has some numbers in a form that no text message reaches.
#[test]
fn a_stop_holds_for_the_number_as_others_write_it() {
    let gateway = connected();
    for (at, (wa_id, number)) in [
        ("551187654321", "+5511987654321"),
        ("551132165432", "+551132165432"),
        ("5215512345678", "+525512345678"),
        ("5491123456789", "+5491123456789"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut stop = text(&format!("wamid.{at}"), "STOP");
        stop["from"] = wa_id.into();
        took(&gateway, &written(stop));
        assert_eq!(gateway.consent(number, "channel=sms"), "OPTOUT", "{wa_id}");
    }
}

#[test]
fn what_is_tapped_is_read_by_its_id() {
    let gateway = connected();
    let tap = |id: &str, content: Value| {
        let mut message = json!({ "from": "14155550123", "id": id, "timestamp": 1_760_000_000 });
        for (name, value) in content.as_object().unwrap() {
            message[name] = value.clone();
        }
        took(&gateway, &written(message));
        last(&gateway, ANN)
    };
    let event = tap(
        "wamid.1",
        json!({
            "type": "button", "button": { "payload": "STOP_PROMO", "text": "Not for me" },
            "context": { "id": "wamid.0" },
        }),
    );
    assert_eq!(event["intent"], "opt-out");
    assert_eq!(
        event["selection"],
        json!({ "id": "STOP_PROMO", "title": "Not for me" })
    );
    let event = tap(
        "wamid.2",
        json!({
            "type": "interactive", "interactive": {
                "type": "list_reply", "list_reply": { "id": "help", "title": "What is this?" },
            },
        }),
    );
    assert_eq!(event["intent"], "help");
    let event = tap(
        "wamid.3",
        json!({
            "type": "interactive", "interactive": {
                "type": "button_reply", "button_reply": { "id": "track", "title": "Where is it?" },
            },
        }),
    );
    assert_eq!(event["intent"], "other");
    assert_eq!(event["body"], "Where is it?");
    assert_eq!(event["changes"], json!([]));
}

/// After a stop the confirmation asks what may go on. A row of another list is no answer to that.
#[test]
fn a_yes_on_another_list_answers_no_open_question() {
    let gateway = connected();
    took(&gateway, &written(text("wamid.1", "STOP")));
    let asks = last(&gateway, ANN)["asks"].clone();
    assert!(asks.is_string(), "{asks}");
    took(
        &gateway,
        &written(json!({
            "from": "14155550123", "id": "wamid.2", "timestamp": "1760000060", "type": "interactive",
            "interactive": { "type": "list_reply", "list_reply": { "id": "yes", "title": "Yes" } },
        })),
    );
    assert_eq!(last(&gateway, ANN)["changes"], json!([]));
    assert_eq!(gateway.consent(ANN, "channel=whatsapp"), "OPTOUT");
}

#[test]
fn pictures_open_the_window_and_their_words_count() {
    let gateway = connected();
    let now = chrono::Utc::now().timestamp().to_string();
    let picture = |id: &str, caption: Value| {
        written(json!({
            "from": "14155550123", "id": id, "timestamp": now, "type": "image",
            "image": { "id": "1", "mime_type": "image/jpeg", "caption": caption },
        }))
    };
    let free_form = json!({ "channel": "whatsapp", "to": ANN });
    assert_eq!(gateway.ask(free_form.clone())["reason"], "window_closed");
    took(&gateway, &picture("wamid.1", Value::Null));
    assert_eq!(gateway.ask(free_form)["allowed"], true);
    took(
        &gateway,
        &picture("wamid.2", "stop sending me these".into()),
    );
    assert_eq!(last(&gateway, ANN)["intent"], "opt-out");
}

#[test]
fn an_advertisement_opens_the_longer_window() {
    let gateway = connected();
    let mut hello = text("wamid.1", "Hello");
    hello["referral"] = json!({ "source_type": "ad", "source_id": "1", "ctwa_clid": "x" });
    took(&gateway, &written(hello));
    assert_eq!(last(&gateway, ANN)["evidence"], json!({ "adEntry": true }));
}

#[test]
fn what_is_no_word_of_a_person_to_the_business_changes_nothing() {
    let gateway = connected();
    let from = |content: Value| {
        let mut message =
            json!({ "from": "14155550123", "id": "wamid.1", "timestamp": "1760000000" });
        for (name, value) in content.as_object().unwrap() {
            message[name] = value.clone();
        }
        written(message)
    };
    let mut group = text("wamid.1", "STOP");
    group["group_id"] = "g1".into();
    let mut nobody = written(text("wamid.1", "STOP"));
    nobody["entry"][0]["changes"][0]["value"]["messages"][0]["from"] = "nobody".into();
    let mut page = written(text("wamid.1", "STOP"));
    page["object"] = "page".into();
    for (document, kind) in [
        (
            from(json!({ "type": "reaction", "reaction": { "emoji": "🛑" } })),
            "reaction",
        ),
        (
            from(json!({ "type": "revoke", "revoke": { "original_message_id": "x" } })),
            "deleted",
        ),
        (
            from(json!({ "type": "system", "system": { "type": "customer_identity_changed" } })),
            "system",
        ),
        (
            from(json!({ "type": "of_tomorrow", "of_tomorrow": {} })),
            "other-type",
        ),
        (from(json!({ "type": 7 })), "other-type"),
        (from(json!({})), "other-type"),
        (written(group), "group"),
        (nobody, "no-address"),
        (page, "other-object"),
        (
            delivery("account_update", &[json!({ "event": "VERIFIED_ACCOUNT" })]),
            "other-field",
        ),
        (json!({}), "other-object"),
    ] {
        let before = items(&gateway, kind);
        took(&gateway, &document);
        assert_eq!(items(&gateway, kind), before + 1, "{kind}");
        assert!(gateway.events(ANN).is_empty(), "{document}");
    }
    // Emoji alone are words, if hardly any.
    took(&gateway, &written(text("wamid.2", "👍🏽🎉")));
    assert_eq!(last(&gateway, ANN)["changes"], json!([]));
}

#[test]
fn an_edited_message_is_read_as_it_is_now() {
    let gateway = connected();
    took(
        &gateway,
        &written(json!({
            "from": "14155550123", "id": "wamid.2", "timestamp": "1760000000", "type": "edit",
            "edit": { "original_message_id": "wamid.1", "message": { "type": "text", "text": { "body": "Stop" } } },
        })),
    );
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn many_entries_changes_and_messages_come_in_one_delivery() {
    let gateway = connected();
    let number = |at: usize| format!("1415555{at:04}");
    let value = |from: usize| {
        let messages = (from..from + 50).map(|at| {
            let body = if at % 2 == 0 { "STOP" } else { "hello" };
            json!({
                "from": number(at), "id": format!("wamid.{at}"), "timestamp": "1760000000",
                "type": "text", "text": { "body": body },
            })
        });
        json!({ "messages": messages.collect::<Vec<_>>() })
    };
    let mut document = delivery("messages", &[value(100), value(150)]);
    let more = delivery("messages", &[value(200)])["entry"][0].clone();
    document["entry"].as_array_mut().unwrap().push(more);
    took(&gateway, &document);
    took(&gateway, &document);
    for at in 100..250 {
        let of = format!("+{}", number(at));
        let expected = if at % 2 == 0 { "OPTOUT" } else { "NONE" };
        assert_eq!(gateway.consent(&of, ""), expected, "{of}");
        assert_eq!(gateway.events(&of).len(), 1, "{of}");
    }
    assert_eq!(items(&gateway, "message"), 300);
}

#[test]
fn one_message_that_makes_no_sense_costs_the_others_nothing() {
    let gateway = connected();
    let mut document = written(text("wamid.1", "STOP"));
    let messages = &mut document["entry"][0]["changes"][0]["value"]["messages"];
    let odd = [
        json!(7),
        json!(null),
        json!({ "type": "text", "from": [] }),
        json!("STOP"),
    ];
    messages.as_array_mut().unwrap().extend(odd);
    document["entry"]
        .as_array_mut()
        .unwrap()
        .extend([json!(1), json!({ "changes": {} })]);
    took(&gateway, &document);
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn more_than_a_delivery_may_tell_is_refused_whole() {
    let gateway = connected();
    let messages: Vec<Value> = (0..1001)
        .map(|at| text(&format!("wamid.{at}"), "STOP"))
        .collect();
    let document = delivery("messages", &[json!({ "messages": messages })]);
    assert_eq!(meta(&gateway, &document).status, 413);
    assert_eq!(counted(&gateway, &refused("meta", "too-large")), 1);
    assert!(gateway.events(ANN).is_empty());
}

#[test]
fn what_is_signed_and_makes_no_sense_is_refused() {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 422),
        ("7", 422),
        (deep.as_str(), 400),
    ] {
        let gateway = Gateway::start_with(&["--meta-secret", "hush"]);
        let signature = meta_signature("hush", body.as_bytes());
        let headers = [
            ("content-type", "application/json"),
            ("x-hub-signature-256", signature.as_str()),
        ];
        let answer = deliver(&gateway, "/webhooks/meta", &headers, body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
}

/// Meta signs what it sends, and it escapes letters and slashes.
#[test]
fn the_bytes_are_signed_and_not_what_they_mean() {
    let gateway = Gateway::start_with(&["--meta-secret", "hush"]);
    let body = r#"{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{"messages":[{"from":"14155550123","id":"wamid.1","type":"text","text":{"body":"B\u00e9b\u00e9 \/ \ud83d\udc4d"}}]}}]}]}"#;
    let signature = meta_signature("hush", body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("x-hub-signature-256", signature.as_str()),
    ];
    assert_eq!(
        deliver(&gateway, "/webhooks/meta", &headers, body).status,
        200
    );
    assert_eq!(last(&gateway, ANN)["body"], "Bébé / 👍");
    let other = serde_json::from_str::<Value>(body).unwrap().to_string();
    assert_eq!(
        deliver(&gateway, "/webhooks/meta", &headers, other).status,
        403
    );
}

#[test]
fn errors_of_delivery_are_what_they_are() {
    let gateway = connected();
    for code in [130_472, 131_026, 131_056] {
        took(&gateway, &status("wamid.1", code));
    }
    assert_eq!(items(&gateway, "error"), 3);
    assert!(gateway.events(CLEO).is_empty());
    took(&gateway, &status("wamid.2", 131_049));
    took(&gateway, &status("wamid.2", 131_049));
    assert_eq!(gateway.events(CLEO).len(), 1);
    assert_eq!(
        gateway.consent(CLEO, "channel=whatsapp&category=marketing"),
        "NONE"
    );
    took(&gateway, &status("wamid.3", 131_050));
    assert_eq!(
        changes(&last(&gateway, CLEO)),
        ["whatsapp marketing OPTOUT"]
    );
    assert_eq!(
        gateway.consent(CLEO, "channel=whatsapp&category=utility"),
        "NONE"
    );
}

#[test]
fn a_stop_in_the_settings_holds_until_it_is_resumed_there() {
    let gateway = connected();
    let query = "channel=whatsapp&category=marketing";
    // As a number and as a text.
    took(&gateway, &preference("stop", json!(1_760_000_000)));
    took(&gateway, &preference("stop", json!("1760000000")));
    assert_eq!(gateway.events(CLEO).len(), 1);
    assert_eq!(gateway.consent(CLEO, query), "OPTOUT");
    assert_eq!(gateway.consent(USER, query), "OPTOUT");
    took(&gateway, &preference("signup", json!(1_760_000_100)));
    assert_eq!(gateway.consent(CLEO, query), "OPTOUT");
    took(&gateway, &preference("resume", json!(1_760_000_200)));
    assert_eq!(gateway.consent(CLEO, query), "NONE");
}

#[test]
fn a_person_with_another_number_takes_the_stop_along() {
    let moved = json!({
        "from": "14155550123", "id": "wamid.9", "timestamp": "1760000100", "type": "system",
        "system": { "type": "user_changed_number", "wa_id": "5511961234567", "body": "changed" },
    });
    // The new number is nobody's, or somebody's already.
    for is_known in [false, true] {
        let gateway = connected();
        if is_known {
            gateway.text(CLEO, "hello");
        }
        took(&gateway, &written(text("wamid.1", "STOP")));
        took(&gateway, &written(moved.clone()));
        took(&gateway, &written(moved.clone()));
        assert_eq!(gateway.consent(CLEO, ""), "OPTOUT", "{is_known}");
        assert_eq!(gateway.consent(ANN, ""), "OPTOUT", "{is_known}");
        assert_eq!(gateway.events(CLEO).len(), 2, "{is_known}");
        assert_eq!(items(&gateway, "moved"), 2);
    }
}
