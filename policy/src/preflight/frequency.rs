//! How many messages a contact may be sent.

use super::{Finding, Question};
use crate::types::{Limit, Lookup};

impl<L: Lookup> Question<'_, L> {
    pub(super) fn frequency_caps(&mut self) {
        let sending = self.sending;
        for cap in &sending.frequency_caps {
            if !cap.term.holds(self.message.at) || !self.is_reached_by(&cap.reach) {
                continue;
            }
            let limit = Limit {
                rule: cap.id.clone(),
                categories: sending.with_those_below(&cap.reach.categories),
                channels: cap.reach.channels.clone(),
                window: cap.window,
                count: cap.count,
            };
            let finding = self.room(&limit);
            self.note(&cap.id, finding);
            self.limits.push(limit);
        }
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
