//! WhatsApp's own rules: windows, templates, the evidence of an opt-in.

use super::{Finding, Question};
use crate::types::{Channel, ConsentStatus, Lookup, Proof};

impl<L: Lookup> Question<'_, L> {
    pub(super) fn whatsapp(&mut self) {
        if self.message.channel != Channel::Whatsapp {
            return;
        }
        let evidence = self.template_evidence();
        self.note("preflight.whatsapp-template", evidence);
        let window = self.window();
        self.note("preflight.whatsapp-window", window);
        self.template_pauses();
        let backoff = self.backoff();
        self.note("preflight.whatsapp-backoff", backoff);
    }

    /// A template needs an opt-in on record: when, at which address, the wording. That the contact
    /// started a chat is none. <https://developers.facebook.com/docs/whatsapp/overview/getting-opt-in>
    fn template_evidence(&self) -> Finding {
        if self.message.template.is_none() {
            return Finding::Skip;
        }
        let is_proven = self.consents.iter().any(|consent| {
            consent.status == ConsentStatus::OptIn && consent.proof >= Proof::Evidence
        });
        if is_proven {
            Finding::Pass
        } else {
            Finding::Block("no_opt_in_evidence")
        }
    }

    /// A free-form message needs an open window.
    /// <https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages>
    fn window(&self) -> Finding {
        if self.message.template.is_some() {
            return Finding::Skip;
        }
        let windows = self.sending.windows;
        let entry = self.contact.last_ad_entry(Channel::Whatsapp);
        let from_ad =
            entry.is_some_and(|entry| self.message.at.saturating_sub(entry) <= windows.ad_entry);
        if from_ad || self.wrote_within(windows.service) {
            Finding::Pass
        } else {
            Finding::Block("window_closed")
        }
    }

    fn template_pauses(&mut self) {
        let Some(template) = &self.message.template else {
            return;
        };
        let sending = self.sending;
        for pause in &sending.template_pauses {
            let applies = pause.term.holds(self.message.at)
                && pause.template == template.category
                && self.may_be_in(&pause.area);
            let finding = match (applies, pause.term.until) {
                (false, _) => Finding::Skip,
                (true, Some(until)) => Finding::Wait("template_paused", until),
                (true, None) => Finding::Block("template_paused"),
            };
            self.note(&pause.id, finding);
        }
    }

    /// Meta's error 131049: the platform has sent this person enough for now.
    fn backoff(&self) -> Finding {
        let category = &self.message.category;
        match self.contact.backoff(Channel::Whatsapp, category) {
            Some(until) if self.message.at < until => Finding::Wait("provider_backoff", until),
            _ => Finding::Skip,
        }
    }
}
