//! Twilio's webhooks: what comes in as a form, and what is answered in TwiML.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{ANN, Gateway, changes};
use crate::webhooks::{TWILIO_TOKEN, connected, counted, deliver, form, twilio, twilio_signature};

const SILENCE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>";

fn text<'f>(id: &'f str, body: &'f str) -> Vec<(&'f str, &'f str)> {
    vec![
        ("ToCountry", "US"),
        ("SmsMessageSid", id),
        ("NumMedia", "0"),
        ("SmsStatus", "received"),
        ("FromCity", ""),
        ("Body", body),
        ("To", "+18335550100"),
        ("MessageSid", id),
        ("AccountSid", "AC00000000000000000000000000000000"),
        ("From", ANN),
        ("ApiVersion", "2010-04-01"),
    ]
}

fn last(gateway: &Gateway, of: &str) -> Value {
    gateway.events(of).pop().unwrap()
}

#[test]
fn a_stop_is_confirmed_and_a_help_answered_in_twiml() {
    let gateway = connected();
    let answer = twilio(&gateway, &text("SM1", "please stop texting me"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/xml; charset=utf-8");
    let event = last(&gateway, ANN);
    let reply = event["reply"].as_str().unwrap();
    let message = format!("<Response><Message>{reply}</Message></Response>");
    assert!(answer.text.ends_with(&message), "{}", answer.text);
    assert_eq!(event["messageId"], "SM1");
    assert_eq!(event["businessAddress"], "+18335550100");
    assert_eq!(event["body"], "please stop texting me");
    assert_eq!(gateway.consent(ANN, "channel=sms"), "OPTOUT");

    // The same once more gets the first answer.
    let again = twilio(&gateway, &text("SM1", "please stop texting me"));
    assert_eq!(again.text, answer.text);
    assert_eq!(gateway.events(ANN).len(), 1);

    let help = twilio(&gateway, &text("SM2", "HELP"));
    assert!(help.text.contains("<Message>"), "{}", help.text);
    let hello = twilio(&gateway, &text("SM3", "Do you ship to Brazil?"));
    assert_eq!(hello.text, SILENCE);
}

#[test]
fn a_whatsapp_message_is_one_of_whatsapp() {
    let gateway = connected();
    let fields = [
        ("MessageSid", "SM1"),
        ("From", "whatsapp:+14155550123"),
        ("To", "whatsapp:+18335550100"),
        ("WaId", "14155550123"),
        ("ProfileName", "Ann"),
        ("Body", "hello"),
        ("ReferralSourceId", "1234"),
        ("ReferralSourceType", "ad"),
    ];
    assert_eq!(twilio(&gateway, &fields).text, SILENCE);
    let event = last(&gateway, ANN);
    assert_eq!(event["channel"], "whatsapp");
    assert_eq!(event["businessAddress"], "+18335550100");
    assert_eq!(event["evidence"], json!({ "adEntry": true }));
    let free_form = json!({ "channel": "whatsapp", "to": ANN });
    assert_eq!(gateway.ask(free_form)["allowed"], true);

    let button = [
        ("MessageSid", "SM2"),
        ("From", "whatsapp:+14155550123"),
        ("Body", "Leave me out"),
        ("ButtonText", "Leave me out"),
        ("ButtonPayload", "stop_promotions"),
    ];
    twilio(&gateway, &button);
    let event = last(&gateway, ANN);
    assert_eq!(event["intent"], "opt-out");
    assert_eq!(event["selection"]["id"], "stop_promotions");
}

#[test]
fn what_twilio_has_answered_already_is_recorded_and_met_with_silence() {
    // Whatever the words are: Twilio has lists of its own, and blocks by them.
    for (body, kind, intent) in [
        ("STOP", "STOP", "opt-out"),
        ("Do you ship to Brazil?", "STOP", "opt-out"),
        ("HELP", "HELP", "help"),
        ("INFO PLEASE", "HELP", "help"),
        ("START", "START", "opt-in"),
        ("JOIN US", "START", "opt-in"),
        // No list makes another word of it.
        ("stop", "START", "opt-out"),
    ] {
        let gateway = connected();
        let mut fields = text("SM1", body);
        fields.extend([("OptOutType", kind), ("MessagingServiceSid", "MG1")]);
        let answer = twilio(&gateway, &fields);
        assert_eq!(answer.status, 200, "{body}");
        assert_eq!(answer.text, SILENCE, "{body}");
        let event = last(&gateway, ANN);
        assert_eq!(event["intent"], intent, "{body}");
        assert_eq!(event["body"], body);
        assert_eq!(event["answered"], true);
        assert_eq!(event["reply"], Value::Null);
    }
}

#[test]
fn an_error_that_means_an_opt_out_is_one_and_a_start_undoes_it() {
    for (code, prefix, channel, other) in [
        ("21610", "", "sms", "whatsapp"),
        ("63014", "whatsapp:", "whatsapp", "sms"),
    ] {
        let gateway = connected();
        let to = format!("{prefix}{ANN}");
        let status = [
            ("MessageSid", "SM9"),
            ("SmsSid", "SM9"),
            ("MessageStatus", "undelivered"),
            ("ErrorCode", code),
            ("To", &to),
            ("From", "+18335550100"),
        ];
        for _ in 0..2 {
            let answer = twilio(&gateway, &status);
            assert_eq!((answer.status, answer.text.as_str()), (200, SILENCE));
        }
        let events = gateway.events(ANN);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["source"], "twilio");
        assert_eq!(events[0]["evidence"]["code"].to_string(), code);
        assert_eq!(changes(&events[0]), [format!("{channel} * OPTOUT")]);
        assert_eq!(
            gateway.consent(ANN, &format!("channel={channel}")),
            "OPTOUT"
        );
        assert_eq!(gateway.consent(ANN, &format!("channel={other}")), "NONE");
        // Nobody but the person lifts it.
        let query = format!("status=OPTIN&channel={channel}");
        gateway
            .report(ANN, &query, &json!({ "source": "agent" }))
            .is_problem(409, "evidence");
        twilio(
            &gateway,
            &[("MessageSid", "SM10"), ("From", &to), ("Body", "START")],
        );
        assert_eq!(gateway.consent(ANN, &format!("channel={channel}")), "OPTIN");
    }
}

#[test]
fn other_errors_and_statuses_change_nothing() {
    let gateway = connected();
    for (status, code) in [
        ("undelivered", "30034"),
        ("failed", "30003"),
        ("delivered", ""),
        ("sent", "0"),
        ("failed", "no number"),
        ("failed", "99999999999999"),
    ] {
        let fields = [
            ("MessageSid", "SM7"),
            ("MessageStatus", status),
            ("ErrorCode", code),
            ("To", ANN),
            ("From", "+18335550100"),
        ];
        let answer = twilio(&gateway, &fields);
        assert_eq!((answer.status, answer.text.as_str()), (200, SILENCE));
    }
    assert!(gateway.events(ANN).is_empty());
    assert!(gateway.events("+18335550100").is_empty());
}

#[test]
fn what_cannot_be_used_is_answered_with_silence_and_counted() {
    let gateway = connected();
    for (fields, kind) in [
        (&[("Body", "STOP"), ("OptOutType", "STOP")][..], "no-sender"),
        (
            &[("From", "messenger:1234"), ("Body", "STOP")],
            "other-channel",
        ),
        (&[("From", "12345"), ("Body", "STOP")], "no-address"),
        (&[("From", "whatsapp:"), ("Body", "STOP")], "no-address"),
        (&[], "no-sender"),
    ] {
        let metric =
            format!("consentry_webhook_items_total{{provider=\"twilio\",kind=\"{kind}\"}}");
        let before = counted(&gateway, &metric);
        let answer = twilio(&gateway, fields);
        assert_eq!((answer.status, answer.text.as_str()), (200, SILENCE));
        assert_eq!(counted(&gateway, &metric), before + 1, "{kind}");
    }
}

#[test]
fn emoji_pictures_and_every_alphabet_come_through() {
    let gateway = connected();
    for (id, body) in [
        ("SM1", "👍🏽"),
        ("SM2", ""),
        ("SM3", "可以吗？&=%+"),
        ("SM4", "é\r\n\"'<>"),
    ] {
        let mut fields = text(id, body);
        fields.push(("MediaUrl0", "https://api.twilio.com/media/1"));
        assert_eq!(twilio(&gateway, &fields).text, SILENCE, "{body}");
        let event = last(&gateway, ANN);
        assert_eq!(event["body"], body);
        assert_eq!(event["changes"], json!([]), "{body}");
    }
}

#[test]
fn the_address_is_signed_as_twilio_writes_it() {
    for (public_url, signed) in [
        ("https://a.example", "https://a.example/webhooks/twilio"),
        ("https://a.example/", "https://a.example/webhooks/twilio"),
        ("https://a.example", "https://a.example:443/webhooks/twilio"),
        (
            "https://a.example:8443",
            "https://a.example/webhooks/twilio",
        ),
        (
            "https://a.example:8443",
            "https://a.example:8443/webhooks/twilio",
        ),
        ("http://a.example", "http://a.example:80/webhooks/twilio"),
        ("https://[::1]", "https://[::1]:443/webhooks/twilio"),
        (
            "https://me:hush@a.example",
            "https://me:hush@a.example:443/webhooks/twilio",
        ),
        (
            "https://a.example/consent",
            "https://a.example/consent/webhooks/twilio",
        ),
    ] {
        let arguments = ["--twilio-secret", TWILIO_TOKEN, "--public-url", public_url];
        let gateway = Gateway::start_with(&arguments);
        let post = |url: &str, query: &str| {
            // A value that is there twice is signed once.
            let fields = [
                ("Twice", "b"),
                ("Twice", "a"),
                ("Twice", "b"),
                ("Future", "field"),
            ];
            let signature = twilio_signature(TWILIO_TOKEN, url, &fields);
            let headers = [
                ("content-type", "application/x-www-form-urlencoded"),
                ("x-twilio-signature", &signature),
            ];
            deliver(
                &gateway,
                &format!("/webhooks/twilio{query}"),
                &headers,
                form(&fields),
            )
            .status
        };
        assert_eq!(post(signed, ""), 200, "{public_url} {signed}");
        assert_eq!(post(&format!("{signed}?a=it%27s"), "?a=it%27s"), 200);
        assert_eq!(post(&format!("{signed}?a=it%27s"), "?a=it's"), 200);
        assert_eq!(post(&format!("{signed}?a=it's"), "?a=it%27s"), 200);
        assert_eq!(post(&format!("{signed}?a=1"), "?a=2"), 403);
        assert_eq!(post(&format!("{signed}/"), ""), 403);
        assert_eq!(
            post(
                &signed
                    .replace("a.example", "b.example")
                    .replace("::1", "::2"),
                ""
            ),
            403
        );
    }
}

#[test]
fn json_is_signed_by_its_digest_in_the_query() {
    let gateway = connected();
    let body = json!({ "MessageSid": "SM1", "From": ANN, "Body": "STOP", "NumMedia": 0 });
    let body = body.to_string();
    let digest: String = Sha256::digest(&body)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let post = |query: &str, body: &str| {
        let url = format!("https://sms.example.com/webhooks/twilio{query}");
        let signature = twilio_signature(TWILIO_TOKEN, &url, &[]);
        let headers = [
            ("content-type", "application/json"),
            ("x-twilio-signature", &signature),
        ];
        let path = format!("/webhooks/twilio{query}");
        deliver(&gateway, &path, &headers, body)
    };
    assert_eq!(post("", &body).status, 403);
    assert_eq!(post("?bodySHA256=", &body).status, 403);
    assert_eq!(post(&format!("?bodySHA256={digest}"), "{}").status, 403);
    assert!(gateway.events(ANN).is_empty());
    let taken = post(&format!("?foo=1&bodySHA256={digest}"), &body);
    assert_eq!(taken.status, 200, "{}", taken.text);
    assert_eq!(last(&gateway, ANN)["intent"], "opt-out");
}
