//! `POST /v1/platform-notices`: what a messaging platform says about a contact.

use axum::Json;
use axum::extract::State;
use consentry_model::{Channel, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::extract::{Body, MAX_SHORT, check_length, parse_optional};
use super::problem::Problem;
use crate::address::Address;
use crate::gateway::Gateway;
use crate::platform::{Effect, Notice, Said};
use crate::store::Recorded;

/// A preference that was set with the platform, or the error of a message that was not delivered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NoticeRequest {
    /// Which platform, such as `meta`.
    platform: String,
    /// The contact: a telephone number with country code, or a WhatsApp user id.
    address: String,
    /// Left out: `whatsapp`.
    channel: Option<String>,
    /// `stop` or `resume`, when the person changed it in the platform's settings.
    preference: Option<String>,
    /// The error code, when a message was not delivered.
    code: Option<u32>,
    /// When, RFC 3339; now when left out.
    at: Option<String>,
    /// The platform's identifier. The same one again changes nothing.
    message_id: Option<String>,
}

/// What follows from it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NoticeAnswer {
    /// `opt-out`, `opt-out-all`, `resume`, `backoff`, `window-closed` or `none`.
    #[schema(value_type = String)]
    effect: Effect,
    /// The event that records it.
    event_id: String,
    /// Whether it had come before.
    duplicate: bool,
}

impl NoticeAnswer {
    pub(super) fn new(effect: Effect, recorded: Recorded) -> Self {
        Self {
            effect,
            event_id: recorded.event.event_id.0,
            duplicate: recorded.duplicate,
        }
    }
}

/// Records what a platform says.
#[utoipa::path(
    post, path = "/v1/platform-notices", request_body = NoticeRequest,
    responses((status = 200, body = NoticeAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn notice(
    State(gateway): State<Gateway>,
    Body(request): Body<NoticeRequest>,
) -> Result<Json<NoticeAnswer>, Problem> {
    let notice = read(request)?;
    let effect = notice.said.effect();
    let recorded = gateway.platform_notice(notice).await?;
    Ok(Json(NoticeAnswer::new(effect, recorded)))
}

pub(super) fn read(request: NoticeRequest) -> Result<Notice, Problem> {
    check_length("platform", Some(&request.platform), MAX_SHORT)?;
    check_length("messageId", request.message_id.as_deref(), MAX_SHORT)?;
    let said = match (request.preference.as_deref(), request.code) {
        (Some("stop"), None) => Said::Stop,
        (Some("resume"), None) => Said::Resume,
        (None, Some(code)) => Said::Error(code),
        (Some(_), None) => return Err(Problem::field("preference", "use stop or resume")),
        _ => return Err(Problem::field("code", "give either it or `preference`")),
    };
    let channel: Option<Channel> = parse_optional("channel", request.channel.as_deref())?;
    let at: Option<Timestamp> = parse_optional("at", request.at.as_deref())?;
    let address =
        Address::parse(&request.address, None).map_err(|error| Problem::field("address", error))?;
    Ok(Notice {
        address,
        other_addresses: Vec::new(),
        channel: channel.unwrap_or(Channel::Whatsapp),
        said,
        at,
        message_id: request.message_id,
        document: json!({ "preference": request.preference, "code": request.code }),
        source: request.platform,
    })
}
