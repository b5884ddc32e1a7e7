//! What does this message mean?

use std::collections::BTreeMap;

use crate::reply::reply;
use crate::rules::{ConsentQuestion, Keyword, RuleSet};
use crate::types::{
    Change, ChangeKind, Channel, Classification, Inbound, Intent, Priority, Route, Scope, Span,
};
use crate::words::{Word, canonical, joined, words};

/// The rule set's words, ready to be looked up.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// From a whole message to the keywords it may be, as indexes.
    by_words: BTreeMap<String, Vec<usize>>,
    /// From the identifier of a button or row, in lower case.
    by_selection: BTreeMap<String, Vec<usize>>,
    courtesies: Vec<String>,
}

impl Vocabulary {
    pub(crate) fn new(rules: &RuleSet) -> Self {
        let mut by_words: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut by_selection: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, keyword) in rules.keywords.iter().enumerate() {
            for word in &keyword.words {
                by_words.entry(canonical(word)).or_default().push(index);
            }
            for id in &keyword.selections {
                by_selection
                    .entry(id.to_lowercase())
                    .or_default()
                    .push(index);
            }
        }
        let mut courtesies: Vec<String> = rules
            .courtesies
            .iter()
            .map(|phrase| canonical(phrase))
            .collect();
        // The longest first, so that "thank you very much" goes before "thank you".
        courtesies.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        Self {
            by_words,
            by_selection,
            courtesies,
        }
    }

    /// The words without the courtesies at either end. A message of courtesies alone has none.
    fn strip_courtesies<'w>(&self, mut words: &'w [Word]) -> &'w [Word] {
        loop {
            let before = words.len();
            for courtesy in &self.courtesies {
                let count = courtesy.split(' ').count();
                if let Some((head, rest)) = words.split_at_checked(count)
                    && joined(head) == *courtesy
                {
                    words = rest;
                }
                if let Some(at) = words.len().checked_sub(count)
                    && let Some((rest, tail)) = words.split_at_checked(at)
                    && joined(tail) == *courtesy
                {
                    words = rest;
                }
            }
            if words.len() == before {
                return words;
            }
        }
    }
}

/// The rule that decided, and the words it decided by.
struct Found<'r> {
    rule: &'r Keyword,
    how: &'static str,
    span: Option<Span>,
}

pub(crate) fn classify(
    rules: &RuleSet,
    vocabulary: &Vocabulary,
    message: &Inbound,
) -> Classification {
    let found = find(rules, vocabulary, message);
    let Some(found) = found else {
        return Classification {
            intent: Intent::Other,
            scope: None,
            changes: Vec::new(),
            reply: None,
            route: Route::Bot,
            priority: Priority::Normal,
            review: false,
            rule: "otherwise".to_owned(),
            matched: None,
            language: None,
        };
    };
    let intent = found.rule.intent;
    let (scope, changes) = consequences(rules, message, intent);
    let reply_language = Some(found.rule.language.as_str());
    let (route, priority) = match intent {
        Intent::OptOut => (Route::Disconnect, Priority::High),
        Intent::Person => (Route::PriorityAgent, Priority::High),
        Intent::OptIn | Intent::Help => (Route::Disconnect, Priority::Normal),
        _ => (Route::Bot, Priority::Normal),
    };
    Classification {
        intent,
        scope,
        changes,
        reply: if message.answered {
            None
        } else {
            reply(rules, intent, message.channel, reply_language)
        },
        route,
        priority,
        review: false,
        rule: format!("{}.{}", found.rule.id, found.how),
        matched: found.span,
        language: Some(found.rule.language.clone()),
    }
}

fn find<'r>(rules: &'r RuleSet, vocabulary: &Vocabulary, message: &Inbound) -> Option<Found<'r>> {
    if let Some(selection) = &message.selection {
        let indexes = vocabulary.by_selection.get(&selection.id.to_lowercase());
        if let Some(rule) = strongest(rules, message, indexes) {
            return Some(Found {
                rule,
                how: "selection",
                span: None,
            });
        }
        // A row whose identifier nobody mapped still says what it says.
        let title = words(&selection.title);
        let (rule, _) = whole_message(rules, vocabulary, message, &title)?;
        return Some(Found {
            rule,
            how: "selection-title",
            span: None,
        });
    }
    let body = words(&message.body);
    let (rule, core) = whole_message(rules, vocabulary, message, &body)?;
    let span = match (core.first(), core.last()) {
        (Some(first), Some(last)) => Some(Span {
            start: first.span.start,
            end: last.span.end,
        }),
        _ => None,
    };
    Some(Found {
        rule,
        how: "whole-message",
        span,
    })
}

fn whole_message<'r, 'w>(
    rules: &'r RuleSet,
    vocabulary: &Vocabulary,
    message: &Inbound,
    words: &'w [Word],
) -> Option<(&'r Keyword, &'w [Word])> {
    // As it stands first: a keyword may itself begin with a courtesy.
    let as_is = vocabulary.by_words.get(&joined(words));
    if let Some(rule) = strongest(rules, message, as_is) {
        return Some((rule, words));
    }
    let core = vocabulary.strip_courtesies(words);
    let rule = strongest(rules, message, vocabulary.by_words.get(&joined(core)))?;
    Some((rule, core))
}

/// Of the rules that fit, the one that counts: an opt-out before everything else, then the order
/// of [`Intent`]. "Yes" and "no" only while a question is open.
fn strongest<'r>(
    rules: &'r RuleSet,
    message: &Inbound,
    indexes: Option<&Vec<usize>>,
) -> Option<&'r Keyword> {
    let fitting = indexes?
        .iter()
        .filter_map(|index| rules.keywords.get(*index));
    fitting
        .filter(|rule| rule.in_force(message.at))
        .filter(|rule| {
            !matches!(rule.intent, Intent::AnswerYes | Intent::AnswerNo)
                || message.question.is_some()
        })
        .min_by_key(|rule| {
            (
                rule.intent,
                message.language.as_deref() != Some(&rule.language),
            )
        })
}

/// The scope of an intent, and the consent changes that follow from it.
fn consequences(
    rules: &RuleSet,
    message: &Inbound,
    intent: Intent,
) -> (Option<Scope>, Vec<Change>) {
    match intent {
        // 47 CFR 64.1200(a)(10): a bare revocation ends everything, on every channel.
        Intent::OptOut => {
            let all = Channel::ALL.map(|channel| change(channel, None, ChangeKind::OptOut));
            (Some(Scope::All), all.into())
        }
        // The channel on which it was said is opted in. The others are no longer stopped, but
        // asking for texts is not asking for calls.
        Intent::OptIn => {
            let all = Channel::ALL.map(|channel| {
                let here = channel == message.channel;
                change(
                    channel,
                    None,
                    if here {
                        ChangeKind::OptIn
                    } else {
                        ChangeKind::Release
                    },
                )
            });
            (Some(Scope::All), all.into())
        }
        Intent::AnswerYes => match asked_for(rules, message) {
            Some(asked) => {
                let category = asked.category.clone();
                let scope = match &category {
                    Some(category) => Scope::Category(category.clone()),
                    None => Scope::Channel(message.channel),
                };
                (
                    Some(scope),
                    vec![change(message.channel, category, ChangeKind::OptIn)],
                )
            }
            None => (None, Vec::new()),
        },
        _ => (None, Vec::new()),
    }
}

fn change(channel: Channel, category: Option<String>, kind: ChangeKind) -> Change {
    Change {
        channel,
        category,
        kind,
    }
}

/// What the open question asks consent for, if it does.
fn asked_for<'r>(rules: &'r RuleSet, message: &Inbound) -> Option<&'r ConsentQuestion> {
    let question = canonical(message.question.as_deref()?);
    let contains = |phrases: &[String]| {
        phrases
            .iter()
            .any(|phrase| contains_words(&question, &canonical(phrase)))
    };
    rules
        .consent_questions
        .iter()
        .find(|kind| contains(&kind.asks) && (kind.about.is_empty() || contains(&kind.about)))
}

/// Whether a phrase occurs in a text as whole words; both in canonical form.
fn contains_words(text: &str, phrase: &str) -> bool {
    format!(" {text} ").contains(&format!(" {phrase} "))
}
