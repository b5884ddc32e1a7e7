//! A rule set made ready to be looked up.

use crate::lexicon::{Lexicon, Map, WordId};
use crate::matching::{Index, IndexBuilder};
use crate::pattern::{self, Classes, Parsed, PatternError};
use crate::rules::{Guard, Keyword, Language, Phrase, RuleSet};
use crate::text::{Token, canonical};
use crate::types::{Channel, Intent};

/// A rule, with the language it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule<'r> {
    pub(crate) id: &'r str,
    pub(crate) intent: Intent,
    pub(crate) language: &'r str,
    /// The number of the language; nothing for what belongs to none.
    pub(crate) spoken: Option<usize>,
    pub(crate) review: bool,
    pub(crate) topic: bool,
}

/// The number of a language, and its tag.
pub(crate) type Spoken<'r> = (usize, &'r str);

/// Where an entry stands: the language, and its number there.
type At = (usize, usize);

/// A word that a misspelling is compared with.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) word: Box<str>,
    /// A bit for each letter that it has.
    pub(crate) letters: u32,
    keyword: Option<At>,
}

#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) lexicon: Lexicon,
    /// From a whole message to the keywords it may be.
    whole: Map<Box<str>, Vec<At>>,
    selections: Map<String, Vec<At>>,
    courtesies: Map<Box<str>, bool>,
    longest_courtesy: usize,
    real_words: Map<Box<str>, ()>,
    pub(crate) targets: Vec<Target>,
    pub(crate) phrases: Index,
    pub(crate) guards: Index,
    phrase_at: Vec<At>,
    guard_at: Vec<At>,
    /// The category that a word names, and the channel.
    topics: Map<(usize, WordId), Box<str>>,
    channels: Map<(usize, WordId), Channel>,
}

impl Tables {
    /// Prepares a rule set. A pattern that cannot be read is an error here, though the loader has
    /// refused it before.
    pub(crate) fn new(rules: &RuleSet) -> Result<Self, PatternError> {
        let mut lexicon = Lexicon::default();
        let mut tables = Self {
            lexicon: Lexicon::default(),
            whole: Map::default(),
            selections: Map::default(),
            courtesies: Map::default(),
            longest_courtesy: 0,
            real_words: Map::default(),
            targets: Vec::new(),
            phrases: Index::default(),
            guards: Index::default(),
            phrase_at: Vec::new(),
            guard_at: Vec::new(),
            topics: Map::default(),
            channels: Map::default(),
        };
        for (number, language) in rules.languages.iter().enumerate() {
            tables.add_words(number, language, &mut lexicon);
            each_pattern(number, language, |_, parsed| parsed.number(&mut lexicon))?;
        }
        for word in &rules.echo.words {
            lexicon.add_word(&canonical(word));
        }
        lexicon.finish();
        tables.add_echoes(rules);
        let (mut phrases, mut guards) = (IndexBuilder::default(), IndexBuilder::default());
        for (number, language) in rules.languages.iter().enumerate() {
            each_pattern(number, language, |owner, parsed| match owner {
                Owner::Phrase(at) => {
                    phrases.add(&parsed, number_of(&mut tables.phrase_at, at), &lexicon)
                }
                Owner::Guard(at) => {
                    guards.add(&parsed, number_of(&mut tables.guard_at, at), &lexicon)
                }
                Owner::Topic(category) => {
                    let words = parsed.first_words(&lexicon).into_iter();
                    tables
                        .topics
                        .extend(words.map(|word| ((number, word), category.into())));
                }
                Owner::Channel(channel) => {
                    let words = parsed.first_words(&lexicon).into_iter();
                    tables
                        .channels
                        .extend(words.map(|word| ((number, word), channel)));
                }
            })?;
        }
        (tables.phrases, tables.guards) = (phrases.finish(), guards.finish());
        tables.lexicon = lexicon;
        Ok(tables)
    }

    fn add_words(&mut self, number: usize, language: &Language, lexicon: &mut Lexicon) {
        for (fillers, words) in [(false, &language.courtesies), (true, &language.fillers)] {
            for phrase in words {
                let phrase = canonical(phrase);
                self.longest_courtesy = self.longest_courtesy.max(phrase.split(' ').count());
                phrase.split(' ').for_each(|word| {
                    lexicon.add_word(word);
                });
                // What is a courtesy in one language stays one.
                let is_filler = self.courtesies.entry(phrase.into()).or_insert(fillers);
                *is_filler &= fillers;
            }
        }
        for word in &language.real_words {
            self.real_words.insert(canonical(word).into(), ());
        }
        for (at, keyword) in language.keywords.iter().enumerate() {
            for word in &keyword.words {
                let word = canonical(word);
                word.split(' ').for_each(|word| {
                    lexicon.add_word(word);
                });
                if keyword.misspelt && word.is_ascii() && !word.contains(' ') {
                    self.targets.push(Target::new(&word, Some((number, at))));
                }
                self.whole
                    .entry(word.into())
                    .or_default()
                    .push((number, at));
            }
            for id in &keyword.selections {
                self.selections
                    .entry(id.to_lowercase())
                    .or_default()
                    .push((number, at));
            }
        }
    }

    /// "stop2end" and the like, for misspellings of them.
    fn add_echoes(&mut self, rules: &RuleSet) {
        let short: Vec<String> = rules
            .echo
            .words
            .iter()
            .map(|word| canonical(word))
            .collect();
        let short = || short.iter().filter(|word| word.len() <= 5);
        for first in short() {
            for joiner in ["2", "to"] {
                for last in short() {
                    self.targets
                        .push(Target::new(&format!("{first}{joiner}{last}"), None));
                }
            }
            self.targets.push(Target::new(&format!("{first}2"), None));
        }
    }

    pub(crate) fn keyword<'r>(
        &self,
        rules: &'r RuleSet,
        at: At,
    ) -> Option<(&'r Keyword, Spoken<'r>)> {
        let language = rules.languages.get(at.0)?;
        Some((language.keywords.get(at.1)?, (at.0, &language.tag)))
    }

    /// The keywords that a text may be, word for word.
    pub(crate) fn whole(&self, folded: &str) -> &[At] {
        self.whole.get(folded).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn selection(&self, id: &str) -> &[At] {
        self.selections
            .get(&id.to_lowercase())
            .map_or(&[], Vec::as_slice)
    }

    /// Whether some words are a courtesy; or, when they may be, a filler.
    pub(crate) fn is_courtesy(&self, folded: &str, or_filler: bool) -> bool {
        self.courtesies
            .get(folded)
            .is_some_and(|is_filler| or_filler || !is_filler)
    }

    pub(crate) fn longest_courtesy(&self) -> usize {
        self.longest_courtesy
    }

    pub(crate) fn is_real_word(&self, folded: &str) -> bool {
        self.real_words.contains_key(folded)
    }

    pub(crate) fn keyword_of(&self, target: &Target) -> Option<At> {
        target.keyword
    }

    pub(crate) fn phrase<'r>(
        &self,
        rules: &'r RuleSet,
        number: usize,
    ) -> Option<(&'r Phrase, Spoken<'r>)> {
        let (spoken, at) = *self.phrase_at.get(number)?;
        let language = rules.languages.get(spoken)?;
        Some((language.phrases.get(at)?, (spoken, &language.tag)))
    }

    /// A guard, with the number of its language.
    pub(crate) fn guard<'r>(
        &self,
        rules: &'r RuleSet,
        number: usize,
    ) -> Option<(&'r Guard, usize)> {
        let (language, at) = *self.guard_at.get(number)?;
        Some((rules.languages.get(language)?.guards.get(at)?, language))
    }

    /// The category that a word names in a language.
    pub(crate) fn topic(&self, language: usize, token: &Token) -> Option<&str> {
        let of = |word| self.topics.get(&(language, word));
        of(token.word).or_else(|| of(token.stem)).map(AsRef::as_ref)
    }

    /// The channel that a word names in a language.
    pub(crate) fn channel(&self, language: usize, token: &Token) -> Option<Channel> {
        let of = |word| self.channels.get(&(language, word));
        of(token.word).or_else(|| of(token.stem)).copied()
    }
}

/// The number of an entry whose patterns come one after another.
fn number_of(entries: &mut Vec<At>, at: At) -> usize {
    if entries.last() != Some(&at) {
        entries.push(at);
    }
    entries.len() - 1
}

impl Target {
    fn new(word: &str, keyword: Option<At>) -> Self {
        Self {
            letters: letters(word),
            word: word.into(),
            keyword,
        }
    }
}

/// A bit for each letter of a word.
pub(crate) fn letters(word: &str) -> u32 {
    word.bytes()
        .filter(u8::is_ascii_lowercase)
        .fold(0, |bits, letter| bits | 1 << (letter - b'a'))
}

/// Every pattern of a language's file may name its classes, its topics, and "topic" for all topics.
pub(crate) fn classes_of(language: &Language) -> Classes {
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

/// Reads every pattern of a language, and calls back with what it belongs to. Patterns are read
/// twice, once to number their words and once to be compiled: all of them at the same time would
/// take more memory than the tables that come of them.
fn each_pattern(
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

/// What a pattern belongs to.
enum Owner<'r> {
    Phrase(At),
    Guard(At),
    Topic(&'r str),
    Channel(Channel),
}

impl<'r> Rule<'r> {
    pub(crate) fn of_keyword(keyword: &'r Keyword, (spoken, language): Spoken<'r>) -> Self {
        Self {
            spoken: Some(spoken),
            id: &keyword.id,
            intent: keyword.intent,
            language,
            review: keyword.review,
            topic: false,
        }
    }

    pub(crate) fn of_phrase(phrase: &'r Phrase, (spoken, language): Spoken<'r>) -> Self {
        Self {
            spoken: Some(spoken),
            id: &phrase.id,
            intent: phrase.intent,
            language,
            review: phrase.review,
            topic: phrase.topic,
        }
    }
}
