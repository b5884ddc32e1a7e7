//! What holds for the webhooks of every provider: secrets, signatures, sizes, faults.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;
use standardwebhooks::Webhook;
use tempfile::TempDir;

use crate::support::{ANN, Answer, Gateway, consentry, ended, send};

const PUBLIC_URL: &str = "https://sms.example.com";
pub(crate) const TWILIO_TOKEN: &str = "c0ffee00c0ffee00c0ffee00c0ffee00";
const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const VERIFY_TOKEN: &str = "a token for the handshake";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OPEN_MESSAGING_SECRET: &str = "a secret of the integration";
const FORM: &str = "application/x-www-form-urlencoded";
const SETTINGS: [&str; 12] = [
    "--public-url",
    PUBLIC_URL,
    "--twilio-secret",
    TWILIO_TOKEN,
    "--meta-secret",
    APP_SECRET,
    "--meta-verify-token",
    VERIFY_TOKEN,
    "--generic-secret",
    SECRET,
    "--genesys-secret",
    OPEN_MESSAGING_SECRET,
];

/// A gateway that all providers deliver to.
pub(crate) fn connected() -> Gateway {
    Gateway::start_with(&SETTINGS)
}

/// The same with more arguments.
pub(crate) fn connected_with(more: &[&str]) -> Gateway {
    Gateway::start_with(&[&SETTINGS, more].concat())
}

/// Posts a body with headers to a path.
pub(crate) fn deliver(
    gateway: &Gateway,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Answer {
    let mut request = gateway.client().post(gateway.url(path)).body(body.into());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).unwrap()
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}

/// What Twilio signs: the address, then every name and value in the order of the names.
pub(crate) fn twilio_signature(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let fields: String = sorted
        .iter()
        .flat_map(|(name, value)| [*name, *value])
        .collect();
    let mac: Hmac<Sha1> = Hmac::new_from_slice(token.as_bytes()).unwrap();
    let code = mac.chain_update(url).chain_update(fields).finalize();
    STANDARD.encode(code.into_bytes())
}

/// Twilio delivers fields.
pub(crate) fn twilio(gateway: &Gateway, fields: &[(&str, &str)]) -> Answer {
    let url = format!("{PUBLIC_URL}/webhooks/twilio");
    let signature = twilio_signature(TWILIO_TOKEN, &url, fields);
    let headers = [("content-type", FORM), ("x-twilio-signature", &signature)];
    deliver(gateway, "/webhooks/twilio", &headers, form(fields))
}

pub(crate) fn meta_signature(secret: &str, body: &[u8]) -> String {
    let mac: Hmac<Sha256> = Hmac::new_from_slice(secret.as_bytes()).unwrap();
    let code = mac.chain_update(body).finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

pub(crate) fn open_messaging_signature(body: &[u8]) -> String {
    let mac: Hmac<Sha256> = Hmac::new_from_slice(OPEN_MESSAGING_SECRET.as_bytes()).unwrap();
    let code = mac.chain_update(body).finalize().into_bytes();
    format!("sha256={}", STANDARD.encode(code))
}

/// A message goes through Open Messaging, from or to Genesys Cloud.
pub(crate) fn open_messaging(gateway: &Gateway, query: &str, document: &Value) -> Answer {
    let body = document.to_string();
    let signature = open_messaging_signature(body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("x-hub-signature-256", &signature),
    ];
    deliver(
        gateway,
        &format!("/webhooks/genesys{query}"),
        &headers,
        body,
    )
}

/// Meta delivers a document.
pub(crate) fn meta(gateway: &Gateway, document: &Value) -> Answer {
    let body = document.to_string();
    let signature = meta_signature(APP_SECRET, body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("x-hub-signature-256", &signature),
    ];
    deliver(gateway, "/webhooks/meta", &headers, body)
}

/// Somebody delivers a document in the neutral form, signed at a moment.
pub(crate) fn generic(gateway: &Gateway, id: &str, seconds: i64, document: &Value) -> Answer {
    let body = document.to_string();
    let webhook = Webhook::new(SECRET).unwrap();
    let signature = webhook.sign(id, seconds, body.as_bytes()).unwrap();
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id),
        ("webhook-timestamp", &seconds.to_string()),
        ("webhook-signature", &signature),
    ];
    deliver(gateway, "/webhooks/generic", &headers, body)
}

pub(crate) fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// How often something was counted: a metric and its labels.
#[track_caller]
pub(crate) fn counted(gateway: &Gateway, metric: &str) -> u64 {
    let metrics = gateway.get("/metrics").text;
    let mut lines = metrics.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(name, _)| *name == metric);
    found.map_or(0, |(_, count)| count.parse().unwrap())
}

pub(crate) fn refused(provider: &str, outcome: &str) -> String {
    format!("consentry_webhooks_total{{provider=\"{provider}\",outcome=\"{outcome}\"}}")
}

/// A message from Meta, in a delivery of its own.
pub(crate) fn written(message: Value) -> Value {
    let contact = json!({ "profile": { "name": "Ann" }, "wa_id": "14155550123" });
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "18335550100", "phone_number_id": "77" },
            "contacts": [contact],
            "messages": [message],
        }}]}],
    })
}

/// The same way of stopping, by each provider: a name, the path, the headers and the body.
struct Signed {
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Signed {
    fn post(&self, gateway: &Gateway, body: &[u8]) -> Answer {
        let headers = self.headers.iter();
        let headers: Vec<(&str, &str)> = headers
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        deliver(gateway, self.path, &headers, body)
    }

    fn provider(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap();
        name.split('?').next().unwrap()
    }

    fn signature(&self) -> &'static str {
        self.headers.last().unwrap().0
    }
}

fn stops() -> [Signed; 4] {
    let fields = [("MessageSid", "SM1"), ("From", ANN), ("Body", "STOP")];
    let url = format!("{PUBLIC_URL}/webhooks/twilio");
    let json = || ("content-type", "application/json".to_owned());
    let written = written(json!({
        "from": "14155550123", "id": "wamid.1", "timestamp": "1760000000", "type": "text",
        "text": { "body": "STOP" },
    }));
    let meta = written.to_string().into_bytes();
    let neutral = json!({ "channel": "sms", "from": ANN, "body": "STOP" }).to_string();
    let seconds = now();
    let signature = Webhook::new(SECRET)
        .unwrap()
        .sign("m1", seconds, neutral.as_bytes());
    let open = json!({
        "channel": { "messageId": "m1", "from": { "id": ANN, "idType": "Phone" } },
        "type": "Text", "text": "STOP", "direction": "Inbound",
    });
    let open = open.to_string().into_bytes();
    [
        Signed {
            path: "/webhooks/twilio",
            headers: vec![
                ("content-type", FORM.to_owned()),
                (
                    "x-twilio-signature",
                    twilio_signature(TWILIO_TOKEN, &url, &fields),
                ),
            ],
            body: form(&fields).into_bytes(),
        },
        Signed {
            path: "/webhooks/meta",
            headers: vec![
                json(),
                ("x-hub-signature-256", meta_signature(APP_SECRET, &meta)),
            ],
            body: meta,
        },
        Signed {
            path: "/webhooks/generic",
            headers: vec![
                json(),
                ("webhook-id", "m1".to_owned()),
                ("webhook-timestamp", seconds.to_string()),
                ("webhook-signature", signature.unwrap()),
            ],
            body: neutral.into_bytes(),
        },
        Signed {
            path: "/webhooks/genesys?channel=sms",
            headers: vec![
                json(),
                ("x-hub-signature-256", open_messaging_signature(&open)),
            ],
            body: open,
        },
    ]
}

#[test]
fn a_signed_stop_counts_once_however_often_it_comes() {
    for stop in stops() {
        let gateway = connected();
        let first = stop.post(&gateway, &stop.body);
        assert_eq!(first.status, 200, "{}: {}", stop.path, first.text);
        let again = stop.post(&gateway, &stop.body);
        assert_eq!(again.status, 200, "{}", again.text);
        assert_eq!(gateway.consent(ANN, ""), "OPTOUT", "{}", stop.path);
        assert_eq!(gateway.events(ANN).len(), 1, "{}", stop.path);
        assert_eq!(counted(&gateway, "consentry_inbound_duplicates_total"), 1);
        assert_eq!(counted(&gateway, &refused(stop.provider(), "taken")), 2);
    }
}

/// Whatever byte is another one, nothing is taken. A form may write the same letter in several ways; what
/// still says the same is the same.
#[test]
fn a_signed_body_with_any_byte_changed_is_refused() {
    let gateway = connected();
    let stops = stops();
    let read = |stop: &Signed, body: &[u8]| -> Option<Vec<(String, String)>> {
        let is_form = stop.provider() == "twilio";
        is_form.then(|| form_urlencoded::parse(body).into_owned().collect())
    };
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(600)
    });
    let changes = (0..4_usize, any::<prop::sample::Index>(), 1..=255_u8);
    let outcome = runner.run(&changes, |(which, at, flip)| {
        let stop = &stops[which];
        let mut body = stop.body.clone();
        let at = at.index(body.len());
        body[at] ^= flip;
        let same = read(stop, &body).is_some_and(|said| Some(said) == read(stop, &stop.body));
        prop_assume!(!same);
        let answer = stop.post(&gateway, &body);
        prop_assert_eq!(answer.status, 403, "{}", answer.text);
        Ok(())
    });
    outcome.unwrap();
    assert!(gateway.events(ANN).is_empty());
    for stop in &stops {
        assert!(counted(&gateway, &refused(stop.provider(), "bad-signature")) > 0);
    }
}

#[test]
fn without_the_whole_and_right_signature_nothing_is_taken() {
    let gateway = connected();
    for stop in stops() {
        let (name, whole) = stop.headers.last().unwrap().clone();
        let mut others: Vec<String> = (1..whole.len())
            .map(|end| whole.chars().take(end).collect())
            .collect();
        others.push(whole.replace(['0', '1', '2', '3', '4', '5'], "6"));
        others.push(format!("{whole}{whole}"));
        others.push(STANDARD.encode([0; 20]));
        others.push(STANDARD.encode([0; 32]));
        others.push(format!("sha256={}", "0".repeat(64)));
        others.push(format!("sha256={}", STANDARD.encode([0; 32])));
        others.push(format!("v1,{}", STANDARD.encode([0; 32])));
        others.push("sha256=é".to_owned());
        others.retain(|other| *other != whole);
        for other in others {
            let mut wrong = Signed {
                path: stop.path,
                headers: stop.headers.clone(),
                body: stop.body.clone(),
            };
            wrong.headers.last_mut().unwrap().1 = other.clone();
            let answer = wrong.post(&gateway, &wrong.body);
            answer.is_problem(403, name);
            wrong.headers.pop();
            let answer = wrong.post(&gateway, &wrong.body);
            answer.is_problem(403, name);
            assert_eq!(answer.json["type"], "urn:consentry:problem:no-signature");
        }
        // Twice is not once.
        let mut twice: Vec<(&str, &str)> = vec![(name, &whole)];
        twice.extend(
            stop.headers
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        assert_eq!(
            deliver(&gateway, stop.path, &twice, stop.body.clone()).status,
            403
        );
    }
    assert!(gateway.events(ANN).is_empty());
    for stop in stops() {
        assert!(counted(&gateway, &refused(stop.provider(), "no-signature")) > 0);
    }
}

#[test]
fn a_provider_without_a_secret_is_never_open() {
    let gateway = Gateway::start();
    for stop in stops() {
        let answer = stop.post(&gateway, &stop.body);
        assert_eq!(answer.status, 404, "{}", answer.text);
        assert_eq!(
            answer.json["type"],
            "urn:consentry:problem:unknown-provider"
        );
        let variable = format!("CONSENTRY_{}_SECRET", stop.provider().to_uppercase());
        assert!(answer.text.contains(&variable), "{}", answer.text);
    }
    assert_eq!(gateway.get("/webhooks/meta?hub.mode=subscribe").status, 404);
    let unknown = deliver(&gateway, "/webhooks/fax", &[], "");
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.text.contains("generic, genesys, meta, twilio"),
        "{}",
        unknown.text
    );
    assert_eq!(counted(&gateway, &refused("none", "unknown-provider")), 5);
    assert!(gateway.events(ANN).is_empty());
}

#[test]
fn the_old_and_the_new_secret_hold_while_it_changes_from_a_file_too() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secrets.toml");
    let entries = format!(
        "[[secret]]\nprovider = \"meta\"\nvalue = \"{APP_SECRET}\"\nuntil = 2999-01-01T00:00:00Z\n\
         [[secret]]\nprovider = \"meta\"\nvalue = \"gone\"\nuntil = 2020-01-01T00:00:00Z\n\
         [[secret]]\nprovider = \"generic\"\nvalue = \"{SECRET}\"\n\
         [[secret]]\nprovider = \"genesys\"\nvalue = \"{OPEN_MESSAGING_SECRET}\"\n"
    );
    std::fs::write(&file, entries).unwrap();
    let gateway = Gateway::start_talkative(&[
        "--webhook-secrets",
        file.to_str().unwrap(),
        "--meta-secret",
        "the new one",
        "--public-url",
        PUBLIC_URL,
        "--twilio-secret",
        "the new token,c0ffee00c0ffee00c0ffee00c0ffee00",
    ]);
    for stop in stops() {
        assert_eq!(stop.post(&gateway, &stop.body).status, 200, "{}", stop.path);
    }
    let by = |secret: &str| {
        let body = b"{}";
        let signature = meta_signature(secret, body);
        let json = ("content-type", "application/json");
        deliver(
            &gateway,
            "/webhooks/meta",
            &[json, ("x-hub-signature-256", &signature)],
            body,
        )
    };
    assert_eq!(by("the new one").status, 200);
    assert_eq!(by("gone").status, 403);
    // Not even when everything is logged.
    for secret in [
        APP_SECRET,
        SECRET,
        "the new one",
        "the new token",
        TWILIO_TOKEN,
        ANN,
    ] {
        assert!(!gateway.log().contains(secret), "{}", gateway.log());
    }
}

#[test]
fn secrets_that_protect_nothing_are_refused_at_the_start() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("secrets.toml");
    std::fs::write(&file, "[[secret]]\nprovider = \"fax\"\nvalue = \"hush\"\n").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, says) in [
        (&["--twilio-secret", "hush"][..], "--public-url"),
        (
            &["--twilio-secret", "hush", "--public-url", "sms.example.com"],
            "--public-url",
        ),
        (&["--meta-secret", ""], "empty"),
        (&["--meta-verify-token", "hush"], "app secret"),
        (&["--generic-secret", "hush"], "whsec_ and base64"),
        (&["--webhook-secrets", file], "fax"),
        (&["--webhook-secrets", "/nowhere"], "/nowhere"),
    ] {
        let output = ended(consentry(&["serve"]).args(arguments));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }
}

#[test]
fn other_forms_of_bodies_are_refused_before_they_are_read() {
    let gateway = connected();
    for stop in stops() {
        let with = |name: &'static str, value: &str| {
            let mut other = Signed {
                path: stop.path,
                headers: stop.headers.clone(),
                body: stop.body.clone(),
            };
            other.headers.retain(|(known, _)| *known != name);
            other.headers.insert(0, (name, value.to_owned()));
            other.post(&gateway, &other.body)
        };
        for media_type in ["text/plain", "multipart/form-data; boundary=x", "x"] {
            with("content-type", media_type).is_problem(415, "Content-Type");
        }
        for encoding in ["gzip", "br", "identity, gzip"] {
            with("content-encoding", encoding).is_problem(415, "Content-Encoding");
        }
        assert_eq!(
            counted(&gateway, &refused(stop.provider(), "compressed")),
            3
        );
        assert_eq!(
            counted(&gateway, &refused(stop.provider(), "wrong-media-type")),
            3
        );
        assert_eq!(stop.signature(), stop.headers.last().unwrap().0);
    }
    assert!(gateway.events(ANN).is_empty());
    // Nothing of the kind is the matter with these.
    for stop in stops() {
        let mut plain = Signed { ..stop };
        plain
            .headers
            .insert(0, ("content-encoding", "identity".to_owned()));
        plain.headers[1].1.push_str("; charset=UTF-8");
        assert_eq!(
            plain.post(&gateway, &plain.body).status,
            200,
            "{}",
            plain.path
        );
    }
}

#[test]
fn what_is_larger_than_a_provider_sends_is_refused() {
    let gateway = connected();
    for (stop, largest) in stops().iter().zip([64 << 10, 3 << 20, 64 << 10]) {
        let answer = stop.post(&gateway, &vec![b' '; largest + 1]);
        answer.is_problem(413, "body");
        assert_eq!(counted(&gateway, &refused(stop.provider(), "too-large")), 1);
        // Up to there, it is the signature that counts.
        assert_eq!(stop.post(&gateway, &vec![b' '; largest]).status, 403);
    }
}

#[test]
fn while_the_store_is_away_a_provider_is_told_to_send_again() {
    let gateway = connected();
    let mut connection = Connection::open(gateway.store()).unwrap();
    let held = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    for stop in stops() {
        let answer = stop.post(&gateway, &stop.body);
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.headers.contains_key("retry-after"));
        assert_eq!(
            counted(&gateway, &refused(stop.provider(), "store-unavailable")),
            1
        );
    }
    drop(held);
    assert!(gateway.events(ANN).is_empty());
    for stop in stops() {
        assert_eq!(stop.post(&gateway, &stop.body).status, 200);
    }
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

/// It is too long to be handed to the policy.
#[test]
fn without_an_answer_of_the_policy_the_floor_decides() {
    let gateway = connected();
    for (id, words) in [("wamid.1", "hello"), ("wamid.2", "STOP")] {
        let body = format!("{words}{}", " ".repeat(1 << 20));
        let message = written(json!({
            "from": "14155550123", "id": id, "timestamp": "1760000000", "type": "text",
            "text": { "body": body },
        }));
        assert_eq!(meta(&gateway, &message).status, 200);
    }
    let rules: Vec<Value> = gateway
        .events(ANN)
        .iter()
        .map(|event| event["rule"].clone())
        .collect();
    assert_eq!(rules, ["floor.no-policy", "floor.stop-word"]);
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
    let metric = "consentry_inbound_total{intent=\"opt-out\",decided_by=\"fault\"}";
    assert_eq!(counted(&gateway, metric), 1);
}

/// A proxy passes on the name that the provider called, and there may be no keys.
#[test]
fn providers_call_the_gateway_by_its_public_name_without_a_key() {
    let gateway = connected();
    for stop in stops() {
        let mut named = Signed { ..stop };
        named
            .headers
            .insert(0, ("host", "sms.example.com".to_owned()));
        assert_eq!(
            named.post(&gateway, &named.body).status,
            200,
            "{}",
            named.path
        );
    }
    let elsewhere = gateway
        .client()
        .get(gateway.url(&format!("/consent/{ANN}")));
    let elsewhere = send(elsewhere.header("host", "sms.example.com")).unwrap();
    assert_eq!(elsewhere.status, 421);
}

#[test]
fn only_what_a_provider_does_is_answered() {
    let gateway = connected();
    for path in ["/webhooks/twilio", "/webhooks/generic"] {
        assert_eq!(gateway.get(path).status, 405, "{path}");
    }
    let put = send(gateway.client().put(gateway.url("/webhooks/meta"))).unwrap();
    assert_eq!(put.status, 405);
    assert_eq!(put.headers["content-type"], "application/problem+json");
}
