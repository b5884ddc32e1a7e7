//! The gate: a message that may go arrives at the provider as it was sent, and one that may not is answered
//! as the provider would.

use std::io::Read as _;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::elsewhere::{Elsewhere, Says};
use crate::keys;
use crate::policies;
use crate::support::{ANN, Answer, Gateway, send};
use crate::webhooks::{deliver, form};

pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const BASIC: (&str, &str) = ("authorization", "Basic QUM6c2VjcmV0LW9mLXR3aWxpbw==");
const BEARER: (&str, &str) = ("authorization", "Bearer secret-of-the-sender");

/// A gateway that forwards to a provider, and the provider.
pub(crate) fn gate(provider: &str, more: &[&str]) -> (Gateway, Elsewhere) {
    let elsewhere = Elsewhere::saying(201, json!({ "sid": "SM1" }));
    let setting = format!("{provider}={}", elsewhere.url);
    let gateway = Gateway::start_with(&[&["--gate", &setting], more].concat());
    (gateway, elsewhere)
}

pub(crate) fn messages() -> String {
    format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
}

fn twilio(gateway: &Gateway, fields: &[(&str, &str)]) -> Answer {
    deliver(gateway, &messages(), &[FORM, BASIC], form(fields))
}

/// A text of a kind that needs no consent.
fn notify(gateway: &Gateway, to: &str) -> Answer {
    let fields = [
        ("To", to),
        ("From", "+18335550100"),
        ("MessageIntent", "notifications"),
        ("Body", "Hi"),
    ];
    twilio(gateway, &fields)
}

fn meta(gateway: &Gateway, message: &Value) -> Answer {
    deliver(
        gateway,
        "/v23.0/106540352242922/messages",
        &[JSON, BEARER],
        message.to_string(),
    )
}

fn telnyx(gateway: &Gateway, message: &Value, more: &[(&str, &str)]) -> Answer {
    let headers = [&[JSON, BEARER], more].concat();
    deliver(gateway, "/v2/messages", &headers, message.to_string())
}

fn text_to(to: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": to, "type": "text", "text": { "body": "Hi" } })
}

fn template_to(to: &str, name: &str) -> Value {
    let template = json!({ "name": name, "language": { "code": "en" } });
    json!({ "messaging_product": "whatsapp", "to": to, "type": "template", "template": template })
}

const UTILITY: (&str, &str) = ("x-consentry-category", "utility");

#[test]
fn what_may_go_arrives_as_it_was_sent_and_the_answer_comes_back_as_it_is() {
    let (gateway, provider) = gate("twilio", &[]);
    let body = form(&[
        ("To", ANN),
        ("Body", "Hi\u{1f44b} & +"),
        ("MessageIntent", "delivery"),
    ]);
    let idempotency = ("i-twilio-idempotency-token", "once");
    let hop = ("connection", "x-of-this-hop");
    let mine = ("x-of-this-hop", "1");
    let answer = deliver(
        &gateway,
        &messages(),
        &[FORM, BASIC, idempotency, hop, mine],
        body.clone(),
    );
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json, json!({ "sid": "SM1" }));
    assert_eq!(answer.headers["x-of-the-provider"], "yes");
    assert!(answer.headers.get("keep-alive").is_none());
    assert_eq!(answer.headers["x-consentry-decision"].len(), 36);
    assert!(answer.headers["x-consentry-receipt"].len() > 100);
    let arrived = provider.next();
    assert_eq!(arrived.path, messages());
    assert_eq!(arrived.body, body);
    assert_eq!(arrived.header("authorization"), BASIC.1);
    assert_eq!(arrived.header("i-twilio-idempotency-token"), "once");
    assert_eq!(arrived.header("content-type"), FORM.1);
    assert_eq!(
        arrived.header("host"),
        provider.url.trim_start_matches("http://")
    );
    assert!(arrived.headers.get("x-of-this-hop").is_none());
}

#[test]
fn twilio_refuses_somebody_who_has_opted_out() {
    let (gateway, provider) = gate("twilio", &[]);
    gateway.text(ANN, "STOP");
    let answer = notify(&gateway, ANN);
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.json["code"], 21610);
    assert_eq!(answer.json["status"], 400);
    assert_eq!(
        answer.json["more_info"],
        "https://www.twilio.com/docs/errors/21610"
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["x-consentry-reason"], "opted_out");
    let on_whatsapp = format!("whatsapp:{ANN}");
    let answer = twilio(&gateway, &[("To", &on_whatsapp), ("Body", "Hi")]);
    assert_eq!(answer.json["code"], 63014, "{}", answer.text);
    provider.got_nothing();
}

#[test]
fn twilio_on_whatsapp_needs_a_window_or_a_template() {
    let (gateway, provider) = gate("twilio", &["--gate-category", "HX0=utility"]);
    let to = ("To", "whatsapp:+14155550123");
    let from = ("From", "whatsapp:+18335550100");
    let answer = twilio(&gateway, &[to, from, ("Body", "Hi")]);
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (400, &63016.into()),
        "{}",
        answer.text
    );
    let template = [to, from, ("ContentSid", "HX0")];
    assert_eq!(
        twilio(&gateway, &template).headers["x-consentry-reason"],
        "no_opt_in_evidence"
    );
    opts_in(&gateway, "utility");
    assert_eq!(twilio(&gateway, &template).status, 201);
    provider.next();
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Hello?" }));
    assert_eq!(twilio(&gateway, &[to, from, ("Body", "Hi")]).status, 201);
    provider.next();
}

/// An opt-in on WhatsApp, with its evidence.
fn opts_in(gateway: &Gateway, category: &str) {
    let evidence = json!({ "timestamp": "2025-11-02T16:20:00Z", "address": ANN, "text": "Yes" });
    let query = format!("status=OPTIN&channel=whatsapp&category={category}");
    gateway
        .report(ANN, &query, &json!({ "evidence": evidence }))
        .ok();
}

#[test]
fn meta_has_its_own_errors_for_a_stop_and_a_closed_window() {
    let (gateway, provider) = gate("meta", &["--gate-category", "order_update=utility"]);
    let closed = meta(&gateway, &text_to("14155550123"));
    assert_eq!(closed.status, 400, "{}", closed.text);
    assert_eq!(closed.json["error"]["code"], 131_047);
    assert_eq!(closed.json["error"]["type"], "OAuthException");
    assert_eq!(
        closed.json["error"]["error_data"]["messaging_product"],
        "whatsapp"
    );
    assert!(closed.json["error"]["fbtrace_id"].is_string());
    opts_in(&gateway, "utility");
    assert_eq!(
        meta(&gateway, &template_to("14155550123", "order_update")).status,
        201
    );
    assert_eq!(provider.next().header("authorization"), BEARER.1);
    // What nothing is known of is marketing.
    let unknown = meta(&gateway, &template_to(ANN, "surprise"));
    assert_eq!(unknown.json["error"]["code"], 131_050, "{}", unknown.text);
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Hello?" }));
    assert_eq!(meta(&gateway, &text_to("+1 (415) 555-0123")).status, 201);
    provider.next();
    gateway.text(ANN, "STOP");
    let stopped = meta(&gateway, &text_to(ANN));
    assert_eq!(stopped.json["error"]["code"], 131_050, "{}", stopped.text);
    assert!(
        stopped.json["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("(#131050)")
    );
    provider.got_nothing();
}

#[test]
fn meta_takes_a_receipt_and_its_own_way_of_showing_a_token() {
    let (gateway, provider) = gate("meta", &[]);
    let read =
        json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1" });
    assert_eq!(meta(&gateway, &read).status, 201);
    assert_eq!(provider.next().body, read.to_string());
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Hello?" }));
    let path = "/v23.0/106540352242922/messages?access_token=secret";
    let answer = deliver(&gateway, path, &[JSON], text_to(ANN).to_string());
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(provider.next().path, path);
}

/// Whoever has opted out with a user id, or with the number as texts reach it, is the same person.
#[test]
fn meta_is_asked_for_every_address_that_the_person_may_have_opted_out_with() {
    let (gateway, provider) = gate("meta", &[]);
    let user = "US.13491208655302741918";
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Hello?" }));
    gateway.inbound(json!({ "channel": "whatsapp", "from": user, "body": "STOP" }));
    let mut both = text_to(ANN);
    both["recipient"] = user.into();
    assert_eq!(meta(&gateway, &both).json["error"]["code"], 131_050);
    let mut by_user = json!({ "messaging_product": "whatsapp", "recipient": user, "type": "text" });
    assert_eq!(meta(&gateway, &by_user).json["error"]["code"], 131_050);
    by_user["recipient"] = "US.2".into();
    assert_eq!(meta(&gateway, &by_user).json["error"]["code"], 131_047);
    gateway.inbound(json!({ "channel": "whatsapp", "from": "+551181234567", "body": "Oi" }));
    gateway.text("+5511981234567", "SAIR");
    assert_eq!(
        meta(&gateway, &text_to("551181234567")).json["error"]["code"],
        131_050
    );
    provider.got_nothing();
}

#[test]
fn telnyx_has_its_own_error_for_a_stop_that_no_client_repeats() {
    let (gateway, provider) = gate("telnyx", &[]);
    let message = json!({ "to": ANN, "from": "+18335550100", "text": "Hi" });
    let answer = telnyx(&gateway, &message, &[UTILITY, ("idempotency-key", "once")]);
    assert_eq!(answer.status, 201, "{}", answer.text);
    let arrived = provider.next();
    assert_eq!(arrived.header("idempotency-key"), "once");
    assert_eq!(arrived.header("authorization"), BEARER.1);
    gateway.text(ANN, "STOP");
    let answer = telnyx(&gateway, &message, &[UTILITY]);
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert_eq!(answer.json["errors"][0]["code"], "40300");
    assert_eq!(
        answer.json["errors"][0]["title"],
        "Blocked due to STOP message"
    );
    assert_eq!(answer.headers["x-should-retry"], "false");
    provider.got_nothing();
}

#[test]
fn what_the_provider_refuses_for_the_persons_sake_is_evidence() {
    for (provider, status, error, effect) in [
        (
            "twilio",
            400,
            json!({ "code": 21610, "status": 400 }),
            "OPTOUT",
        ),
        (
            "twilio",
            400,
            json!({ "code": 21211, "status": 400 }),
            "NONE",
        ),
        (
            "telnyx",
            409,
            json!({ "errors": [{ "code": "40300" }] }),
            "OPTOUT",
        ),
        (
            "telnyx",
            400,
            json!({ "errors": [{ "code": "40305" }] }),
            "NONE",
        ),
    ] {
        let (gateway, elsewhere) = gate(provider, &[]);
        elsewhere.now_says(Says::Json(status, error.clone()));
        let ask = || match provider {
            "twilio" => notify(&gateway, ANN),
            _ => telnyx(&gateway, &json!({ "to": ANN, "text": "Hi" }), &[UTILITY]),
        };
        let answer = ask();
        assert_eq!((answer.status, &answer.json), (status, &error));
        assert_eq!(gateway.consent(ANN, "channel=sms"), effect, "{error}");
        elsewhere.next();
        if effect == "OPTOUT" {
            let events = gateway.events(ANN);
            assert_eq!(events[0]["source"], provider);
            assert_eq!(events[0]["evidence"]["error"], error);
            ask();
            elsewhere.got_nothing();
        } else {
            assert!(gateway.events(ANN).is_empty());
        }
    }
    let (gateway, elsewhere) = gate("meta", &[]);
    gateway.inbound(json!({ "channel": "whatsapp", "from": ANN, "body": "Hello?" }));
    elsewhere.now_says(Says::Json(400, json!({ "error": { "code": 131_050 } })));
    assert_eq!(meta(&gateway, &text_to(ANN)).json["error"]["code"], 131_050);
    assert_eq!(
        gateway.consent(ANN, "channel=whatsapp&category=marketing"),
        "OPTOUT"
    );
    assert_eq!(
        gateway.consent(ANN, "channel=whatsapp&category=utility"),
        "NONE"
    );
}

/// A cap of one: what is refused by the provider counts, and so does the same request again.
#[test]
fn what_has_to_wait_is_told_so_and_a_place_that_was_taken_is_kept() {
    let folder = TempDir::new().unwrap();
    let cap = "[[frequency_cap]]\nid = \"frequency.once\"\ncategories = [\"utility\"]\n\
               channels = [\"sms\"]\ncount = 1\nwindow = \"24h\"\nsource = \"a test\"\n\n";
    let first = "[[frequency_cap]]\nid = \"frequency.us-fl\"";
    let rules = policies::rules(
        folder.path(),
        "preflight.toml",
        first,
        &format!("{cap}{first}"),
    );
    let policy = folder.path().join("policy.wasm");
    assert!(policies::build(&rules, &policy).status.success());
    let policy = ["--policy", policy.to_str().unwrap()];

    let (gateway, provider) = gate("twilio", &policy);
    provider.now_says(Says::Json(500, json!({ "code": 20500 })));
    assert_eq!(notify(&gateway, ANN).status, 500);
    let answer = notify(&gateway, ANN);
    assert_eq!(
        (answer.status, &answer.json["code"]),
        (400, &30610.into()),
        "{}",
        answer.text
    );
    assert_eq!(answer.headers["x-consentry-reason"], "frequency_cap");
    let seconds: u64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((86_000..=86_401).contains(&seconds), "{seconds}");

    let (gateway, _provider) = gate("telnyx", &policy);
    let message = json!({ "to": ANN, "text": "Hi" });
    telnyx(&gateway, &message, &[UTILITY]);
    let answer = telnyx(&gateway, &message, &[UTILITY]);
    assert_eq!(answer.status, 429, "{}", answer.text);
    assert_eq!(answer.headers["x-should-retry"], "false");
}

#[test]
fn the_answer_flows_through_before_it_is_whole() {
    let (gateway, provider) = gate("twilio", &[]);
    let (go_on, waits) = channel();
    provider.now_says(Says::InParts(
        "{\"sid\":",
        Arc::new(Mutex::new(waits)),
        "\"SM1\"}",
    ));
    let request = gateway.client().post(gateway.url(&messages()));
    let fields = form(&[("To", ANN), ("MessageIntent", "otp"), ("Body", "1")]);
    let mut response = request.header(FORM.0, FORM.1).body(fields).send().unwrap();
    let mut first = [0; 7];
    response.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"{\"sid\":");
    go_on.send(()).unwrap();
    let mut rest = String::new();
    response.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "\"SM1\"}");
}

#[test]
fn one_message_may_confirm_an_opt_out() {
    let (gateway, provider) = gate("twilio", &[]);
    let stopped = gateway.text(ANN, "STOP");
    let event = stopped["eventId"].as_str().unwrap();
    let confirmation = form(&[("To", ANN), ("Body", "You are unsubscribed.")]);
    let headers = [FORM, BASIC, ("x-consentry-in-reply-to", event)];
    let confirm = || deliver(&gateway, &messages(), &headers, confirmation.clone());
    assert_eq!(confirm().status, 201);
    provider.next();
    assert_eq!(confirm().headers["x-consentry-reason"], "already_answered");
    provider.got_nothing();
}

#[test]
fn with_keys_the_key_comes_in_the_path_or_as_a_header_and_never_reaches_the_provider() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys.toml");
    let (key, entry) = keys::key(&["preflight"]);
    let (other, other_entry) = keys::key(&["read"]);
    std::fs::write(&file, entry + &other_entry).unwrap();
    let (gateway, provider) = gate("twilio", &["--keys", file.to_str().unwrap()]);
    let body = form(&[("To", ANN), ("MessageIntent", "otp"), ("Body", "1")]);
    let post = |path: &str, more: &[(&str, &str)]| {
        deliver(
            &gateway,
            path,
            &[&[FORM, BASIC], more].concat(),
            body.clone(),
        )
    };
    let refused = post(&messages(), &[]);
    assert_eq!(
        (refused.status, &refused.json["code"]),
        (401, &20003.into())
    );
    assert_eq!(
        post(&format!("/gate/{other}{}", messages()), &[]).status,
        403
    );
    assert_eq!(post(&format!("/gate/cy_0{}", messages()), &[]).status, 401);
    provider.got_nothing();
    assert_eq!(post(&format!("/gate/{key}{}", messages()), &[]).status, 201);
    let arrived = provider.next();
    assert_eq!(arrived.path, messages());
    assert_eq!(post(&messages(), &[("x-api-key", &key)]).status, 201);
    let arrived = provider.next();
    assert!(arrived.headers.get("x-api-key").is_none());
    assert!(!format!("{arrived:?}").contains(&key));
}

#[test]
fn there_is_no_gate_without_a_provider() {
    let gateway = Gateway::start();
    assert_eq!(notify(&gateway, ANN).status, 404);
    let (gateway, _provider) = gate("telnyx", &[]);
    assert_eq!(notify(&gateway, ANN).status, 404);
    let path = format!("/gate/anybody{}", messages());
    assert_eq!(deliver(&gateway, &path, &[FORM], "To=1").status, 404);
}

#[test]
fn credentials_numbers_and_texts_are_in_neither_logs_nor_metrics() {
    let elsewhere = Elsewhere::saying(400, json!({ "code": 21610 }));
    let setting = format!("twilio={}", elsewhere.url);
    let mut gateway = Gateway::start_talkative(&["--gate", &setting]);
    notify(&gateway, ANN);
    notify(&gateway, ANN);
    let metrics = gateway.get("/metrics").text;
    for line in [
        r#"consentry_gate_total{provider="twilio",outcome="forwarded"} 1"#,
        r#"consentry_gate_total{provider="twilio",outcome="opted_out"} 1"#,
    ] {
        assert!(
            metrics.lines().any(|found| found == line),
            "{line}\n{metrics}"
        );
    }
    gateway.terminate();
    assert!(gateway.ended().success());
    for secret in ["4155550123", "QUM6", "secret-of-twilio", ACCOUNT] {
        assert!(!metrics.contains(secret), "{secret}");
        assert!(!gateway.log().contains(secret), "{secret}");
    }
}

/// A request of a web page that has made its own name point at this machine.
#[test]
fn a_host_that_is_neither_this_machine_nor_the_provider_is_refused() {
    let (gateway, provider) = gate("telnyx", &[]);
    let body = json!({ "to": ANN, "text": "Hi" }).to_string();
    let post = |host: &str| {
        let request = gateway
            .client()
            .post(gateway.url("/v2/messages"))
            .body(body.clone());
        let request = request.header("host", host).header(JSON.0, JSON.1);
        send(request.header(UTILITY.0, UTILITY.1)).unwrap()
    };
    let refused = post("sms.example.com");
    assert_eq!(
        (refused.status, &refused.json["errors"][0]["code"]),
        (421, &"10009".into())
    );
    provider.got_nothing();
    assert_eq!(post(provider.url.trim_start_matches("http://")).status, 201);
}
