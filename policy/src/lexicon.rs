//! The words that a rule set knows, numbered, so that patterns compare numbers.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::ops::Bound;

use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

/// A map whose order and hashes are the same in every build, so that policies are too.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<FxHasher>>;

/// The number of a word or of a beginning; 0 is none, 1 any number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct WordId(pub(crate) u16);

impl WordId {
    pub(crate) const NONE: Self = Self(0);
    /// Every word that is a number.
    pub(crate) const NUMBER: Self = Self(1);

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// One of 64 bits, by which most words that cannot fit are told apart at once.
    pub(crate) fn bit(self) -> u64 {
        match self {
            Self::NONE => 0,
            Self(number) => 1 << (u32::from(number).wrapping_mul(0x9E37_79B1) >> 26),
        }
    }
}

/// The words and beginnings of a rule set, while it is being prepared.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    pub(crate) words: Map<Box<str>, WordId>,
    stems: BTreeMap<Box<str>, WordId>,
    count: u16,
}

impl Lexicon {
    /// The number of a word, given when it is new.
    pub(crate) fn add_word(&mut self, word: &str) -> WordId {
        if let Some(id) = self.words.get(word) {
            return *id;
        }
        let id = self.next();
        self.words.insert(word.into(), id);
        id
    }

    /// The number of a beginning, given when it is new.
    pub(crate) fn add_stem(&mut self, stem: &str) -> WordId {
        if let Some(id) = self.stems.get(stem) {
            return *id;
        }
        let id = self.next();
        self.stems.insert(stem.into(), id);
        id
    }

    fn next(&mut self) -> WordId {
        self.count = self.count.max(WordId::NUMBER.0).saturating_add(1);
        WordId(self.count)
    }

    /// Whether there were more words than can be numbered.
    pub(crate) fn is_full(&self) -> bool {
        self.count == u16::MAX
    }

    /// How many numbers there are, 0 included.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.count.max(WordId::NUMBER.0)) + 1
    }

    pub(crate) fn word(&self, word: &str) -> WordId {
        self.words.get(word).copied().unwrap_or_default()
    }

    /// A beginning and all the longer ones that begin with it: what a word may have as its longest
    /// beginning and still begin with this one.
    pub(crate) fn stems_from(&self, stem: &str) -> Vec<WordId> {
        let from = self
            .stems
            .range::<str, _>((Bound::Included(stem), Bound::Unbounded));
        from.take_while(|(known, _)| known.starts_with(stem))
            .map(|(_, id)| *id)
            .collect()
    }

    pub(crate) fn stems(&self) -> Stems {
        let sorted: Vec<(&str, WordId)> =
            self.stems.iter().map(|(text, id)| (&**text, *id)).collect();
        let mut stems = Stems::default();
        for (at, (text, id)) in sorted.iter().enumerate() {
            let before = sorted.get(..at).unwrap_or(&[]);
            let shorter = before
                .iter()
                .rposition(|(other, _)| text.starts_with(other));
            stems.text.push_str(text);
            stems.known.push(Stem {
                end: stems.text.len() as u32,
                id: *id,
                shorter: shorter.map(|at| at as u16),
            });
        }
        let begins_before = |byte: u16| {
            sorted.partition_point(|(text, _)| {
                text.bytes()
                    .next()
                    .is_some_and(|first| u16::from(first) < byte)
            })
        };
        stems.by_first = (0..=256).map(|byte| begins_before(byte) as u16).collect();
        stems
    }
}

/// The beginnings, sorted, so that the longest one of a word is found by bisection.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Stems {
    /// All of them, one after another.
    text: String,
    known: Vec<Stem>,
    /// Where those begin that have each first byte, and where the last ones end.
    by_first: Vec<u16>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stem {
    /// Where it ends in the text; it begins where the one before it ends.
    end: u32,
    id: WordId,
    /// The longest other beginning that this one begins with itself.
    shorter: Option<u16>,
}

impl Stems {
    /// The longest beginning that a word has; that of a number is [`WordId::NUMBER`].
    pub(crate) fn of(&self, word: &str) -> WordId {
        if word.starts_with(|first: char| first.is_ascii_digit()) {
            let is_number = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_digit());
            return if is_number {
                WordId::NUMBER
            } else {
                WordId::NONE
            };
        }
        let first = word.as_bytes().first().copied().map_or(0, usize::from);
        let start = |byte: usize| self.by_first.get(byte).copied().map_or(0, usize::from);
        let (mut from, mut to) = (start(first), start(first + 1));
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.text(middle) <= word {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        let mut at = from.checked_sub(1);
        while let Some(stem) = at.and_then(|at| self.known.get(at)) {
            if word.starts_with(self.text(at.unwrap_or_default())) {
                return stem.id;
            }
            at = stem.shorter.map(usize::from);
        }
        WordId::NONE
    }

    fn text(&self, at: usize) -> &str {
        let end = |at: usize| self.known.get(at).map_or(0, |stem| stem.end as usize);
        let start = at.checked_sub(1).map_or(0, end);
        self.text.get(start..end(at)).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_counts() {
        let mut lexicon = Lexicon::default();
        let text = lexicon.add_stem("text");
        let texting = lexicon.add_stem("texting");
        let tend = lexicon.add_stem("tend");
        let stems = lexicon.stems();
        assert_eq!(stems.of("texts"), text);
        assert_eq!(stems.of("textingly"), texting);
        assert_eq!(stems.of("textz"), text);
        assert_eq!(stems.of("tender"), tend);
        assert_eq!(stems.of("tex"), WordId::NONE);
        let mut extended = lexicon.stems_from("text");
        extended.sort_unstable();
        assert_eq!(extended, [text, texting]);
    }
}
