//! `POST /v1/preflight`: may this message go?

use axum::Json;
use axum::extract::State;
use consentry_model::{Category, EventId, Outbound, SendRoute, Step, Template, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, Country, MAX_SHORT, check_length, parse, parse_optional};
use super::problem::Problem;
use crate::address::Address;
use crate::clock;
use crate::gateway::Gateway;
use crate::preflight::{Answered, Question};

/// A message that somebody wants to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PreflightRequest {
    /// `sms`, `whatsapp`, `voice` or `email`.
    channel: String,
    /// The contact: a telephone number with country code, a WhatsApp user id or an e-mail address.
    to: String,
    /// The sender's own address: number, short code or name.
    from: Option<String>,
    /// What kind of message it is. Left out: the template's category; for a free-form WhatsApp
    /// message `service`; otherwise `marketing`, which needs the most.
    category: Option<String>,
    /// The template it uses; left out: free-form.
    template: Option<TemplateRequest>,
    /// When it shall be sent, RFC 3339; now when left out.
    at: Option<String>,
    /// The contact's country, ISO 3166-1 alpha-2. Then `to` may be a national number.
    country: Option<String>,
    /// The contact's part of the country, ISO 3166-2, such as `US-FL`; left out: what the number
    /// tells.
    region: Option<String>,
    /// The contact's time zone, such as `America/New_York`; left out: quiet hours hold in every zone
    /// that the number may be in.
    time_zone: Option<String>,
    /// The event that it answers: the contact's newest opt-out, which one message may confirm, or a
    /// message that asked for help.
    in_reply_to: Option<String>,
    /// Whether to try every rule, and give all reasons and the rules tried.
    #[serde(default)]
    explain: bool,
    /// Whether only to ask. Then `at` may be in the past, no place under a frequency cap is taken,
    /// and there is no receipt.
    #[serde(default)]
    dry_run: bool,
}

impl PreflightRequest {
    /// A message without a template that is about to be sent.
    pub(crate) fn free_form(
        channel: &str,
        to: &Address,
        from: Option<String>,
        category: Option<String>,
    ) -> Self {
        Self {
            channel: channel.to_owned(),
            to: to.to_string(),
            from,
            category,
            template: None,
            at: None,
            country: None,
            region: None,
            time_zone: None,
            in_reply_to: None,
            explain: false,
            dry_run: false,
        }
    }
}

/// How far in the past `at` may be, in milliseconds: clocks differ, and requests take a while.
const LATE: i64 = 5 * 60 * 1000;

/// A template that the platform has approved.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TemplateRequest {
    /// Its name.
    name: String,
    /// Its category with the platform: marketing, utility or authentication.
    category: String,
}

/// Whether the message may go. Flat, so that flow designers can read it. Anything but
/// `"allowed": true` means: do not send.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreflightAnswer {
    /// Whether it may go.
    allowed: bool,
    /// Why: a stable code such as `opted_out`; `allowed` when it may go.
    reason: String,
    /// When to ask again; null: never.
    #[schema(value_type = Option<String>)]
    retry_at: Option<Timestamp>,
    /// `send`, `silent-failure` or `internal-alert`.
    #[schema(value_type = String)]
    route: SendRoute,
    /// Identifies this answer.
    decision_id: String,
    /// The digest of the policy that decided.
    policy: String,
    /// The signed receipt; null for a dry run.
    receipt: Option<String>,
    /// Every reason against it; only with `explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<Vec<String>>,
    /// The rules tried, in order; only with `explain`.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Vec<Step>>,
}

impl PreflightAnswer {
    pub(crate) fn allowed(&self) -> bool {
        self.allowed
    }
}

/// Says whether a message may go, by what is known at this moment.
#[utoipa::path(
    post, path = "/v1/preflight", request_body = PreflightRequest,
    responses((status = 200, body = PreflightAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn preflight(
    State(gateway): State<Gateway>,
    Body(request): Body<PreflightRequest>,
) -> Result<Json<PreflightAnswer>, Problem> {
    respond(&gateway, request).await.map(Json)
}

pub(crate) async fn respond(
    gateway: &Gateway,
    request: PreflightRequest,
) -> Result<PreflightAnswer, Problem> {
    let question = question(request)?;
    let answered = gateway.preflight(&question).await?;
    Ok(answer(&question, answered))
}

fn answer(question: &Question, answered: Answered) -> PreflightAnswer {
    let decision = answered.decision;
    PreflightAnswer {
        allowed: decision.is_allowed(),
        retry_at: decision.retry_at(),
        reason: decision.reason,
        route: decision.route,
        decision_id: answered.decision_id,
        policy: answered.policy.to_string(),
        receipt: answered.receipt,
        reasons: question.explain.then_some(decision.reasons),
        trace: question.explain.then_some(decision.trace),
    }
}

fn question(request: PreflightRequest) -> Result<Question, Problem> {
    let country: Option<Country> = parse_optional("country", request.country.as_deref())?;
    let country = country.map(|country| country.0);
    check_length("from", request.from.as_deref(), MAX_SHORT)?;
    let template = match request.template {
        Some(template) => {
            check_length("template.name", Some(&template.name), MAX_SHORT)?;
            Some(Template {
                name: template.name,
                category: parse("template.category", &template.category)?,
            })
        }
        None => None,
    };
    let channel = parse("channel", &request.channel)?;
    let category: Option<Category> = parse_optional("category", request.category.as_deref())?;
    let category = match category {
        Some(category) => category,
        None => Outbound::default_category(channel, template.as_ref()),
    };
    let to = Address::parse(&request.to, country.as_deref())
        .map_err(|error| Problem::field("to", error))?;
    let now = clock::now();
    let at: Timestamp = parse_optional("at", request.at.as_deref())?.unwrap_or(now);
    if !request.dry_run && at.millis() < now.millis() - LATE {
        let what = "it is in the past; to ask what would have been answered, set \"dryRun\"";
        return Err(Problem::field("at", what));
    }
    check_length("region", request.region.as_deref(), MAX_SHORT)?;
    check_length("inReplyTo", request.in_reply_to.as_deref(), MAX_SHORT)?;
    Ok(Question {
        to,
        from: request.from,
        channel,
        category,
        template,
        at,
        country,
        region: given(request.region),
        time_zone: given(request.time_zone),
        in_reply_to: given(request.in_reply_to).map(EventId),
        explain: request.explain,
        dry_run: request.dry_run,
    })
}

/// A field that may be left out; flow designers cannot always leave one away, and leave it empty.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}
