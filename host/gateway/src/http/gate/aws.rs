//! AWS End User Messaging, by its API `PinpointSMSVoiceV2`. What it is posted is named by a header.
//! <https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html>

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use consentry_model::Channel;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::access::Access;
use super::aws_lists;
use super::category;
use super::provider::{Asked, Call, Cause, Message, Provider, Refusal, number};
use crate::address::Address;
use crate::gateway::Gateway;
use crate::http::extract::read;
use crate::http::problem::Problem;
use crate::platform::Said;

const JSON: &str = "application/x-amz-json-1.0";
/// Where the category of a message may stand in its context.
const CATEGORY: &str = "consentry-category";

pub(super) struct Aws;

/// What a request has that says to whom it goes, and what it is.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    destination_phone_number: String,
    origination_identity: Option<String>,
    message_type: Option<String>,
    #[serde(default)]
    dry_run: bool,
    context: Option<serde_json::Map<String, Value>>,
}

#[async_trait]
impl Provider for Aws {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn paths(&self) -> &'static [&'static str] {
        &["/"]
    }

    fn media_type(&self) -> &'static str {
        JSON
    }

    fn signs_headers(&self) -> bool {
        true
    }

    async fn serve(
        &self,
        gateway: &Gateway,
        access: &Access<'_>,
        call: &Call<'_>,
    ) -> Result<Option<Response>, Problem> {
        let answer = match action(call.headers) {
            "PutOptedOutNumber" => aws_lists::put(gateway, access, call.body).await?,
            "DeleteOptedOutNumber" => aws_lists::delete(gateway, access, call.body).await?,
            "DescribeOptedOutNumbers" => aws_lists::describe(gateway, access, call.body).await?,
            _ => return Ok(None),
        };
        Ok(Some(document(StatusCode::OK, &answer)))
    }

    fn read(&self, call: &Call<'_>) -> Result<Asked, Problem> {
        if !matches!(action(call.headers), "SendTextMessage" | "SendMediaMessage") {
            let detail = "the gate knows SendTextMessage, SendMediaMessage, PutOptedOutNumber, \
                          DescribeOptedOutNumbers and DeleteOptedOutNumber; ask AWS itself for the rest";
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "unknown-operation",
                detail,
            ));
        }
        let request: Request = read(call.body)?;
        let to = destination("DestinationPhoneNumber", &request.destination_phone_number)?;
        let mut message = Message::new(Channel::Sms, to);
        message.from = request.origination_identity;
        message.dry_run = request.dry_run;
        message.kind = match request.message_type.as_deref() {
            Some("TRANSACTIONAL") => Some("utility"),
            Some(_) => Some("marketing"),
            None => None,
        };
        message.category = match request.context.as_ref().and_then(|all| all.get(CATEGORY)) {
            Some(Value::String(category)) => Some(category.clone()),
            Some(_) => return Err(Problem::field(category::HEADER, "must be a string")),
            None => None,
        };
        Ok(Asked::Message(Box::new(message)))
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let bad = StatusCode::BAD_REQUEST;
        let (status, exception, reason) = match refusal.cause {
            Cause::OptedOut | Cause::WindowClosed => (
                bad,
                "ConflictException",
                Some("DESTINATION_PHONE_NUMBER_OPTED_OUT"),
            ),
            // Its own for a number that a rule of the account spares; clients do not repeat it.
            Cause::Later(_) => (
                bad,
                "ConflictException",
                Some("DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"),
            ),
            Cause::NoKey(_) => (bad, "AccessDeniedException", None),
            Cause::Request(_) if refusal.reason == aws_lists::NOT_LISTED => {
                (bad, "ResourceNotFoundException", None)
            }
            Cause::Request(_) => (bad, "ValidationException", Some(why(&refusal.reason))),
            Cause::Busy => (bad, "ThrottlingException", None),
            Cause::Fault(status) => (status, "InternalServerException", None),
        };
        let mut answer = Map::new();
        answer.insert("__type".to_owned(), exception.into());
        answer.insert("Message".to_owned(), refusal.detail.clone().into());
        if let Some(reason) = reason {
            answer.insert("Reason".to_owned(), reason.into());
        }
        if exception == "ResourceNotFoundException" {
            answer.insert("ResourceType".to_owned(), "opted-out-number".into());
        }
        document(status, &Value::Object(answer))
    }

    fn said(&self, error: &Value) -> Option<Said> {
        let reason = error.get("Reason")?.as_str()?;
        (reason == "DESTINATION_PHONE_NUMBER_OPTED_OUT").then_some(Said::OptedOut)
    }
}

/// A number in E.164. AWS takes it without its `+`, too.
pub(super) fn destination(field: &str, text: &str) -> Result<Address, Problem> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::field(
            field,
            "write the number in E.164, like +14155550123",
        ));
    }
    number(field, &format!("+{digits}"))
}

/// The name of what is asked for.
fn action(headers: &HeaderMap) -> &str {
    let mut targets = headers.get_all("x-amz-target").iter();
    let target = targets.next().and_then(|target| target.to_str().ok());
    let only = target.filter(|_| targets.next().is_none());
    let action = only.and_then(|target| target.strip_prefix("PinpointSMSVoiceV2."));
    action.unwrap_or_default()
}

/// The reason of a `ValidationException`.
fn why(reason: &str) -> &'static str {
    match reason {
        "unknown_operation" => "UNKNOWN_OPERATION",
        aws_lists::STANDS => "PHONE_NUMBER_CANNOT_BE_OPTED_IN",
        "invalid_json" => "CANNOT_PARSE",
        "too_large" => "MAXIMUM_SIZE_EXCEEDED",
        _ => "FIELD_VALIDATION_FAILED",
    }
}

fn document(status: StatusCode, document: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static(JSON))];
    (status, json, document.to_string()).into_response()
}
