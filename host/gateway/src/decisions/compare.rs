//! What two policies make of the same, and how often they differ.

use std::collections::BTreeMap;

use consentry_model::{Classification, Decision, Scope};
use serde::Serialize;
use serde_json::Value;

use super::record::{Made, verdict};
use crate::store::{Event, name};

/// How many examples of each difference are kept.
const EXAMPLES: usize = 5;
/// How many kinds of differences are told apart. A policy that answers with the text of the message
/// differs in as many ways as there are messages.
const KINDS: usize = 1000;

/// What came of running decisions again.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Differences {
    /// How many messages that came in were run again.
    pub messages: u64,
    /// How many questions of pre-flight were.
    pub questions: u64,
    /// How many of both would come out otherwise.
    pub different: u64,
    /// By what would be different, the most frequent first.
    pub differences: Vec<Difference>,
}

/// Decisions that would come out otherwise in the same way.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// What is different: of a message `intent`, `scope`, `changes`, `review`, `route` or `reply`; of a
    /// question `verdict`, `reason` or `retryAt`; the first that is.
    pub what: &'static str,
    /// What it was, and by which rule or for which reason.
    pub was: String,
    /// What it would be.
    pub would_be: String,
    /// How many decisions.
    pub count: u64,
    /// Some of them: events of messages, decisions of pre-flight.
    pub examples: Vec<String>,
}

/// Counts differences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    messages: u64,
    questions: u64,
    different: u64,
    by_kind: BTreeMap<(&'static str, String, String), (u64, Vec<String>)>,
}

/// What was made of a message that came in.
#[derive(PartialEq, Eq)]
pub(crate) struct Understanding {
    rule: String,
    /// Each with what it is called.
    parts: [(&'static str, String); 6],
}

impl Understanding {
    /// As it is recorded.
    pub(crate) fn recorded(event: &Event) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            rule: text(&event.rule),
            parts: [
                ("intent", text(&event.intent)),
                ("scope", text(&event.scope)),
                ("changes", sorted(&event.changes)),
                ("review", event.review.to_string()),
                ("route", text(&event.route)),
                ("reply", text(&event.reply)),
            ],
        }
    }

    /// As a policy has just answered.
    pub(crate) fn answered(answer: &Classification) -> Self {
        let changes = serde_json::to_value(&answer.changes).unwrap_or_default();
        let scope = answer.scope.as_ref().map(Scope::to_string);
        Self {
            rule: answer.rule.clone(),
            parts: [
                ("intent", answer.intent.as_str().to_owned()),
                ("scope", scope.unwrap_or_default()),
                ("changes", sorted(&changes)),
                ("review", answer.review.to_string()),
                ("route", name(answer.route).unwrap_or_default()),
                ("reply", answer.reply.clone().unwrap_or_default()),
            ],
        }
    }
}

impl Tally {
    pub(crate) fn message(&mut self, id: &str, was: Understanding, is: Understanding) {
        self.messages += 1;
        let mut parts = was.parts.into_iter().zip(is.parts);
        if let Some(((what, before), (_, after))) = parts.find(|(was, is)| was != is) {
            let before = format!("{before} ({})", was.rule);
            let after = format!("{after} ({})", is.rule);
            self.add(id, what, before, after);
        }
    }

    pub(crate) fn question(&mut self, id: &str, was: &Made, is: &Decision) {
        self.questions += 1;
        let verdict = verdict(is);
        if was.verdict != verdict {
            let before = format!("{} ({})", was.verdict, was.reason);
            self.add(id, "verdict", before, format!("{verdict} ({})", is.reason));
        } else if was.reason != is.reason {
            self.add(id, "reason", was.reason.clone(), is.reason.clone());
        } else if was.retry_at != is.retry_at() {
            // Each has another moment; what they have in common is the direction.
            let direction = if was.retry_at < is.retry_at() {
                "later"
            } else {
                "earlier"
            };
            self.add(id, "retryAt", was.reason.clone(), direction.to_owned());
        }
    }

    fn add(&mut self, id: &str, what: &'static str, was: String, would_be: String) {
        self.different += 1;
        let mut key = (what, was, would_be);
        if self.by_kind.len() >= KINDS && !self.by_kind.contains_key(&key) {
            key = (what, "…".to_owned(), "…".to_owned());
        }
        let (count, examples) = self.by_kind.entry(key).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(id.to_owned());
        }
    }

    pub(crate) fn differences(&self) -> Differences {
        let kinds = self.by_kind.iter();
        let mut differences: Vec<Difference> = kinds
            .map(|((what, was, would_be), (count, examples))| Difference {
                what,
                was: was.clone(),
                would_be: would_be.clone(),
                count: *count,
                examples: examples.clone(),
            })
            .collect();
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.count));
        Differences {
            messages: self.messages,
            questions: self.questions,
            different: self.different,
            differences,
        }
    }
}

/// Changes as text, in one order.
fn sorted(changes: &Value) -> String {
    let each = changes.as_array().into_iter().flatten();
    let mut texts: Vec<String> = each.map(ToString::to_string).collect();
    texts.sort();
    texts.join(", ")
}
