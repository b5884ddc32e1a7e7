//! Files of pages, as a browser is given them: again only when they are other ones.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// A file that is always the same, with what its page may load and where it may be shown.
pub(super) fn served(
    name: &str,
    bytes: &'static [u8],
    may_load: &'static str,
    asked: &HeaderMap,
) -> Response {
    let tag = format!("\"{}\"", consentry_host::Digest::of(bytes));
    if is_known(asked, &tag) {
        return unchanged(tag);
    }
    whole(name, tag, Bytes::from_static(bytes), may_load)
}

pub(super) fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let known = asked.get(header::IF_NONE_MATCH);
    known.is_some_and(|known| known.as_bytes() == tag.as_bytes())
}

pub(super) fn unchanged(tag: String) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
}

pub(super) fn whole(name: &str, tag: String, bytes: Bytes, may_load: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type(name)),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, may_load),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    ([(header::ETAG, tag)], headers, bytes).into_response()
}

pub(super) fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "wasm")) => "application/wasm",
        Some((_, "svg")) => "image/svg+xml",
        Some((_, "json")) => "application/json",
        _ => "application/octet-stream",
    }
}
