//! Twilio: text messages and WhatsApp as forms, answered in TwiML; and what became of messages sent.
//! <https://www.twilio.com/docs/usage/webhooks/webhooks-security>,
//! <https://www.twilio.com/docs/messaging/twiml>

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::provider::{Delivery, Done, Provider, Told, bad_signature};
use super::secrets::Secrets;
use super::twilio_fields::Fields;
use crate::http::extract::{media_type, read};
use crate::http::problem::Problem;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

pub(crate) struct Twilio {
    secrets: Secrets,
    /// Where Twilio reaches this gateway, as it was told, without the path of the webhook.
    public_url: String,
}

impl Twilio {
    pub(crate) const NAME: &str = "twilio";

    pub(crate) fn new(secrets: Secrets, public_url: &str) -> Self {
        Self {
            secrets,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }
}

impl Provider for Twilio {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn signed_in(&self) -> &'static str {
        "x-twilio-signature"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[FORM, JSON]
    }

    fn verify(&self, delivery: &Delivery<'_>, signature: &str) -> Result<(), Problem> {
        let refused = || bad_signature(self.signed_in());
        let code = STANDARD.decode(signature).map_err(|_| refused())?;
        let url = format!("{}{}", self.public_url, delivery.path_and_query);
        let mut rest = String::new();
        if is_form(delivery) {
            for (name, values) in sorted(&fields_of_form(delivery.body)) {
                for value in values {
                    rest.push_str(name);
                    rest.push_str(value);
                }
            }
        } else if !has_digest(delivery) {
            return Err(refused());
        }
        let signed = |url: &String| {
            let text = format!("{url}{rest}");
            self.secrets.signed::<Hmac<Sha1>>(text.as_bytes(), &code)
        };
        if as_signed(&url).iter().any(signed) {
            Ok(())
        } else {
            Err(refused())
        }
    }

    fn read(&self, delivery: &Delivery<'_>) -> Result<Vec<Told>, Problem> {
        let fields = if is_form(delivery) {
            Fields(fields_of_form(delivery.body))
        } else {
            let document: BTreeMap<String, Value> = read(delivery.body)?;
            let text = |value| match value {
                Value::String(text) => text,
                value => value.to_string(),
            };
            let each = document.into_iter();
            Fields(each.map(|(name, value)| (name, text(value))).collect())
        };
        Ok(vec![fields.told()])
    }

    fn answer(&self, done: Vec<Done>) -> Response {
        let reply = done.into_iter().find_map(|done| match done {
            Done::Message(recorded) => recorded.event.reply,
            Done::Notice(..) | Done::Decision(_) | Done::Nothing => None,
        });
        let body = match reply {
            Some(reply) => format!(
                "<Response><Message>{}</Message></Response>",
                escaped(&reply)
            ),
            None => "<Response/>".to_owned(),
        };
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}");
        (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/xml; charset=utf-8")],
            body,
        )
            .into_response()
    }
}

fn is_form(delivery: &Delivery<'_>) -> bool {
    media_type(delivery.headers).as_deref() == Some(FORM)
}

/// The ways in which Twilio may have written the address: with the port or without, and an apostrophe in
/// the query as it is or encoded.
fn as_signed(url: &str) -> BTreeSet<String> {
    let mut written = BTreeSet::from([url.to_owned()]);
    if let Some((scheme, rest)) = url.split_once("://") {
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (format!("{login}@"), host),
            None => (String::new(), authority),
        };
        // The last colon, unless it is one of an IPv6 address.
        let bare = match host.rsplit_once(':') {
            Some((bare, port)) if !port.contains(']') => bare,
            _ => host,
        };
        let usual = if scheme == "https" { 443 } else { 80 };
        written.insert(format!("{scheme}://{login}{bare}{path}"));
        if bare == host {
            written.insert(format!("{scheme}://{login}{bare}:{usual}{path}"));
        }
    }
    let encoded: Vec<String> = written.iter().map(|url| url.replace('\'', "%27")).collect();
    let plain: Vec<String> = written.iter().map(|url| url.replace("%27", "'")).collect();
    written.extend(encoded);
    written.extend(plain);
    written
}

/// Whether the digest in the query, which is signed with it, is that of the body.
fn has_digest(delivery: &Delivery<'_>) -> bool {
    let query = delivery.path_and_query.split_once('?');
    let query = query.map_or("", |(_, query)| query);
    let mut named = form_urlencoded::parse(query.as_bytes());
    let Some((_, digest)) = named.find(|(name, _)| name == "bodySHA256") else {
        return false;
    };
    let found = Sha256::digest(delivery.body);
    let found: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = digest.to_ascii_lowercase();
    found.as_bytes().ct_eq(digest.as_bytes()).into()
}

fn fields_of_form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// By name, each value once.
fn sorted(fields: &[(String, String)]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in fields {
        sorted.entry(name).or_default().insert(value);
    }
    sorted
}

/// A text as XML has it. What XML cannot hold at all is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\n' | '\t' => escaped.push(char),
            '\u{fffe}' | '\u{ffff}' => {}
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}
