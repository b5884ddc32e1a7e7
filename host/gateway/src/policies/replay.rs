//! What another policy would have made of messages that came in: each is run again with what the policy
//! was told then, and what would be different is counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_host::Policy;
use consentry_model::{Contact, Inbound, Scope, Selection};
use serde::Serialize;
use serde_json::Value;

use crate::gateway::KEYWORD;
use crate::offer::Tapped;
use crate::store::{Event, name};

/// How many examples of each difference are kept.
const EXAMPLES: usize = 5;

/// What came of it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// How many messages were run again.
    pub messages: u64,
    /// How many would be understood otherwise.
    pub different: u64,
    /// By what would be different, the most frequent first.
    pub differences: Vec<Difference>,
}

/// Messages that would be understood otherwise in the same way.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// What is different: `intent`, `scope`, `changes`, `review`, `route` or `reply`, the first that is.
    pub what: &'static str,
    /// What it was, and by which rule.
    pub was: String,
    /// What it would be, and by which rule.
    pub would_be: String,
    /// How many messages.
    pub count: u64,
    /// Some of the events.
    pub events: Vec<String>,
}

/// Runs messages again.
pub(crate) fn replay(policy: &Policy, events: &[Event]) -> Replay {
    let mut found = Replay::default();
    let mut by_kind: BTreeMap<(&'static str, String, String), Difference> = BTreeMap::new();
    let nobody = Arc::new(Contact::default());
    for event in events {
        let Some(message) = message(event) else {
            continue;
        };
        found.messages += 1;
        let mut answer = policy.classify(&message, &nobody).value;
        let evidence = event.evidence.as_ref().unwrap_or(&Value::Null);
        Tapped::of_evidence(evidence).bind(message.channel, &mut answer);
        let changes = serde_json::to_value(&answer.changes).unwrap_or_default();
        let text = |text: Option<String>| text.unwrap_or_default();
        let rule = event.rule.clone().unwrap_or_default();
        let compared: [(&'static str, String, String); 6] = [
            (
                "intent",
                text(event.intent.clone()),
                answer.intent.as_str().to_owned(),
            ),
            (
                "scope",
                text(event.scope.clone()),
                text(answer.scope.as_ref().map(Scope::to_string)),
            ),
            ("changes", sorted(&event.changes), sorted(&changes)),
            (
                "review",
                event.review.to_string(),
                answer.review.to_string(),
            ),
            ("route", text(event.route.clone()), text(name(answer.route))),
            ("reply", text(event.reply.clone()), text(answer.reply)),
        ];
        let different = compared.into_iter().find(|(_, was, is)| was != is);
        let Some((what, was, would_be)) = different else {
            continue;
        };
        found.different += 1;
        let was = format!("{was} ({rule})");
        let would_be = format!("{would_be} ({})", answer.rule);
        let key = (what, was.clone(), would_be.clone());
        let difference = by_kind.entry(key).or_insert(Difference {
            what,
            was,
            would_be,
            count: 0,
            events: Vec::new(),
        });
        difference.count += 1;
        if difference.events.len() < EXAMPLES {
            difference.events.push(event.event_id.0.clone());
        }
    }
    found.differences = by_kind.into_values().collect();
    let order = |difference: &Difference| std::cmp::Reverse(difference.count);
    found.differences.sort_by_key(order);
    found
}

/// What the policy was told when the event was a message.
fn message(event: &Event) -> Option<Inbound> {
    event.intent.as_ref()?;
    let keyword = event.evidence.as_ref().and_then(|kept| kept.get(KEYWORD));
    let body = match keyword.and_then(Value::as_str) {
        Some(keyword) => keyword.to_owned(),
        None => event.body.clone().unwrap_or_default(),
    };
    let text = |value: &Value, field: &str| value.get(field)?.as_str().map(str::to_owned);
    let selection = event.selection.as_ref().map(|tapped| Selection {
        id: text(tapped, "id").unwrap_or_default(),
        title: text(tapped, "title").unwrap_or_default(),
    });
    Some(Inbound {
        selection,
        footer: event.footer.clone(),
        question: event.question.clone(),
        last_category: event.last_category.clone(),
        country: event.country.clone(),
        language: event.contact_language.clone(),
        answered: event.answered,
        ..Inbound::text(event.channel?, body, event.said_at)
    })
}

/// Changes as text, in one order.
fn sorted(changes: &Value) -> String {
    let each = changes.as_array().into_iter().flatten();
    let mut texts: Vec<String> = each.map(ToString::to_string).collect();
    texts.sort();
    texts.join(", ")
}
