//! `/simulator/`: the page, what it loads, and the policy that decides here.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use tokio::task;

use super::not_found;
use super::problem::Problem;
use crate::gateway::Gateway;

/// What the page may load and where it may be shown. WebAssembly is compiled, nothing is evaluated.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The worker also runs the bindings that it asked the gateway for.
const OF_THE_WORKER: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; \
    connect-src 'self'";

fn may_load(name: &str) -> &'static str {
    if name == "worker.js" {
        OF_THE_WORKER
    } else {
        CONTENT_SECURITY_POLICY
    }
}

/// The page's own address ends with a slash, so that what it loads is beside it.
pub(crate) async fn index() -> Redirect {
    Redirect::permanent("/simulator/")
}

pub(crate) async fn page(gateway: State<Gateway>, headers: HeaderMap) -> Response {
    file(gateway, Path("index.html".to_owned()), headers).await
}

pub(crate) async fn file(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let known = consentry_simulator::FILES.iter();
    let known = known.copied().find(|(known, _)| *known == name);
    match known {
        Some((name, bytes)) => served(name, Bytes::from_static(bytes), &headers),
        None if name == "bindings.js" => bindings(&gateway, &headers),
        None => not_found().await.into_response(),
    }
}

/// The bindings of the policy that decides here.
fn bindings(gateway: &Gateway, headers: &HeaderMap) -> Response {
    let active = gateway.policies().as_it_came();
    match consentry_simulator::bindings(&active.component) {
        Ok(script) => served("bindings.js", script.into(), headers),
        Err(error) => {
            tracing::error!(%error, "the simulator cannot run the policy");
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
        }
    }
}

/// Makes the bindings of a policy that somebody dropped on the page. Nothing of it is kept.
pub(crate) async fn make_bindings(
    State(gateway): State<Gateway>,
    component: Bytes,
) -> Result<Response, Problem> {
    let script = task::block_in_place(|| {
        // What is no policy is told by name, before anything is made of it.
        let gate = gateway.policies().gate();
        gate.look_at(&component)
            .map_err(|error| error.to_string())?;
        consentry_simulator::bindings(&component).map_err(|error| error.to_string())
    });
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let script = script.map_err(|detail| Problem::new(unprocessable, "policy-refused", detail))?;
    Ok(([(header::CONTENT_TYPE, media_type("bindings.js"))], script).into_response())
}

fn served(name: &str, bytes: Bytes, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", consentry_host::Digest::of(&bytes));
    let known = headers.get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, media_type(name)),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, may_load(name)),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    ([(header::ETAG, tag)], headers, bytes).into_response()
}

fn media_type(name: &str) -> &'static str {
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
