//! `GET /v1/contacts/{address}/history`: the evidence.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{AddressInPath, Params};
use super::problem::Problem;
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
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let found = gateway
        .store()
        .history(&address, query.after.unwrap_or(0), limit)
        .await?;
    let History {
        contact_id,
        addresses,
        events,
    } = found.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "unknown-contact",
            "nobody with this address is known",
        )
        .at("address")
    })?;
    let full = u32::try_from(events.len()).is_ok_and(|count| count == limit);
    let next = events.last().filter(|_| full).map(|event| event.seq);
    Ok(Json(HistoryAnswer {
        contact_id,
        addresses,
        events,
        next,
    }))
}
