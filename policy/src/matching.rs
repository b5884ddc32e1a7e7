//! Matching patterns against the words of a message.

use crate::lexicon::{Lexicon, Map, WordId};
use crate::pattern::{Parsed, bit, words_of};
use crate::text::{Break, Token};

/// The pattern ready to be matched, once every word and beginning of the rules has a number.
fn compile(parsed: &Parsed, lexicon: &Lexicon, sets: &mut Sets) -> Pattern {
    Pattern {
        places: parsed
            .places
            .iter()
            .map(|place| sets.add(words_of(place, lexicon)))
            .collect(),
        follow: parsed.follow.as_slice().into(),
        first: parsed.first,
        last: parsed.last,
    }
}

/// Sets of words, each kept once: many patterns name the same class.
#[derive(Debug, Default)]
struct Sets {
    sets: Vec<Box<[WordId]>>,
    numbers: Map<Box<[WordId]>, u32>,
}

impl Sets {
    fn add(&mut self, words: Vec<WordId>) -> u32 {
        let words: Box<[WordId]> = words.into();
        let next = self.sets.len() as u32;
        let number = *self.numbers.entry(words.clone()).or_insert(next);
        if number == next {
            self.sets.push(words);
        }
        number
    }
}

/// A pattern ready to be matched.
#[derive(Clone, Debug)]
struct Pattern {
    /// The set of words that fits each place.
    places: Box<[u32]>,
    /// The places that may follow each.
    follow: Box<[u128]>,
    first: [u128; 2],
    last: [u128; 2],
}

impl Pattern {
    /// Where it ends when it begins at a token: each number of tokens that fits. A sentence's end
    /// is never inside a match.
    ///
    /// Every place that may be reached is followed at the same time, so that the work for each word
    /// is bounded by the pattern's length.
    fn ends(
        &self,
        sets: &[Box<[WordId]>],
        tokens: &[Token],
        from: usize,
        mut found: impl FnMut(usize),
    ) {
        let ends_before = |at: usize| {
            tokens
                .get(at)
                .is_none_or(|token| token.before >= Break::Stop)
        };
        let [anywhere, at_start] = self.first;
        let [last, last_of_sentence] = self.last;
        let mut open = if from == 0 || ends_before(from) {
            anywhere | at_start
        } else {
            anywhere
        };
        for (count, token) in tokens.iter().enumerate().skip(from) {
            if count > from && token.before >= Break::Stop {
                return;
            }
            let mut reached = 0;
            let mut next = 0;
            while open != 0 {
                let at = open.trailing_zeros() as usize;
                open &= open - 1;
                let set = self.places.get(at).and_then(|set| sets.get(*set as usize));
                if set.is_some_and(|set| fits(set, token)) {
                    reached |= bit(at);
                    next |= self.follow.get(at).copied().unwrap_or(0);
                }
            }
            if reached & last != 0 || (reached & last_of_sentence != 0 && ends_before(count + 1)) {
                found(count + 1);
            }
            if next == 0 {
                return;
            }
            open = next;
        }
    }
}

/// Whether a word is of a set. Every word is of the empty one.
fn fits(set: &[WordId], token: &Token) -> bool {
    let has = |id: WordId| !id.is_none() && set.binary_search(&id).is_ok();
    set.is_empty() || has(token.word) || has(token.stem)
}

/// Patterns by the words with which they begin.
#[derive(Debug, Default)]
pub(crate) struct Index {
    patterns: Vec<(Pattern, u32)>,
    sets: Vec<Box<[WordId]>>,
    by_first: Vec<Box<[u32]>>,
}

/// An index that is being made.
#[derive(Default)]
pub(crate) struct IndexBuilder {
    patterns: Vec<(Pattern, u32)>,
    sets: Sets,
    by_first: Vec<Vec<u32>>,
}

impl IndexBuilder {
    /// Adds a pattern of the rule with this number.
    pub(crate) fn add(&mut self, parsed: &Parsed, rule: usize, lexicon: &Lexicon) {
        let number = self.patterns.len() as u32;
        self.by_first.resize(lexicon.len(), Vec::new());
        for word in parsed.first_words(lexicon) {
            if let Some(list) = self
                .by_first
                .get_mut(word.index())
                .filter(|list| list.last() != Some(&number))
            {
                list.push(number);
            }
        }
        self.patterns
            .push((compile(parsed, lexicon, &mut self.sets), rule as u32));
    }

    pub(crate) fn finish(self) -> Index {
        Index {
            patterns: self.patterns,
            sets: self.sets.sets,
            by_first: self
                .by_first
                .into_iter()
                .map(Vec::into_boxed_slice)
                .collect(),
        }
    }
}

impl Index {
    /// Every match: the rule's number, and the tokens from where up to where.
    pub(crate) fn matches(&self, tokens: &[Token], mut found: impl FnMut(usize, usize, usize)) {
        for (from, token) in tokens.iter().enumerate() {
            for id in [token.word, token.stem] {
                if id.is_none() {
                    continue;
                }
                for number in self.by_first.get(id.index()).into_iter().flatten() {
                    if let Some((pattern, rule)) = self.patterns.get(*number as usize) {
                        pattern.ends(&self.sets, tokens, from, |to| {
                            found(*rule as usize, from, to)
                        });
                    }
                }
            }
        }
    }
}
