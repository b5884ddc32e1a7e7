//! Nothing goes on when in doubt: what cannot be read, what means two things, and what is out of order.

use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::elsewhere::Says;
use crate::gate::{ACCOUNT, gate, messages};
use crate::support::{ANN, Answer, Gateway, consentry, ended};
use crate::webhooks::deliver;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const UTILITY: (&str, &str) = ("x-consentry-category", "utility");

fn twilio(gateway: &Gateway, path: &str, body: &str, more: &[(&str, &str)]) -> Answer {
    deliver(gateway, path, &[&[FORM, UTILITY], more].concat(), body)
}

/// A number as it stands in a form.
const TO: &str = "To=%2B14155550123&Body=Hi";

#[test]
fn twilio_forms_that_can_be_read_in_two_ways_are_refused() {
    let (gateway, provider) = gate("twilio", &[]);
    for (body, status) in [
        ("", 422),
        ("Body=Hi", 422),
        ("To=&Body=Hi", 422),
        ("To=%2B14155550123&To=%2B14155550124&Body=Hi", 422),
        ("To=4155550123&Body=Hi", 422),
        ("To=messenger:123&Body=Hi", 422),
        ("To=rcs:%2B14155550123&Body=Hi", 422),
        ("To=whatsapp:ann@example.org&Body=Hi", 422),
        ("To=US.13491208655302741918&Body=Hi", 422),
        (
            "To=%2B14155550123&From=whatsapp:%2B18335550100&Body=Hi",
            422,
        ),
        (
            "To=%2B14155550123&Body=Hi&ScheduleType=fixed&SendAt=2027-01-01T00:00:00Z",
            422,
        ),
        ("To=%2B14155550123%00&Body=Hi", 422),
    ] {
        let answer = twilio(&gateway, &messages(), body, &[]);
        assert_eq!(answer.status, status, "{body}\n{}", answer.text);
        assert_eq!(answer.json["code"], 20_422, "{body}\n{}", answer.text);
        assert!(answer.json["message"].is_string(), "{}", answer.text);
    }
    let path = messages();
    for (path, status) in [
        (format!("{path}?To=%2B14155550124"), 400),
        (path.replace(ACCOUNT, "%2e%2e"), 404),
        (path.replace(ACCOUNT, "..%2f.."), 404),
        (path.replace(ACCOUNT, "a%20b"), 404),
    ] {
        let answer = gateway.raw(raw(&path, TO).as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}\n{answer}"
        );
    }
    for (header, status) in [
        (("content-encoding", "gzip"), 415),
        (("x-consentry-category", "No such!"), 422),
        (("x-consentry-category", "loyalty-of-nobody"), 400),
        (("x-consentry-in-reply-to", "nothing"), 422),
    ] {
        let headers = [FORM, ("x-other", "1"), header];
        let answer = deliver(&gateway, &path, &headers, TO);
        assert_eq!(answer.status, status, "{header:?}\n{}", answer.text);
    }
    let two = twilio(
        &gateway,
        &path,
        TO,
        &[("x-consentry-category", "marketing")],
    );
    assert_eq!(two.status, 422, "{}", two.text);
    let json = deliver(&gateway, &path, &[JSON], json!({ "To": ANN }).to_string());
    assert_eq!(json.status, 415);
    let huge = twilio(&gateway, &path, &format!("{TO}{}", "!".repeat(70_000)), &[]);
    assert_eq!((huge.status, &huge.json["code"]), (413, &20_413.into()));
    provider.got_nothing();
    assert_eq!(twilio(&gateway, &path, TO, &[]).status, 201);
}

fn raw(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\
         X-Consentry-Category: utility\r\nConnection: close\r\n\r\n{body}",
        FORM.1,
        body.len()
    )
}

#[test]
fn json_that_can_be_read_in_two_ways_is_refused() {
    for (provider, path, bodies) in [
        (
            "telnyx",
            "/v2/messages",
            &[
                "",
                "nonsense",
                "{}",
                "[]",
                r#"{"text":"Hi"}"#,
                r#"{"to":["+14155550123"],"text":"Hi"}"#,
                r#"{"to":"+14155550123","to":"+14155550124","text":"Hi"}"#,
                r#"{"to":"4155550123","text":"Hi"}"#,
                r#"{"to":"12345","text":"Hi"}"#,
                r#"{"to":"+14155550123","text":"Hi","send_at":"2027-01-01T00:00:00Z"}"#,
                r#"{"to":"+14155550123","text":"Hi"} {"to":"+14155550124"}"#,
            ][..],
        ),
        (
            "meta",
            "/v23.0/106540352242922/messages",
            &[
                r#"{"to":"14155550123","type":"text"}"#,
                r#"{"messaging_product":"whatsapp","type":"text"}"#,
                r#"{"messaging_product":"sms","to":"14155550123","type":"text"}"#,
                r#"{"messaging_product":"whatsapp","to":["14155550123"],"type":"text"}"#,
                r#"{"messaging_product":"whatsapp","to":14155550123,"type":"text"}"#,
                r#"{"messaging_product":"whatsapp","to":"555","type":"text"}"#,
                r#"{"messaging_product":"whatsapp","to":"14155550123","to":"14155550124"}"#,
                r#"{"messaging_product":"whatsapp","recipient_type":"group","to":"14155550123"}"#,
                r#"{"messaging_product":"whatsapp","recipient":"14155550123"}"#,
                r#"{"messaging_product":"whatsapp","status":"read","to":"14155550123"}"#,
                r#"{"messaging_product":"whatsapp","to":"14155550123","type":"template"}"#,
                r#"{"messaging_product":"whatsapp","to":"14155550123","type":"text","template":{"name":"x"}}"#,
            ][..],
        ),
    ] {
        let (gateway, elsewhere) = gate(provider, &[]);
        // Whoever is meant may be written to.
        gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Hello?" }));
        for body in bodies {
            let answer = deliver(&gateway, path, &[JSON, UTILITY], *body);
            assert!(
                matches!(answer.status, 400 | 422),
                "{body}\n{}",
                answer.text
            );
            let error = &answer.json;
            let code = error["errors"][0]["code"].as_str() == Some("10015");
            assert!(
                code || error["error"]["code"] == 100,
                "{body}\n{}",
                answer.text
            );
        }
        elsewhere.got_nothing();
    }
}

#[test]
fn a_store_that_is_away_stops_everything() {
    let (gateway, provider) = gate("twilio", &[]);
    twilio(&gateway, &messages(), TO, &[]);
    provider.next();
    // Whoever asks next finds no table to read.
    let store = Connection::open(gateway.store()).unwrap();
    store
        .execute_batch("ALTER TABLE address RENAME TO elsewhere")
        .unwrap();
    let answer = twilio(&gateway, &messages(), TO, &[]);
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (503, &20_503.into()),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers["x-consentry-reason"], "store_unavailable");
    provider.got_nothing();
}

#[test]
fn a_provider_that_is_away_is_an_error_in_its_own_form() {
    let gateway = Gateway::start_with(&["--gate", "twilio=http://127.0.0.1:9"]);
    let answer = twilio(&gateway, &messages(), TO, &[]);
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (502, &20_502.into()),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers["x-consentry-reason"], "upstream_unreachable");
    assert_eq!(gateway.get("/readyz").status, 200);
}

/// A provider that takes the message and says nothing holds up neither a stop nor its answer.
#[test]
fn a_provider_that_says_nothing_is_given_up_in_time() {
    let (gateway, provider) = gate("twilio", &[]);
    provider.now_says(Says::Nothing);
    std::thread::scope(|scope| {
        let sends = || twilio(&gateway, &messages(), TO, &[]);
        let waiting: Vec<_> = (0..70).map(|_| scope.spawn(sends)).collect();
        for _ in &waiting {
            provider.next();
        }
        assert_eq!(gateway.text(ANN, "STOP")["intent"], "opt-out");
        assert_eq!(twilio(&gateway, &messages(), TO, &[]).json["code"], 21_610);
        for answer in waiting {
            let answer = answer.join().unwrap();
            assert_eq!((answer.status, &answer.json["code"]), (504, &20_504.into()));
        }
    });
}

/// What the provider says of the contact counts, also when the caller does not wait for it.
#[test]
fn evidence_is_recorded_although_the_caller_has_hung_up() {
    let (gateway, provider) = gate("twilio", &[]);
    let (go_on, waits) = std::sync::mpsc::channel();
    let waits = std::sync::Arc::new(std::sync::Mutex::new(waits));
    provider.now_says(Says::Refusing("{\"code\":", waits, "21610}"));
    let mut caller = std::net::TcpStream::connect(gateway.address()).unwrap();
    std::io::Write::write_all(&mut caller, raw(&messages(), TO).as_bytes()).unwrap();
    provider.next();
    drop(caller);
    go_on.send(()).unwrap();
    crate::support::eventually("the opt-out is recorded", || {
        gateway.consent(ANN, "channel=sms") == "OPTOUT"
    });
}

/// What comes compressed in spite of everything goes to the caller as it is.
#[test]
fn an_error_that_cannot_be_read_is_passed_on() {
    let (gateway, provider) = gate("twilio", &[]);
    for document in [
        json!("nonsense"),
        json!({ "code": "21610?" }),
        json!("!".repeat(200_000)),
    ] {
        provider.now_says(Says::Json(400, document.clone()));
        let answer = twilio(&gateway, &messages(), TO, &[]);
        assert_eq!((answer.status, answer.json), (400, document));
    }
    assert!(gateway.events(ANN).is_empty());
}

#[test]
fn settings_of_the_gate_that_cannot_be_used_are_bad_arguments() {
    let folder = TempDir::new().unwrap();
    let store = format!("sqlite:{}", folder.path().join("x.db").display());
    for (option, value, says) in [
        ("--gate", "twilio", "PROVIDER=URL"),
        ("--gate", "fax=https://example.com", "no such provider"),
        ("--gate", "twilio=http://api.twilio.com", "https"),
        (
            "--gate",
            "twilio=https://user:secret@api.twilio.com",
            "write it like",
        ),
        ("--gate", "twilio=ftp://127.0.0.1", "https"),
        (
            "--gate",
            "twilio=https://a.example,twilio=https://b.example",
            "twice",
        ),
        ("--gate-category", "x=", "category"),
        ("--gate-category", "utility,billing", "twice"),
    ] {
        let serve = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            &store,
            option,
            value,
        ];
        let output = ended(&mut consentry(&serve));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{value}\n{said}");
        assert!(said.contains(says), "{value}\n{said}");
    }
}
