//! `/v1/policies/shadow`: a candidate beside the active policy, on live traffic.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::problem::Problem;
use crate::decisions::ShadowReport;
use crate::gateway::Gateway;

/// Asks a policy that is kept about everything that this gateway decides from now on. Nobody acts on what
/// it answers, and it takes the place of the candidate before.
#[utoipa::path(
    post, path = "/v1/policies/{digest}/shadow", params(("digest" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn start(
    State(gateway): State<Gateway>,
    Path(digest): Path<String>,
) -> Result<Json<ShadowReport>, Problem> {
    let candidate = gateway.policies().candidate(gateway.store(), &digest);
    Ok(Json(gateway.decisions().start_shadow(candidate.await?)))
}

/// What the candidate would have decided otherwise so far, in this gateway.
#[utoipa::path(
    get, path = "/v1/policies/shadow",
    responses((status = 200, body = Object), (status = "4XX", body = Problem))
)]
pub(crate) async fn report(State(gateway): State<Gateway>) -> Result<Json<ShadowReport>, Problem> {
    gateway.decisions().shadow().map(Json).ok_or_else(nobody)
}

/// Asks no candidate any more. The answer is the last report.
#[utoipa::path(
    delete, path = "/v1/policies/shadow",
    responses((status = 200, body = Object), (status = "4XX", body = Problem))
)]
pub(crate) async fn stop(State(gateway): State<Gateway>) -> Result<Json<ShadowReport>, Problem> {
    gateway
        .decisions()
        .stop_shadow()
        .map(Json)
        .ok_or_else(nobody)
}

fn nobody() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-shadow",
        "no candidate is asked here; POST /v1/policies/{digest}/shadow names one",
    )
}
