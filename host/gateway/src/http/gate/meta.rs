//! Meta's Cloud API for WhatsApp.
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>,
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use consentry_model::Channel;
use serde::Deserialize;
use serde_json::{Value, json};

use super::provider::{Asked, Call, Cause, Message, Provider, Refusal, digits, number};
use crate::address::Address;
use crate::http::extract::{MAX_SHORT, check_length, read};
use crate::http::problem::Problem;
use crate::http::webhooks::other_form;
use crate::platform::Said;

/// The path of the Marketing Messages API ends like this.
const MARKETING: &str = "/marketing_messages";

pub(super) struct Meta;

/// What a request has that says to whom it goes, and what it is. A field that is there twice is refused.
#[derive(Deserialize)]
struct Request {
    messaging_product: String,
    recipient_type: Option<String>,
    to: Option<String>,
    recipient: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    template: Option<Template>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Template {
    name: String,
}

impl Provider for Meta {
    fn name(&self) -> &'static str {
        "meta"
    }

    fn paths(&self) -> &'static [&'static str] {
        &[
            "/{version}/{number}/messages",
            "/{version}/{number}/marketing_messages",
        ]
    }

    fn query(&self) -> &'static [&'static str] {
        &["access_token", "appsecret_proof"]
    }

    fn read(&self, call: &Call<'_>) -> Result<Asked, Problem> {
        let request: Request = read(call.body)?;
        if request.messaging_product != "whatsapp" {
            return Err(Problem::field(
                "messaging_product",
                "only whatsapp is known here",
            ));
        }
        // A receipt, or that somebody is typing, on a message that came in.
        if request.status.is_some() {
            if request.to.is_some() || request.recipient.is_some() || request.kind.is_some() {
                return Err(Problem::field("status", "a message has none"));
            }
            return Ok(Asked::NoMessage);
        }
        if request
            .recipient_type
            .is_some_and(|kind| kind != "individual")
        {
            let detail = "only a message to one person can be asked about";
            return Err(Problem::field("recipient_type", detail));
        }
        let mut addresses = addresses(request.to.as_deref(), request.recipient.as_deref())?;
        let mut message = Message::new(Channel::Whatsapp, addresses.remove(0));
        message.also = addresses;
        let is_template = request.kind.as_deref() == Some("template");
        if is_template != request.template.is_some() {
            return Err(Problem::field("template", "it goes with the type template"));
        }
        message.template = request.template.map(|template| template.name);
        check_length("template.name", message.template.as_deref(), MAX_SHORT)?;
        let path = call.path.trim_end_matches(MARKETING);
        message.kind = (path != call.path).then_some("marketing");
        let path = path.trim_end_matches("/messages");
        message.from = path.rsplit('/').next().map(str::to_owned);
        Ok(Asked::Message(Box::new(message)))
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let bad = StatusCode::BAD_REQUEST;
        let (status, code) = match refusal.cause {
            Cause::OptedOut => (bad, 131_050),
            Cause::WindowClosed => (bad, 131_047),
            // Of what is not delivered for the contact's sake Meta asks not to be sent again at once.
            Cause::Later(_) => (bad, 131_049),
            Cause::NoKey(status) => (status, 190),
            Cause::Request(status) => (status, 100),
            Cause::Busy => (StatusCode::TOO_MANY_REQUESTS, 130_429),
            Cause::Fault(status) => (status, 131_016),
        };
        let document = json!({ "error": {
            "message": format!("(#{code}) {}", refusal.detail),
            "type": "OAuthException",
            "code": code,
            "error_data": { "messaging_product": "whatsapp", "details": refusal.detail },
            "fbtrace_id": refusal.id(),
        }});
        (status, Json(document)).into_response()
    }

    fn said(&self, error: &Value) -> Option<Said> {
        let code = error.pointer("/error/code")?.as_u64()?;
        Some(Said::Error(u32::try_from(code).ok()?))
    }
}

/// Everything that the person may be known by, first what the question is asked about.
fn addresses(to: Option<&str>, recipient: Option<&str>) -> Result<Vec<Address>, Problem> {
    let mut addresses = Vec::new();
    if let Some(to) = to {
        addresses.push(phone(to)?);
        addresses.extend(other_form(&digits(to)));
    }
    if let Some(recipient) = recipient {
        let user = Address::parse(recipient, None);
        let user = user.ok().filter(|user| user.phone_number().is_none());
        let wrong = || {
            Problem::field(
                "recipient",
                "a WhatsApp user id like US.13491208655302741918",
            )
        };
        addresses.push(user.ok_or_else(wrong)?);
    }
    if addresses.is_empty() {
        return Err(Problem::field("to", "the number that the message is for"));
    }
    Ok(addresses)
}

/// A number, with its `+` or without. Where Meta would have to guess the country, it guesses another one
/// than we would.
fn phone(text: &str) -> Result<Address, Problem> {
    let has_plus = text.trim_start().starts_with('+');
    let plus = if has_plus { "" } else { "+" };
    let text = format!("{plus}{text}");
    // Forms of its own that are no numbers by today's plans.
    if other_form(&digits(&text)).is_some() {
        return Address::parse(&text, None).map_err(|error| Problem::field("to", error));
    }
    let found = number("to", &text)?;
    if has_plus || found.is_valid_number() {
        return Ok(found);
    }
    let detail = "write the number with + and its country code, like +14155550123";
    Err(Problem::field("to", detail))
}
