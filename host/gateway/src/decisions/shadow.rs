//! A candidate beside the active policy: it is asked the same, and nobody acts on its answers.

use std::time::{Duration, Instant};

use consentry_host::Policy;
use consentry_model::Timestamp;
use serde::Serialize;

use super::compare::{Differences, Tally, Understanding};
use super::record::{Decided, Made, What};
use crate::clock;

/// How long the candidate may take for what was decided in one [`super::recorder::PAUSE`]: a fifth of one
/// core at most.
const SHARE: Duration = Duration::from_millis(50);

/// A candidate, and what it made of live traffic so far.
#[derive(Debug)]
pub(super) struct Shadow {
    policy: Policy,
    since: Timestamp,
    tally: Tally,
    passed_over: u64,
}

/// What a candidate makes of live traffic.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The candidate's digest.
    pub digest: String,
    /// Since when it is asked.
    pub since: Timestamp,
    /// How many decisions it was not asked about, to bound what it costs.
    pub passed_over: u64,
    /// What it would have decided otherwise.
    #[serde(flatten)]
    pub found: Differences,
}

impl Shadow {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            policy,
            since: clock::now(),
            tally: Tally::default(),
            passed_over: 0,
        }
    }

    /// Asks the candidate about what was decided, for as long as it may take.
    pub(super) fn see(&mut self, decided: &[Decided]) {
        let started = Instant::now();
        for (seen, one) in decided.iter().enumerate() {
            if started.elapsed() > SHARE {
                self.passed_over += (decided.len() - seen) as u64;
                return;
            }
            match &one.what {
                What::Inbound(asked) => {
                    let (message, was) = &**asked;
                    let answer = self.policy.classify(message, &one.contact).value;
                    let was = Understanding::answered(was);
                    self.tally
                        .message(&one.id, was, Understanding::answered(&answer));
                }
                What::Outbound(asked) => {
                    let (question, was) = &**asked;
                    let answer = self.policy.preflight(question, &one.contact).value;
                    let was = Made::of(question.clone(), was);
                    self.tally.question(&one.id, &was, &answer);
                }
            }
        }
    }

    pub(super) fn miss(&mut self, count: u64) {
        self.passed_over += count;
    }

    pub(super) fn report(&self) -> Report {
        Report {
            digest: self.policy.digest().to_string(),
            since: self.since,
            passed_over: self.passed_over,
            found: self.tally.differences(),
        }
    }
}
