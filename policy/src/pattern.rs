//! Patterns over the words of a message, as people write them in the rules:
//!
//! | written | stands for |
//! |---|---|
//! | `word` | that word |
//! | `text*` | any word that begins so |
//! | `(a\|b c)` | one of these |
//! | `@class` | one of the words of a class |
//! | `x?` | x or nothing |
//! | `#` | a number |
//! | `...` | up to three words, whatever they are; `...5`: up to five |
//! | `^`, `$` | a sentence begins, or ends, here; also in brackets: `(please\|^) stop (now\|$)` |

use std::collections::BTreeMap;

use thiserror::Error;

use crate::fold::{self, Class};
use crate::lexicon::{Lexicon, WordId};
use crate::text::canonical;

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum PatternError {
    #[error("{0:?} has no letter or digit, so it can never match")]
    NoWord(String),
    #[error("the class @{0} is not defined in this file")]
    UnknownClass(String),
    #[error("a bracket is not closed, or not opened")]
    Unbalanced,
    #[error("{0:?}: letters are joined to a bracket; put a space between, or write the words out")]
    Joined(String),
    #[error("it does not begin with a word, so it would be looked for everywhere")]
    NoBeginning,
    #[error("it has more than {MAX_PLACES} places; write it as several patterns")]
    TooLong,
    #[error("{0:?}: ^ stands only at the beginning, $ only at the end")]
    Misplaced(String),
}

/// A place for each bit of the set of places.
const MAX_PLACES: usize = 128;
const DEFAULT_GAP: usize = 3;

/// The words of classes, by name.
pub type Classes = BTreeMap<String, Vec<String>>;

/// One word of a pattern, before it has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Atom {
    Word(String),
    Stem(String),
    Number,
}

/// The words that fit one place; none: every word does.
pub(crate) type Place = Vec<Atom>;

/// A pattern that has been read: its places, and which may follow which.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) places: Vec<Place>,
    pub(crate) follow: Vec<u128>,
    /// The places that may come first: anywhere, and where a sentence begins.
    pub(crate) first: [u128; 2],
    /// The places that may come last: anywhere, and where a sentence ends.
    pub(crate) last: [u128; 2],
}

/// How far a pattern has been read: the places after which the next may come, and whether that may
/// begin the pattern, anywhere and where a sentence begins.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    after: u128,
    begins: [bool; 2],
}

impl Reached {
    const BEGINNING: Self = Self {
        after: 0,
        begins: [true, false],
    };

    fn or(self, other: Self) -> Self {
        let [anywhere, at_start] = self.begins;
        let [or_anywhere, or_at_start] = other.begins;
        Self {
            after: self.after | other.after,
            begins: [anywhere || or_anywhere, at_start || or_at_start],
        }
    }
}

/// Reads a pattern, and says what is wrong with it.
pub(crate) fn parse(pattern: &str, classes: &Classes) -> Result<Parsed, PatternError> {
    let mut parsed = Parsed::default();
    let reached = parsed.sequence(pattern, classes, Reached::BEGINNING)?;
    let [last, _] = &mut parsed.last;
    *last |= reached.after;
    let first = parsed.first.iter().fold(0, |all, first| all | first);
    let is_open = |(at, place): (usize, &Place)| first & bit(at) != 0 && place.is_empty();
    let ends_at_once = reached.begins.contains(&true);
    if ends_at_once || first == 0 || parsed.places.iter().enumerate().any(is_open) {
        return Err(PatternError::NoBeginning);
    }
    Ok(parsed)
}

pub(crate) fn bit(place: usize) -> u128 {
    1 << place
}

/// Splits at a character outside of brackets.
fn split(text: &str, at: char) -> Result<Vec<&str>, PatternError> {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (position, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or(PatternError::Unbalanced)?,
            _ if char == at && depth == 0 => {
                parts.extend(text.get(start..position));
                start = position + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(PatternError::Unbalanced);
    }
    parts.extend(text.get(start..));
    parts.retain(|part| !part.trim().is_empty());
    Ok(parts)
}

/// An item at the brackets in it: scripts without spaces join those to letters.
fn pieces(item: &str) -> Result<Vec<&str>, PatternError> {
    let mut pieces = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    let mut before: Option<char> = None;
    for (at, char) in item.char_indices() {
        let after_bracket = matches!(before, Some(')' | '?')) && start < at;
        let joins = depth == 0 && ((char == '(' && at > 0) || (after_bracket && char != '?'));
        if joins && item.contains('(') {
            let is_word_by_itself = |char: char| fold::class(char) == Class::Ideograph;
            let letters = [before, Some(char)].into_iter().flatten();
            let mut letters = letters.filter(|char| !matches!(char, '(' | ')' | '?'));
            if !letters.all(is_word_by_itself) {
                return Err(PatternError::Joined(item.to_owned()));
            }
            pieces.extend(item.get(start..at));
            start = at;
        }
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = Some(char);
    }
    pieces.extend(item.get(start..));
    Ok(pieces)
}

/// The words that one written word is: several for hyphens and for scripts without spaces.
fn read_word(word: &str) -> Result<Vec<Atom>, PatternError> {
    if word == "#" {
        return Ok(vec![Atom::Number]);
    }
    let (text, is_stem) = match word.strip_suffix('*') {
        Some(text) => (text, true),
        None => (word, false),
    };
    let folded = canonical(text);
    if folded.is_empty() {
        return Err(PatternError::NoWord(word.to_owned()));
    }
    let mut atoms: Vec<Atom> = folded
        .split(' ')
        .map(|word| Atom::Word(word.to_owned()))
        .collect();
    if is_stem && let Some(Atom::Word(last)) = atoms.pop() {
        atoms.push(Atom::Stem(last));
    }
    Ok(atoms)
}

impl Parsed {
    /// Reads one item after another.
    fn sequence(
        &mut self,
        text: &str,
        classes: &Classes,
        mut reached: Reached,
    ) -> Result<Reached, PatternError> {
        for item in split(text, ' ')? {
            for piece in pieces(item)? {
                reached = self.item(piece, classes, reached)?;
            }
        }
        Ok(reached)
    }

    fn item(
        &mut self,
        item: &str,
        classes: &Classes,
        from: Reached,
    ) -> Result<Reached, PatternError> {
        match item {
            "^" if from.after == 0 => {
                return Ok(Reached {
                    after: 0,
                    begins: [false, true],
                });
            }
            "$" if from.after != 0 => {
                let [_, last] = &mut self.last;
                *last |= from.after;
                return Ok(Reached::default());
            }
            "^" | "$" => return Err(PatternError::Misplaced(item.to_owned())),
            _ => {}
        }
        if let Some(count) = item.strip_prefix("...") {
            let count = match count {
                "" => DEFAULT_GAP,
                count => count
                    .parse()
                    .map_err(|_| PatternError::NoWord(item.to_owned()))?,
            };
            let mut reached = from;
            for _ in 0..count {
                reached = reached.or(self.place(Place::new(), reached)?);
            }
            return Ok(reached);
        }
        let (body, optional) = match item.strip_suffix('?') {
            Some(body) => (body, true),
            None => (item, false),
        };
        let inside = body
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        let reached = match (inside, body.strip_prefix('@')) {
            (Some(inside), _) => self.alternatives(inside, classes, from)?,
            (None, Some(class)) => {
                let words = classes
                    .get(class)
                    .ok_or_else(|| PatternError::UnknownClass(class.to_owned()))?;
                self.one_of(words.iter().map(String::as_str), classes, from)?
            }
            (None, None) => {
                let mut reached = from;
                for atom in read_word(body)? {
                    reached = self.place(vec![atom], reached)?;
                }
                reached
            }
        };
        Ok(if optional { reached.or(from) } else { reached })
    }

    fn alternatives(
        &mut self,
        inside: &str,
        classes: &Classes,
        from: Reached,
    ) -> Result<Reached, PatternError> {
        let alternatives = split(inside, '|')?;
        self.one_of(alternatives.into_iter().map(str::trim), classes, from)
    }

    /// One of several; those that are a single word share one place.
    fn one_of<'p>(
        &mut self,
        alternatives: impl Iterator<Item = &'p str>,
        classes: &Classes,
        from: Reached,
    ) -> Result<Reached, PatternError> {
        let mut single = Place::new();
        let mut reached = Reached::default();
        for alternative in alternatives {
            let is_plain = !alternative.contains([' ', '(', '@', '?', '^', '$'])
                && !alternative.starts_with("...");
            let atoms = if is_plain {
                read_word(alternative)?
            } else {
                Vec::new()
            };
            if atoms.len() == 1 {
                single.extend(atoms);
            } else {
                reached = reached.or(self.sequence(alternative, classes, from)?);
            }
        }
        if !single.is_empty() {
            reached = reached.or(self.place(single, from)?);
        }
        Ok(reached)
    }

    /// Adds a place.
    fn place(&mut self, place: Place, from: Reached) -> Result<Reached, PatternError> {
        let at = self.places.len();
        if at >= MAX_PLACES {
            return Err(PatternError::TooLong);
        }
        for (other, follow) in self.follow.iter_mut().enumerate() {
            if from.after & bit(other) != 0 {
                *follow |= bit(at);
            }
        }
        for (first, begins) in self.first.iter_mut().zip(from.begins) {
            if begins {
                *first |= bit(at);
            }
        }
        self.places.push(place);
        self.follow.push(0);
        Ok(Reached {
            after: bit(at),
            begins: [false, false],
        })
    }

    /// Numbers the words.
    pub(crate) fn number(&self, lexicon: &mut Lexicon) {
        for atom in self.places.iter().flatten() {
            match atom {
                Atom::Word(word) => _ = lexicon.add_word(word),
                Atom::Stem(stem) => _ = lexicon.add_stem(stem),
                Atom::Number => {}
            }
        }
    }
}

pub(crate) fn words_of(place: &Place, lexicon: &Lexicon) -> Vec<WordId> {
    let mut ids: Vec<WordId> = Vec::new();
    for atom in place {
        match atom {
            Atom::Word(word) => ids.push(lexicon.word(word)),
            Atom::Stem(stem) => ids.extend(lexicon.stems_from(stem)),
            Atom::Number => ids.push(WordId::NUMBER),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::candidates::{Kind, matches};
    use crate::prepare::{InMemory, Prepared};
    use crate::rules::*;
    use crate::tables::Tables;
    use crate::text::Text;
    use crate::types::Intent;

    /// Rules with one phrase and one class.
    fn rules(pattern: &str) -> RuleSet {
        let name = String::new;
        let send = vec!["send".to_owned(), "mail*".to_owned()];
        let phrase = Phrase {
            id: name(),
            intent: Intent::OptOut,
            patterns: vec![pattern.to_owned()],
            topic: false,
            unguarded: false,
            review: false,
            term: Term::default(),
        };
        let language = Language {
            tag: name(),
            courtesies: Vec::new(),
            fillers: Vec::new(),
            real_words: Vec::new(),
            classes: Classes::from([("send".to_owned(), send)]),
            topics: Classes::new(),
            channels: Vec::new(),
            keywords: Vec::new(),
            phrases: vec![phrase],
            guards: Vec::new(),
        };
        RuleSet {
            identity: Identity {
                name: name(),
                version: name(),
            },
            sender: Sender {
                brand: name(),
                contact: name(),
                privacy_url: name(),
            },
            languages: vec![language],
            echo: Echo {
                words: Vec::new(),
                joiners: Vec::new(),
                language: name(),
            },
            consent_questions: Vec::new(),
            bare_stops: Vec::new(),
            replies: Vec::new(),
            held: name(),
            sending: Sending::default(),
        }
    }

    fn ends(pattern: &str, message: &str) -> Vec<(usize, usize)> {
        let prepared = Prepared::new(&rules(pattern)).unwrap();
        let InMemory { head, .. } = postcard::from_bytes(&prepared.head).unwrap();
        let tables = Tables::new(head, Box::new(prepared.tables));
        let text = Text::new(message, &tables);
        let mut ends = Vec::new();
        matches(&tables, &text, Kind::Phrase, |_, from, to| {
            ends.push((from, to));
            ControlFlow::Continue(())
        });
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    #[test]
    fn each_form_of_item_means_what_the_table_says() {
        assert_eq!(ends("stop", "please STOP now"), [(1, 2)]);
        assert_eq!(ends("text*", "a texting text tex"), [(1, 2), (2, 3)]);
        assert_eq!(
            ends("stop (now|right away) ok", "stop right away ok"),
            [(0, 4)]
        );
        assert_eq!(ends("stop @send", "stop mailing"), [(0, 2)]);
        assert_eq!(ends("stop now? ok", "stop ok"), [(0, 2)]);
        assert_eq!(ends("please? stop", "please stop"), [(0, 2), (1, 2)]);
        assert_eq!(ends("stop ... ok", "stop aa bb cc ok"), [(0, 5)]);
        assert_eq!(ends("stop ... ok", "stop aa bb cc dd ok"), []);
        assert_eq!(
            ends("aa (bb (cc|dd ee)? ff|gg)", "aa bb dd ee ff aa gg"),
            [(0, 5), (5, 7)]
        );
        assert_eq!(ends("stop #", "stop 12345 now"), [(0, 2)]);
        assert_eq!(
            ends("aa (bb cc)? (dd|ee ff)? $", "aa bb cc ee ff"),
            [(0, 5)]
        );
        assert_eq!(ends("^ stop", "now stop. Stop it"), [(2, 3)]);
        assert_eq!(ends("stop $", "stop now. Stop!"), [(2, 3)]);
        assert_eq!(
            ends("(please|^) stop (now|$)", "stop please stop now"),
            [(1, 4)]
        );
        assert_eq!(ends("(please|^) stop (now|$)", "stop"), [(0, 1)]);
        assert_eq!(ends("(a|b c)? stop", "b c stop"), [(0, 3), (2, 3)]);
        assert_eq!(ends("不要 再? 发", "请不要发"), [(1, 4)]);
        assert_eq!(ends("して(こ|来)?ない(で|$)", "してこないで"), [(0, 6)]);
    }

    #[test]
    fn a_match_never_spans_two_sentences() {
        assert_eq!(ends("stop messages", "I stop. Messages are late"), []);
        assert_eq!(ends("stop messages", "stop, messages"), [(0, 2)]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let refused = |pattern| parse(pattern, &Classes::new()).unwrap_err();
        assert_eq!(
            refused("stop @send"),
            PatternError::UnknownClass("send".into())
        );
        assert_eq!(refused("please?"), PatternError::NoBeginning);
        assert_eq!(refused("... stop"), PatternError::NoBeginning);
        assert_eq!(refused("please? ... stop"), PatternError::NoBeginning);
        assert_eq!(refused("(a|b"), PatternError::Unbalanced);
        assert_eq!(refused("a (b|c)d"), PatternError::Joined("(b|c)d".into()));
        assert_eq!(refused("!!"), PatternError::NoWord("!!".into()));
        assert_eq!(refused("a ^ b"), PatternError::Misplaced("^".into()));
        assert_eq!(refused("^"), PatternError::NoBeginning);
        assert_eq!(refused("$"), PatternError::Misplaced("$".into()));
        let long = "a ".repeat(MAX_PLACES + 1);
        assert_eq!(refused(&long), PatternError::TooLong);
    }
}
