//! Errors as problem documents (RFC 9457). Each names the field that is wrong, where one is.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::preflight::PreflightError;
use crate::store::StoreError;

/// What went wrong, and what to do about it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The kind of problem, a stable URN such as `urn:consentry:problem:invalid-field`.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem, for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong in this request.
    detail: String,
    /// The field that was wrong, as a path such as `template.category`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The event that records what was asked, where there is one.
    #[serde(rename = "eventId", skip_serializing_if = "Option::is_none")]
    event_id: Option<String>,
    #[serde(skip)]
    retry_after: bool,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:consentry:problem:{kind}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            event_id: None,
            retry_after: status == StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A field with a value that cannot be used.
    pub(crate) fn field(field: &str, detail: impl ToString) -> Self {
        let detail = format!("{field}: {}", detail.to_string());
        Self {
            field: Some(field.to_owned()),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-field", detail)
        }
    }

    /// A field that is too long.
    pub(crate) fn too_long(field: &str, limit: usize) -> Self {
        Self {
            field: Some(field.to_owned()),
            ..Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                format!("{field}: at most {limit} bytes are taken"),
            )
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What was wrong.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The kind of problem, for counting.
    pub(crate) fn name(&self) -> &str {
        let name = self.kind.rsplit(':').next();
        name.unwrap_or_default()
    }

    pub(crate) fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn recorded_as(mut self, event_id: String) -> Self {
        self.event_id = Some(event_id);
        self
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            "too much is being asked at the moment; ask again, and do not send until you are told",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::overloaded(),
            StoreError::AddressTaken => Self::new(
                StatusCode::CONFLICT,
                "address-taken",
                "addresses: one of them belongs to another contact",
            )
            .at("addresses"),
            error @ (StoreError::Unavailable(_)
            | StoreError::Older { .. }
            | StoreError::Newer { .. }) => {
                tracing::error!(%error, "the store failed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "store-unavailable",
                    "the store does not answer; nothing was changed, and nothing may be sent",
                )
            }
        }
    }
}

impl From<PreflightError> for Problem {
    fn from(error: PreflightError) -> Self {
        match error {
            PreflightError::Store(error) => error.into(),
            PreflightError::Zone(error) => Self::field("timeZone", error),
            error @ PreflightError::NothingToAnswer => Self::field("inReplyTo", error),
        }
    }
}
