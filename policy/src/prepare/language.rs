//! The patterns of a language, and what each belongs to.

use crate::pattern::{self, Classes, Parsed, PatternError};
use crate::rules::Language;
use crate::tables::At;
use crate::types::Channel;

/// What a pattern belongs to.
#[derive(Clone, Copy)]
pub(super) enum Owner<'r> {
    Phrase(At),
    Guard(At),
    Topic(&'r str),
    Channel(Channel),
}

/// Every pattern of a language's file may name its classes, its topics, and "topic" for all topics.
fn classes_of(language: &Language) -> Classes {
    let mut classes = language.classes.clone();
    let all: Vec<String> = language.topics.values().flatten().cloned().collect();
    if !all.is_empty() {
        classes.insert("topic".to_owned(), all);
    }
    classes
}

/// A pattern as it is written, the entry that it stands in, and what it belongs to.
struct Written<'r> {
    owner: Owner<'r>,
    entry: &'r str,
    text: &'r str,
}

/// Every pattern of a language.
fn written(number: usize, language: &Language) -> impl Iterator<Item = Written<'_>> {
    let phrases = language
        .phrases
        .iter()
        .enumerate()
        .map(move |(at, phrase)| {
            let owner = Owner::Phrase((number, at));
            (owner, phrase.id.as_str(), &phrase.patterns)
        });
    let guards = language.guards.iter().enumerate().map(move |(at, guard)| {
        let owner = Owner::Guard((number, at));
        (owner, guard.id.as_str(), &guard.patterns)
    });
    let topics = language.topics.iter().map(|(category, words)| {
        let owner = Owner::Topic(category);
        (owner, category.as_str(), words)
    });
    let channels = language.channels.iter().map(|channel| {
        let owner = Owner::Channel(channel.channel);
        (owner, channel.channel.display_name(), &channel.words)
    });
    let all = phrases.chain(guards).chain(topics).chain(channels);
    all.flat_map(|(owner, entry, texts)| {
        let written = move |text| Written { owner, entry, text };
        texts.iter().map(String::as_str).map(written)
    })
}

impl Language {
    /// Reads every pattern, and calls back with the entry it stands in, the pattern and what is wrong
    /// with it.
    pub fn check_patterns(&self, mut wrong: impl FnMut(&str, &str, PatternError)) {
        let classes = classes_of(self);
        for Written { entry, text, .. } in written(0, self) {
            if let Err(error) = pattern::parse(text, &classes) {
                wrong(entry, text, error);
            }
        }
    }
}

/// Every pattern of a language, read.
pub(super) fn patterns(
    number: usize,
    language: &Language,
) -> Result<Vec<(Owner<'_>, Parsed)>, PatternError> {
    let classes = classes_of(language);
    written(number, language)
        .map(|written| Ok((written.owner, pattern::parse(written.text, &classes)?)))
        .collect()
}

/// The number of an entry whose patterns come one after another.
pub(super) fn number_of<T: PartialEq>(entries: &mut Vec<T>, entry: T) -> usize {
    if entries.last() != Some(&entry) {
        entries.push(entry);
    }
    entries.len() - 1
}
