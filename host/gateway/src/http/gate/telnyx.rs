//! Telnyx's messaging. <https://developers.telnyx.com/api-reference/messages/send-a-message>,
//! <https://developers.telnyx.com/development/api-fundamentals/api-errors>

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use consentry_model::Channel;
use serde::Deserialize;
use serde_json::{Value, json};

use super::provider::{Asked, Call, Cause, Message, Provider, Refusal, number};
use crate::http::extract::read;
use crate::http::problem::Problem;
use crate::platform::{Effect, Said};

pub(super) struct Telnyx;

/// What a request has that says to whom it goes. A field that is there twice is refused, and so is a list.
#[derive(Deserialize)]
struct Request {
    to: String,
    from: Option<String>,
    messaging_profile_id: Option<String>,
    send_at: Option<Value>,
}

impl Provider for Telnyx {
    fn name(&self) -> &'static str {
        "telnyx"
    }

    fn paths(&self) -> &'static [&'static str] {
        &[
            "/v2/messages",
            "/v2/messages/long_code",
            "/v2/messages/number_pool",
            "/v2/messages/short_code",
        ]
    }

    fn read(&self, call: &Call<'_>) -> Result<Asked, Problem> {
        let request: Request = read(call.body)?;
        if request.send_at.is_some_and(|at| !at.is_null()) {
            let detail =
                "nobody can say today whether the message may go then; send it when it is due";
            return Err(Problem::field("send_at", detail));
        }
        let mut message = Message::new(Channel::Sms, number("to", &request.to)?);
        message.from = request.from.or(request.messaging_profile_id);
        Ok(Asked::Message(Box::new(message)))
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let (status, code, title) = match refusal.cause {
            Cause::OptedOut | Cause::WindowClosed => {
                (StatusCode::CONFLICT, "40300", "Blocked due to STOP message")
            }
            Cause::Later(_) | Cause::Busy => {
                (StatusCode::TOO_MANY_REQUESTS, "10011", "Too many requests")
            }
            Cause::NoKey(status) => (status, "10009", "Authentication failed"),
            Cause::Request(status) => (status, "10015", "Bad Request"),
            Cause::Fault(status) => (status, "10007", "Unexpected error"),
        };
        let document = json!({ "errors": [{
            "code": code,
            "title": title,
            "detail": refusal.detail,
            "meta": { "url": format!("https://developers.telnyx.com/docs/overview/errors/{code}") },
        }]});
        let mut response = (status, Json(document)).into_response();
        // Telnyx's clients repeat a 409 and a 429 by themselves, but for this.
        if matches!(
            refusal.cause,
            Cause::OptedOut | Cause::WindowClosed | Cause::Later(_)
        ) {
            let no = axum::http::HeaderValue::from_static("false");
            response.headers_mut().insert("x-should-retry", no);
        }
        response
    }

    fn said(&self, error: &Value) -> Option<Said> {
        let errors = error.get("errors")?.as_array()?.iter();
        let codes = errors.filter_map(|error| match error.get("code")? {
            Value::String(code) => code.parse().ok(),
            code => u32::try_from(code.as_u64()?).ok(),
        });
        let mut said = codes.map(Said::Error);
        said.find(|said| said.effect() != Effect::None)
    }
}
