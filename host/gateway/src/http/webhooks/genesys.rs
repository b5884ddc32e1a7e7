//! Open Messaging of Genesys Cloud, in both directions: what a contact wrote, on its way to Genesys Cloud,
//! and what an agent or a bot wrote, on its way to the contact. Whatever stands between the two hands each
//! delivery on as it is, and does what the answer says.
//! <https://developer.genesys.cloud/commdigital/digital/openmessaging/>

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consentry_model::{Channel, Timestamp};
use hmac::Hmac;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::provider::{Delivery, Done, Provider, Told, bad_signature};
use super::secrets::Secrets;
use crate::address::Address;
use crate::gateway::InboundMessage;
use crate::http::extract::{parse, read};
use crate::http::inbound::InboundAnswer;
use crate::http::preflight::PreflightRequest;
use crate::http::problem::Problem;
use crate::store::Selection;

pub(crate) struct Genesys {
    secrets: Secrets,
}

impl Genesys {
    pub(crate) const NAME: &str = "genesys";

    pub(crate) fn new(secrets: Secrets) -> Self {
        Self { secrets }
    }
}

/// What a delivery does not say, and its address does.
#[derive(Deserialize)]
struct Integration {
    channel: String,
    category: Option<String>,
    country: Option<String>,
}

impl Provider for Genesys {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn signed_in(&self) -> &'static str {
        "x-hub-signature-256"
    }

    fn verify(&self, delivery: &Delivery<'_>, signature: &str) -> Result<(), Problem> {
        let code = signature.strip_prefix("sha256=");
        let code = code.and_then(|code| STANDARD.decode(code).ok());
        let signed = |code: Vec<u8>| self.secrets.signed::<Hmac<Sha256>>(delivery.body, &code);
        if code.is_some_and(signed) {
            Ok(())
        } else {
            Err(bad_signature(self.signed_in()))
        }
    }

    fn read(&self, delivery: &Delivery<'_>) -> Result<Vec<Told>, Problem> {
        let document: Value = read(delivery.body)?;
        match text(&document, "/type") {
            Some("Text" | "Structured") => {}
            Some("Event") => return Ok(vec![Told::Nothing("event")]),
            Some("Receipt") => return Ok(vec![Told::Nothing("receipt")]),
            Some("HealthCheck") => return Ok(vec![Told::Nothing("health-check")]),
            Some(_) => return Ok(vec![Told::Nothing("other-type")]),
            None => return Err(Problem::field("type", "an Open Messaging message has one")),
        }
        let integration = Integration::of(delivery)?;
        Ok(vec![match text(&document, "/direction") {
            Some("Inbound") => integration.message(&document)?,
            Some("Outbound") => integration.question(&document)?,
            _ => return Err(Problem::field("direction", "Inbound or Outbound")),
        }])
    }

    /// What may not be sent is answered 403, so that a proxy need not read the answer.
    fn answer(&self, done: Vec<Done>) -> Response {
        match done.into_iter().next() {
            Some(Done::Message(recorded)) => Json(InboundAnswer::from(*recorded)).into_response(),
            Some(Done::Decision(answer)) => {
                let status = if answer.allowed() {
                    StatusCode::OK
                } else {
                    StatusCode::FORBIDDEN
                };
                (status, Json(*answer)).into_response()
            }
            Some(Done::Notice(..) | Done::Nothing) | None => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

impl Integration {
    fn of(delivery: &Delivery<'_>) -> Result<Self, Problem> {
        let query = delivery.path_and_query.split_once('?');
        let query = query.map_or("", |(_, query)| query);
        let parameter = |name: &str| {
            let mut parameters = form_urlencoded::parse(query.as_bytes());
            let found = parameters.find(|(parameter, _)| parameter == name);
            found.map(|(_, value)| value.into_owned())
        };
        let Some(channel) = parameter("channel") else {
            let what = "Open Messaging does not say it: add ?channel=sms or ?channel=whatsapp";
            return Err(Problem::field("channel", what));
        };
        Ok(Self {
            channel,
            category: parameter("category"),
            country: parameter("country"),
        })
    }

    fn message(&self, document: &Value) -> Result<Told, Problem> {
        let channel: Channel = parse("channel", &self.channel)?;
        let Some(from) = contact(document, "/channel/from", self.country.as_deref()) else {
            return Ok(Told::Nothing("no-address"));
        };
        let selection = tapped(document);
        let written = text(document, "/text");
        let body = written.or_else(|| Some(selection.as_ref()?.title.as_str()));
        let body = body.unwrap_or_default().to_owned();
        let sent_at = text(document, "/channel/time");
        let message_id = text(document, "/channel/messageId").or_else(|| text(document, "/id"));
        Ok(Told::Message(Box::new(InboundMessage {
            to: text(document, "/channel/to/id").map(str::to_owned),
            message_id: message_id.map(str::to_owned),
            sent_at: sent_at.and_then(|time| time.parse::<Timestamp>().ok()),
            stands_alone: selection.is_some(),
            selection,
            country: self.country.clone(),
            ..InboundMessage::text(channel, from, body)
        })))
    }

    fn question(&self, document: &Value) -> Result<Told, Problem> {
        let Some(to) = contact(document, "/channel/to", self.country.as_deref()) else {
            let what =
                "a telephone number with country code, an e-mail address or a WhatsApp user id";
            return Err(Problem::field("channel.to.id", what));
        };
        let from = text(document, "/channel/from/id").map(str::to_owned);
        let request = PreflightRequest::free_form(&self.channel, &to, from, self.category.clone());
        Ok(Told::Question(Box::new(request)))
    }
}

/// Whoever is not Genesys Cloud.
fn contact(document: &Value, pointer: &str, country: Option<&str>) -> Option<Address> {
    let id = text(document, &format!("{pointer}/id"))?.trim();
    let is_phone = text(document, &format!("{pointer}/idType")) == Some("Phone");
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    if is_phone && digits && country.is_none() {
        return Address::parse(&format!("+{id}"), None).ok();
    }
    Address::parse(id, country).ok()
}

/// A button or a quick reply.
fn tapped(document: &Value) -> Option<Selection> {
    let content = document.pointer("/content")?.as_array()?;
    content.iter().find_map(|item| {
        let reply = item
            .get("buttonResponse")
            .or_else(|| item.get("quickReply"))?;
        let title = text(reply, "/text").unwrap_or_default();
        Some(Selection {
            id: text(reply, "/payload").unwrap_or(title).to_owned(),
            title: title.to_owned(),
        })
    })
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    let text = value.pointer(pointer)?.as_str();
    text.filter(|text| !text.is_empty())
}
