//! How much a stop that names nothing ends, which the law of a country may say for a time.

use crate::consequences::Consequences;
use crate::rules::{BareStop, Ends, RuleSet};
use crate::text::{Text, canonical};
use crate::types::{Change, ChangeKind, Channel, Inbound, Scope};

/// The rule in force for a message that is a bare stop.
pub(crate) fn bare_stop<'r>(
    rules: &'r RuleSet,
    message: &Inbound,
    text: &Text,
) -> Option<&'r BareStop> {
    let line = answered(rules, message);
    rules.bare_stops.iter().find(|rule| {
        let country = rule.country.as_deref();
        rule.term.holds(message.at)
            && country.is_none_or(|country| message.country.as_deref() == Some(country))
            && (rule.answers.is_empty() || line.iter().any(|name| rule.answers.contains(name)))
            && (rule.words.is_empty() || rule.words.iter().any(|words| words == text.all()))
            && (rule.ends == Ends::Everything || !line.is_empty())
    })
}

/// Takes back what a stop ends that ends only what the sender's last message was about: the category
/// and those above it, on every channel.
pub(crate) fn narrow(rules: &RuleSet, message: &Inbound, consequences: &mut Consequences) {
    let line = answered(rules, message);
    consequences.scope = line.last().map(|top| Scope::Category((*top).clone()));
    let stops = line.into_iter().flat_map(|category| {
        Channel::ALL.into_iter().map(move |channel| Change {
            channel,
            category: Some(category.clone()),
            kind: ChangeKind::OptOut,
        })
    });
    consequences.changes = stops.collect();
}

/// The category of the sender's last message, and those above it.
fn answered<'r>(rules: &'r RuleSet, message: &Inbound) -> Vec<&'r String> {
    let category = message.last_category.as_deref().unwrap_or_default();
    let line = rules.sending.line(category).into_iter();
    line.map(|category| &category.name).collect()
}

impl RuleSet {
    /// Folds the words of bare stops as messages are folded.
    pub(crate) fn prepare_stops(&mut self) {
        let words = self.bare_stops.iter_mut().flat_map(|rule| &mut rule.words);
        words.for_each(|word| *word = canonical(word));
    }
}
