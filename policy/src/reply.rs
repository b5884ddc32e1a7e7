//! What is answered.

use crate::rules::{Reply, RuleSet, Sender};
use crate::types::{Channel, Inbound, Intent};
use crate::whole::language_of;

/// The reply to an intent in the language of the words that were written, or else in the contact's,
/// or else in English. Of several, one made for the contact's country comes first, then one made
/// for the channel.
pub(crate) fn reply(
    rules: &RuleSet,
    message: &Inbound,
    intent: Intent,
    language: &str,
) -> Option<String> {
    let country = message.country.as_deref();
    let fits = |reply: &&Reply| {
        reply
            .channel
            .is_none_or(|channel| channel == message.channel)
            && reply
                .country
                .as_deref()
                .is_none_or(|own| Some(own) == country)
    };
    let best = |wanted: &str| {
        let wanted = language_of(wanted).to_ascii_lowercase();
        let start = rules
            .replies
            .partition_point(|reply| reply.place() < (intent, &wanted));
        let replies = rules.replies.get(start..).unwrap_or(&[]);
        replies
            .iter()
            .take_while(|reply| reply.place() == (intent, &wanted))
            .filter(fits)
            .max_by_key(|reply| (reply.country.is_some(), reply.channel.is_some()))
    };
    let own = message.language.as_deref();
    let reply = best(language)
        .or_else(|| best(own?))
        .or_else(|| best("en"))?;
    Some(on(&reply.text, message.channel))
}

impl RuleSet {
    /// Puts the sender's name into the replies, and the replies in order, so that this is not done
    /// for each message.
    pub(crate) fn prepare_replies(&mut self) {
        for reply in &mut self.replies {
            reply.text = reply.signed(&self.sender);
            reply.language.make_ascii_lowercase();
        }
        self.replies
            .sort_by(|one, other| one.place().cmp(&other.place()));
    }
}

impl Reply {
    /// The words as they are sent.
    pub fn filled(&self, sender: &Sender, channel: Channel) -> String {
        on(&self.signed(sender), channel)
    }

    /// What the replies are in order of.
    fn place(&self) -> (Intent, &str) {
        (self.intent, &self.language)
    }

    fn signed(&self, sender: &Sender) -> String {
        self.text
            .replace("{brand}", &sender.brand)
            .replace("{contact}", &sender.contact)
            .replace("{privacy_url}", &sender.privacy_url)
    }
}

fn on(text: &str, channel: Channel) -> String {
    text.replace("{channel}", channel.display_name())
}
