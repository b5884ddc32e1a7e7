//! Who may ask, how much at once, and what is counted of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::RequestExt as _;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::extract;
use super::problem::Problem;
use crate::keys::{KeyRing, Scope};
use crate::loopback::is_loopback;
use crate::telemetry;

/// How long a request waits for its turn before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a group of routes asks of a caller.
#[derive(Clone)]
pub(crate) struct Guard {
    /// Without keys the gateway listens on loopback only, and everybody there may ask.
    pub(crate) keys: Option<Arc<KeyRing>>,
    pub(crate) scope: Scope,
    /// Nothing: the route reads its body as it comes, and takes turns by itself.
    pub(crate) turns: Option<Arc<Semaphore>>,
}

/// Who asks: the name of the API key.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) String);

pub(crate) async fn guard(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match &guard.keys {
        None => "local".to_owned(),
        Some(keys) => match check(keys, guard.scope, key(request.headers()), HOW) {
            Ok(name) => name.to_owned(),
            Err(problem) => return problem.into_response(),
        },
    };
    request.extensions_mut().insert(Caller(caller));
    let Some(turns) = guard.turns else {
        return next.run(request).await;
    };
    // Who sends slowly waits for nobody but themselves: the turn begins when all is there.
    let request = match with_whole_body(request).await {
        Ok((parts, body)) => Request::from_parts(parts, Body::from(body)),
        Err(problem) => return problem.into_response(),
    };
    match turn(&turns).await {
        Ok(_turn) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Waits for a turn, but not for long.
pub(super) async fn turn(turns: &Semaphore) -> Result<SemaphorePermit<'_>, Problem> {
    match tokio::time::timeout(PATIENCE, turns.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        Ok(Err(_)) | Err(_) => Err(Problem::overloaded()),
    }
}

/// Without keys everybody on this machine may ask, and a web page must not pass for them: it may
/// point a host name of its own at loopback once it is loaded, and is then of the same origin.
pub(crate) async fn host(State(has_keys): State<bool>, request: Request, next: Next) -> Response {
    if has_keys || names_loopback(request.headers()) {
        return next.run(request).await;
    }
    Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong-host",
        "Host: without API keys, ask by the name localhost or by a loopback address; to be asked by \
         other names, serve with --keys",
    )
    .at("Host")
    .into_response()
}

pub(super) fn names_loopback(headers: &HeaderMap) -> bool {
    let authority = headers
        .get(header::HOST)
        .and_then(|value| Authority::try_from(value.as_bytes()).ok());
    authority.is_some_and(|authority| is_loopback(authority.host()))
}

pub(super) async fn with_whole_body(request: Request) -> Result<(Parts, Bytes), Problem> {
    let (parts, body) = request.with_limited_body().into_parts();
    // The route's limit is on the body itself.
    let mut whole = Request::new(body);
    DefaultBodyLimit::disable().apply(&mut whole);
    let bytes = Bytes::from_request(whole, &())
        .await
        .map_err(extract::unreadable)?;
    Ok((parts, bytes))
}

const HOW: &str = "send an API key, as Authorization: Bearer KEY or as X-API-Key: KEY";

/// The name of who has shown a key, if it allows what is needed. `how` tells those without one how.
pub(super) fn check<'k>(
    keys: &'k KeyRing,
    needed: Scope,
    key: Option<&str>,
    how: &str,
) -> Result<&'k str, Problem> {
    let refuse = |detail| Problem::new(StatusCode::UNAUTHORIZED, "no-key", detail);
    let key = key.ok_or_else(|| refuse(how))?;
    let known = keys.find(key);
    let (name, scopes) = known.ok_or_else(|| refuse("this API key is not known"))?;
    if scopes.contains(&needed) || scopes.contains(&Scope::Admin) {
        return Ok(name);
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "scope-missing",
        format!("this needs an API key with the scope {}", needed.as_str()),
    ))
}

fn key(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    bearer.or_else(|| {
        headers
            .get("x-api-key")
            .and_then(|value| value.to_str().ok())
    })
}

/// Counts a request under its route, never under its path: paths hold telephone numbers.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let method = method(request.method());
    let response = next.run(request).await;
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    telemetry::request(route, method, response.status().as_u16(), started.elapsed());
    response
}

/// The name of a method, where it has one: a caller may make up others, as many as there are
/// telephone numbers.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
