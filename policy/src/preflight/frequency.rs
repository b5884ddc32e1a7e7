//! How many messages a contact may be sent.

use super::{Finding, Question};
use crate::rules::FrequencyCap;
use crate::types::{Channel, Limit, Lookup};

impl<L: Lookup> Question<'_, L> {
    pub(super) fn frequency_caps(&mut self) {
        let sending = self.sending;
        for cap in &sending.frequency_caps {
            if !self.counts(cap) {
                continue;
            }
            let limit = Limit {
                rule: cap.id.clone(),
                categories: sending.with_those_below(&cap.categories),
                channels: match cap.channels.as_slice() {
                    [] => Channel::ALL.to_vec(),
                    some => some.to_vec(),
                },
                window: cap.window,
                count: cap.count,
            };
            let finding = self.room(&limit);
            self.note(&cap.id, finding);
            self.limits.push(limit);
        }
    }

    fn counts(&self, cap: &FrequencyCap) -> bool {
        cap.term.holds(self.message.at)
            && self.is_of(&cap.categories)
            && (cap.channels.is_empty() || cap.channels.contains(&self.message.channel))
            && self.may_be_in(&cap.area)
    }

    /// As many messages ago as may go in the window, the one that was sent then must have left it.
    fn room(&self, limit: &Limit) -> Finding {
        let Some(earlier) = limit.count.checked_sub(1) else {
            return Finding::Block("frequency_cap");
        };
        let sent = self
            .contact
            .sent(&limit.channels, &limit.categories, earlier);
        match sent.map(|sent| sent.saturating_add(limit.window)) {
            Some(free) if self.message.at < free => Finding::Wait("frequency_cap", free),
            _ => Finding::Pass,
        }
    }
}
