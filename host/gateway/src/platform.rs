//! What a messaging platform says about a contact: preferences set with it, and why it did not deliver.
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>,
//! <https://www.twilio.com/docs/api/errors>

use consentry_model::{Category, Change, ChangeKind, Channel, ConsentStatus, Statement, Timestamp};
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
    /// The person has opted out there, says a platform that has no number for it.
    OptedOut,
}

/// What follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Marketing ends on the channel.
    OptOut,
    /// Everything ends on the channel: the person has told the platform to stop, and it delivers nothing
    /// until the person says START.
    OptOutAll,
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
            // Twilio's for text messages and for WhatsApp, and Telnyx's.
            Self::Error(21_610 | 63_014 | 40_300) | Self::OptedOut => Effect::OptOutAll,
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
    /// Other addresses of the same person.
    pub other_addresses: Vec<Address>,
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
        let change = |category: Option<&Category>, kind| Change {
            channel: notice.channel,
            category: category.cloned(),
            kind,
        };
        let effect = notice.said.effect();
        let changes = match effect {
            Effect::OptOut => vec![change(Some(&marketing), ChangeKind::OptOut)],
            Effect::OptOutAll => vec![change(None, ChangeKind::OptOut)],
            Effect::Resume => vec![change(Some(&marketing), ChangeKind::Release)],
            Effect::Backoff | Effect::WindowClosed | Effect::None => Vec::new(),
        };
        let at = notice.at.unwrap_or_else(clock::now);
        let until = Timestamp::from_millis(at.millis() + LEFT_ALONE);
        let backoff = until.filter(|_| effect == Effect::Backoff);
        // What the person told the platform it told us: START, or proof of a newer opt-in, undoes it.
        let statement = match effect {
            Effect::OptOutAll => Statement::Own,
            _ => Statement::Platform,
        };
        self.record(NewEvent {
            other_addresses: notice.other_addresses,
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
            ..NewEvent::new(EventKind::Reported, notice.address, statement)
        })
        .await
    }

    /// Records that a person has another address now. Stops go with the person: where the new address is
    /// somebody's already, they are recorded there too.
    pub(crate) async fn moved(&self, moved: Moved) -> Result<Recorded, StoreError> {
        let known = self.store().contact(&moved.from).await?;
        let there = self.store().contact(&moved.to).await?;
        let event = |address| NewEvent {
            channel: Some(moved.channel),
            message_id: moved.message_id.clone(),
            source: Some(moved.source.clone()),
            evidence: Some(moved.document.clone()),
            said_at: moved.at,
            ..NewEvent::new(EventKind::Reported, address, Statement::Own)
        };
        if there.id.is_none() || there.id == known.id {
            let other_addresses = vec![moved.to.clone()];
            let linked = NewEvent {
                other_addresses,
                ..event(moved.from.clone())
            };
            return self.store().record(linked).await;
        }
        let marks = known.contact.marks.keys();
        let stops = marks.filter(|(channel, category)| {
            known.contact.status_of(*channel, category.as_ref()) == ConsentStatus::OptOut
        });
        let stopped = NewEvent {
            changes: stops
                .map(|(channel, category)| Change {
                    channel: *channel,
                    category: category.clone(),
                    kind: ChangeKind::OptOut,
                })
                .collect(),
            ..event(moved.to.clone())
        };
        self.store().record(stopped).await
    }
}

/// A person has another address now.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) channel: Channel,
    pub(crate) at: Option<Timestamp>,
    pub(crate) message_id: Option<String>,
    pub(crate) source: String,
    pub(crate) document: Value,
}
