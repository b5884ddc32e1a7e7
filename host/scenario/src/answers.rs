//! Answers in the form that the HTTP API gives them.

use serde_json::{Value, json};

use crate::person::Event;

/// What is answered to a message.
pub(crate) fn inbound(event: &Event, duplicate: bool) -> Value {
    let more = json!({
        "changes": event.changes,
        "eventId": event.event_id,
        "duplicate": duplicate,
    });
    joined(understood(event), more)
}

/// An event, with what was understood of it.
pub(crate) fn event(event: &Event) -> Value {
    joined(json!(event), understood(event))
}

/// An object with the fields of another.
pub(crate) fn joined(mut answer: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut answer, more) {
        fields.extend(more);
    }
    answer
}

fn understood(event: &Event) -> Value {
    let Some(found) = &event.understood else {
        return json!({});
    };
    json!({
        "intent": found.intent,
        "scope": found.scope,
        "review": found.review,
        "rule": found.rule,
        "matched": found.matched,
        "language": found.language,
        "reply": found.reply,
        "asks": found.asks,
        "route": found.route,
        "priority": found.priority,
    })
}
