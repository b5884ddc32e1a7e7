//! `GET /v1/contacts/{address}/history`: the evidence.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use consentry_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::consent::{ConsentRow, consent_rows};
use super::extract::{AddressInPath, Params, parse_optional};
use super::problem::Problem;
use crate::evidence::past;
use crate::gateway::Gateway;
use crate::store::{Event, History};

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// The `next` of the page before.
    after: Option<u64>,
    /// How many events, at most 1,000; 100 when left out.
    limit: Option<u32>,
    /// A moment, RFC 3339: what was known then, which is only what had been recorded.
    #[serde(rename = "asOf")]
    as_of: Option<String>,
}

/// A page of a contact's events, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryAnswer {
    /// The contact.
    contact_id: String,
    /// Every address of the contact.
    addresses: Vec<String>,
    /// The events.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Event>,
    /// What to ask for as `after` to get the next page; null: this is the last.
    next: Option<u64>,
    /// What held by all that was known at `asOf`, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    consents: Option<Vec<ConsentRow>>,
}

/// Lists what was said, by and about a contact, and what followed.
#[utoipa::path(
    get, path = "/v1/contacts/{address}/history",
    params(HistoryQuery, ("address" = String, Path)),
    responses((status = 200, body = HistoryAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn history(
    State(gateway): State<Gateway>,
    AddressInPath(address): AddressInPath,
    Params(query): Params<HistoryQuery>,
) -> Result<Json<HistoryAnswer>, Problem> {
    let as_of: Option<Timestamp> = parse_optional("asOf", query.as_of.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let found = gateway
        .store()
        .history(&address, query.after.unwrap_or(0), limit)
        .await?;
    let mut page = found.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "unknown-contact",
            "nobody with this address is known",
        )
        .at("address")
    })?;
    let consents = match as_of {
        Some(as_of) => {
            past::cut(&mut page, as_of);
            let contact = past::consent_at(gateway.store(), &address, as_of).await?;
            Some(consent_rows(&contact))
        }
        None => None,
    };
    let History {
        contact_id,
        addresses,
        events,
    } = page;
    let full = u32::try_from(events.len()).is_ok_and(|count| count == limit);
    let next = events.last().filter(|_| full).map(|event| event.seq);
    Ok(Json(HistoryAnswer {
        contact_id,
        addresses,
        events,
        next,
        consents,
    }))
}
