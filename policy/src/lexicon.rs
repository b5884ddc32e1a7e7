//! The words that a rule set knows, numbered, so that patterns compare numbers.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

/// A map whose order and hashes are the same in every build, so that snapshots are too.
pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<FxHasher>>;

/// The number of a word or of a beginning; 0 is none, 1 any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WordId(u16);

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
}

/// The words and beginnings of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    words: Map<Box<str>, WordId>,
    /// Sorted, so that the longest beginning of a word is found by bisection.
    stems: Vec<Stem>,
    count: u16,
}

#[derive(Debug)]
struct Stem {
    text: Box<str>,
    id: WordId,
    /// The longest other beginning that this one begins with itself.
    shorter: Option<usize>,
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
        if let Some(known) = self.stems.iter().find(|known| &*known.text == stem) {
            return known.id;
        }
        let id = self.next();
        self.stems.push(Stem {
            text: stem.into(),
            id,
            shorter: None,
        });
        id
    }

    /// Makes the beginnings ready to be looked up.
    pub(crate) fn finish(&mut self) {
        self.stems.sort_by(|a, b| a.text.cmp(&b.text));
        let shorter: Vec<Option<usize>> = (0..self.stems.len())
            .map(|at| {
                let (before, rest) = self.stems.split_at(at);
                let own = rest.first()?;
                before
                    .iter()
                    .rposition(|other| own.text.starts_with(&*other.text))
            })
            .collect();
        for (stem, shorter) in self.stems.iter_mut().zip(shorter) {
            stem.shorter = shorter;
        }
    }

    fn next(&mut self) -> WordId {
        // More than 65,535 words cannot be numbered; the rules' loader refuses so many.
        self.count = self.count.max(WordId::NUMBER.0).saturating_add(1);
        WordId(self.count)
    }

    /// How many numbers there are, 0 included.
    pub(crate) fn len(&self) -> usize {
        usize::from(self.count.max(WordId::NUMBER.0)) + 1
    }

    pub(crate) fn word(&self, word: &str) -> WordId {
        self.words.get(word).copied().unwrap_or(WordId::NONE)
    }

    /// The longest beginning that a word has; that of a number is [`WordId::NUMBER`].
    pub(crate) fn stem(&self, word: &str) -> WordId {
        if word.starts_with(|first: char| first.is_ascii_digit()) {
            let is_number = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_digit());
            return if is_number {
                WordId::NUMBER
            } else {
                WordId::NONE
            };
        }
        let after = self.stems.partition_point(|stem| &*stem.text <= word);
        let mut at = after.checked_sub(1);
        while let Some(stem) = at.and_then(|at| self.stems.get(at)) {
            if word.starts_with(&*stem.text) {
                return stem.id;
            }
            at = stem.shorter;
        }
        WordId::NONE
    }

    /// A beginning and all the longer ones that begin with it: what a word may have as its longest
    /// beginning and still begin with this one.
    pub(crate) fn stems_from(&self, stem: &str) -> Vec<WordId> {
        let extends = |known: &&Stem| known.text.starts_with(stem);
        self.stems
            .iter()
            .filter(extends)
            .map(|known| known.id)
            .collect()
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
        lexicon.finish();
        assert_eq!(lexicon.stem("texts"), text);
        assert_eq!(lexicon.stem("textingly"), texting);
        assert_eq!(lexicon.stem("textz"), text);
        assert_eq!(lexicon.stem("tender"), tend);
        assert_eq!(lexicon.stem("tex"), WordId::NONE);
        assert_eq!(lexicon.stems_from("text"), [text, texting]);
    }
}
