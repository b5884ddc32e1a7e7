//! Requests that cannot be used. Each gets a 4xx that names the field; nothing is lost or changed.

use serde_json::{Value, json};

use crate::support::{ANN, Gateway};

const LONG: usize = 100 << 10;

/// A message that is good but for one field.
fn message(field: &str, value: Value) -> Value {
    let mut message = json!({ "channel": "sms", "from": ANN, "body": "STOP" });
    message[field] = value;
    message
}

/// A question that is good but for one field.
fn question(field: &str, value: Value) -> Value {
    let mut question = json!({ "channel": "sms", "to": ANN, "category": "marketing" });
    question[field] = value;
    question
}

fn deep(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

/// Nobody is known, so nothing was recorded.
fn nothing_happened(gateway: &Gateway) {
    assert!(gateway.events(ANN).is_empty());
    assert_eq!(
        gateway.get(&format!("/consent/{ANN}")).ok()["contactId"],
        json!(null)
    );
}

#[test]
fn a_number_that_is_none_is_refused() {
    let gateway = Gateway::start();
    let numbers = [
        "hello",
        "123",
        "+",
        "+1",
        "+1415555012345678",
        "4155550123",
        "+1415555O123",
        "@",
        "a@b",
        "' OR 1=1 --",
        "+14155550123\u{0}+14155550124",
        "",
        " ",
    ];
    for number in numbers {
        gateway
            .post("/v1/inbound", &message("from", json!(number)))
            .is_problem(422, "from");
        gateway
            .post("/v1/preflight", &question("to", json!(number)))
            .is_problem(422, "to");
        if number.trim().is_empty() {
            continue;
        }
        let path: String = number.bytes().map(|byte| format!("%{byte:02X}")).collect();
        gateway
            .get(&format!("/consent/{path}"))
            .is_problem(422, "phoneNumber");
        let change = gateway.report(&path, "status=OPTOUT", &json!({}));
        change.is_problem(422, "phoneNumber");
        let history = gateway.get(&format!("/v1/contacts/{path}/history"));
        history.is_problem(422, "address");
    }
    let others = json!({ "addresses": [ANN, "nobody"] });
    gateway
        .report(ANN, "status=OPTOUT", &others)
        .is_problem(422, "addresses[1]");
    nothing_happened(&gateway);
}

#[test]
fn an_unknown_channel_is_refused() {
    let gateway = Gateway::start();
    for channel in ["fax", "", "sms,whatsapp", "SMS\u{0}"] {
        let channel = json!(channel);
        gateway
            .post("/v1/inbound", &message("channel", channel.clone()))
            .is_problem(422, "channel");
        gateway
            .post("/v1/preflight", &question("channel", channel))
            .is_problem(422, "channel");
    }
    gateway
        .get(&format!("/consent/{ANN}?channel=fax"))
        .is_problem(422, "channel");
    gateway
        .report(ANN, "status=OPTOUT&channel=fax", &json!({}))
        .is_problem(422, "channel");
    nothing_happened(&gateway);
}

#[test]
fn an_unknown_status_is_refused() {
    let gateway = Gateway::start();
    for status in ["NONE", "MAYBE", "", "OPTIN,OPTOUT"] {
        let answer = gateway.report(ANN, &format!("status={status}"), &json!({}));
        answer.is_problem(422, "status");
    }
    gateway
        .post(&format!("/consent/{ANN}"), &json!({}))
        .is_problem(422, "status");
    nothing_happened(&gateway);
}

#[test]
fn an_unknown_category_is_refused() {
    let gateway = Gateway::start();
    for category in ["*", "a b", "marketing;DROP TABLE event", &"x".repeat(65)] {
        let answer = gateway.post("/v1/preflight", &question("category", json!(category)));
        answer.is_problem(422, "category");
    }
    gateway
        .get(&format!("/consent/{ANN}?category=%FF"))
        .is_problem(422, "category");
    gateway
        .report(ANN, "status=OPTIN&category=*", &json!({}))
        .is_problem(422, "category");
    let template = json!({ "name": "x", "category": "*" });
    let answer = gateway.post("/v1/preflight", &question("template", template));
    answer.is_problem(422, "template.category");
    nothing_happened(&gateway);
}

#[test]
fn a_moment_that_is_none_is_refused() {
    let gateway = Gateway::start();
    for moment in [
        "yesterday",
        "2026-02-30T00:00:00Z",
        "1700000000",
        "2026-11-24",
    ] {
        let moment = json!(moment);
        gateway
            .post("/v1/inbound", &message("sentAt", moment.clone()))
            .is_problem(422, "sentAt");
        gateway
            .post("/v1/preflight", &question("at", moment.clone()))
            .is_problem(422, "at");
        let evidence = json!({ "evidence": { "timestamp": moment.clone() } });
        let answer = gateway.report(ANN, "status=OPTIN", &evidence);
        answer.is_problem(422, "evidence.timestamp");
        gateway
            .report(ANN, "status=OPTIN", &json!({ "at": moment }))
            .is_problem(422, "at");
    }
    nothing_happened(&gateway);
}

#[test]
fn a_country_that_is_none_is_refused() {
    let gateway = Gateway::start();
    for country in ["USA", "1", "\u{df}", "UK", "uk", "XX", "ZZ", "001"] {
        gateway
            .post("/v1/inbound", &message("country", json!(country)))
            .is_problem(422, "country");
        gateway
            .post("/v1/preflight", &question("country", json!(country)))
            .is_problem(422, "country");
    }
    let answer = gateway.post("/v1/inbound", &message("country", json!("UK")));
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains("GB"), "{detail}");
    nothing_happened(&gateway);
}

/// Some have no telephone numbers of their own.
#[test]
fn a_country_that_is_one_is_taken() {
    let gateway = Gateway::start();
    for country in ["US", "gb", "BR", "AQ", "UM"] {
        gateway.inbound(message("country", json!(country)));
    }
    gateway.inbound(json!({
        "channel": "sms", "from": "020 7183 8750", "country": "GB", "body": "STOP",
    }));
    assert_eq!(gateway.consent("+442071838750", ""), "OPTOUT");
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_its_name() {
    let gateway = Gateway::start();
    for value in [json!(1), json!(true), json!([]), json!({})] {
        for field in ["channel", "from", "body", "messageId", "sentAt", "footer"] {
            gateway
                .post("/v1/inbound", &message(field, value.clone()))
                .is_problem(422, field);
        }
        for field in ["channel", "to", "category", "at"] {
            gateway
                .post("/v1/preflight", &question(field, value.clone()))
                .is_problem(422, field);
        }
        let answer = gateway.report(ANN, "status=OPTIN", &json!({ "source": value }));
        answer.is_problem(422, "source");
    }
    let tapped = json!({ "id": 7, "title": "Stop" });
    gateway
        .post("/v1/inbound", &message("selection", tapped))
        .is_problem(422, "selection.id");
    let template = json!({ "name": "x" });
    let answer = gateway.post("/v1/preflight", &question("template", template));
    answer.is_problem(422, "template.category");
    for evidence in [json!("yes"), json!([]), json!(1)] {
        let answer = gateway.report(ANN, "status=OPTIN", &json!({ "evidence": evidence }));
        answer.is_problem(422, "evidence");
    }
    nothing_happened(&gateway);
}

#[test]
fn a_field_that_is_missing_is_named() {
    let gateway = Gateway::start();
    gateway
        .post("/v1/inbound", &json!({}))
        .is_problem(422, "channel");
    gateway
        .post("/v1/inbound", &json!({ "channel": "sms" }))
        .is_problem(422, "from");
    let without_body = json!({ "channel": "sms", "from": ANN });
    gateway
        .post("/v1/inbound", &without_body)
        .is_problem(422, "body");
    gateway
        .post("/v1/preflight", &json!({ "channel": "sms" }))
        .is_problem(422, "to");
    nothing_happened(&gateway);
}

#[test]
fn an_empty_message_is_refused() {
    let gateway = Gateway::start();
    for body in ["", "   ", "\n\t", "\u{a0}"] {
        gateway
            .post("/v1/inbound", &message("body", json!(body)))
            .is_problem(422, "body");
    }
    nothing_happened(&gateway);
}

#[test]
fn a_message_of_100_kilobytes_is_refused() {
    let gateway = Gateway::start();
    let long = json!("STOP ".repeat(LONG / 5));
    gateway
        .post("/v1/inbound", &message("body", long.clone()))
        .is_problem(413, "body");
    // The whole request fits, but the field is longer than any message.
    let longish = json!("x".repeat(20 << 10));
    for field in [
        "body",
        "footer",
        "question",
        "messageId",
        "to",
        "language",
        "channel",
    ] {
        gateway
            .post("/v1/inbound", &message(field, longish.clone()))
            .is_problem(413, field);
    }
    for field in ["from", "channel", "category", "at"] {
        gateway
            .post("/v1/preflight", &question(field, longish.clone()))
            .is_problem(413, field);
    }
    gateway
        .report(ANN, "status=OPTOUT", &json!({ "source": longish }))
        .is_problem(413, "source");
    nothing_happened(&gateway);
}

#[test]
fn the_longest_message_that_is_taken_is_understood() {
    let gateway = Gateway::start();
    let body = "stop ".repeat((16 << 10) / 5);
    gateway
        .post("/v1/inbound", &message("body", json!(body)))
        .ok();
    assert_eq!(gateway.events(ANN)[0]["body"], body);
}

#[test]
fn json_that_is_nested_too_deeply_is_refused() {
    let gateway = Gateway::start();
    let inside = |body: &str| format!(r#"{{"channel":"sms","from":"{ANN}","body":{body}}}"#);
    let answer = gateway.post_bytes("/v1/inbound", inside(&deep(10_000)));
    assert!((400..500).contains(&answer.status), "{}", answer.text);
    assert!(answer.json["field"].is_string(), "{}", answer.text);
    // Where no field of that name is known, too.
    let unknown = format!(
        r#"{{"channel":"sms","from":"{ANN}","body":"STOP","x":{}}}"#,
        deep(10_000)
    );
    gateway
        .post_bytes("/v1/inbound", unknown)
        .is_problem(400, "(body)");
    gateway
        .post_bytes("/v1/inbound", deep(10_000))
        .is_problem(400, "(body)");
    let evidence = format!(r#"{{"evidence":{{"x":{}}}}}"#, deep(10_000));
    let path = format!("/consent/{ANN}?status=OPTOUT");
    gateway
        .post_bytes(&path, evidence)
        .is_problem(400, "(body)");
    nothing_happened(&gateway);
}

/// Brackets within a text nest nothing.
#[test]
fn a_message_full_of_brackets_is_only_a_message() {
    let gateway = Gateway::start();
    let body = format!("\\\"{}\"", deep(1_000));
    gateway.text(ANN, &body);
    assert_eq!(gateway.events(ANN)[0]["body"], body);
}

#[test]
fn what_is_no_json_is_refused() {
    let gateway = Gateway::start();
    for body in [
        "",
        "STOP",
        "{",
        "null",
        "[]",
        "\"STOP\"",
        "{} {}",
        "{\"a\":1}x",
    ] {
        let answer = gateway.post_bytes("/v1/inbound", body);
        assert!(
            (400..=422).contains(&answer.status),
            "{body}: {}",
            answer.text
        );
        assert!(answer.json["field"].is_string(), "{body}: {}", answer.text);
    }
    let twice = format!(r#"{{"channel":"sms","from":"{ANN}","body":"STOP","body":"START"}}"#);
    gateway
        .post_bytes("/v1/inbound", twice)
        .is_problem(422, "body");
    nothing_happened(&gateway);
}

#[test]
fn bytes_that_are_no_utf8_are_refused() {
    let gateway = Gateway::start();
    let mut body = format!(r#"{{"channel":"sms","from":"{ANN}","body":"STOP"#).into_bytes();
    body.extend(b"\xff\xfe\"}");
    gateway
        .post_bytes("/v1/inbound", body)
        .is_problem(400, "body");
    let surrogate = format!(r#"{{"channel":"sms","from":"{ANN}","body":"STOP \ud800"}}"#);
    gateway
        .post_bytes("/v1/inbound", surrogate)
        .is_problem(400, "body");
    gateway
        .get("/consent/%FF%FE")
        .is_problem(400, "phoneNumber");
    gateway
        .get("/v1/contacts/%FF%FE/history")
        .is_problem(400, "address");
    nothing_happened(&gateway);
}

#[test]
fn a_form_or_plain_text_is_refused() {
    let gateway = Gateway::start();
    for kind in ["application/x-www-form-urlencoded", "text/plain"] {
        let body = message("body", json!("STOP")).to_string();
        let request = gateway.client().post(gateway.url("/v1/inbound")).body(body);
        let answer = crate::support::send(request.header("content-type", kind)).unwrap();
        answer.is_problem(415, "Content-Type");
    }
    nothing_happened(&gateway);
}

#[test]
fn a_query_that_nobody_understands_is_refused() {
    let gateway = Gateway::start();
    let consent = format!("/consent/{ANN}");
    // Left out by a slip of the pen, a category or a channel would widen what is asked.
    gateway
        .get(&format!("{consent}?categroy=billing"))
        .is_problem(400, "categroy");
    let change = gateway.report(ANN, "status=OPTIN&chanel=whatsapp", &json!({}));
    change.is_problem(400, "chanel");
    let twice = gateway.report(ANN, "status=OPTIN&status=OPTOUT", &json!({}));
    twice.is_problem(400, "status");
    let history = format!("/v1/contacts/{ANN}/history");
    gateway
        .get(&format!("{history}?limit=many"))
        .is_problem(400, "limit");
    gateway
        .get(&format!("{history}?after=-1"))
        .is_problem(400, "after");
    nothing_happened(&gateway);
}

#[test]
fn a_question_with_a_field_that_nobody_knows_is_refused() {
    let gateway = Gateway::start();
    gateway
        .post("/v1/preflight", &question("categroy", json!("x")))
        .is_problem(422, "categroy");
    let change = gateway.report(ANN, "status=OPTIN", &json!({ "evidnce": {} }));
    change.is_problem(422, "evidnce");
    nothing_happened(&gateway);
}

/// A stop must not be lost because a provider says more than it used to.
#[test]
fn a_message_with_a_field_that_nobody_knows_is_taken() {
    let gateway = Gateway::start();
    gateway.inbound(message("carrier", json!({ "name": "x" })));
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn a_nul_in_a_message_is_kept_and_hides_nothing() {
    let gateway = Gateway::start();
    let said = "STOP\u{0}";
    let answer = gateway.inbound(json!({
        "channel": "sms", "from": ANN, "body": said, "messageId": "a\u{0}b",
    }));
    assert_eq!(answer["intent"], "opt-out");
    let event = gateway.events(ANN).pop().unwrap();
    assert_eq!(event["body"], said);
    assert_eq!(event["messageId"], "a\u{0}b");
}

#[test]
fn the_plus_of_a_number_may_come_bare_or_encoded() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    for path in ["+14155550123", "%2B14155550123", "%2b1%20415%20555%200123"] {
        assert_eq!(gateway.consent(path, ""), "OPTOUT", "{path}");
        assert_eq!(gateway.events(path).len(), 1, "{path}");
    }
}

#[test]
fn reading_about_somebody_unknown_makes_nobody_known() {
    let gateway = Gateway::start();
    gateway.preflight(question("category", json!("marketing")));
    gateway.get(&format!("/consent/{ANN}")).ok();
    let history = gateway.get(&format!("/v1/contacts/{ANN}/history"));
    history.is_problem(404, "address");
    nothing_happened(&gateway);
}
