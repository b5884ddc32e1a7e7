//! Twilio's Programmable Messaging. <https://www.twilio.com/docs/messaging/api/message-resource>,
//! <https://www.twilio.com/docs/api/errors>

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use consentry_model::Channel;
use serde_json::{Value, json};

use super::provider::{Asked, Call, Cause, Message, Provider, Refusal, number};
use crate::http::problem::Problem;
use crate::platform::Said;

pub(super) struct Twilio;

impl Provider for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/2010-04-01/Accounts/{sid}/Messages.json"]
    }

    fn media_type(&self) -> &'static str {
        "application/x-www-form-urlencoded"
    }

    fn read(&self, call: &Call<'_>) -> Result<Asked, Problem> {
        let fields: Vec<(Cow<'_, str>, Cow<'_, str>)> = form_urlencoded::parse(call.body).collect();
        let field = |name: &str| {
            let mut values = fields.iter().filter(|(field, _)| field == name);
            match (values.next(), values.next()) {
                (Some((_, value)), None) => {
                    Ok(Some(value.as_ref()).filter(|value| !value.is_empty()))
                }
                (None, _) => Ok(None),
                (Some(_), Some(_)) => Err(Problem::field(name, "it is there more than once")),
            }
        };
        if let Some(at) = ["SendAt", "ScheduleType"]
            .into_iter()
            .find_map(|name| field(name).transpose())
        {
            at?;
            let detail =
                "nobody can say today whether the message may go then; send it when it is due";
            return Err(Problem::field("SendAt", detail));
        }
        let missing = || Problem::field("To", "the number that the message is for");
        let (channel, to) = address("To", field("To")?.ok_or_else(missing)?)?;
        let from = field("From")?;
        if from.is_some_and(|from| on_whatsapp(from).is_some() != (channel == Channel::Whatsapp)) {
            let detail = "it is not of the same channel as To";
            return Err(Problem::field("From", detail));
        }
        let mut message = Message::new(channel, to);
        let from = from.or(field("MessagingServiceSid")?);
        message.from = from.map(|from| on_whatsapp(from).unwrap_or(from).to_owned());
        message.template = field("ContentSid")?.map(str::to_owned);
        message.kind = field("MessageIntent")?.and_then(intent);
        Ok(Asked::Message(Box::new(message)))
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let on_whatsapp = refusal.channel == Some(Channel::Whatsapp);
        let (status, code) = match refusal.cause {
            Cause::OptedOut if on_whatsapp => (StatusCode::BAD_REQUEST, 63_014),
            Cause::OptedOut => (StatusCode::BAD_REQUEST, 21_610),
            Cause::WindowClosed => (StatusCode::BAD_REQUEST, 63_016),
            // Twilio's own for what its quiet hours block.
            Cause::Later(_) => (StatusCode::BAD_REQUEST, 30_610),
            Cause::NoKey(status) => (status, 20_003),
            Cause::Busy => (StatusCode::TOO_MANY_REQUESTS, 20_429),
            Cause::Request(status) | Cause::Fault(status) => {
                (status, 20_000 + u32::from(status.as_u16()))
            }
        };
        let document = json!({
            "code": code,
            "message": refusal.detail,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
            "status": status.as_u16(),
        });
        (status, Json(document)).into_response()
    }

    fn said(&self, error: &Value) -> Option<Said> {
        let code = error.get("code")?.as_u64()?;
        Some(Said::Error(u32::try_from(code).ok()?))
    }
}

fn address(field: &str, text: &str) -> Result<(Channel, crate::address::Address), Problem> {
    match on_whatsapp(text) {
        Some(text) => Ok((Channel::Whatsapp, number(field, text)?)),
        None => Ok((Channel::Sms, number(field, text)?)),
    }
}

fn on_whatsapp(address: &str) -> Option<&str> {
    address.strip_prefix("whatsapp:")
}

/// What `MessageIntent` comes to. <https://www.twilio.com/docs/messaging/features/compliance-toolkit>
fn intent(intent: &str) -> Option<&'static str> {
    match intent {
        "otp" => Some("authentication"),
        "customercare" => Some("service"),
        "notifications" | "fraud" | "security" | "delivery" => Some("utility"),
        // Of whatever else, among it education, events and polling, it takes marketing's consent.
        _ => Some("marketing"),
    }
}
