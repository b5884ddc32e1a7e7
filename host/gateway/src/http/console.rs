//! `/console/`: the page for those who run a gateway. It holds nothing itself; what it shows comes from the API,
//! with the key that the operator gives it.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::files::served;
use super::not_found;

const MAY_LOAD: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! files {
    ($($name:literal)*) => { [$(($name, include_bytes!(concat!("../../console/", $name)))),*] };
}

const FILES: [(&str, &[u8]); 8] = files! {
    "index.html" "console.css" "main.js" "api.js" "dom.js" "reviews.js" "policies.js" "contact.js"
};

/// The page's own address ends with a slash, so that what it loads is beside it.
pub(crate) async fn index() -> Redirect {
    Redirect::permanent("/console/")
}

pub(crate) async fn page(headers: HeaderMap) -> Response {
    file(Path("index.html".to_owned()), headers).await
}

pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match FILES.into_iter().find(|(known, _)| *known == name) {
        Some((name, bytes)) => served(name, bytes, MAY_LOAD, &headers),
        None => not_found().await.into_response(),
    }
}
