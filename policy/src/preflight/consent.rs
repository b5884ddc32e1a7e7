//! Has the contact said stop, and has it agreed?

use super::{Finding, Question};
use crate::rules::Need;
use crate::types::{ConsentRecord, ConsentStatus, Lookup, Proof};

impl<L: Lookup> Question<'_, L> {
    /// Nothing goes to somebody who said stop: to this category, or to one above it when the person has
    /// not asked for this very one since. No general START and no report lifts the stop above.
    pub(super) fn suppression(&mut self) {
        let stands = |(at, stop): (usize, &ConsentRecord)| {
            let mut below = self.consents.iter().take(at);
            stop.status == ConsentStatus::OptOut
                && !below.any(|given| given.named_since > stop.since)
        };
        let finding = if self.consents.iter().enumerate().any(stands) {
            Finding::Block("opted_out")
        } else {
            Finding::Pass
        };
        self.note("preflight.suppression", finding);
    }

    /// 47 CFR 64.1200(a)(1), (a)(2), (f)(9); CASL ss. 6, 10: the consent that the category needs.
    pub(super) fn needed_consent(&mut self) {
        let channel = self.message.channel;
        let Some(category) = self.line.first() else {
            return;
        };
        let is_enough = |consent: &ConsentRecord, least: Proof| {
            consent.status == ConsentStatus::OptIn
                && consent.proof >= least
                && (!category.double_opt_in || consent.proof == Proof::OwnWords)
        };
        let opted_in = |least| {
            let given = self.line.iter().zip(&self.consents);
            let mut given = given.filter(|(_, consent)| is_enough(consent, least));
            given.next().map(|(category, _)| category.name.clone())
        };
        let need = category.needs(channel);
        let least = match need {
            Need::ExpressWritten => Proof::Evidence,
            Need::None | Need::Implied | Need::Express => Proof::None,
        };
        let relied_on = opted_in(least);
        let finding = match need {
            Need::None => Finding::Skip,
            _ if relied_on.is_some() => Finding::Pass,
            Need::Implied if self.wrote_within(category.implied_for) => Finding::Pass,
            Need::ExpressWritten if opted_in(Proof::None).is_some() => {
                Finding::Block("no_written_consent")
            }
            _ => Finding::Block("no_consent"),
        };
        self.relied_on = relied_on;
        self.note("preflight.consent", finding);
    }

    /// Whether the contact wrote on the channel not longer ago than this, in milliseconds.
    pub(super) fn wrote_within(&self, time: i64) -> bool {
        let last = self.contact.last_inbound(self.message.channel);
        last.is_some_and(|last| self.message.at.saturating_sub(last) <= time)
    }
}
