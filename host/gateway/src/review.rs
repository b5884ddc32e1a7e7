//! Messages that a person must look at: what was unclear is held, so that marketing stops, until somebody
//! says what was meant.

use consentry_model::{Change, ChangeKind, Channel, EventId, Statement};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use crate::address::Address;
use crate::gateway::Gateway;
use crate::store::{EventKind, NewEvent, Recorded, StoreError};

/// What a person says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// No more messages, on any channel.
    OptOut,
    /// That is not what was said. What is held stays held until the contact says more: whoever looks at a
    /// message gives no consent in the contact's place.
    NoOptOut,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::OptOut => "opt-out",
            Self::NoOptOut => "no-opt-out",
        }
    }
}

/// Why nothing was decided.
#[derive(Debug, Error)]
pub(crate) enum ReviewError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such message.
    #[error("the contact has no message of this name that a person must look at")]
    Unknown,
}

impl Gateway {
    /// Records what a person says of a message. The first word counts.
    pub(crate) async fn review(
        &self,
        address: &Address,
        event_id: EventId,
        verdict: Verdict,
        actor: String,
    ) -> Result<Recorded, ReviewError> {
        let event = self.store().event(address, &event_id).await?;
        let event = event.filter(|event| event.review);
        let channel = event.and_then(|event| event.channel);
        let channel = channel.ok_or(ReviewError::Unknown)?;
        let opt_out = |channel| Change {
            channel,
            category: None,
            kind: ChangeKind::OptOut,
        };
        let changes = match verdict {
            Verdict::OptOut => Channel::ALL.map(opt_out).to_vec(),
            Verdict::NoOptOut => Vec::new(),
        };
        let decided = NewEvent {
            channel: Some(channel),
            // So that it is decided once, whoever decides at the same time.
            message_id: Some(reviewed(&event_id)),
            source: Some("review".to_owned()),
            actor: Some(actor),
            evidence: Some(json!({ "review": event_id, "verdict": verdict.as_str() })),
            changes,
            ..NewEvent::new(EventKind::Reported, address.clone(), Statement::Reported)
        };
        Ok(self.store().record(decided).await?)
    }
}

/// What the decision about a message is called among the messages of its channel.
pub(crate) fn reviewed(event_id: &EventId) -> String {
    format!("review:{}", event_id.0)
}
