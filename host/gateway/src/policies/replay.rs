//! What another policy would have made of what was decided: each message and each question is run again
//! with what the policy was told then, and what would be different is counted.

use std::collections::HashMap;
use std::sync::Arc;

use consentry_host::Policy;
use consentry_model::{Contact, Inbound, Selection, Timestamp};
use serde_json::Value;

use crate::decisions::{Differences, Kept, Tally, Understanding};
use crate::gateway::KEYWORD;
use crate::offer::Tapped;
use crate::store::{Event, Store, StoreError};

/// Runs the newest recorded messages and questions of a time again, up to `last` of each.
pub(crate) async fn replay(
    policy: &Policy,
    store: &dyn Store,
    between: (Option<Timestamp>, Option<Timestamp>),
    last: u32,
) -> Result<Differences, StoreError> {
    let events = store.messages(between, last).await?;
    let kept = store.decisions(between, last).await?;
    Ok(tokio::task::block_in_place(|| {
        run_again(policy, &events, kept)
    }))
}

fn run_again(policy: &Policy, events: &[Event], kept: Vec<Kept>) -> Differences {
    let mut tally = Tally::default();
    // What was known of the contacts then. Of messages whose decision is no longer kept, nothing is.
    let mut known: HashMap<String, Arc<Contact>> = HashMap::new();
    for one in kept {
        let contact = Arc::new(one.contact);
        match &one.made {
            Some(made) => {
                let answer = policy.preflight(&made.question, &contact).value;
                tally.question(&one.id, made, &answer);
            }
            None => drop(known.insert(one.id, contact)),
        }
    }
    let nobody = Arc::new(Contact::default());
    for event in events {
        let Some(message) = message(event) else {
            continue;
        };
        let contact = known.get(&event.event_id.0).unwrap_or(&nobody);
        let mut answer = policy.classify(&message, contact).value;
        let evidence = event.evidence.as_ref().unwrap_or(&Value::Null);
        Tapped::of_evidence(evidence).bind(message.channel, &mut answer);
        let was = Understanding::recorded(event);
        tally.message(&event.event_id.0, was, Understanding::answered(&answer));
    }
    tally.differences()
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
