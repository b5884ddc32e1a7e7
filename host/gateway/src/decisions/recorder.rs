//! Takes decisions as they are made, and brings them to the store and to the candidate a little later, so
//! that nobody waits for it. When more come than can be kept, some are passed over, and counted.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use consentry_host::Policy;
use metrics::counter;
use tokio::sync::Notify;

use super::counts::Counts;
use super::record::{Decided, Kept};
use super::shadow::{Report, Shadow};
use crate::clock;
use crate::gateway::Gateway;

/// How long what was decided may wait.
const PAUSE: Duration = Duration::from_millis(250);
/// How many may wait. With [`PAUSE`] it is how many are kept in a second: 8,000.
const MAX_WAITING: usize = 2000;

/// Keeps decisions.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// How many are kept, the newest; 0: none.
    keep: u64,
    waiting: Mutex<Waiting>,
    changed: Notify,
    shadow: Mutex<Option<Shadow>>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Waiting {
    decided: Vec<Decided>,
    passed_over: u64,
}

impl Recorder {
    pub(crate) fn new(keep: u64) -> Self {
        Self {
            keep,
            waiting: Mutex::default(),
            changed: Notify::new(),
            shadow: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// Takes one, if there is room.
    pub(crate) fn note(&self, decided: impl FnOnce() -> Decided) {
        let mut waiting = lock(&self.waiting);
        if waiting.decided.len() < MAX_WAITING {
            waiting.decided.push(decided());
        } else {
            waiting.passed_over += 1;
            counter!("consentry_decisions_not_recorded_total").increment(1);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Asks a candidate, too, from now on.
    pub(crate) fn start_shadow(&self, policy: Policy) -> Report {
        let shadow = Shadow::new(policy);
        let report = shadow.report();
        *lock(&self.shadow) = Some(shadow);
        report
    }

    /// Asks no candidate any more, and says what came of it.
    pub(crate) fn stop_shadow(&self) -> Option<Report> {
        lock(&self.shadow).take().map(|shadow| shadow.report())
    }

    /// What the candidate would have decided otherwise so far.
    pub(crate) fn shadow(&self) -> Option<Report> {
        lock(&self.shadow).as_ref().map(Shadow::report)
    }

    /// How often what was decided.
    pub(crate) fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    fn compare(&self, waiting: &Waiting) {
        if let Some(shadow) = lock(&self.shadow).as_mut() {
            shadow.miss(waiting.passed_over);
            shadow.see(&waiting.decided);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings decisions where they belong, for as long as the gateway serves.
pub(crate) async fn keep(gateway: Gateway) {
    loop {
        gateway.decisions().changed.notified().await;
        tokio::time::sleep(PAUSE).await;
        write(&gateway).await;
    }
}

/// Brings there what waits now.
pub(crate) async fn write(gateway: &Gateway) {
    let recorder = gateway.decisions();
    let waiting = std::mem::take(&mut *lock(&recorder.waiting));
    if waiting.decided.is_empty() {
        return;
    }
    lock(&recorder.counts).add(&waiting.decided);
    tokio::task::block_in_place(|| recorder.compare(&waiting));
    if recorder.keep == 0 {
        return;
    }
    let (now, count) = (clock::now(), waiting.decided.len() as u64);
    let decided = waiting.decided.into_iter();
    let kept = decided.map(|decided| Kept::of(decided, now)).collect();
    if let Err(error) = gateway.store().record_decisions(kept, recorder.keep).await {
        counter!("consentry_decisions_not_recorded_total").increment(count);
        tracing::error!(%error, "decisions could not be recorded");
    }
}
