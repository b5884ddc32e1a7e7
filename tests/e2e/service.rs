//! What operators rely on: health, metrics, logs, and answers in one form.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::support::{ANN, Gateway, consentry, ended, send};

#[test]
fn it_says_whether_it_is_well_and_ready() {
    let gateway = Gateway::start();
    assert_eq!(gateway.get("/healthz").status, 200);
    assert_eq!(gateway.get("/readyz").status, 200);
    assert_eq!(
        send(gateway.client().head(gateway.url("/readyz")))
            .unwrap()
            .status,
        200
    );
}

#[test]
fn every_call_is_described() {
    let gateway = Gateway::start();
    let document = gateway.get("/openapi.json").ok();
    assert!(document["openapi"].as_str().unwrap().starts_with('3'));
    let paths: BTreeSet<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in [
        "/consent/{phoneNumber}",
        "/v1/inbound",
        "/v1/preflight",
        "/v1/contacts/{address}/history",
    ] {
        assert!(paths.contains(&path.to_owned()), "{path}");
    }
    let problem = &document["components"]["schemas"]["Problem"]["properties"];
    assert!(problem["field"].is_object());
}

#[test]
fn what_was_asked_and_decided_is_counted() {
    let gateway = Gateway::start();
    let message = json!({ "channel": "sms", "from": ANN, "body": "STOP", "messageId": "SM1" });
    gateway.inbound(message.clone());
    gateway.inbound(message);
    gateway.preflight(json!({ "channel": "sms", "to": ANN }));
    gateway.post("/v1/inbound", &json!({}));
    let metrics = gateway.get("/metrics").text;
    for line in [
        r#"consentry_inbound_total{intent="opt-out",decided_by="policy"} 1"#,
        r#"consentry_inbound_duplicates_total 1"#,
        r#"consentry_preflight_total{verdict="deny",decided_by="policy"} 1"#,
        r#"consentry_http_requests_total{route="/v1/inbound",method="POST",status="200"} 2"#,
        r#"consentry_http_requests_total{route="/v1/inbound",method="POST",status="422"} 1"#,
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
}

#[test]
fn no_log_and_no_metric_holds_a_number_or_a_text() {
    let gateway = Gateway::start_talkative(&[]);
    let secret = "xyzzy";
    gateway.text(ANN, &format!("STOP {secret}"));
    gateway.text(ANN, "STOP");
    gateway.preflight(json!({ "channel": "sms", "to": ANN }));
    gateway.report(ANN, "status=OPTIN", &json!({ "source": secret }));
    gateway.get(&format!("/consent/{ANN}?channel={secret}"));
    gateway.get(&format!("/consent/{ANN}/{secret}"));
    gateway.get(&format!("/v1/contacts/{ANN}/history")).ok();
    gateway.post_bytes("/v1/inbound", format!("{{\"{secret}\": {ANN}"));
    gateway.raw(b"14155550123 /xyzzy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    gateway.raw(b"xyzzy\r\n\r\n");
    let metrics = gateway.get("/metrics").text;
    gateway.terminate();
    let mut gateway = gateway;
    gateway.ended();
    for (name, text) in [("log", gateway.log()), ("metrics", metrics)] {
        assert!(text.len() > 500, "{name}: {text}");
        for private in ["4155550123", secret] {
            let line = text.lines().find(|line| line.contains(private));
            assert_eq!(line, None, "{name}");
        }
    }
}

#[test]
fn logs_are_one_json_object_a_line() {
    let mut gateway = Gateway::start();
    gateway.terminate();
    assert!(gateway.ended().success());
    for line in gateway.log().lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(entry["timestamp"].is_string(), "{line}");
        assert!(entry["fields"]["message"].is_string(), "{line}");
    }
}

#[test]
fn an_unknown_path_and_a_wrong_method_are_problems_too() {
    let gateway = Gateway::start();
    for path in ["/", "/consent/", "/v2/inbound", "/consent/+14155550123/x"] {
        let answer = gateway.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.json["type"], "urn:consentry:problem:unknown-path",
            "{path}"
        );
    }
    for (method, path) in [
        (Method::GET, "/v1/inbound"),
        (Method::HEAD, "/v1/inbound"),
        (Method::OPTIONS, "/v1/inbound"),
        (Method::DELETE, "/consent/+14155550123"),
        (Method::PUT, "/v1/preflight"),
        (Method::from_bytes(b"MADEUP").unwrap(), "/v1/preflight"),
    ] {
        let answer = send(gateway.client().request(method.clone(), gateway.url(path))).unwrap();
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.headers.contains_key("allow"), "{method} {path}");
    }
}

#[test]
fn huge_headers_and_broken_requests_do_it_no_harm() {
    let gateway = Gateway::start();
    let long = "x".repeat(1 << 20);
    let huge = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n");
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(5000));
    let path = format!("GET /consent/{long} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for request in [huge.as_str(), &many, &path, "\0\0\0\r\n\r\n", "GET\r\n\r\n"] {
        let answer = gateway.raw(request.as_bytes());
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    assert_eq!(gateway.text(ANN, "STOP")["intent"], "opt-out");
}

#[test]
fn the_history_is_paged() {
    let gateway = Gateway::start();
    for index in 0..5 {
        gateway.text(ANN, &format!("message {index}"));
    }
    let mut bodies = Vec::new();
    let mut after = json!(0);
    loop {
        let page = gateway
            .get(&format!("/v1/contacts/{ANN}/history?limit=2&after={after}"))
            .ok();
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 2);
        bodies.extend(events.iter().map(|event| event["body"].clone()));
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let expected: Vec<String> = (0..5).map(|index| format!("message {index}")).collect();
    assert_eq!(bodies, expected);
    let all = gateway
        .get(&format!("/v1/contacts/{ANN}/history?limit=999999"))
        .ok();
    assert_eq!(all["addresses"], json!([ANN]));
    assert_eq!(all["events"].as_array().unwrap().len(), 5);
}

#[test]
fn a_second_gateway_on_the_same_port_says_why_it_does_not_start() {
    let gateway = Gateway::start();
    let store = format!("sqlite:{}", gateway.folder().join("other.db").display());
    let output =
        ended(consentry(&["serve", "--listen", gateway.address()]).args(["--store", &store]));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(gateway.address()), "{said}");
}

#[test]
fn an_explained_answer_lists_the_rules_in_the_order_tried() {
    let gateway = Gateway::start();
    // At night, so that the last rule blocks at whatever hour this runs.
    let question = json!({
        "channel": "sms", "to": ANN, "category": "marketing", "at": "2026-06-10T10:00:00Z",
        "dryRun": true,
    });
    assert_eq!(gateway.preflight(question.clone()).get("trace"), None);
    let mut question = question;
    question["explain"] = json!(true);
    let trace = gateway.preflight(question)["trace"]
        .as_array()
        .unwrap()
        .clone();
    assert!(trace.len() > 1, "{trace:?}");
    // The first asks whether there is an opt-out, the last is what decided.
    assert_eq!(trace[0]["outcome"], "pass");
    assert_eq!(trace[trace.len() - 1]["outcome"], "block");
}
