//! `/v1/reviews`: messages that a person must look at, and what the person says.

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use consentry_model::EventId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Body, Params, parse};
use super::guard::Caller;
use super::problem::Problem;
use crate::gateway::Gateway;
use crate::review::{ReviewError, Verdict};
use crate::store::Event;

const DEFAULT_PAGE: u32 = 50;
const MAX_PAGE: u32 = 1000;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewsQuery {
    /// The `next` of the page before.
    before: Option<String>,
    /// How many messages, at most 1,000; 50 when left out.
    limit: Option<u32>,
}

/// A page of messages that nobody has decided about, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReviewsAnswer {
    /// The events, as `GET /v1/contacts/{address}/history` has them.
    #[schema(value_type = Vec<Object>)]
    reviews: Vec<Event>,
    /// What to ask for as `before` to get the next page; null: this is the last.
    next: Option<String>,
}

/// What a person says of a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReviewRequest {
    /// The `address` of the event.
    address: String,
    /// `opt-out`: the person wants no more messages. `no-opt-out`: that is not what was said.
    #[schema(value_type = String)]
    verdict: Verdict,
}

/// What was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReviewAnswer {
    /// The event that records the decision.
    event_id: String,
    /// Whether it had been decided before. Then that decision stands.
    duplicate: bool,
}

/// Lists messages that a person must look at and nobody has decided about.
#[utoipa::path(
    get, path = "/v1/reviews", params(ReviewsQuery),
    responses((status = 200, body = ReviewsAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    Params(query): Params<ReviewsQuery>,
) -> Result<Json<ReviewsAnswer>, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let before = query.before.map(EventId);
    let reviews = gateway.store().reviews(before, limit).await?;
    let full = u32::try_from(reviews.len()).is_ok_and(|count| count == limit);
    let next = reviews.last().filter(|_| full);
    let next = next.map(|event| event.event_id.0.clone());
    Ok(Json(ReviewsAnswer { reviews, next }))
}

/// Records what a person says of a message, and what follows from it.
#[utoipa::path(
    post, path = "/v1/reviews/{eventId}", request_body = ReviewRequest,
    params(("eventId" = String, Path)),
    responses((status = 200, body = ReviewAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn decide(
    State(gateway): State<Gateway>,
    Extension(Caller(actor)): Extension<Caller>,
    Path(event_id): Path<String>,
    Body(request): Body<ReviewRequest>,
) -> Result<Json<ReviewAnswer>, Problem> {
    let address = parse("address", &request.address)?;
    let event_id = EventId(event_id);
    let decided = gateway.review(&address, event_id, request.verdict, actor);
    let recorded = decided.await?;
    Ok(Json(ReviewAnswer {
        event_id: recorded.event.event_id.0,
        duplicate: recorded.duplicate,
    }))
}

impl From<ReviewError> for Problem {
    fn from(error: ReviewError) -> Self {
        let detail = error.to_string();
        match error {
            ReviewError::Store(error) => error.into(),
            ReviewError::Unknown => {
                Self::new(StatusCode::NOT_FOUND, "unknown-review", detail).at("eventId")
            }
        }
    }
}
