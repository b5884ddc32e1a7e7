//! The gate as AWS: messages, and the opt-out list.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::elsewhere::Says;
use crate::gate::gate;
use crate::keys;
use crate::support::{ANN, Answer, Gateway, send};

/// Asks for something, with more headers.
fn ask(gateway: &Gateway, what: &str, asked: &Value, more: &[(&str, &str)]) -> Answer {
    let request = gateway
        .client()
        .post(gateway.url("/"))
        .body(asked.to_string());
    let request = request.header("content-type", "application/x-amz-json-1.0");
    let mut request = request.header("x-amz-target", format!("PinpointSMSVoiceV2.{what}"));
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    send(request).unwrap()
}

fn message(kind: &str) -> Value {
    json!({ "DestinationPhoneNumber": ANN, "MessageBody": "Hi", "MessageType": kind })
}

fn put(gateway: &Gateway, number: &str) -> Answer {
    let asked = json!({ "OptOutListName": "Default", "OptedOutNumber": number });
    ask(gateway, "PutOptedOutNumber", &asked, &[])
}

fn delete(gateway: &Gateway, number: &str) -> Answer {
    let asked = json!({ "OptOutListName": "Default", "OptedOutNumber": number });
    ask(gateway, "DeleteOptedOutNumber", &asked, &[])
}

/// The numbers on the list, each with whether its person has opted out.
fn listed(gateway: &Gateway, more: &Value) -> Vec<(String, bool)> {
    let mut asked = json!({ "OptOutListName": "Default" });
    asked
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let answer = ask(gateway, "DescribeOptedOutNumbers", &asked, &[]).ok();
    let entries = answer["OptedOutNumbers"].as_array().unwrap().iter();
    let entry = |entry: &Value| {
        assert!(entry["OptedOutTimestamp"].as_f64().unwrap() > 1.7e9);
        let number = entry["OptedOutNumber"].as_str().unwrap().to_owned();
        (number, entry["EndUserOptedOut"].as_bool().unwrap())
    };
    entries.map(entry).collect()
}

#[test]
fn messages_go_with_the_host_and_the_headers_that_were_signed() {
    let (gateway, aws) = gate("aws", &[]);
    aws.now_says(Says::Json(200, json!({ "MessageId": "1" })));
    let headers = [
        ("authorization", "AWS4-HMAC-SHA256 x"),
        ("accept-encoding", "gzip"),
    ];
    let answer = ask(
        &gateway,
        "SendTextMessage",
        &message("TRANSACTIONAL"),
        &headers,
    );
    assert_eq!(answer.json, json!({ "MessageId": "1" }), "{}", answer.text);
    let arrived = aws.next();
    assert_eq!(arrived.header("host"), gateway.address());
    assert_eq!(arrived.header("authorization"), "AWS4-HMAC-SHA256 x");
    assert_eq!(arrived.header("accept-encoding"), "gzip");
    assert_eq!(
        arrived.header("x-amz-target"),
        "PinpointSMSVoiceV2.SendTextMessage"
    );
    let promotion = ask(&gateway, "SendTextMessage", &message("PROMOTIONAL"), &[]);
    assert_eq!(promotion.headers["x-consentry-reason"], "no_consent");
    let mut known = message("PROMOTIONAL");
    known["Context"] = json!({ "consentry-category": "billing" });
    assert_eq!(ask(&gateway, "SendTextMessage", &known, &[]).status, 200);
    aws.next();
    let unknown = json!({ "DestinationPhoneNumber": ANN, "MessageBody": "Hi" });
    assert_eq!(ask(&gateway, "SendTextMessage", &unknown, &[]).status, 400);
    aws.got_nothing();
}

#[test]
fn a_stop_is_a_conflict() {
    let (gateway, aws) = gate("aws", &[]);
    gateway.text(ANN, "STOP");
    let answer = ask(&gateway, "SendTextMessage", &message("TRANSACTIONAL"), &[]);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.headers["content-type"], "application/x-amz-json-1.0");
    assert_eq!(answer.json["__type"], "ConflictException");
    assert_eq!(answer.json["Reason"], "DESTINATION_PHONE_NUMBER_OPTED_OUT");
    for what in [
        "SendVoiceMessage",
        "DeleteOptOutList",
        "",
        "Send TextMessage",
    ] {
        let answer = ask(&gateway, what, &message("TRANSACTIONAL"), &[]);
        assert_eq!(answer.json["__type"], "ValidationException", "{what}");
        assert_eq!(answer.json["Reason"], "UNKNOWN_OPERATION", "{what}");
    }
    for wrong in ["", "+", "ann", "+1 415 555 0123", "14155550123x"] {
        let asked = json!({ "DestinationPhoneNumber": wrong, "MessageType": "TRANSACTIONAL" });
        let answer = ask(&gateway, "SendTextMessage", &asked, &[]);
        assert_eq!(answer.json["__type"], "ValidationException", "{wrong}");
    }
    aws.got_nothing();
}

#[test]
fn the_conflict_of_aws_itself_is_evidence() {
    let (gateway, aws) = gate("aws", &[]);
    let reason = "DESTINATION_PHONE_NUMBER_OPTED_OUT";
    let conflict = json!({ "__type": "ConflictException", "Reason": reason });
    aws.now_says(Says::Json(400, conflict.clone()));
    let answer = ask(&gateway, "SendTextMessage", &message("TRANSACTIONAL"), &[]);
    assert_eq!(answer.json, conflict);
    assert_eq!(listed(&gateway, &json!({})), [(ANN.to_owned(), true)]);
}

/// What a business has put there it may take back; the person's own stop it may not.
#[test]
fn the_list_is_kept_in_the_store_and_no_entry_of_it_is_consent() {
    let (gateway, aws) = gate("aws", &[]);
    let entry = put(&gateway, ANN.trim_start_matches('+')).ok();
    assert_eq!(entry["OptedOutNumber"], ANN);
    assert_eq!(entry["EndUserOptedOut"], false);
    assert_eq!(put(&gateway, ANN).ok(), entry);
    assert_eq!(gateway.events(ANN).len(), 1);
    assert_eq!(listed(&gateway, &json!({})), [(ANN.to_owned(), false)]);
    let refused = ask(&gateway, "SendTextMessage", &message("TRANSACTIONAL"), &[]);
    assert_eq!(refused.json["__type"], "ConflictException");
    assert_eq!(delete(&gateway, ANN).ok()["OptedOutNumber"], ANN);
    assert!(listed(&gateway, &json!({})).is_empty());
    // Nobody has agreed to anything by that.
    assert_eq!(gateway.consent(ANN, "channel=sms"), "NONE");
    let promotion = ask(&gateway, "SendTextMessage", &message("PROMOTIONAL"), &[]);
    assert_eq!(promotion.headers["x-consentry-reason"], "no_consent");
    let gone = delete(&gateway, ANN);
    assert_eq!(
        gone.json["__type"], "ResourceNotFoundException",
        "{}",
        gone.text
    );
    assert_eq!(gone.json["ResourceType"], "opted-out-number");
    aws.got_nothing();

    put(&gateway, ANN);
    gateway.text(ANN, "STOP");
    let own = delete(&gateway, ANN);
    assert_eq!(
        (own.status, &own.json["__type"]),
        (400, &"ValidationException".into())
    );
    assert_eq!(own.json["Reason"], "PHONE_NUMBER_CANNOT_BE_OPTED_IN");
    assert_eq!(listed(&gateway, &json!({})), [(ANN.to_owned(), true)]);
}

/// The stop was said before the entry was put there, and arrives after it was taken back.
#[test]
fn a_stop_that_arrives_late_stands_whatever_was_deleted() {
    let (gateway, _aws) = gate("aws", &[]);
    put(&gateway, ANN);
    delete(&gateway, ANN).ok();
    let late = json!({
        "channel": "sms", "from": ANN, "body": "STOP", "sentAt": "2026-01-01T00:00:00Z",
    });
    gateway.inbound(late);
    assert_eq!(listed(&gateway, &json!({})), [(ANN.to_owned(), true)]);
}

#[test]
fn the_list_is_read_by_number_by_kind_and_by_page() {
    let (gateway, _aws) = gate("aws", &[]);
    let number = |last: usize| format!("+141555501{last}");
    for last in 10..17 {
        gateway.text(&number(last), "STOP");
    }
    put(&gateway, &number(17));
    gateway.text(&number(18), "Hello");
    let all: Vec<String> = (10..18).map(number).collect();
    let (mut found, mut next) = (Vec::new(), Value::Null);
    for page in 0.. {
        let mut asked = json!({ "OptOutListName": "Default", "MaxResults": 3 });
        if page > 0 {
            asked["NextToken"] = next.clone();
        }
        let answer = ask(&gateway, "DescribeOptedOutNumbers", &asked, &[]).ok();
        let entries = answer["OptedOutNumbers"].as_array().unwrap();
        found.extend(
            entries
                .iter()
                .map(|entry| entry["OptedOutNumber"].as_str().unwrap().to_owned()),
        );
        next = answer["NextToken"].clone();
        if next.is_null() {
            break;
        }
    }
    assert_eq!(found, all);
    let filter =
        |value: &str| json!({ "Filters": [{ "Name": "end-user-opted-out", "Values": [value] }] });
    assert_eq!(listed(&gateway, &filter("false")), [(number(17), false)]);
    assert_eq!(listed(&gateway, &filter("true")).len(), 7);
    let named = json!({ "OptedOutNumbers": [number(12), number(18), "+442071838750"] });
    assert_eq!(listed(&gateway, &named), [(number(12), true)]);
    for wrong in [
        json!({ "MaxResults": 0 }),
        json!({ "MaxResults": 101 }),
        json!({ "OptedOutNumbers": ["1", "2", "3", "4", "5", "6"] }),
        json!({ "OptedOutNumbers": ["ann"] }),
        json!({ "Filters": [{ "Name": "color", "Values": ["red"] }] }),
        json!({ "OptOutListName": 7 }),
    ] {
        let mut asked = json!({ "OptOutListName": "Default" });
        asked
            .as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        let answer = ask(&gateway, "DescribeOptedOutNumbers", &asked, &[]);
        assert_eq!(
            answer.json["__type"], "ValidationException",
            "{wrong}\n{}",
            answer.text
        );
    }
}

#[test]
fn with_keys_the_list_needs_the_scopes_of_what_it_does() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.toml");
    let [asks, writes, reads] = ["preflight", "write", "read"].map(|scope| keys::key(&[scope]));
    std::fs::write(&file, [asks.1, writes.1, reads.1].concat()).unwrap();
    let (gateway, aws) = gate("aws", &["--keys", file.to_str().unwrap()]);
    aws.now_says(Says::Json(200, json!({})));
    let list = json!({ "OptOutListName": "Default" });
    let one = json!({ "OptOutListName": "Default", "OptedOutNumber": ANN });
    let text = message("TRANSACTIONAL");
    for (what, asked, key) in [
        ("PutOptedOutNumber", &one, &writes.0),
        ("DescribeOptedOutNumbers", &list, &reads.0),
        ("DeleteOptedOutNumber", &one, &writes.0),
        ("SendTextMessage", &text, &asks.0),
    ] {
        for tried in [&asks.0, &writes.0, &reads.0] {
            let login = format!("Basic {}", STANDARD.encode(format!("{tried}:")));
            let answer = ask(&gateway, what, asked, &[("proxy-authorization", &login)]);
            let status = if tried == key { 200 } else { 400 };
            assert_eq!(answer.status, status, "{what}\n{}", answer.text);
            if tried != key {
                assert_eq!(answer.json["__type"], "AccessDeniedException");
            }
        }
        let nobody = ask(&gateway, what, asked, &[]);
        assert_eq!(nobody.json["__type"], "AccessDeniedException");
    }
    assert!(aws.next().headers.get("proxy-authorization").is_none());
    aws.got_nothing();
    assert_eq!(gateway.get("/healthz").status, 200);
}
