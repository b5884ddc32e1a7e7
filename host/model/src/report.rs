//! What somebody else than the contact reports about its consent.

use crate::{Category, Change, ChangeKind, Channel, ConsentStatus, Contact, Statement, Timestamp};

/// A change of consent that somebody reports.
#[derive(Clone, Debug)]
pub struct Reported {
    /// What is reported: an opt-in or an opt-out.
    pub opt_in: bool,
    /// On which channel. Nothing: an opt-out is for all, an opt-in for SMS alone, as nobody has
    /// consented to a channel that was not named.
    pub channel: Option<Channel>,
    /// For which category; nothing: every one.
    pub category: Option<Category>,
    /// For an opt-in whose proof is whole: when the person agreed.
    pub proven_at: Option<Timestamp>,
    /// When the change was made; nothing: now.
    pub at: Option<Timestamp>,
}

impl Reported {
    fn channels(&self) -> Vec<Channel> {
        match self.channel {
            Some(channel) => vec![channel],
            None if self.opt_in => vec![Channel::Sms],
            None => Channel::ALL.to_vec(),
        }
    }

    /// What follows from it.
    pub fn changes(&self) -> Vec<Change> {
        let kind = if self.opt_in {
            ChangeKind::OptIn
        } else {
            ChangeKind::OptOut
        };
        let change = |channel| Change {
            channel,
            category: self.category.clone(),
            kind,
        };
        self.channels().into_iter().map(change).collect()
    }

    /// How much it weighs.
    pub fn statement(&self) -> Statement {
        if self.opt_in && self.proven_at.is_some() {
            Statement::Proven
        } else {
            Statement::Reported
        }
    }

    /// When it was said; nothing: now.
    pub fn said_at(&self) -> Option<Timestamp> {
        self.proven_at.filter(|_| self.opt_in).or(self.at)
    }

    /// Whether an opt-out stands that it would have lifted.
    pub fn is_refused(&self, afterwards: &Contact) -> bool {
        let stands = |channel: &Channel| {
            let status = afterwards.status_of(*channel, self.category.as_ref());
            status == ConsentStatus::OptOut
        };
        self.opt_in && self.channels().iter().any(stands)
    }
}
