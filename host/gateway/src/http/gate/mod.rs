//! The gate: the providers' own send APIs. Who points a client at it goes on using the provider as before;
//! each message is asked about first, and goes on to the provider, or is refused as the provider would.

mod access;
mod ask;
mod aws;
mod aws_lists;
mod category;
mod check;
mod forward;
mod meta;
mod provider;
mod telnyx;
mod twilio;

use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use reqwest::Url;
use serde_json::json;
use tokio::sync::Semaphore;

use super::problem::Problem;
use super::{MAX_BODY, guard};
use crate::clock;
use crate::gateway::Gateway;
use crate::keys::{KeyRing, Scope};
use crate::platform::{Effect, Notice};
use crate::telemetry;
use access::Access;
pub(crate) use category::Categories;
use forward::Upstream;
use provider::{Asked, Call, Cause, Message, Provider, Refusal};

/// How many messages wait for providers at the same time. Fewer than there may be connections: when a
/// provider is slow, whoever says stop still gets through.
const AT_ONCE: usize = 256;

/// The providers that are forwarded to, and what is known of what is sent.
#[derive(Default)]
pub(crate) struct Upstreams {
    each: Vec<(Arc<dyn Provider>, Upstream)>,
    categories: Categories,
}

impl Upstreams {
    /// Reads settings such as `twilio=https://api.twilio.com`.
    pub(crate) fn new(settings: &[String], categories: Categories) -> anyhow::Result<Self> {
        let mut each: Vec<(Arc<dyn Provider>, Upstream)> = Vec::new();
        for setting in settings {
            // What follows the name may hold a secret, and is not repeated.
            let (name, url) = setting.split_once('=').unwrap_or((setting, ""));
            let named = || format!("--gate {name}");
            let known = "write PROVIDER=URL; there are twilio, meta, aws and telnyx";
            anyhow::ensure!(!url.is_empty(), "{}: {known}", named());
            let provider = provider(name)
                .with_context(|| format!("{}: there is no such provider; {known}", named()))?;
            let is_new = each.iter().all(|(known, _)| known.name() != name);
            anyhow::ensure!(is_new, "{}: it is there twice", named());
            let url = url.parse::<Url>().with_context(named)?;
            each.push((provider, Upstream::new(url).with_context(named)?));
        }
        Ok(Self { each, categories })
    }
}

/// A provider, by its name.
fn provider(name: &str) -> Option<Arc<dyn Provider>> {
    Some(match name {
        "twilio" => Arc::new(twilio::Twilio),
        "meta" => Arc::new(meta::Meta),
        "aws" => Arc::new(aws::Aws),
        "telnyx" => Arc::new(telnyx::Telnyx),
        _ => return None,
    })
}

/// What all providers share.
struct Shared {
    gateway: Gateway,
    keys: Option<Arc<KeyRing>>,
    categories: Categories,
    /// Shared with the other calls that ask.
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

#[derive(Clone)]
struct Gate {
    shared: Arc<Shared>,
    provider: Arc<dyn Provider>,
    upstream: Arc<Upstream>,
}

/// The routes of the providers that are configured: their own, and the same after an API key.
pub(super) fn routes(
    gateway: Gateway,
    upstreams: Upstreams,
    keys: Option<Arc<KeyRing>>,
    turns: Arc<Semaphore>,
) -> Router {
    let has_keys = keys.is_some();
    let shared = Arc::new(Shared {
        gateway,
        keys,
        categories: upstreams.categories,
        turns,
        waiting: Arc::new(Semaphore::new(AT_ONCE)),
    });
    let mut routes = Router::new();
    for (provider, upstream) in upstreams.each {
        let gate = Gate {
            shared: Arc::clone(&shared),
            provider,
            upstream: Arc::new(upstream),
        };
        let paths = gate.provider.paths();
        let call = post(call)
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(gate);
        for path in paths {
            routes = routes.route(path, call.clone());
            if has_keys {
                routes = routes.route(&format!("{}{{key}}{path}", access::PREFIX), call.clone());
            }
        }
        if has_keys && paths.contains(&"/") {
            routes = routes.route(&format!("{}{{key}}", access::PREFIX), call);
        }
    }
    routes.method_not_allowed_fallback(super::wrong_method)
}

async fn call(State(gate): State<Gate>, request: Request) -> Response {
    let provider = gate.provider.name();
    match gate.take(request).await {
        Ok(response) => response,
        Err(refusal) => {
            telemetry::gated(provider, &refusal.reason);
            let mut response = gate.provider.refuse(&refusal);
            let headers = response.headers_mut();
            put(headers, "x-consentry-reason", &refusal.reason);
            put(headers, DECISION, refusal.id());
            match refusal.cause {
                Cause::Later(at) => {
                    let seconds = (at.millis() - clock::now().millis()).max(0) / 1000 + 1;
                    headers.insert(header::RETRY_AFTER, seconds.into());
                }
                Cause::Busy => {
                    headers.insert(header::RETRY_AFTER, 1.into());
                }
                _ => {}
            }
            response
        }
    }
}

const DECISION: &str = "x-consentry-decision";

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Some(value) = HeaderValue::from_str(value)
        .ok()
        .filter(|value| !value.is_empty())
    {
        headers.insert(name, value);
    }
}

impl Gate {
    async fn take(&self, request: Request) -> Result<Response, Refusal> {
        let (provider, shared) = (&*self.provider, &*self.shared);
        let keys = shared.keys.as_deref();
        access::host(
            keys.is_some(),
            request.headers(),
            &self.upstream.authority(),
        )?;
        let raw = request.uri().path().to_owned();
        let (access, path) = Access::of(keys, &raw, request.headers());
        access.known()?;
        check::is_plain(provider, path, request.uri().query())?;
        check::is_readable(provider, request.headers())?;
        let (parts, body) = guard::with_whole_body(request).await?;
        let call = Call {
            path,
            headers: &parts.headers,
            body: &body,
        };
        let turn = guard::turn(&shared.turns).await?;
        let served = provider.serve(&shared.gateway, &access, &call).await?;
        if let Some(answer) = served {
            telemetry::gated(provider.name(), "served");
            return Ok(answer);
        }
        let asked = provider.read(&call)?;
        access.check(Scope::Preflight)?;
        let waiting = Arc::clone(&shared.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_| Problem::overloaded())?;
        let (message, decided) = match asked {
            Asked::NoMessage => (None, None),
            Asked::Message(message) => {
                let decided = ask::ask(
                    &shared.gateway,
                    &shared.categories,
                    &message,
                    &parts.headers,
                )
                .await?;
                (Some(message), Some(decided))
            }
        };
        // However long the provider takes, others have their turn.
        drop(turn);
        // Whoever hangs up now may have sent the message all the same, and what the provider says of
        // the contact must not be lost.
        let (gate, path) = (self.clone(), path.to_owned());
        let forwarded = tokio::spawn(async move {
            let answer = gate.forward(&parts, &path, body, message.as_deref()).await;
            drop(waiting);
            answer
        });
        let answer = forwarded.await.unwrap_or_else(|_| Err(broken()));
        let mut answer = answer.map_err(Refusal::from)?;
        telemetry::gated(provider.name(), "forwarded");
        if let Some(decided) = decided {
            put(answer.headers_mut(), DECISION, &decided.decision_id);
            let receipt = decided.receipt.unwrap_or_default();
            put(answer.headers_mut(), "x-consentry-receipt", &receipt);
        }
        Ok(answer)
    }

    async fn forward(
        &self,
        parts: &Parts,
        path: &str,
        body: Bytes,
        message: Option<&Message>,
    ) -> Result<Response, Problem> {
        let is_signed = self.provider.signs_headers();
        let sent = self.upstream.send(parts, path, body, is_signed).await;
        let sent = sent.inspect_err(|away| {
            telemetry::upstream_away(self.provider.name(), away.name());
        })?;
        let (answer, error) = forward::answer(sent).await;
        let said = error.as_ref().and_then(|error| self.provider.said(error));
        if let (Some(message), Some(said)) = (message, said)
            && said.effect() != Effect::None
        {
            let notice = Notice {
                address: message.to.clone(),
                other_addresses: Vec::new(),
                channel: message.channel,
                said,
                at: None,
                message_id: None,
                source: self.provider.name().to_owned(),
                document: json!({ "gate": self.provider.name(), "sender": message.from, "error": error }),
            };
            if let Err(error) = self.shared.gateway.platform_notice(notice).await {
                telemetry::evidence_lost(self.provider.name(), &error);
            }
        }
        Ok(answer)
    }
}

fn broken() -> Problem {
    let detail = "this is a fault of ours; whether the message was sent is not known";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-error", detail)
}
