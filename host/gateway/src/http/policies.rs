//! `/v1/policies`: which policies there are, and which one decides.

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use consentry_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, MAX_SHORT, check_length};
use super::guard::Caller;
use super::problem::Problem;
use crate::gateway::Gateway;
use crate::policies::{Change, ChangeError, Refusal, SIGNATURE, Source, Version};

/// Why the policy is changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRequest {
    /// For those who will ask later.
    reason: String,
}

/// Why a policy is activated, and on what condition.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ActivateRequest {
    /// For those who will ask later.
    reason: String,
    /// How many of the last 10,000 recorded messages and 10,000 questions it may decide otherwise; left
    /// out: any number.
    at_most: Option<u64>,
}

/// The policies that are kept.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoliciesAnswer {
    /// The digest of the one that decides in this gateway.
    active: String,
    /// Where it comes from: `store`, `file`, or the address of the gateway it is taken from.
    source: String,
    /// When that gateway last said that it is still the one; null: not since the start, or the source is
    /// no gateway.
    #[schema(value_type = Option<String>)]
    confirmed_at: Option<Timestamp>,
    /// Those that are kept, the newest first. The built-in one is not among them.
    #[schema(value_type = Vec<Object>)]
    policies: Vec<Version>,
    /// Every activation and rollback, the newest first.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<Change>,
}

/// Lists policies, and what was activated and rolled back.
#[utoipa::path(
    get, path = "/v1/policies",
    responses((status = 200, body = PoliciesAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn list(State(gateway): State<Gateway>) -> Result<Json<PoliciesAnswer>, Problem> {
    let mut changes = gateway.store().policy_changes().await?;
    changes.reverse();
    let (source, confirmed_at) = match gateway.policies().source() {
        Source::Store => ("store", None),
        Source::File(_) => ("file", None),
        Source::Centre(centre) => (centre.name(), centre.confirmed_at()),
    };
    Ok(Json(PoliciesAnswer {
        source: source.to_owned(),
        confirmed_at,
        active: gateway.policy().digest().to_string(),
        policies: gateway.store().policies().await?,
        changes,
    }))
}

/// The component of the policy that decides here, for gateways that take theirs from this one.
///
/// The `ETag` is its digest: with that in `If-None-Match` the answer is 304 while it is the same.
#[utoipa::path(
    get, path = "/v1/policies/active",
    responses((status = 200, body = Vec<u8>, content_type = "application/wasm"), (status = 304), (status = "4XX", body = Problem))
)]
pub(crate) async fn active(State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    let active = gateway.policies().as_it_came();
    let tag = format!("\"{}\"", active.policy.digest());
    let known = headers.get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let form = (header::CONTENT_TYPE, "application/wasm".to_owned());
    let signature = active.signature.clone();
    let signature = signature.map(|text| [(HeaderName::from_static(SIGNATURE), text)]);
    let headers = [(header::ETAG, tag), form];
    match signature {
        Some(signature) => (headers, signature, active.component.clone()).into_response(),
        None => (headers, active.component.clone()).into_response(),
    }
}

/// Adds a policy: the component itself is the body. It passes the gate, and decides nothing yet.
#[utoipa::path(
    post, path = "/v1/policies", request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 201, body = Object), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn add(
    State(gateway): State<Gateway>,
    Extension(Caller(actor)): Extension<Caller>,
    headers: HeaderMap,
    component: Bytes,
) -> Result<(StatusCode, Json<Version>), Problem> {
    let signature = headers.get(SIGNATURE).map(|value| value.to_str());
    let signature = signature
        .transpose()
        .map_err(|_| Problem::field("Consentry-Signature", "it is not ASCII"))?;
    let version = gateway.policies().add(
        gateway.store(),
        component.to_vec(),
        signature.map(str::to_owned),
        &actor,
    );
    Ok((StatusCode::CREATED, Json(version.await?)))
}

/// Makes a policy that is kept the one that decides.
#[utoipa::path(
    post, path = "/v1/policies/{digest}/activate", request_body = ActivateRequest,
    params(("digest" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn activate(
    State(gateway): State<Gateway>,
    Extension(Caller(actor)): Extension<Caller>,
    Path(digest): Path<String>,
    Body(request): Body<ActivateRequest>,
) -> Result<Json<Change>, Problem> {
    check_length("reason", Some(&request.reason), MAX_SHORT)?;
    let (policies, store) = (gateway.policies(), gateway.store());
    let why = (actor.as_str(), request.reason.as_str());
    let change = policies.activate(store, &digest, request.at_most, why);
    Ok(Json(change.await?))
}

/// Takes the last activation back.
#[utoipa::path(
    post, path = "/v1/policies/rollback", request_body = ChangeRequest,
    responses((status = 200, body = Object), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn roll_back(
    State(gateway): State<Gateway>,
    Extension(Caller(actor)): Extension<Caller>,
    Body(request): Body<ChangeRequest>,
) -> Result<Json<Change>, Problem> {
    check_length("reason", Some(&request.reason), MAX_SHORT)?;
    let (policies, store) = (gateway.policies(), gateway.store());
    let change = policies.roll_back(store, &actor, &request.reason);
    Ok(Json(change.await?))
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let detail = error.to_string();
        match error {
            ChangeError::Store(error) => error.into(),
            ChangeError::Refused(Refusal::Unsigned | Refusal::Signature(_)) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "policy-not-signed",
                detail,
            ),
            ChangeError::Refused(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "policy-refused", detail)
            }
            ChangeError::Unknown(_) => {
                Self::new(StatusCode::NOT_FOUND, "unknown-policy", detail).at("digest")
            }
            ChangeError::TooDifferent { .. } => {
                Self::new(StatusCode::CONFLICT, "too-different", detail).at("atMost")
            }
            ChangeError::NothingBefore => Self::new(StatusCode::CONFLICT, "nothing-before", detail),
            ChangeError::Elsewhere(_) => {
                Self::new(StatusCode::CONFLICT, "policy-from-elsewhere", detail)
            }
        }
    }
}
