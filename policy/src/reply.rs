//! What is answered.

use crate::rules::{Reply, RuleSet, Sender};
use crate::types::{Channel, Inbound, Intent, Scope};
use crate::whole::language_of;

/// The reply to an intent in the language of the words that were written, or else in the contact's,
/// or else in English. Of several, one made for the contact's country comes first, then one made
/// for the channel. Where everything has ended, it may ask whether something should go on;
/// then that question comes with it.
pub(crate) fn reply(
    rules: &RuleSet,
    message: &Inbound,
    intent: Intent,
    language: &str,
    has_ended: Option<&Scope>,
) -> (Option<String>, Option<String>) {
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
    let reply = best(language).or_else(|| best(own?)).or_else(|| best("en"));
    let Some(reply) = reply else {
        return (None, None);
    };
    let text = on(&reply.text, message.channel);
    match &reply.scope_question {
        Some(question) if has_ended == Some(&Scope::All) => (
            Some(format!("{text} {}", question.text)),
            Some(question.text.clone()),
        ),
        _ => (Some(text), None),
    }
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
    /// The words as they are sent, at their longest.
    pub fn filled(&self, sender: &Sender, channel: Channel) -> String {
        let question = self.scope_question.iter();
        question.fold(on(&self.signed(sender), channel), |text, question| {
            format!("{text} {}", question.text)
        })
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
