//! What a messaging platform says about a contact: preferences set with it, and why it did not deliver.
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>

use consentry_model::{Category, Change, ChangeKind, Channel, Statement, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::address::Address;
use crate::clock;
use crate::gateway::Gateway;
use crate::store::{Backoff, EventKind, NewEvent, Recorded, StoreError};

/// How long a contact is left alone after Meta's error 131049, in milliseconds: a day at least.
const LEFT_ALONE: i64 = 24 * 60 * 60 * 1000;

/// What the platform said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The person stopped marketing in the platform's settings.
    Stop,
    /// The person resumed it there.
    Resume,
    /// A message was not delivered, for this reason.
    Error(u32),
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Marketing ends on the channel.
    OptOut,
    /// What the platform had stopped is no longer stopped; what the person said is.
    Resume,
    /// Marketing waits.
    Backoff,
    /// A free-form message needs the contact to write first. That is no word about consent.
    WindowClosed,
    /// Nothing.
    None,
}

impl Said {
    /// What follows from it.
    pub fn effect(self) -> Effect {
        match self {
            Self::Stop | Self::Error(131_050) => Effect::OptOut,
            Self::Resume => Effect::Resume,
            Self::Error(131_049) => Effect::Backoff,
            Self::Error(131_047) => Effect::WindowClosed,
            // Among others 130472, an experiment of Meta's: a failure to deliver is no opt-out.
            Self::Error(_) => Effect::None,
        }
    }
}

/// A notice about a contact.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The contact.
    pub address: Address,
    /// On which channel.
    pub channel: Channel,
    /// What was said.
    pub said: Said,
    /// When; nothing: now.
    pub at: Option<Timestamp>,
    /// The platform's identifier of the notice or of the message.
    pub message_id: Option<String>,
    /// Which platform.
    pub source: String,
    /// All of it, as it came.
    pub document: Value,
}

impl Gateway {
    /// Records what a platform says, and what follows from it.
    pub async fn platform_notice(&self, notice: Notice) -> Result<Recorded, StoreError> {
        let marketing = Category::marketing();
        let change = |kind| Change {
            channel: notice.channel,
            category: Some(marketing.clone()),
            kind,
        };
        let effect = notice.said.effect();
        let changes = match effect {
            Effect::OptOut => vec![change(ChangeKind::OptOut)],
            Effect::Resume => vec![change(ChangeKind::Release)],
            Effect::Backoff | Effect::WindowClosed | Effect::None => Vec::new(),
        };
        let at = notice.at.unwrap_or_else(clock::now);
        let until = Timestamp::from_millis(at.millis() + LEFT_ALONE);
        let backoff = until.filter(|_| effect == Effect::Backoff);
        self.store()
            .record(NewEvent {
                channel: Some(notice.channel),
                message_id: notice.message_id,
                source: Some(notice.source),
                evidence: Some(notice.document),
                backoff: backoff.map(|until| Backoff {
                    category: marketing.clone(),
                    until,
                }),
                said_at: notice.at,
                changes,
                ..NewEvent::new(EventKind::Reported, notice.address, Statement::Platform)
            })
            .await
    }
}
