//! How much an opt-out is about: everything, one channel, one category, one topic.

use crate::phrases::Guards;
use crate::tables::{Name, Tables};
use crate::text::Text;
use crate::types::{Channel, Scope};
use crate::whole::Fit;

/// The scope of an opt-out that fits some tokens.
///
/// - A phrase about a topic ("stop ads") is about that category, or the topic in the contact's
///   words where no category has that name.
/// - A phrase that names e-mail alone is about e-mail.
/// - Where another channel is still wanted ("call me instead"), the channels named are meant, or
///   else the one that the message came on.
/// - Everything else is about everything. A text is a call under 47 USC 227, so "stop calling"
///   ends texts too.
pub(crate) fn of(
    tables: &Tables,
    text: &Text,
    fit: &Fit<'_>,
    guards: &Guards<'_>,
    came_on: Channel,
) -> Scope {
    let names = tables.names(text, fit);
    if fit.rule.topic {
        let category = names.iter().find_map(|name| match name {
            Name::Category(category) => Some(category),
            Name::Channel(_) => None,
        });
        let words = text.tokens.get(fit.from + 1..fit.to).unwrap_or(&[]);
        return match category {
            Some(category) => Scope::Category(category.clone()),
            None => Scope::Topic(text.folded(words).to_owned()),
        };
    }
    let channels = names.into_iter().filter_map(|name| match name {
        Name::Category(_) => None,
        Name::Channel(channel) => Some(*channel),
    });
    let mut named: Vec<Channel> = channels.collect();
    named.dedup();
    let kept = guards.kept(fit);
    named.retain(|channel| !kept.contains(channel));
    match named.as_slice() {
        [Channel::Email] if came_on != Channel::Email => Scope::Channel(Channel::Email),
        [only] if !kept.is_empty() => Scope::Channel(*only),
        [] if !kept.is_empty() && !kept.contains(&came_on) => Scope::Channel(came_on),
        _ => Scope::All,
    }
}
