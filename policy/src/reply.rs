//! Choosing and filling in a reply.

use crate::rules::RuleSet;
use crate::types::{Channel, Intent};

/// The reply to an intent, in the language asked for or else in English. A reply made for the
/// channel comes before one made for any.
pub(crate) fn reply(
    rules: &RuleSet,
    intent: Intent,
    channel: Channel,
    language: Option<&str>,
) -> Option<String> {
    let language = language.unwrap_or("en");
    let found = |language: &str, only: Option<Channel>| {
        rules.replies.iter().find(|reply| {
            reply.intent == intent && reply.language == language && reply.channel == only
        })
    };
    let reply = found(language, Some(channel))
        .or_else(|| found(language, None))
        .or_else(|| found("en", Some(channel)))
        .or_else(|| found("en", None))?;
    Some(
        reply
            .text
            .replace("{brand}", &rules.sender.brand)
            .replace("{contact}", &rules.sender.contact)
            .replace("{privacy_url}", &rules.sender.privacy_url)
            .replace("{channel}", channel.display_name()),
    )
}
