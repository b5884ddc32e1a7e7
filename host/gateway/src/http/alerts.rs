//! `GET /v1/alerts`: what was stopped for a reason that somebody should look at.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::Params;
use super::problem::Problem;
use crate::alerts::Alert;
use crate::gateway::Gateway;

const DEFAULT_PAGE: u32 = 100;
const MAX_PAGE: u32 = 1000;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsQuery {
    /// The `next` of the page before.
    before: Option<String>,
    /// How many alerts, at most 1,000; 100 when left out.
    limit: Option<u32>,
}

/// A page of alerts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertsAnswer {
    /// The alerts: one for each `reason`, `channel`, `category` and `hour`, with how many messages
    /// were stopped (`count`), when (`firstAt`, `lastAt`), the decision about the last of them
    /// (`lastDecisionId`), and when it was delivered (`deliveredAt`).
    #[schema(value_type = Vec<Object>)]
    alerts: Vec<Alert>,
    /// What to ask for as `before` to get the next page; null: this is the last.
    next: Option<String>,
}

/// Lists what was stopped by pre-flight with the route `internal-alert`.
///
/// What was stopped less than a second ago may be missing.
#[utoipa::path(
    get, path = "/v1/alerts", params(AlertsQuery),
    responses((status = 200, body = AlertsAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn alerts(
    State(gateway): State<Gateway>,
    Params(query): Params<AlertsQuery>,
) -> Result<Json<AlertsAnswer>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let alerts = gateway.store().alerts(query.before, limit).await?;
    let full = u32::try_from(alerts.len()).is_ok_and(|count| count == limit);
    let next = alerts.last().filter(|_| full);
    let next = next.map(|alert| alert.alert_id.clone());
    Ok(Json(AlertsAnswer { alerts, next }))
}
