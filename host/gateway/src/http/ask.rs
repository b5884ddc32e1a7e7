//! `POST /consent/{phoneNumber}/ask`: an opt-in is asked for, with a list on WhatsApp.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::extract::{AddressInPath, Body, MAX_SHORT, check_length, parse};
use super::guard::Caller;
use super::problem::Problem;
use crate::address::Address;
use crate::gateway::Gateway;
use crate::offer::{Ask, AskError, Asked, Labels};

/// What to ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskRequest {
    /// The messages that the person would agree to, such as `utility`.
    category: String,
    /// The exact words of the question.
    text: String,
    /// What this wording is called with you; left out: twelve digits made from its words.
    wording_version: Option<String>,
    /// The words on the row that agrees; `Yes` when left out.
    yes: Option<String>,
    /// The words on the row that does not; `No` when left out.
    no: Option<String>,
    /// The words on the button that opens the list; `Answer` when left out.
    button: Option<String>,
    /// Your own address.
    from: Option<String>,
    /// Whether to send it, too.
    #[serde(default)]
    send: bool,
}

/// The question, which is on record and may go.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskAnswer {
    /// Identifies what was offered.
    offer_id: String,
    /// What the wording is called.
    wording_version: String,
    /// The event that records it.
    event_id: String,
    /// The message in the form of Meta's Cloud API: post it as it is.
    #[schema(value_type = Object)]
    message: Value,
    /// Whether it was sent.
    sent: bool,
    /// Meta's identifier of what was sent.
    message_id: Option<String>,
    /// The pre-flight that let it go.
    decision_id: String,
    /// Its signed receipt.
    receipt: Option<String>,
}

/// Asks somebody for an opt-in. What is offered is on record, in its exact words, before it goes; a tapped
/// row of it is an opt-in with that evidence.
#[utoipa::path(
    post, path = "/consent/{phoneNumber}/ask", params(("phoneNumber" = String, Path)),
    request_body = AskRequest,
    responses(
        (status = 200, body = AskAnswer), (status = "4XX", body = Problem),
        (status = 502, body = Problem), (status = 503, body = Problem)
    )
)]
pub(crate) async fn ask(
    State(gateway): State<Gateway>,
    AddressInPath(to): AddressInPath,
    Extension(Caller(caller)): Extension<Caller>,
    Body(request): Body<AskRequest>,
) -> Result<Json<AskAnswer>, Problem> {
    let send = request.send;
    if send && gateway.cloud_api().is_none() {
        let detail = "no number to send from is known here: serve with --whatsapp-url";
        return Err(Problem::field("send", detail));
    }
    let asked = gateway.ask(read(to, request, caller)?).await?;
    answer(&gateway, asked, send).await.map(Json)
}

fn read(to: Address, request: AskRequest, actor: String) -> Result<Ask, Problem> {
    check_length("from", request.from.as_deref(), MAX_SHORT)?;
    let labels = Labels::default();
    Ok(Ask {
        to,
        from: request.from,
        category: parse("category", &request.category)?,
        text: request.text,
        wording_version: request.wording_version.filter(|name| !name.is_empty()),
        labels: Labels {
            button: request.button.unwrap_or(labels.button),
            yes: request.yes.unwrap_or(labels.yes),
            no: request.no.unwrap_or(labels.no),
        },
        actor: Some(actor),
    })
}

/// Sends what was asked, if it is to be sent, and says so: for the API and for the command line.
pub(crate) async fn answer(
    gateway: &Gateway,
    asked: Asked,
    send: bool,
) -> Result<AskAnswer, Problem> {
    let message_id = match gateway.cloud_api().filter(|_| send) {
        Some(api) => api.send(&asked.message).await.map_err(|error| {
            let detail = format!("the question was not sent: {error}; ask again");
            Problem::new(StatusCode::BAD_GATEWAY, "not-sent", detail)
        })?,
        None => None,
    };
    Ok(AskAnswer {
        offer_id: asked.offer.offer_id,
        wording_version: asked.offer.wording_version,
        event_id: asked.event_id,
        message: asked.message,
        sent: send,
        message_id,
        decision_id: asked.allowed.decision_id,
        receipt: asked.allowed.receipt,
    })
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Bad(bad) => Self::field(bad.field, bad.limit),
            AskError::Denied(reason) => {
                let detail = format!("the question may not go: {reason}");
                Self::new(StatusCode::CONFLICT, "may-not-go", detail)
            }
            AskError::Preflight(error) => error.into(),
            AskError::Store(error) => error.into(),
        }
    }
}
