//! The texts that are looked up as a whole: words, keywords, courtesies, buttons.
//!
//! A bucket holds one text after another: its length (u16) and bytes, its number as a word (u16),
//! its flags (u8), and how many keywords it is (u8), each by language and number (u16 each).

use std::collections::BTreeMap;

use super::{PrepareError, fit};
use crate::lexicon::Lexicon;
use crate::rules::{Language, RuleSet};
use crate::tables::{
    COURTESY, Entry, FILLER, Head, REAL_WORD, SELECTION, Target, hash, length_bit, letters,
};
use crate::text::canonical;

/// The texts of a rule set, while they are being prepared.
#[derive(Default)]
pub(super) struct Texts {
    texts: BTreeMap<String, Entry>,
}

impl Texts {
    fn entry(&mut self, text: String) -> &mut Entry {
        self.texts.entry(text).or_default()
    }

    pub(super) fn add_language(
        &mut self,
        number: usize,
        language: &Language,
        lexicon: &mut Lexicon,
        head: &mut Head,
    ) {
        for (flag, phrases) in [
            (COURTESY, &language.courtesies),
            (FILLER, &language.fillers),
        ] {
            for phrase in phrases {
                let text = canonical(phrase);
                head.longest_courtesy = head.longest_courtesy.max(text.split(' ').count());
                add_words(&text, lexicon);
                self.entry(text).flags |= flag;
            }
        }
        for word in &language.real_words {
            self.entry(canonical(word)).flags |= REAL_WORD;
        }
        for (at, keyword) in language.keywords.iter().enumerate() {
            let at = (number, at);
            for word in &keyword.words {
                let text = canonical(word);
                add_words(&text, lexicon);
                if keyword.misspelt && text.is_ascii() && !text.contains(' ') {
                    head.targets.push(Target::new(&text, Some(at)));
                }
                self.entry(text).keywords.push(at);
            }
            for id in &keyword.selections {
                let text = format!("{SELECTION}{}", id.to_lowercase());
                self.entry(text).keywords.push(at);
            }
        }
    }

    /// By the words' numbers, the lengths of the courtesies that begin with each, and end with it.
    pub(super) fn courtesies(&self, lexicon: &Lexicon) -> Vec<[u16; 2]> {
        let mut lengths = vec![[0; 2]; lexicon.len()];
        for (text, _) in self
            .texts
            .iter()
            .filter(|(_, entry)| entry.flags & (COURTESY | FILLER) != 0)
        {
            let bit = length_bit(text.split(' ').count());
            let ends = [text.split(' ').next(), text.rsplit(' ').next()];
            for (end, word) in ends.into_iter().enumerate() {
                let word = lexicon.word(word.unwrap_or_default()).index();
                if let Some(lengths) = lengths.get_mut(word).and_then(|ends| ends.get_mut(end)) {
                    *lengths |= bit;
                }
            }
        }
        lengths
    }

    /// Writes the buckets: where each begins, then what is in them.
    pub(super) fn write(
        &self,
        lexicon: &Lexicon,
        head: &mut Head,
    ) -> Result<Vec<u8>, PrepareError> {
        let nothing = Entry::default();
        let mut all: BTreeMap<&str, &Entry> = lexicon
            .words
            .keys()
            .map(|word| (&**word, &nothing))
            .collect();
        all.extend(self.texts.iter().map(|(text, entry)| (&**text, entry)));
        head.buckets = (all.len() / 2).next_power_of_two();
        let mut buckets = vec![Vec::new(); head.buckets];
        for (text, entry) in all {
            let Some(bucket) = buckets.get_mut(hash(text) as usize & (head.buckets - 1)) else {
                continue;
            };
            bucket.extend(fit::<u16>(text.len())?.to_le_bytes());
            bucket.extend(text.as_bytes());
            bucket.extend(lexicon.word(text).0.to_le_bytes());
            bucket.extend([entry.flags, fit(entry.keywords.len())?]);
            for (language, keyword) in &entry.keywords {
                bucket.extend(fit::<u16>(*language)?.to_le_bytes());
                bucket.extend(fit::<u16>(*keyword)?.to_le_bytes());
            }
        }
        let mut source = Vec::new();
        let mut at = (4 * (buckets.len() + 1)) as u32;
        for bucket in &buckets {
            source.extend(at.to_le_bytes());
            at += bucket.len() as u32;
        }
        source.extend(at.to_le_bytes());
        source.extend(buckets.concat());
        Ok(source)
    }
}

fn add_words(folded: &str, lexicon: &mut Lexicon) {
    folded
        .split(' ')
        .for_each(|word| _ = lexicon.add_word(word));
}

/// The words that footers name, and "stop2end" and the like, for misspellings of them.
pub(super) fn add_echoes(rules: &RuleSet, lexicon: &mut Lexicon, head: &mut Head) {
    let words: Vec<String> = rules
        .echo
        .words
        .iter()
        .map(|word| canonical(word))
        .collect();
    for word in &words {
        lexicon.add_word(word);
    }
    let short = || words.iter().filter(|word| word.len() <= 5);
    for first in short() {
        for joiner in ["2", "to"] {
            for last in short() {
                let echo = format!("{first}{joiner}{last}");
                head.targets.push(Target::new(&echo, None));
            }
        }
        head.targets.push(Target::new(&format!("{first}2"), None));
    }
}

impl Target {
    fn new(word: &str, keyword: Option<(usize, usize)>) -> Self {
        Self {
            letters: letters(word),
            word: word.into(),
            keyword,
        }
    }
}
