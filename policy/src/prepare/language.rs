//! The patterns of a language, and what each belongs to.

use crate::pattern::{self, Classes, Parsed, PatternError};
use crate::rules::Language;
use crate::tables::At;
use crate::types::Channel;

/// What a pattern belongs to.
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

impl Language {
    /// Reads every pattern, and calls back with the rule's identifier, the pattern and what is
    /// wrong with it.
    pub fn check_patterns(&self, mut wrong: impl FnMut(&str, &str, PatternError)) {
        let classes = classes_of(self);
        let phrases = self
            .phrases
            .iter()
            .map(|phrase| (&phrase.id, &phrase.patterns));
        let guards = self.guards.iter().map(|guard| (&guard.id, &guard.patterns));
        for (id, patterns) in phrases.chain(guards) {
            for text in patterns {
                if let Err(error) = pattern::parse(text, &classes) {
                    wrong(id, text, error);
                }
            }
        }
    }
}

/// Reads every pattern of a language, and calls back with what it belongs to.
pub(super) fn each_pattern(
    number: usize,
    language: &Language,
    mut each: impl FnMut(Owner<'_>, Parsed),
) -> Result<(), PatternError> {
    let classes = classes_of(language);
    let read = |text: &str| pattern::parse(text, &classes);
    for (at, phrase) in language.phrases.iter().enumerate() {
        for text in &phrase.patterns {
            each(Owner::Phrase((number, at)), read(text)?);
        }
    }
    for (at, guard) in language.guards.iter().enumerate() {
        for text in &guard.patterns {
            each(Owner::Guard((number, at)), read(text)?);
        }
    }
    for (category, words) in &language.topics {
        for word in words {
            each(Owner::Topic(category), read(word)?);
        }
    }
    for channel in &language.channels {
        for word in &channel.words {
            each(Owner::Channel(channel.channel), read(word)?);
        }
    }
    Ok(())
}

/// The number of an entry whose patterns come one after another.
pub(super) fn number_of<T: PartialEq>(entries: &mut Vec<T>, entry: T) -> usize {
    if entries.last() != Some(&entry) {
        entries.push(entry);
    }
    entries.len() - 1
}
