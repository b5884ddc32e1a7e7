//! Twilio: text messages and WhatsApp as forms, answered in TwiML; and what became of messages sent.
//! <https://www.twilio.com/docs/usage/webhooks/webhooks-security>,
//! <https://www.twilio.com/docs/messaging/twiml>

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consentry_model::{Channel, floor};
use hmac::Hmac;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::provider::{Delivery, Done, Provider, Told, bad_signature};
use super::secrets::Secrets;
use crate::address::Address;
use crate::gateway::InboundMessage;
use crate::http::extract::{media_type, read};
use crate::http::problem::Problem;
use crate::platform::{Effect, Notice, Said};
use crate::store::Selection;

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
            Done::Notice(..) | Done::Nothing => None,
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

/// What Twilio says. Fields that are not known are passed over.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, value)| field == name && !value.is_empty())?;
        Some(found.1.as_str())
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    fn message_id(&self) -> Option<String> {
        self.first(&["MessageSid", "SmsMessageSid", "SmsSid"])
            .map(str::to_owned)
    }

    fn told(&self) -> Told {
        let status = self.first(&["MessageStatus", "SmsStatus"]);
        match status {
            None | Some("received" | "receiving") => self.message(),
            Some(_) => self.notice(),
        }
    }

    fn message(&self) -> Told {
        let Some(from) = self.get("From") else {
            return Told::Nothing("no-sender");
        };
        let Some((channel, address)) = channel_of(from) else {
            return Told::Nothing("other-channel");
        };
        let Ok(from) = Address::parse(address, None) else {
            return Told::Nothing("no-address");
        };
        let selection = self.tapped();
        let body = self.get("Body").unwrap_or_default();
        let taken_for = match self.get("OptOutType") {
            Some("STOP") => Some("STOP"),
            Some("START") => Some("START"),
            Some("HELP") => Some("HELP"),
            _ => None,
        };
        // No list of the sender's makes another word of a stop.
        let keyword = taken_for.filter(|word| *word == "STOP" || !floor::is_stop_word(body));
        let to = self.get("To").map(|to| {
            let (_, to) = to.split_once(':').unwrap_or(("", to));
            to.to_owned()
        });
        let referral = ["ReferralSourceId", "ReferralSourceUrl", "ReferralCtwaClid"];
        Told::Message(Box::new(InboundMessage {
            to,
            message_id: self.message_id(),
            stands_alone: selection.is_some(),
            selection,
            // With Advanced Opt-Out, Twilio has answered such a message before it came here.
            answered: taken_for.is_some(),
            keyword,
            ad_entry: self.first(&referral).is_some(),
            ..InboundMessage::text(channel, from, body)
        }))
    }

    fn tapped(&self) -> Option<Selection> {
        let of = |id, title| {
            let (id, title) = (self.get(id), self.get(title));
            id.or(title)?;
            Some(Selection {
                id: id.unwrap_or_default().to_owned(),
                title: title.unwrap_or_default().to_owned(),
            })
        };
        of("ListId", "ListTitle").or_else(|| of("ButtonPayload", "ButtonText"))
    }

    /// What became of a message that was sent.
    fn notice(&self) -> Told {
        let code = self.get("ErrorCode").and_then(|code| code.parse().ok());
        let Some(code) = code.filter(|code: &u32| *code != 0) else {
            return Told::Nothing("status");
        };
        let said = Said::Error(code);
        if said.effect() == Effect::None {
            return Told::Nothing("error");
        }
        let Some((channel, address)) = self.get("To").and_then(channel_of) else {
            return Told::Nothing("no-address");
        };
        let Ok(address) = Address::parse(address, None) else {
            return Told::Nothing("no-address");
        };
        let status = self.first(&["MessageStatus", "SmsStatus"]);
        Told::Notice(Box::new(Notice {
            address,
            other_addresses: Vec::new(),
            channel,
            said,
            at: None,
            // Not that of a message that came in.
            message_id: self.message_id().map(|id| format!("{id}/{code}")),
            source: Twilio::NAME.to_owned(),
            document: json!({
                "status": status, "code": code, "messageId": self.message_id(),
                "sender": self.get("From"),
            }),
        }))
    }
}

/// The channel that an address is on, and the address without its prefix. Stops over RCS and over text
/// messages are one.
fn channel_of(address: &str) -> Option<(Channel, &str)> {
    match address.split_once(':') {
        None => Some((Channel::Sms, address)),
        Some(("whatsapp", address)) => Some((Channel::Whatsapp, address)),
        Some(("rcs", address)) => Some((Channel::Sms, address)),
        Some(_) => None,
    }
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
