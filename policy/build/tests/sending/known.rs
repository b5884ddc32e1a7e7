//! What is known of a contact in a row.

use chrono::DateTime;
use consentry_policy::{Channel, ConsentRecord, ConsentStatus, Lookup, Proof, Timestamp};

/// What is known of a contact.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) consents: Vec<(Channel, &'static str, ConsentRecord)>,
    pub(crate) wrote: Option<Timestamp>,
    pub(crate) ad_entry: Option<Timestamp>,
    pub(crate) backoff: Option<Timestamp>,
    pub(crate) sent: Vec<Timestamp>,
}

impl Lookup for Known {
    fn consent(&self, channel: Channel, category: &str) -> ConsentRecord {
        let mut known = self.consents.iter();
        let known = known.find(|(on, of, _)| *on == channel && *of == category);
        known.map_or(
            record(ConsentStatus::None, Proof::None, 0),
            |(_, _, known)| *known,
        )
    }

    fn last_inbound(&self, _: Channel) -> Option<Timestamp> {
        self.wrote
    }

    fn last_ad_entry(&self, _: Channel) -> Option<Timestamp> {
        self.ad_entry
    }

    fn backoff(&self, _: Channel, _: &str) -> Option<Timestamp> {
        self.backoff
    }

    fn sent(&self, channels: &[Channel], categories: &[String], earlier: u32) -> Option<Timestamp> {
        let counts = channels.contains(&Channel::Sms) && categories.contains(&"marketing".into());
        let at = self.sent.get(earlier as usize).copied();
        at.filter(|_| counts)
    }
}

pub(crate) fn record(status: ConsentStatus, proof: Proof, since: Timestamp) -> ConsentRecord {
    ConsentRecord {
        status,
        since: Some(since),
        proof,
        named_since: None,
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text)
        .unwrap()
        .timestamp_millis()
}

pub(crate) fn opted_in(channel: Channel, category: &'static str, proof: Proof) -> Known {
    Known {
        consents: vec![(channel, category, record(ConsentStatus::OptIn, proof, 10))],
        ..Known::default()
    }
}
