//! What is answered.

use crate::rules::{Reply, RuleSet, Sender};
use crate::types::{Channel, Inbound, Intent};
use crate::whole::speaks;

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
        reply.intent == intent
            && reply
                .channel
                .is_none_or(|channel| channel == message.channel)
            && reply
                .country
                .as_deref()
                .is_none_or(|own| Some(own) == country)
    };
    let best = |wanted: &str| {
        rules
            .replies
            .iter()
            .filter(fits)
            .filter(|reply| speaks(wanted, &reply.language))
            .max_by_key(|reply| (reply.country.is_some(), reply.channel.is_some()))
    };
    let own = message.language.as_deref();
    let reply = best(language)
        .or_else(|| best(own?))
        .or_else(|| best("en"))?;
    Some(reply.filled(&rules.sender, message.channel))
}

impl Reply {
    /// The words as they are sent.
    pub fn filled(&self, sender: &Sender, channel: Channel) -> String {
        self.text
            .replace("{brand}", &sender.brand)
            .replace("{contact}", &sender.contact)
            .replace("{privacy_url}", &sender.privacy_url)
            .replace("{channel}", channel.display_name())
    }
}
