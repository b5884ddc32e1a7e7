//! `POST /v1/inbound`: a message that came in, in the neutral form.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::extract::{Body, Country, MAX_SHORT, MAX_TEXT, check_length, parse, parse_optional};
use super::problem::Problem;
use crate::address::Address;
use crate::gateway::{Gateway, InboundMessage};
use crate::store::{Recorded, Selection};

/// A message that came in. Fields that are not known are passed over: a stop must not be lost because
/// a provider says more than it used to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InboundRequest {
    /// `sms`, `whatsapp`, `voice` or `email`.
    channel: String,
    /// The contact: a telephone number with country code, a WhatsApp user id or an e-mail address.
    from: String,
    /// The sender's own address: number, short code or name.
    to: Option<String>,
    /// What the person wrote, verbatim. May be left out when something was tapped.
    body: Option<String>,
    /// The provider's identifier. The same message again gives the first answer and changes
    /// nothing.
    message_id: Option<String>,
    /// When it was said, RFC 3339; now when left out.
    sent_at: Option<String>,
    /// The button or list row that was tapped.
    selection: Option<SelectionRequest>,
    /// The opt-out instruction that the last message to the contact ended with.
    footer: Option<String>,
    /// The contact's country, ISO 3166-1 alpha-2. Then `from` may be a national number.
    country: Option<String>,
    /// The contact's language, BCP 47.
    language: Option<String>,
    /// The question that is open: the exact words the contact was last asked. Left out: the one that
    /// the `reply` to the contact's last message asked, if it did, for a day.
    question: Option<String>,
    /// The category of your last message to the contact. Some laws let a STOP end only that.
    last_category: Option<String>,
    /// Whether the provider has answered the message by itself, as Twilio's Advanced Opt-Out does.
    /// Then there is no reply.
    #[serde(default)]
    answered: bool,
    /// Whether the contact began the chat from an advertisement (WhatsApp's `referral`), which opens
    /// a longer window.
    #[serde(default)]
    ad_entry: bool,
}

/// A button or list row.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SelectionRequest {
    /// The identifier that the sender gave it. It decides.
    id: String,
    /// The words on it.
    #[serde(default)]
    title: String,
}

/// What was understood, and recorded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InboundAnswer {
    /// `opt-out`, `opt-in`, `help`, `answer-yes`, `answer-no`, `wrong-number`, `person`, `other`.
    intent: Option<String>,
    /// `all`, `channel:…`, `category:…`, `topic:…`, or null.
    scope: Option<String>,
    /// Whether a person must look at it.
    review: bool,
    /// The rule that decided.
    rule: Option<String>,
    /// The words that decided.
    matched: Option<String>,
    /// Their language.
    language: Option<String>,
    /// What to answer the contact; null: nothing.
    reply: Option<String>,
    /// `disconnect`, `bot`, `agent` or `priority-agent`.
    route: Option<String>,
    /// `normal` or `high`.
    priority: Option<String>,
    /// The consent changes: `channel`, `category` (null: every one), `status`.
    #[schema(value_type = Vec<Object>)]
    changes: Value,
    /// The event that records it.
    event_id: String,
    /// The contact.
    contact_id: String,
    /// The digest of the policy that decided.
    policy: Option<String>,
    /// Whether the message had come before. Then everything above is the first answer.
    duplicate: bool,
}

impl From<Recorded> for InboundAnswer {
    fn from(recorded: Recorded) -> Self {
        let event = recorded.event;
        Self {
            intent: event.intent,
            scope: event.scope,
            review: event.review,
            rule: event.rule,
            matched: event.matched,
            language: event.language,
            reply: event.reply,
            route: event.route,
            priority: event.priority,
            changes: event.changes,
            event_id: event.event_id.0,
            contact_id: recorded.contact_id,
            policy: event.policy,
            duplicate: recorded.duplicate,
        }
    }
}

/// Understands a message, records it and what follows from it, and says what to do next.
///
/// When this answers, the message and its consequences are on disk.
#[utoipa::path(
    post, path = "/v1/inbound", request_body = InboundRequest,
    responses((status = 200, body = InboundAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn inbound(
    State(gateway): State<Gateway>,
    Body(request): Body<InboundRequest>,
) -> Result<Json<InboundAnswer>, Problem> {
    let recorded = gateway.inbound(message(request)?).await?;
    Ok(Json(recorded.into()))
}

pub(super) fn message(request: InboundRequest) -> Result<InboundMessage, Problem> {
    let country: Option<Country> = parse_optional("country", request.country.as_deref())?;
    let country = country.map(|country| country.0);
    let body = request.body.unwrap_or_default();
    // Flow designers cannot always leave a field away. An empty selection must not hide a stop.
    let selection = request
        .selection
        .filter(|tapped| !(tapped.id.trim().is_empty() && tapped.title.trim().is_empty()));
    if body.trim().is_empty() && selection.is_none() {
        return Err(Problem::field(
            "body",
            "the message is empty and nothing was tapped",
        ));
    }
    check_length("body", Some(&body), MAX_TEXT)?;
    check_length("footer", request.footer.as_deref(), MAX_TEXT)?;
    check_length("question", request.question.as_deref(), MAX_TEXT)?;
    check_length("to", request.to.as_deref(), MAX_SHORT)?;
    check_length("messageId", request.message_id.as_deref(), MAX_SHORT)?;
    check_length("language", request.language.as_deref(), MAX_SHORT)?;
    if let Some(tapped) = &selection {
        check_length("selection.id", Some(&tapped.id), MAX_SHORT)?;
        check_length("selection.title", Some(&tapped.title), MAX_SHORT)?;
    }
    let from = Address::parse(&request.from, country.as_deref())
        .map_err(|error| Problem::field("from", error))?;
    Ok(InboundMessage {
        to: request.to,
        message_id: request.message_id.filter(|id| !id.is_empty()),
        sent_at: parse_optional("sentAt", request.sent_at.as_deref())?,
        selection: selection.map(|tapped| Selection {
            id: tapped.id,
            title: tapped.title,
        }),
        footer: request.footer,
        country,
        language: request.language,
        question: request
            .question
            .filter(|question| !question.trim().is_empty()),
        last_category: parse_optional("lastCategory", request.last_category.as_deref())?,
        answered: request.answered,
        ad_entry: request.ad_entry,
        ..InboundMessage::text(parse("channel", &request.channel)?, from, body)
    })
}
