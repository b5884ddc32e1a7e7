//! `/v1/policies`: which policies there are, and which one decides.

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Body, MAX_SHORT, check_length};
use super::guard::Caller;
use super::problem::Problem;
use crate::gateway::Gateway;
use crate::policies::{Change, ChangeError, Refusal, Version};

/// The header with an uploaded policy's signature.
const SIGNATURE: &str = "consentry-signature";

/// Why the policy is changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRequest {
    /// For those who will ask later.
    reason: String,
}

/// The policies that are kept.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PoliciesAnswer {
    /// The digest of the one that decides in this gateway.
    active: String,
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
    Ok(Json(PoliciesAnswer {
        active: gateway.policy().digest().to_string(),
        policies: gateway.store().policies().await?,
        changes,
    }))
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
    post, path = "/v1/policies/{digest}/activate", request_body = ChangeRequest,
    params(("digest" = String, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn activate(
    State(gateway): State<Gateway>,
    Extension(Caller(actor)): Extension<Caller>,
    Path(digest): Path<String>,
    Body(request): Body<ChangeRequest>,
) -> Result<Json<Change>, Problem> {
    check_length("reason", Some(&request.reason), MAX_SHORT)?;
    let (policies, store) = (gateway.policies(), gateway.store());
    let change = policies.activate(store, &digest, &actor, &request.reason);
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
            ChangeError::NothingBefore => Self::new(StatusCode::CONFLICT, "nothing-before", detail),
            ChangeError::FromFile(_) => Self::new(StatusCode::CONFLICT, "policy-from-file", detail),
        }
    }
}
