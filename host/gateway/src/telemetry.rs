//! Metrics and logs. A telephone number or the text of a message appears in neither.

use std::time::Duration;

use consentry_host::{Answer, DecidedBy};
use consentry_model::{Classification, Decision, Verdict};
use metrics::{counter, histogram};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::gateway::decided_by;
use crate::store::StoreError;

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error. `CONSENTRY_LOG` sets the level, `info` without it.
///
/// Only what this project itself says is written. The libraries it uses say what they were given,
/// and that may be a telephone number.
pub(crate) fn start_logging(format: LogFormat) {
    let level = std::env::var("CONSENTRY_LOG")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(LevelFilter::INFO);
    let ours = Targets::new().with_target("consentry", level);
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs = match format {
        LogFormat::Text => logs.with_ansi(false).boxed(),
        LogFormat::Json => logs.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(logs.with_filter(ours))
        .init();
}

pub(crate) fn classified(answer: &Answer<Classification>) {
    let by = decided_by(&answer.decided_by);
    let intent = answer.value.intent.as_str();
    counter!("consentry_inbound_total", "intent" => intent, "decided_by" => by).increment(1);
    unusual(&answer.decided_by, "inbound");
}

pub(crate) fn duplicate() {
    counter!("consentry_inbound_duplicates_total").increment(1);
}

/// A delivery of a provider was taken, or refused for a reason.
pub(crate) fn webhook(provider: &'static str, outcome: &str) {
    let outcome = outcome.to_owned();
    counter!("consentry_webhooks_total", "provider" => provider, "outcome" => outcome).increment(1);
}

/// One of the things that a delivery told.
pub(crate) fn told(provider: &'static str, kind: &'static str) {
    counter!("consentry_webhook_items_total", "provider" => provider, "kind" => kind).increment(1);
}

/// An answer that had to be sent by itself was `sent`, `denied` or `failed`.
pub(crate) fn replied(outcome: &'static str) {
    counter!("consentry_replies_total", "outcome" => outcome).increment(1);
}

/// A request at the gate was forwarded, served or refused, for a reason.
pub(crate) fn gated(provider: &'static str, outcome: &str) {
    let outcome = outcome.to_owned();
    counter!("consentry_gate_total", "provider" => provider, "outcome" => outcome).increment(1);
}

/// The provider behind the gate did not answer.
pub(crate) fn upstream_away(provider: &'static str, error: &str) {
    tracing::error!(
        provider,
        error,
        "the provider behind the gate does not answer"
    );
}

/// What the provider behind the gate said of a contact could not be recorded.
pub(crate) fn evidence_lost(provider: &'static str, error: &StoreError) {
    tracing::error!(provider, %error, "what a provider said of a contact was not recorded");
}

pub(crate) fn decided(answer: &Answer<Decision>) {
    let verdict = match answer.value.verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
        Verdict::DeferUntil(_) => "defer",
    };
    let by = decided_by(&answer.decided_by);
    counter!("consentry_preflight_total", "verdict" => verdict, "decided_by" => by).increment(1);
    unusual(&answer.decided_by, "preflight");
}

/// A question was answered without the store.
pub(crate) fn store_away(error: &StoreError) {
    counter!("consentry_preflight_total", "verdict" => "deny", "decided_by" => "fault")
        .increment(1);
    tracing::error!(%error, "the store failed; nothing may be sent");
}

fn unusual(decided_by: &DecidedBy, question: &'static str) {
    match decided_by {
        DecidedBy::Policy => {}
        DecidedBy::Floor => {
            tracing::error!(
                question,
                "the policy went under the floor; the floor answered"
            );
        }
        DecidedBy::Fault(fault) => {
            tracing::error!(question, %fault, "the policy gave no answer; the floor answered");
        }
    }
}

pub(crate) fn request(route: &str, method: &'static str, status: u16, took: Duration) {
    let labels = [
        ("route", route.to_owned()),
        ("method", method.to_owned()),
        ("status", status.to_string()),
    ];
    counter!("consentry_http_requests_total", &labels).increment(1);
    histogram!("consentry_http_request_seconds", "route" => route.to_owned())
        .record(took.as_secs_f64());
    tracing::debug!(route, method, status, micros = took.as_micros(), "request");
}
