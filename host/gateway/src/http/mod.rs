//! The HTTP API.

mod alerts;
pub(crate) mod ask;
mod batch;
pub(crate) mod consent;
mod extract;
pub(crate) mod gate;
mod guard;
mod history;
mod inbound;
mod platform;
mod policies;
mod preflight;
mod problem;
mod server;
pub(crate) mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router, middleware};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;

use crate::gateway::Gateway;
use crate::jws::SigningKeys;
use crate::keys::{KeyRing, Scope};
use gate::Upstreams;
use guard::Guard;
use problem::Problem;
use webhooks::Providers;

pub(crate) use server::serve;

/// The largest request body, in bytes.
const MAX_BODY: usize = 64 << 10;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How many inbound messages, and how many other requests, are worked on at the same time. Inbound
/// has its own share, so that a flood of questions never delays an opt-out; together they are fewer
/// than the sandboxes there are.
const TURNS: usize = 60;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Consentry",
        description = "A compliance firewall for SMS and WhatsApp"
    ),
    paths(
        alerts::alerts,
        ask::ask,
        consent::get,
        consent::post,
        history::history,
        inbound::inbound,
        platform::notice,
        policies::list,
        policies::active,
        policies::add,
        policies::activate,
        policies::roll_back,
        preflight::preflight,
        batch::batch,
        webhooks::deliver,
        webhooks::handshake
    )
)]
struct Api;

/// Everything that is served.
pub(crate) fn router(
    gateway: Gateway,
    keys: Option<Arc<KeyRing>>,
    providers: Providers,
    upstreams: Upstreams,
    metrics: PrometheusHandle,
) -> Router {
    let inbound_turns = Arc::new(Semaphore::new(TURNS));
    let other_turns = Arc::new(Semaphore::new(TURNS));
    let guarded = |scope, turns: Option<&Arc<Semaphore>>, route: MethodRouter<Gateway>| {
        let guard = Guard {
            keys: keys.clone(),
            scope,
            turns: turns.cloned(),
        };
        route.layer(middleware::from_fn_with_state(guard, guard::guard))
    };
    let read = |route| guarded(Scope::Read, Some(&other_turns), route);
    let write = |route| guarded(Scope::Write, Some(&inbound_turns), route);
    let ask = |route| guarded(Scope::Preflight, Some(&other_turns), route);
    let admin = |route| guarded(Scope::Admin, Some(&other_turns), route);
    let largest = gateway.policies().gate().largest();
    let add = admin(post(policies::add)).layer(DefaultBodyLimit::max(largest));
    let policies = read(get(policies::list)).merge(add);
    let consent = read(get(consent::get)).merge(write(post(consent::post)));

    let webhooks = webhooks::routes(gateway.clone(), providers, Arc::clone(&inbound_turns));
    let gate = gate::routes(
        gateway.clone(),
        upstreams,
        keys.clone(),
        Arc::clone(&other_turns),
    );
    let calls = Router::new()
        .route("/consent/{phoneNumber}", consent)
        .route("/consent/{phoneNumber}/ask", write(post(ask::ask)))
        .route("/v1/inbound", write(post(inbound::inbound)))
        .route("/v1/platform-notices", write(post(platform::notice)))
        .route("/v1/preflight", ask(post(preflight::preflight)))
        .route(
            "/v1/preflight/batch",
            guarded(Scope::Preflight, None, post(batch::batch)),
        )
        .route("/v1/policies", policies)
        .route("/v1/policies/active", read(get(policies::active)))
        .route("/v1/policies/rollback", admin(post(policies::roll_back)))
        .route(
            "/v1/policies/{digest}/activate",
            admin(post(policies::activate)),
        )
        .route("/v1/alerts", read(get(alerts::alerts)))
        .route(
            "/v1/contacts/{address}/history",
            read(get(history::history)),
        )
        .route(
            "/metrics",
            read(get(move || async move {
                metrics.run_upkeep();
                metrics.render()
            })),
        )
        .route("/.well-known/jwks.json", get(receipt_keys))
        .route("/openapi.json", get(|| async { Json(Api::openapi()) }))
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(keys.is_some(), guard::host))
        .with_state(gateway);
    // A web page has no secret, so providers may call this machine what they like.
    calls
        .merge(webhooks)
        .merge(gate)
        .layer(middleware::from_fn(in_time))
        .layer(CatchPanicLayer::custom(|_| internal_error()))
        .layer(middleware::from_fn(guard::count))
}

/// Ready when the store can be read and written; a policy is always loaded.
async fn ready(State(gateway): State<Gateway>) -> Result<&'static str, Problem> {
    gateway.store().ready().await?;
    Ok("ready")
}

/// The keys with which receipts can be verified. They are public.
async fn receipt_keys(State(gateway): State<Gateway>) -> Json<serde_json::Value> {
    let keys = gateway.receipts().map(SigningKeys::public);
    Json(keys.unwrap_or_else(|| serde_json::json!({ "keys": [] })))
}

async fn in_time(request: Request<axum::body::Body>, next: middleware::Next) -> Response {
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-slow",
            format!("the request took longer than {} seconds", TIMEOUT.as_secs()),
        )
        .into_response(),
    }
}

async fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-path",
        "see /openapi.json for what there is",
    )
}

async fn wrong_method() -> Problem {
    no_such_method()
}

fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        "see /openapi.json for what there is",
    )
}

fn internal_error() -> Response {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal-error",
        "this is a fault of ours; nothing may be sent because of it",
    )
    .into_response()
}
