//! `/simulator/`: the page, what it loads, and the policy that decides here.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use tokio::task;

use super::extract::media_type as media_type_of;
use super::files::{is_known, media_type, served, unchanged, whole};
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
        Some((name, bytes)) => served(name, bytes, may_load(name), &headers),
        None if name == "bindings.js" => bindings(&gateway, &headers),
        None => not_found().await.into_response(),
    }
}

/// The bindings of the policy that decides here. They change when it does.
fn bindings(gateway: &Gateway, headers: &HeaderMap) -> Response {
    let active = gateway.policies().as_it_came();
    let tag = format!("\"{}\"", active.policy.digest());
    if is_known(headers, &tag) {
        return unchanged(tag);
    }
    match task::block_in_place(|| consentry_simulator::bindings(&active.component)) {
        Ok(script) => whole("bindings.js", tag, script.into(), CONTENT_SECURITY_POLICY),
        Err(error) => {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "no-bindings", error.to_string()).into_response()
        }
    }
}

/// Makes the bindings of a policy that somebody dropped on the page. Nothing of it is kept.
pub(crate) async fn make_bindings(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    component: Bytes,
) -> Result<Response, Problem> {
    // A web page of another origin cannot send this form without asking.
    if media_type_of(&headers).as_deref() != Some("application/wasm") {
        let what = "send the component with the header Content-Type: application/wasm";
        let unsupported = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(unsupported, "wrong-media-type", what).at("Content-Type"));
    }
    let script = task::block_in_place(|| {
        // What is no policy is told by name, before anything is made of it.
        let gate = gateway.policies().gate();
        gate.look_at(&component)
            .map_err(|error| error.to_string())?;
        consentry_simulator::bindings(&component).map_err(|error| error.to_string())
    });
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    let script = script.map_err(|what| Problem::new(unprocessable, "policy-refused", what))?;
    Ok(([(header::CONTENT_TYPE, media_type("bindings.js"))], script).into_response())
}
