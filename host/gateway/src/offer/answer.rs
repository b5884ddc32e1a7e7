//! What a tapped row answers, and what follows from it.

use consentry_model::{
    Change, ChangeKind, Channel, Classification, EventId, Intent, Priority, Route, Scope, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Offer, ROWS, SOURCE, record_id};
use crate::address::Address;
use crate::gateway::{Gateway, InboundMessage};
use crate::store::StoreError;

/// Where the evidence of a message has what was answered.
const ANSWER: &str = "offer";
/// The rule's name for a row of a list that was never offered.
const NEVER_OFFERED: &str = "gateway.never-offered";

/// What a tapped button or row belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tapped {
    /// Nothing was tapped, or something that is not ours.
    NotOurs,
    /// A row that looks like ours, of a list that this person was never offered.
    NeverOffered,
    /// An offer that is on record.
    Offered(Box<Answer>),
}

/// An answer to an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    #[serde(flatten)]
    offer: Offer,
    yes: bool,
    /// The event that records the offer.
    event_id: EventId,
    offered_at: Timestamp,
}

impl Tapped {
    /// Tells the policy what was answered, and to which question.
    pub(crate) fn put_into(&self, message: &mut InboundMessage) {
        match self {
            Self::NotOurs => {}
            Self::NeverOffered => {
                message.question = None;
                message.stands_alone = true;
            }
            Self::Offered(answer) => {
                message.question = Some(answer.offer.text.clone());
                if let Some(selection) = &mut message.selection {
                    selection.id = if answer.yes { "yes" } else { "no" }.to_owned();
                }
            }
        }
    }

    /// What follows is bound to what was offered, and to nothing that the words happen to say.
    pub(crate) fn bind(&self, channel: Channel, understood: &mut Classification) {
        let answer = match self {
            Self::NotOurs => return,
            Self::NeverOffered => {
                if understood.intent != Intent::OptOut {
                    *understood = never_offered();
                }
                return;
            }
            Self::Offered(answer) => answer,
        };
        let kind = match (understood.intent, answer.yes) {
            (Intent::AnswerYes, true) => ChangeKind::OptIn,
            (Intent::AnswerNo, false) => ChangeKind::OptOut,
            // The policy sees something else in it, or gave no answer. Then nobody has agreed.
            _ => {
                let stops = |change: &Change| change.kind == ChangeKind::OptOut;
                return understood.changes.retain(stops);
            }
        };
        understood.scope = Some(Scope::Category(answer.offer.category.clone()));
        understood.changes = vec![Change {
            channel,
            category: Some(answer.offer.category.clone()),
            kind,
        }];
    }

    /// What proves the answer: when, at which address, the exact words shown.
    pub(crate) fn evidence(&self, address: &Address, at: Timestamp) -> Map<String, Value> {
        let evidence = match self {
            Self::NotOurs => Value::Null,
            Self::NeverOffered => json!({ ANSWER: null }),
            Self::Offered(answer) => json!({
                "timestamp": at,
                "address": address.to_string(),
                "text": answer.offer.text,
                "wordingVersion": answer.offer.wording_version,
                "row": answer.offer.row(answer.yes),
                ANSWER: answer,
            }),
        };
        match evidence {
            Value::Object(evidence) => evidence,
            _ => Map::new(),
        }
    }

    /// What a recorded message answered.
    pub(crate) fn of_evidence(evidence: &Value) -> Self {
        match evidence.get(ANSWER) {
            None => Self::NotOurs,
            Some(answer) => serde_json::from_value(answer.clone())
                .map_or(Self::NeverOffered, |answer| Self::Offered(Box::new(answer))),
        }
    }
}

fn never_offered() -> Classification {
    Classification {
        intent: Intent::Other,
        scope: None,
        changes: Vec::new(),
        reply: None,
        asks: None,
        route: Route::Agent,
        priority: Priority::Normal,
        review: true,
        rule: NEVER_OFFERED.to_owned(),
        matched: None,
        language: None,
        explanation: None,
    }
}

impl Gateway {
    /// What a message's button or row belongs to.
    pub(crate) async fn tapped(&self, message: &InboundMessage) -> Result<Tapped, StoreError> {
        let row = message.selection.as_ref().map(|tapped| tapped.id.as_str());
        let Some(row) = row.filter(|row| row.starts_with(ROWS)) else {
            return Ok(Tapped::NotOurs);
        };
        let Some((_, offer_id)) = row.rsplit_once(':') else {
            return Ok(Tapped::NeverOffered);
        };
        let recorded = record_id(offer_id);
        // Any list is offered to one person. In another one's hands it is none.
        for address in std::iter::once(&message.from).chain(&message.other_addresses) {
            let store = self.store();
            let event = store.delivered(address, message.channel, &recorded);
            let Some(event) = event.await? else { continue };
            let offered = event.evidence.as_ref().and_then(|kept| kept.get("offered"));
            let offer = offered.and_then(|kept| serde_json::from_value::<Offer>(kept.clone()).ok());
            let Some(offer) = offer.filter(|_| event.source.as_deref() == Some(SOURCE)) else {
                continue;
            };
            let answer = [true, false].into_iter().find(|yes| offer.row(*yes) == row);
            if let Some(yes) = answer {
                return Ok(Tapped::Offered(Box::new(Answer {
                    offer,
                    yes,
                    event_id: event.event_id,
                    offered_at: event.said_at,
                })));
            }
        }
        Ok(Tapped::NeverOffered)
    }
}
