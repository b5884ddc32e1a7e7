//! Reading requests. Whatever cannot be read becomes a problem that names the field.

use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use consentry_model::Inbound;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::address::{Address, is_country};

/// The longest text of a message, in bytes.
pub(crate) const MAX_TEXT: usize = Inbound::MAX_TEXT;
/// The longest of every other text, in bytes.
pub(crate) const MAX_SHORT: usize = 1 << 10;
/// How deep JSON may be nested. What is read here needs four levels; evidence may need some more.
const MAX_DEPTH: usize = 32;

/// A JSON body; see [`read`].
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(unreadable)?;
        if !is_json {
            return Err(not_json());
        }
        read(&bytes).map(Self)
    }
}

/// A JSON body that may be left out.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(unreadable)?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !is_json {
            return Err(not_json());
        }
        read(&bytes).map(Self)
    }
}

/// A query string.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        match query {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let text = rejection.body_text();
                let field = parameter_of(&text).unwrap_or("query").to_owned();
                Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-query", text).at(field))
            }
        }
    }
}

/// The parameter that a rejection is about. It is said in words only: `limit: invalid digit`.
fn parameter_of(rejection: &str) -> Option<&str> {
    let (_, cause) = rejection.split_once(": ")?;
    named_in(cause).or_else(|| cause.split_once(": ").map(|(name, _)| name))
}

/// The address in a path such as `/consent/{phoneNumber}`. The `+` may come bare or encoded.
pub(crate) struct AddressInPath(pub(crate) Address);

impl<S: Send + Sync> FromRequestParts<S> for AddressInPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = name_in_path(parts);
        let path: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        match path {
            Ok(Path(text)) => Address::parse(&text, None)
                .map(Self)
                .map_err(|error| Problem::field(&name, error)),
            Err(rejection) => {
                let (status, text) = (StatusCode::BAD_REQUEST, rejection.body_text());
                Err(Problem::new(status, "invalid-path", text).at(name))
            }
        }
    }
}

/// What the route calls the address: what stands in braces.
fn name_in_path(parts: &Parts) -> String {
    let route = parts.extensions.get::<MatchedPath>();
    let name = route.and_then(|route| {
        let (_, rest) = route.as_str().split_once('{')?;
        rest.split_once('}').map(|(name, _)| name)
    });
    name.unwrap_or("address").to_owned()
}

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).as_deref() == Some("application/json")
}

/// The media type of a body, in lower case, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next()?;
    Some(kind.trim().to_ascii_lowercase())
}

/// Only JSON is taken: a web page of another origin can send forms and plain text without asking.
fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-json",
        "send the body as JSON, with the header Content-Type: application/json",
    )
    .at("Content-Type")
}

pub(super) fn unreadable(rejection: BytesRejection) -> Problem {
    let problem = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!(
                "the request body is too large; at most {} bytes are taken, for a policy what its \
                 limits say, and for a webhook what its provider sends",
                super::MAX_BODY
            ),
        ),
        status => Problem::new(status, "unreadable-body", rejection.body_text()),
    };
    problem.at("body")
}

/// Reads JSON, and names the field that does not fit.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if depth(bytes) > MAX_DEPTH {
        let detail = format!("(body): nested more than {MAX_DEPTH} levels deep");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-json", detail).at("(body)"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let cause = error.into_inner();
        let (status, kind) = if cause.is_data() {
            (StatusCode::UNPROCESSABLE_ENTITY, "invalid-field")
        } else {
            (StatusCode::BAD_REQUEST, "invalid-json")
        };
        let field = field_of(&path, &cause.to_string());
        Problem::new(status, kind, format!("{field}: {cause}")).at(field)
    })?;
    json.end().map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-json",
            format!("(body): {error}"),
        )
        .at("(body)")
    })?;
    Ok(value)
}

/// How deep JSON is nested. The parser has a limit of its own, but not for fields that it skips.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            // A text, up to the quotation mark that ends it.
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

/// A field that is missing, unknown or there twice is not part of the path, but of the message.
fn field_of(path: &str, cause: &str) -> String {
    let path = if path == "." { "" } else { path };
    match (path, named_in(cause)) {
        ("", Some(name)) => name.to_owned(),
        ("", None) => "(body)".to_owned(),
        (path, Some(name)) if path != name => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    }
}

fn named_in(cause: &str) -> Option<&str> {
    let (_, rest) = cause.split_once(" field `")?;
    rest.split_once('`').map(|(name, _)| name)
}

/// Reads a field with the rules of its type.
pub(crate) fn parse<T: std::str::FromStr>(field: &str, text: &str) -> Result<T, Problem>
where
    T::Err: ToString,
{
    check_length(field, Some(text), MAX_SHORT)?;
    text.trim()
        .parse()
        .map_err(|error: T::Err| Problem::field(field, error))
}

/// Reads a field that may be left out; an empty one counts as left out, as flow designers cannot
/// always leave a parameter away.
pub(crate) fn parse_optional<T: std::str::FromStr>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<T>, Problem>
where
    T::Err: ToString,
{
    text.filter(|text| !text.trim().is_empty())
        .map(|text| parse(field, text))
        .transpose()
}

/// Refuses a text that is longer than its limit, in bytes.
pub(crate) fn check_length(field: &str, text: Option<&str>, limit: usize) -> Result<(), Problem> {
    match text {
        Some(text) if text.len() > limit => Err(Problem::too_long(field, limit)),
        _ => Ok(()),
    }
}

/// A country, ISO 3166-1 alpha-2.
#[derive(Debug, Deserialize)]
pub(crate) struct Country(pub(crate) String);

impl std::str::FromStr for Country {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.to_ascii_uppercase();
        if is_country(&code) {
            Ok(Self(code))
        } else if code == "UK" {
            Err("the United Kingdom is GB in ISO 3166-1")
        } else {
            Err("use the two letters of ISO 3166-1, like US")
        }
    }
}
