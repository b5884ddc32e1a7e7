//! Asking for an opt-in with a list that people tap: the offer is on record, in its exact wording, before
//! it goes, and only an answer to an offer that is on record is an opt-in.
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-list-messages>

mod answer;

use consentry_model::{Category, Channel, ConsentStatus, Outbound, Statement};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use uuid::Uuid;

use crate::address::Address;
use crate::gateway::Gateway;
use crate::preflight::{Answered, PreflightError, Question};
use crate::store::{EventKind, NewEvent, StoreError};
use crate::{clock, cloud_api};
pub(crate) use answer::Tapped;

/// What the rows of our lists begin with. Nobody else's may.
const ROWS: &str = "consentry:";
/// Where an offer comes from, in the record.
const SOURCE: &str = "consent-ask";

/// An opt-in to ask somebody for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Whom.
    pub to: Address,
    /// The sender's own address.
    pub from: Option<String>,
    /// To which messages.
    pub category: Category,
    /// The exact words of the question.
    pub text: String,
    /// What the wording is called; nothing: by its digest.
    pub wording_version: Option<String>,
    /// The words on the list and its rows.
    pub labels: Labels,
    /// Who asks.
    pub actor: Option<String>,
}

/// The words on a list and its rows.
#[derive(Clone, Debug)]
pub struct Labels {
    /// On the button that opens the list.
    pub button: String,
    /// On the row that agrees.
    pub yes: String,
    /// On the row that does not.
    pub no: String,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            button: "Answer".to_owned(),
            yes: "Yes".to_owned(),
            no: "No".to_owned(),
        }
    }
}

/// A part of an offer that WhatsApp would not take.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{field}: {limit}")]
pub struct BadOffer {
    /// Which.
    pub field: &'static str,
    /// What it may be.
    pub limit: &'static str,
}

/// Why somebody is not asked.
#[derive(Debug, Error)]
pub enum AskError {
    /// WhatsApp would not take it.
    #[error(transparent)]
    Bad(#[from] BadOffer),
    /// The question may not go.
    #[error("the question may not go: {0}")]
    Denied(String),
    /// Whether it may go cannot be said.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// The offer could not be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A question that is on record and may go.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What was offered.
    pub offer: Offer,
    /// The message to send, in the form of the Cloud API.
    pub message: Value,
    /// The event that records the offer.
    pub event_id: String,
    /// That it may go.
    pub allowed: Answered,
}

/// What somebody was offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// What identifies it.
    pub offer_id: String,
    /// The messages that were offered.
    #[serde(deserialize_with = "category")]
    pub category: Category,
    /// The exact words of the question.
    pub text: String,
    /// What the wording is called.
    pub wording_version: String,
}

impl Offer {
    /// What the row of an answer is called.
    pub fn row(&self, yes: bool) -> String {
        let answer = if yes { "yes" } else { "no" };
        let Self {
            offer_id,
            category,
            wording_version,
            ..
        } = self;
        format!("{ROWS}{answer}:{category}:{wording_version}:{offer_id}")
    }

    /// The list, in the form of the Cloud API.
    fn message(&self, to: &Address, labels: &Labels) -> Value {
        let row = |yes, title: &str| json!({ "id": self.row(yes), "title": title });
        json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            cloud_api::recipient(to): to.to_string(),
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": { "text": self.text },
                "action": {
                    "button": labels.button,
                    "sections": [{ "rows": [row(true, &labels.yes), row(false, &labels.no)] }],
                },
            },
        })
    }
}

impl Ask {
    fn offer(&self) -> Result<Offer, BadOffer> {
        let length = |field, text: &str, most, limit| {
            let fits = !text.trim().is_empty() && text.chars().count() <= most;
            if fits {
                Ok(())
            } else {
                Err(BadOffer { field, limit })
            }
        };
        length("text", &self.text, 4096, "1 to 4,096 characters")?;
        length("button", &self.labels.button, 20, "1 to 20 characters")?;
        length("yes", &self.labels.yes, 24, "1 to 24 characters")?;
        length("no", &self.labels.no, 24, "1 to 24 characters")?;
        let wording_version = match &self.wording_version {
            Some(version) => version.clone(),
            None => digest(&self.text),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=32).contains(&wording_version.len()) || !wording_version.bytes().all(plain) {
            return Err(BadOffer {
                field: "wordingVersion",
                limit: "1 to 32 letters, digits, '-', '_' and '.'",
            });
        }
        Ok(Offer {
            offer_id: Uuid::now_v7().to_string(),
            category: self.category.clone(),
            text: self.text.clone(),
            wording_version,
        })
    }
}

fn category<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Category, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(serde::de::Error::custom)
}

/// Twelve hexadecimal digits that change with every letter of a text.
fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Gateway {
    /// Puts an offer on record, if the question may go at this moment, and gives the message to send.
    pub async fn ask(&self, ask: Ask) -> Result<Asked, AskError> {
        let offer = ask.offer()?;
        let known = self.store().contact(&ask.to).await?;
        let status = known
            .contact
            .status_of(Channel::Whatsapp, Some(&ask.category));
        if status == ConsentStatus::OptOut {
            return Err(AskError::Denied("opted_out".to_owned()));
        }
        let allowed = self
            .preflight(&Question {
                to: ask.to.clone(),
                from: ask.from.clone(),
                channel: Channel::Whatsapp,
                category: Outbound::default_category(Channel::Whatsapp, None),
                template: None,
                at: clock::now(),
                country: None,
                region: None,
                time_zone: None,
                in_reply_to: None,
                explain: false,
                dry_run: false,
            })
            .await?;
        if !allowed.decision.is_allowed() {
            return Err(AskError::Denied(allowed.decision.reason));
        }
        let message = offer.message(&ask.to, &ask.labels);
        let recorded = self
            .record(NewEvent {
                channel: Some(Channel::Whatsapp),
                business_address: ask.from,
                message_id: Some(record_id(&offer.offer_id)),
                source: Some(SOURCE.to_owned()),
                actor: ask.actor,
                evidence: Some(json!({ "offered": offer, "message": message })),
                ..NewEvent::new(EventKind::Reported, ask.to, Statement::Reported)
            })
            .await?;
        Ok(Asked {
            offer,
            message,
            event_id: recorded.event.event_id.0,
            allowed,
        })
    }
}

/// What an offer is recorded as, among the messages with the contact.
fn record_id(offer_id: &str) -> String {
    format!("{SOURCE}:{offer_id}")
}
