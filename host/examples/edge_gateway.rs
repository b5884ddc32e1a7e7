//! An edge gateway: whatever a business sends goes through it to the sender, or does not go.
//! `cargo run -p consentry --example edge_gateway -- --centre http://127.0.0.1:8080 --sender http://…`
//!
//! It takes its policy from a central Consentry and decides here, also while the centre is away. What it
//! knows of people is what they wrote to it since its start, kept in memory. Whoever it knows nothing of
//! gets nothing: that is what "fail closed" means for an edge that has forgotten.
//!
//! - `POST /inbound` `{"channel":"sms","from":"+14155550123","body":"STOP"}`: a message that came in
//! - `POST /send` `{"channel":"sms","to":"+14155550123","category":"marketing", …}`: asks, and passes the
//!   whole document on to the sender when the answer is yes
//! - `GET /healthz`: which policy decides, and when the centre last confirmed it

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use consentry_host::{CodeCache, Digest, Host, Limits, Policy, conformance};
use consentry_model::{
    Answers, Category, Channel, Contact, EventId, Inbound, Mark, Outbound, Sent, Statement,
    Timestamp, floor,
};
use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Value, json};

type Anything = Box<dyn Error + Send + Sync>;
type Answer = (StatusCode, Json<Value>);

/// How often the centre is asked for another policy, and how long it may take to answer.
const LOOK: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Args {
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The central gateway that the policy is taken from
    #[arg(long)]
    centre: Url,
    /// The key that it is asked with, of the scope read
    #[arg(long, env = "CENTRE_KEY", hide_env_values = true)]
    centre_key: Option<String>,
    /// Where messages are posted that may go
    #[arg(long)]
    sender: Url,
    /// Where the last known policy is kept
    #[arg(long, default_value = "edge-policy.wasm")]
    keep: PathBuf,
}

struct Edge {
    host: Host,
    policy: ArcSwapOption<Policy>,
    confirmed_at: Mutex<Option<Timestamp>>,
    known: Mutex<Known>,
    sender: Url,
    client: Client,
}

/// What is known of people, by address.
#[derive(Default)]
struct Known {
    contacts: HashMap<String, Arc<Contact>>,
    last: i64,
}

#[tokio::main]
async fn main() -> Result<(), Anything> {
    let args = Args::parse();
    // Whoever asks over TLS needs it; that it was set before is no fault.
    drop(rustls::crypto::ring::default_provider().install_default());
    // Whatever was compiled before need not be compiled again.
    let cache = CodeCache::open(args.keep.with_extension("compiled"))?;
    let edge = Arc::new(Edge {
        host: Host::new(Limits::default())?.with_cache(cache),
        policy: ArcSwapOption::empty(),
        confirmed_at: Mutex::default(),
        known: Mutex::default(),
        sender: args.sender,
        client: Client::builder().timeout(TIMEOUT).build()?,
    });
    let last_known = std::fs::read(&args.keep).map_err(Anything::from);
    match last_known.and_then(|component| edge.admit(&component)) {
        Ok(policy) => edge.swap(policy),
        Err(error) => eprintln!("there is no last known policy: {error}"),
    }
    let mut centre = args.centre;
    centre.set_path("/v1/policies/active");
    tokio::spawn(follow(
        Arc::clone(&edge),
        centre,
        args.centre_key,
        args.keep,
    ));
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    println!("listening on {}", listener.local_addr()?);
    let router = Router::new()
        .route("/inbound", post(inbound))
        .route("/send", post(send))
        .route("/healthz", get(health))
        .with_state(edge);
    Ok(axum::serve(listener, router).await?)
}

#[derive(Deserialize)]
struct Said {
    channel: Channel,
    from: String,
    body: String,
}

async fn inbound(State(edge): State<Arc<Edge>>, Json(said): Json<Said>) -> Answer {
    let Some(at) = edge.known().now() else {
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({ "reason": "no_time" })),
        );
    };
    let message = Inbound::text(said.channel, &said.body, at);
    let contact = edge.known().of(&said.from).unwrap_or_default();
    // Without a policy a stop word is one all the same.
    let policy = edge.policy.load_full();
    let understood = match &policy {
        Some(policy) => policy.classify(&message, &contact).value,
        None => floor::classify(&message),
    };
    let mut known = edge.known();
    let contact = Arc::make_mut(known.contacts.entry(said.from).or_default());
    contact.wrote(said.channel, at);
    for change in &understood.changes {
        let event = EventId(at.millis().to_string());
        contact.apply(change, Statement::Own, Mark { at, event });
    }
    let intent = understood.intent.as_str();
    // The one that was asked, whatever decides by now.
    let policy = policy.map(|policy| policy.digest().to_string());
    let answer = json!({ "intent": intent, "reply": understood.reply, "policy": policy });
    (StatusCode::OK, Json(answer))
}

async fn send(State(edge): State<Arc<Edge>>, Json(message): Json<Value>) -> Answer {
    let policy = edge.policy.load_full();
    let digest = policy.as_ref().map(|policy| policy.digest().to_string());
    let no = |status, reason: &str| {
        let answer = json!({ "sent": false, "reason": reason, "policy": digest });
        (status, Json(answer))
    };
    let Some(policy) = policy else {
        return no(StatusCode::SERVICE_UNAVAILABLE, "no_policy");
    };
    if let Err(reason) = edge.may_go(&policy, &message) {
        return no(StatusCode::FORBIDDEN, &reason);
    }
    let passed_on = edge.client.post(edge.sender.clone()).json(&message).send();
    match passed_on.await {
        Ok(taken) if taken.status().is_success() => {
            let answer = json!({ "sent": true, "reason": "allowed", "policy": digest });
            (StatusCode::OK, Json(answer))
        }
        _ => no(StatusCode::BAD_GATEWAY, "sender_failed"),
    }
}

async fn health(State(edge): State<Arc<Edge>>) -> Answer {
    let status = match edge.policy.load().is_some() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let confirmed_at = *lock(&edge.confirmed_at);
    let answer = json!({ "policy": edge.digest(), "confirmedAt": confirmed_at });
    (status, Json(answer))
}

impl Edge {
    /// Whether a message may go, and the place that it takes under a limit; or why not.
    fn may_go(&self, policy: &Policy, message: &Value) -> Result<(), String> {
        let text = |name: &str| message[name].as_str().ok_or_else(|| format!("no_{name}"));
        let to = text("to")?;
        let channel = text("channel")?.parse::<Channel>();
        let channel = channel.map_err(|error| error.to_string())?;
        let category = text("category")?.parse::<Category>();
        let category = category.map_err(|error| error.to_string())?;
        let at = self.known().now().ok_or("no_time")?;
        let contact = self.known().of(to).ok_or("unknown_contact")?;
        let question = Outbound {
            channel,
            category: category.clone(),
            template: None,
            at,
            places: consentry_places::of(Some(to), None, at),
            answers: Answers::Nothing,
            explain: false,
        };
        let decision = policy.preflight(&question, &contact).value;
        if !decision.is_allowed() {
            return Err(decision.reason);
        }
        // Somebody may have written, or another message taken the last place, since.
        let mut known = self.known();
        let at = known.now().ok_or("no_time")?;
        let contact = Arc::make_mut(known.contacts.entry(to.to_owned()).or_default());
        if floor::forbids(contact, &question) {
            return Err("opted_out".to_owned());
        }
        for limit in &decision.limits {
            let last = (limit.count as usize).checked_sub(1);
            let last = last.ok_or("frequency_cap")?;
            let oldest = contact.sent(&limit.channels, &limit.categories, last);
            if oldest.is_some_and(|oldest| oldest.millis() > at.millis() - limit.window) {
                return Err("frequency_cap".to_owned());
            }
        }
        if !decision.limits.is_empty() {
            let sent = Sent {
                at,
                channel,
                category,
            };
            contact.sent.insert(0, sent);
        }
        Ok(())
    }

    /// The gate: it fits the host, and passes every statutory case.
    fn admit(&self, component: &[u8]) -> Result<Policy, Anything> {
        let policy = self.host.load(component)?;
        match conformance::run(&policy).0.first() {
            Some(failure) => Err(failure.to_string().into()),
            None => Ok(policy),
        }
    }

    /// Calls in flight finish on the policy they began with.
    fn swap(&self, policy: Policy) {
        eprintln!("policy {}", policy.digest());
        self.policy.store(Some(Arc::new(policy)));
    }

    fn digest(&self) -> Option<String> {
        let policy = self.policy.load();
        policy.as_ref().map(|policy| policy.digest().to_string())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

impl Known {
    fn of(&self, address: &str) -> Option<Arc<Contact>> {
        self.contacts.get(address).cloned()
    }

    /// The time, never twice the same: at one moment a STOP and a START could not be told apart.
    fn now(&mut self) -> Option<Timestamp> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let now = i64::try_from(now.as_millis()).ok()?;
        self.last = now.max(self.last + 1);
        Timestamp::from_millis(self.last)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks the centre for as long as the edge serves.
async fn follow(edge: Arc<Edge>, centre: Url, key: Option<String>, keep: PathBuf) {
    let mut seen = edge.digest().unwrap_or_default();
    let mut is_away = false;
    loop {
        match newer(&edge, &centre, key.as_deref(), &seen).await {
            Ok(newer) => {
                is_away = false;
                if let Some(component) = newer {
                    // What is refused is not asked for again.
                    seen = Digest::of(&component).to_string();
                    if let Err(error) = take(&edge, component, &keep).await {
                        eprintln!("the centre's policy is not taken: {error}");
                    }
                }
                if edge.digest().as_ref() == Some(&seen) {
                    *lock(&edge.confirmed_at) = edge.known().now();
                }
            }
            Err(error) if !is_away => {
                is_away = true;
                eprintln!("the centre is away; the last known policy decides on: {error}");
            }
            Err(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The centre's policy, when it is another one than was seen last.
async fn newer(
    edge: &Edge,
    centre: &Url,
    key: Option<&str>,
    seen: &str,
) -> Result<Option<Vec<u8>>, Anything> {
    let mut request = edge.client.get(centre.clone());
    request = request.header(IF_NONE_MATCH, format!("\"{seen}\""));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let answer = request.send().await?.error_for_status()?;
    if answer.status() == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    let size = answer.content_length().ok_or("it does not say how much")?;
    if size > edge.host.limits().component as u64 {
        return Err(format!("its policy has {size} bytes").into());
    }
    let promised = answer.headers().get(ETAG).cloned().ok_or("no ETag")?;
    let component = answer.bytes().await?.to_vec();
    let tag = format!("\"{}\"", Digest::of(&component));
    match promised == tag.as_str() {
        true => Ok(Some(component)),
        false => Err("it is not what its ETag says".into()),
    }
}

/// Compiles and checks beside the messages, and keeps it for a start without the centre.
async fn take(edge: &Arc<Edge>, component: Vec<u8>, keep: &Path) -> Result<(), Anything> {
    let (at, keep) = (Arc::clone(edge), keep.to_owned());
    let policy = tokio::task::spawn_blocking(move || {
        let policy = at.admit(&component)?;
        let next = keep.with_extension("next");
        std::fs::write(&next, component)?;
        std::fs::rename(next, keep)?;
        Ok::<_, Anything>(policy)
    });
    edge.swap(policy.await??);
    Ok(())
}
