//! What the sender's people are told: that messages were stopped for a reason somebody should look
//! at. They are gathered by reason, channel, category and hour, so that a campaign that goes wrong is
//! one alert and not a million.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use consentry_model::{Category, Channel, Timestamp};
use metrics::counter;
use serde::Serialize;
use tokio::sync::Notify;

use crate::clock;
use crate::gateway::Gateway;

/// How long what was noted may wait before it is written.
const PAUSE: Duration = Duration::from_secs(1);
/// How many kinds may wait. Categories are what callers write, and a store may be away for long.
const MAX_WAITING: usize = 1000;
const HOUR: i64 = 3_600_000;

/// What is gathered into one alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertKind {
    /// The hour in which they were stopped: its first moment.
    pub hour: Timestamp,
    /// Why.
    pub reason: String,
    /// How they should have gone.
    pub channel: Channel,
    /// What kind of messages they were.
    pub category: Category,
}

/// How many messages were stopped, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertTally {
    /// How many.
    pub count: u64,
    /// When the first was.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
    /// The decision about the last.
    pub last_decision_id: String,
}

/// Messages that were stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// What identifies it; later ones compare greater.
    pub alert_id: String,
    /// What it is about.
    #[serde(flatten)]
    pub kind: AlertKind,
    /// How many, and when.
    #[serde(flatten)]
    pub tally: AlertTally,
    /// When it was delivered; nothing: not yet.
    pub delivered_at: Option<Timestamp>,
}

/// What was noted and is not in the store yet.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    waiting: Mutex<BTreeMap<AlertKind, AlertTally>>,
    changed: Notify,
    written: Notify,
}

impl Noted {
    /// Notes that a message was stopped.
    pub(crate) fn note(
        &self,
        reason: &str,
        channel: Channel,
        category: &Category,
        decision_id: &str,
    ) {
        counter!("consentry_internal_alerts_total").increment(1);
        let now = clock::now();
        let hour = now.millis() - now.millis().rem_euclid(HOUR);
        let kind = AlertKind {
            hour: Timestamp::from_millis(hour).unwrap_or(now),
            reason: reason.to_owned(),
            channel,
            category: category.clone(),
        };
        let one = AlertTally {
            count: 1,
            first_at: now,
            last_at: now,
            last_decision_id: decision_id.to_owned(),
        };
        add(&mut self.lock(), kind, one);
        self.changed.notify_one();
    }

    /// Waits until more alerts are in the store than before.
    pub(crate) async fn written(&self) {
        self.written.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AlertKind, AlertTally>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(waiting: &mut BTreeMap<AlertKind, AlertTally>, kind: AlertKind, more: AlertTally) {
    let full = waiting.len() >= MAX_WAITING;
    match waiting.entry(kind) {
        Entry::Occupied(mut known) => {
            let known = known.get_mut();
            known.count += more.count;
            known.first_at = known.first_at.min(more.first_at);
            known.last_at = known.last_at.max(more.last_at);
            known.last_decision_id = more.last_decision_id;
        }
        Entry::Vacant(_) if full => {
            tracing::error!("too many kinds of alerts wait to be written; one is passed over");
        }
        Entry::Vacant(place) => drop(place.insert(more)),
    }
}

/// Writes what is noted, for as long as the gateway serves.
pub(crate) async fn keep(gateway: Gateway) {
    loop {
        gateway.alerts().changed.notified().await;
        write(&gateway).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Writes what is noted now. What the store does not take waits on.
pub(crate) async fn write(gateway: &Gateway) {
    let noted = gateway.alerts();
    let waiting = std::mem::take(&mut *noted.lock());
    if waiting.is_empty() {
        return;
    }
    match gateway.store().add_alerts(waiting.clone()).await {
        Ok(()) => {
            for (kind, tally) in waiting {
                let AlertKind {
                    reason, channel, ..
                } = kind;
                let channel = channel.as_str();
                tracing::warn!(
                    reason,
                    channel,
                    count = tally.count,
                    "messages were stopped"
                );
            }
            noted.written.notify_one();
        }
        Err(error) => {
            tracing::error!(%error, "alerts could not be written; they wait");
            let mut now = noted.lock();
            for (kind, tally) in waiting {
                add(&mut now, kind, tally);
            }
            noted.changed.notify_one();
        }
    }
}
