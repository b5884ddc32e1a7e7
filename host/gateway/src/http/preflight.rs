//! `POST /v1/preflight`: may this message go?

use axum::Json;
use axum::extract::State;
use consentry_model::{Category, Outbound, SendRoute, Step, Template, Timestamp, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::extract::{Body, Country, MAX_SHORT, check_length, parse, parse_optional};
use super::problem::Problem;
use crate::address::Address;
use crate::clock;
use crate::gateway::Gateway;

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
    /// Whether to list the rules tried.
    #[serde(default)]
    explain: bool,
}

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
    /// The rules tried, in order; only with `explain`.
    #[schema(value_type = Option<Vec<Object>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Vec<Step>>,
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
    let explain = request.explain;
    let (to, message) = message(request)?;
    let decision = gateway.preflight(&to, message).await?;
    Ok(Json(PreflightAnswer {
        allowed: decision.verdict == Verdict::Allow,
        reason: decision.reason,
        retry_at: match decision.verdict {
            Verdict::DeferUntil(at) => Some(at),
            Verdict::Allow | Verdict::Deny => None,
        },
        route: decision.route,
        decision_id: Uuid::now_v7().to_string(),
        policy: gateway.policy().digest().to_string(),
        trace: explain.then_some(decision.trace),
    }))
}

fn message(request: PreflightRequest) -> Result<(Address, Outbound), Problem> {
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
    let at = parse_optional("at", request.at.as_deref())?.unwrap_or_else(clock::now);
    Ok((
        to,
        Outbound {
            channel,
            category,
            template,
            at,
            country,
        },
    ))
}
