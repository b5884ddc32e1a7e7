//! Whether a request says one thing, and says it where it is read.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::provider::Provider;
use crate::http::extract::{MAX_SHORT, media_type};
use crate::http::problem::Problem;

/// A header that may be there once.
pub(super) fn text<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) if text.len() <= MAX_SHORT => Ok(Some(text)),
        _ => Err(Problem::field(
            name,
            "it must be there once, as a short text",
        )),
    }
}

/// Whether a path and a query say no more than the provider's call: each part of the path is a plain name,
/// and the query does not speak about the message.
pub(super) fn is_plain(
    provider: &dyn Provider,
    path: &str,
    query: Option<&str>,
) -> Result<(), Problem> {
    let plain = |part: &str| {
        let mut bytes = part.bytes();
        !part.starts_with('.')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if !path.trim_start_matches('/').split('/').all(plain) {
        let detail = "this is no path of the provider's";
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown-path", detail));
    }
    let mut names = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    match names.find(|(name, _)| !provider.query().contains(&name.as_ref())) {
        None => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-query",
            "what is in the query belongs into the body",
        )),
    }
}

/// Whether the body is in the one form that can be read here.
pub(super) fn is_readable(provider: &dyn Provider, headers: &HeaderMap) -> Result<(), Problem> {
    let refused =
        |kind, detail: String| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, kind, detail);
    if headers.contains_key(header::CONTENT_ENCODING) {
        let detail = "Content-Encoding: send the body as it is, not compressed";
        return Err(refused("compressed", detail.to_owned()));
    }
    let expected = provider.media_type();
    if media_type(headers).as_deref() == Some(expected) {
        return Ok(());
    }
    let detail = format!("Content-Type: it must be {expected}");
    Err(refused("wrong-media-type", detail))
}
