//! `/webhooks/{provider}`: what messaging providers deliver.

mod generic;
mod meta;
mod meta_payload;
mod provider;
pub(crate) mod secrets;
mod twilio;
mod twilio_fields;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Semaphore;

use super::MAX_BODY;
use super::extract::media_type;
use super::guard;
use super::problem::Problem;
use crate::gateway::Gateway;
use crate::reply;
use crate::store::StoreError;
use crate::telemetry;
use generic::Generic;
use meta::Meta;
pub(super) use meta_payload::other_form;
use provider::{Delivery, Done, Provider, Told};
use secrets::SecretFile;
use twilio::Twilio;

/// The providers that there are.
const NAMES: [&str; 3] = [Generic::NAME, Meta::NAME, Twilio::NAME];
/// How many things one delivery may tell: as many as Meta sends.
const MAX_TOLD: usize = 1000;
/// How many of them are worked on at the same time, so that they are written together.
const AT_ONCE: usize = 32;
/// How many bodies of more than [`MAX_BODY`] are taken in at the same time. Nobody has shown a secret
/// before the body is there.
const LARGE: usize = 16;

/// What is configured for providers.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) file: SecretFile,
    pub(crate) public_url: Option<String>,
    pub(crate) twilio: Vec<String>,
    pub(crate) meta: Vec<String>,
    pub(crate) meta_verify_token: Vec<String>,
    pub(crate) generic: Vec<String>,
}

/// The providers that have a secret.
#[derive(Default)]
pub(crate) struct Providers(Vec<Box<dyn Provider>>);

impl Providers {
    pub(crate) fn new(settings: Settings) -> anyhow::Result<Self> {
        let mut file = settings.file;
        let mut providers: Vec<Box<dyn Provider>> = Vec::new();
        if let Some(secrets) = file.take(Twilio::NAME, settings.twilio)? {
            let Some(public_url) = &settings.public_url else {
                anyhow::bail!(
                    "Twilio signs the URL that it calls: name where it reaches this gateway with \
                     --public-url https://…"
                );
            };
            providers.push(Box::new(Twilio::new(secrets, public_url)));
        }
        let verify_tokens = file.take("meta-verify-token", settings.meta_verify_token)?;
        match file.take(Meta::NAME, settings.meta)? {
            Some(secrets) => providers.push(Box::new(Meta::new(secrets, verify_tokens))),
            None if verify_tokens.is_some() => {
                anyhow::bail!("Meta has a verify token, and no secret: name the app secret, too")
            }
            None => {}
        }
        if let Some(secrets) = file.take(Generic::NAME, settings.generic)? {
            providers.push(Box::new(Generic::new(secrets)?));
        }
        file.finish()?;
        Ok(Self(providers))
    }

    fn find(&self, name: Result<Path<String>, PathRejection>) -> Result<&dyn Provider, Problem> {
        // What cannot be read is no provider either.
        let name = name.map_or_else(|_| String::new(), |Path(name)| name);
        let mut providers = self.0.iter();
        let found = providers.find(|provider| provider.name() == name);
        found.map(AsRef::as_ref).ok_or_else(|| {
            let detail = match NAMES.into_iter().find(|known| *known == name) {
                Some(known) => format!(
                    "{known} has no secret here, and nothing is taken without one: set \
                     CONSENTRY_{}_SECRET, or name one in the file of --webhook-secrets",
                    known.to_uppercase()
                ),
                None => format!("there is no such provider; there are {}", NAMES.join(", ")),
            };
            Problem::new(StatusCode::NOT_FOUND, "unknown-provider", detail)
        })
    }
}

#[derive(Clone)]
pub(crate) struct Webhooks {
    gateway: Gateway,
    providers: Arc<Providers>,
    /// Shared with the other calls that write.
    turns: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// The routes. They need no key: what is signed comes from who has the secret.
pub(super) fn routes(gateway: Gateway, providers: Providers, turns: Arc<Semaphore>) -> Router {
    let webhooks = Webhooks {
        gateway,
        providers: Arc::new(providers),
        turns,
        large: Arc::new(Semaphore::new(LARGE)),
    };
    Router::new()
        .route("/webhooks/{provider}", get(handshake).post(deliver))
        .method_not_allowed_fallback(super::wrong_method)
        .with_state(webhooks)
}

/// A delivery of a messaging provider, in the provider's own form, and answered in it.
#[utoipa::path(
    post, path = "/webhooks/{provider}", params(("provider" = String, Path)),
    responses((status = 200), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn deliver(
    State(webhooks): State<Webhooks>,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let provider = match webhooks.providers.find(name) {
        Ok(provider) => provider,
        Err(problem) => {
            telemetry::webhook("none", problem.name());
            return problem.into_response();
        }
    };
    let answer = webhooks.take(provider, request).await;
    let outcome = answer.as_ref().err().map_or("taken", Problem::name);
    telemetry::webhook(provider.name(), outcome);
    answer.unwrap_or_else(Problem::into_response)
}

/// A provider asks whether this address may be used. It is answered what it wants to hear when the
/// verify token is right.
#[utoipa::path(
    get, path = "/webhooks/{provider}", params(("provider" = String, Path)),
    responses((status = 200), (status = "4XX", body = Problem))
)]
pub(crate) async fn handshake(
    State(webhooks): State<Webhooks>,
    name: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let provider = webhooks.providers.find(name)?;
    provider.handshake(&query.unwrap_or_default())
}

impl Webhooks {
    async fn take(&self, provider: &dyn Provider, request: Request) -> Result<Response, Problem> {
        let signature = signature(provider, request.headers())?;
        readable(provider, request.headers())?;
        let _place = self.place(provider, request.headers())?;
        let mut request = request;
        DefaultBodyLimit::max(provider.largest()).apply(&mut request);
        let (parts, body) = guard::with_whole_body(request).await?;
        let _turn = guard::turn(&self.turns).await?;
        let uri = &parts.uri;
        let delivery = Delivery {
            path_and_query: uri.path_and_query().map_or("", |path| path.as_str()),
            headers: &parts.headers,
            body: &body,
        };
        provider.verify(&delivery, &signature)?;
        let told = provider.read(&delivery)?;
        if told.len() > MAX_TOLD {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                format!("one delivery may tell at most {MAX_TOLD} things"),
            ));
        }
        for told in &told {
            telemetry::told(provider.name(), told.kind());
        }
        let done = stream::iter(told).map(|told| self.record(told));
        let done: Vec<Done> = done.buffered(AT_ONCE).try_collect().await?;
        Ok(provider.answer(done))
    }

    /// A body that may be large has one of few places.
    fn place(
        &self,
        provider: &dyn Provider,
        headers: &HeaderMap,
    ) -> Result<Option<tokio::sync::SemaphorePermit<'_>>, Problem> {
        let length = headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if provider.largest() <= MAX_BODY || length.is_some_and(|length| length <= MAX_BODY) {
            return Ok(None);
        }
        let place = self.large.try_acquire();
        place.map(Some).map_err(|_| Problem::overloaded())
    }

    async fn record(&self, told: Told) -> Result<Done, StoreError> {
        let gateway = &self.gateway;
        Ok(match told {
            Told::Message(message) => {
                let reply_from = message.reply_from.clone();
                let recorded = gateway.inbound(*message).await?;
                if let Some(number) = reply_from.filter(|_| !recorded.duplicate) {
                    // The provider does not wait for it.
                    tokio::spawn(reply::send(gateway.clone(), number, recorded.event.clone()));
                }
                Done::Message(Box::new(recorded))
            }
            Told::Notice(notice) => {
                let effect = notice.said.effect();
                let recorded = gateway.platform_notice(*notice).await?;
                Done::Notice(effect, Box::new(recorded))
            }
            Told::Moved(moved) => {
                gateway.moved(*moved).await?;
                Done::Nothing
            }
            Told::Nothing(_) => Done::Nothing,
        })
    }
}

/// The signature, before anything else is looked at.
fn signature(provider: &dyn Provider, headers: &HeaderMap) -> Result<String, Problem> {
    let name = provider.signed_in();
    let mut values = headers.get_all(name).iter();
    let signature = values.next().and_then(|value| value.to_str().ok());
    match (signature, values.next()) {
        (Some(signature), None) if !signature.is_empty() => Ok(signature.to_owned()),
        (None, None) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "no-signature",
            format!("{name}: every delivery must be signed"),
        )
        .at(name)),
        _ => Err(provider::bad_signature(name)),
    }
}

/// Whether the body has a form that the provider sends. What is compressed is not: a small body may hold
/// a very large one.
fn readable(provider: &dyn Provider, headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |kind, field: &str, detail: String| {
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, kind, detail).at(field)
    };
    let encoding = headers.get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let detail = "Content-Encoding: send the body as it is, not compressed";
        return Err(refused("compressed", "Content-Encoding", detail.to_owned()));
    }
    let types = provider.media_types();
    let sent = media_type(headers);
    if sent.is_some_and(|sent| types.contains(&sent.as_str())) {
        return Ok(());
    }
    let detail = format!(
        "Content-Type: {} sends {}",
        provider.name(),
        types.join(" or ")
    );
    Err(refused("wrong-media-type", "Content-Type", detail))
}
