//! How often what was decided, for an operator to see.

use std::collections::BTreeMap;

use serde::Serialize;

use super::record::{Decided, What};

/// How many reasons are told apart: a policy may make up as many as it likes.
const REASONS: usize = 100;

/// Decisions since the gateway started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Messages that came in, by what they were understood as.
    messages: BTreeMap<String, u64>,
    /// Questions of pre-flight, by the reason of the answer.
    questions: BTreeMap<String, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, decided: &[Decided]) {
        for one in decided {
            let (counts, reason) = match &one.what {
                What::Inbound(asked) => (&mut self.messages, asked.1.intent.as_str()),
                What::Outbound(asked) => (&mut self.questions, asked.1.reason.as_str()),
            };
            let known = counts.len() < REASONS || counts.contains_key(reason);
            let reason = if known { reason } else { "(other)" };
            *counts.entry(reason.to_owned()).or_default() += 1;
        }
    }
}
