//! Phrases that mean something wherever they stand, and what takes that meaning away.

use std::ops::ControlFlow;

use crate::candidates::{Kind, matches};
use crate::rules::{Guard, GuardKind, RuleSet};
use crate::tables::{Rule, Tables};
use crate::text::{Break, Text};
use crate::types::{Channel, Inbound};
use crate::whole::Fit;

/// How many phrases, and guards, of one message are looked at.
const MAX_FOUND: usize = 64;

fn enough(found: usize) -> ControlFlow<()> {
    if found < MAX_FOUND {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

/// A guard that was found, and the tokens that it covers.
struct Found<'r> {
    guard: &'r Guard,
    spoken: usize,
    from: usize,
    to: usize,
}

/// The guards of one message.
pub(crate) struct Guards<'r> {
    found: Vec<Found<'r>>,
}

/// The phrases of a message, none of them weighed yet; the second says whether it already holds a
/// negation.
pub(crate) fn find<'r>(
    rules: &'r RuleSet,
    tables: &'r Tables,
    message: &Inbound,
    text: &Text,
) -> Vec<(Fit<'r>, bool)> {
    let mut found: Vec<(Fit<'r>, bool)> = Vec::new();
    matches(tables, text, Kind::Phrase, |number, from, to| {
        let known_phrase = tables.phrase(rules, number);
        let Some((phrase, spoken)) =
            known_phrase.filter(|(phrase, _)| phrase.term.holds(message.at))
        else {
            return ControlFlow::Continue(());
        };
        let rule = Rule::of_phrase(phrase, spoken);
        let known = found
            .iter_mut()
            .find(|(known, _)| known.rule.id == rule.id && known.from == from);
        match known {
            Some((known, _)) => known.to = known.to.max(to),
            None => found.push((
                Fit {
                    rule,
                    how: "phrase",
                    from,
                    to,
                },
                phrase.unguarded,
            )),
        }
        enough(found.len())
    });
    // Of equals the same one decides, however the tables are laid out.
    found.sort_by_key(|(fit, _)| (fit.from, fit.rule.spoken, fit.rule.id));
    found
}

impl<'r> Guards<'r> {
    pub(crate) fn find(
        rules: &'r RuleSet,
        tables: &'r Tables,
        message: &Inbound,
        text: &Text,
    ) -> Self {
        let mut found = Vec::new();
        matches(tables, text, Kind::Guard, |number, from, to| {
            if let Some((guard, spoken)) = tables.guard(rules, number)
                && guard.term.holds(message.at)
                && (guard.kind.spans_commas() || !has_comma(text, from, to))
            {
                found.push(Found {
                    guard,
                    spoken,
                    from,
                    to,
                });
            }
            enough(found.len())
        });
        Self { found }
    }

    /// The guards of a kind in the language of a rule. A rule that belongs to none minds them all.
    fn of(&self, kind: GuardKind, rule: &Rule<'r>) -> impl Iterator<Item = &Found<'r>> {
        let spoken = rule.spoken;
        self.found.iter().filter(move |found| {
            found.guard.kind == kind && spoken.is_none_or(|own| own == found.spoken)
        })
    }

    /// Why a phrase does not mean what it says here; nothing: it does. A guard before it ends at
    /// one of the tokens in `begins`.
    pub(crate) fn against(&self, text: &Text, fit: &Fit<'r>, begins: &[usize]) -> Option<String> {
        let because = |found: &Found<'r>, why: &str| Some(format!("{why} ({})", found.guard.id));
        if let Some(guard) = self.of(GuardKind::Anywhere, &fit.rule).next() {
            return because(guard, "a machine or a footer speaks");
        }
        if is_quoted(text, fit) {
            return Some("it is quoted".to_owned());
        }
        if let Some(guard) = self
            .of(GuardKind::Before, &fit.rule)
            .find(|found| begins.contains(&found.to) && leads_on(text, found))
        {
            return because(guard, "it is negated, reported or asked about");
        }
        if let Some(guard) = self
            .of(GuardKind::After, &fit.rule)
            .find(|found| found.from == fit.to && !text.ends_sentence(fit.to))
        {
            return because(guard, "it is about something else");
        }
        self.retracted(fit)
    }

    /// Why one sentence among others says nothing.
    pub(crate) fn against_sentence(&self, text: &Text, fit: &Fit<'r>) -> Option<String> {
        if let Some(found) = self.of(GuardKind::Banter, &fit.rule).next() {
            return Some(format!("people are joking ({})", found.guard.id));
        }
        self.against(text, fit, &[fit.from])
    }

    /// Why a message is taken back by what follows.
    pub(crate) fn retracted(&self, fit: &Fit<'r>) -> Option<String> {
        let found = self
            .of(GuardKind::Later, &fit.rule)
            .find(|found| found.from >= fit.to)?;
        Some(format!("it is taken back ({})", found.guard.id))
    }

    /// The channels on which messages are still wanted, by guards outside of a match.
    pub(crate) fn kept(&self, fit: &Fit<'r>) -> Vec<Channel> {
        let outside = |found: &&Found<'r>| found.to <= fit.from || found.from >= fit.to;
        self.of(GuardKind::Keep, &fit.rule)
            .filter(outside)
            .filter_map(|found| found.guard.channel)
            .collect()
    }
}

/// Where a guard before a phrase may end: where the phrase begins, or a longer one of the language
/// around it, without a comma between. Nowhere, when it holds its own negation.
pub(crate) fn begins(
    text: &Text,
    phrases: &[(Fit<'_>, bool)],
    fit: &Fit<'_>,
    unguarded: bool,
) -> Vec<usize> {
    let is_around = |other: &Fit<'_>| {
        other.rule.spoken == fit.rule.spoken
            && other.from <= fit.from
            && other.to >= fit.to
            && !has_comma(text, other.from, fit.from + 1)
    };
    let around = phrases
        .iter()
        .filter(|(other, other_unguarded)| !unguarded && !other_unguarded && is_around(other));
    around.map(|(other, _)| other.from).collect()
}

/// Whether a comma stands among some words.
fn has_comma(text: &Text, from: usize, to: usize) -> bool {
    let after_the_first = text.tokens.get(from + 1..to).unwrap_or(&[]);
    after_the_first
        .iter()
        .any(|token| token.before >= Break::Comma)
}

/// Whether a guard speaks of what follows it: "I can't, stop writing to me" does not, "she says:
/// stop writing to me" does. A single word does not even reach across a colon.
fn leads_on(text: &Text, found: &Found<'_>) -> bool {
    let farthest = if found.to - found.from == 1 {
        Break::None
    } else {
        Break::Colon
    };
    let after = text.tokens.get(found.to);
    after.is_some_and(|token| token.before <= farthest)
}

/// Whether a match stands in quotation marks and not everything does.
fn is_quoted(text: &Text, fit: &Fit<'_>) -> bool {
    let within = text.tokens.get(fit.from..fit.to).unwrap_or(&[]);
    !within.is_empty()
        && within.iter().all(|token| token.quoted)
        && !text.tokens.iter().all(|token| token.quoted)
}
