//! Events and what holds, as the rows that both databases have.

use consentry_model::{Category, Channel, Contact, Mark, Marks};
use serde_json::{Value, json};

use super::Event;

impl Event {
    /// The column of the other addresses that were named with it.
    pub(super) fn named_addresses(&self) -> Option<Value> {
        (!self.other_addresses.is_empty()).then(|| json!(self.other_addresses))
    }
}

/// The row of an event.
pub(super) fn event_row(contact_id: &str, event: &Event) -> Value {
    json!({
        "contact_id": contact_id,
        "seq": event.seq,
        "id": event.event_id.0,
        "kind": event.kind,
        "address": event.address,
        "other_addresses": event.named_addresses(),
        "channel": event.channel,
        "business_address": event.business_address,
        "message_id": event.message_id,
        "body": event.body,
        "selection": event.selection,
        "footer": event.footer,
        "question": event.question,
        "last_category": event.last_category,
        "country": event.country,
        "contact_language": event.contact_language,
        "answered": event.answered,
        "source": event.source,
        "actor": event.actor,
        "evidence": event.evidence,
        "intent": event.intent,
        "scope": event.scope,
        "review": event.review,
        "rule": event.rule,
        "matched": event.matched,
        "language": event.language,
        "reply": event.reply,
        "asks": event.asks,
        "route": event.route,
        "priority": event.priority,
        "policy": event.policy,
        "changes": event.changes,
        "said_at": event.said_at.millis(),
        "recorded_at": event.recorded_at.millis(),
        "statement": event.statement.as_str(),
        "hash": event.hash,
    })
}

/// The row of what holds on a channel, for a category or in general.
pub(crate) fn consent_row(
    contact_id: &str,
    contact: &Contact,
    channel: Channel,
    category: Option<&Category>,
    marks: &Marks,
) -> Value {
    json!({
        "contact_id": contact_id,
        "channel": channel.as_str(),
        "category": category.map_or("*", Category::as_str),
        "status": contact.status_of(channel, category).as_str(),
        "own_opt_out_at": at(&marks.own_opt_out),
        "own_opt_out_event": id(&marks.own_opt_out),
        "reported_opt_out_at": at(&marks.reported_opt_out),
        "reported_opt_out_event": id(&marks.reported_opt_out),
        "own_opt_in_at": at(&marks.own_opt_in),
        "own_opt_in_event": id(&marks.own_opt_in),
        "proven_opt_in_at": at(&marks.proven_opt_in),
        "proven_opt_in_event": id(&marks.proven_opt_in),
        "reported_opt_in_at": at(&marks.reported_opt_in),
        "reported_opt_in_event": id(&marks.reported_opt_in),
        "release_at": at(&marks.release),
        "release_event": id(&marks.release),
        "platform_stop_at": at(&marks.platform_stop),
        "platform_stop_event": id(&marks.platform_stop),
        "platform_resume_at": at(&marks.platform_resume),
        "platform_resume_event": id(&marks.platform_resume),
    })
}

fn at(mark: &Option<Mark>) -> Option<i64> {
    mark.as_ref().map(|mark| mark.at.millis())
}

fn id(mark: &Option<Mark>) -> Option<&str> {
    mark.as_ref().map(|mark| mark.event.0.as_str())
}
