//! A rule set made ready to be looked up.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::candidates::{Candidates, Kind, Word, matches};
use crate::lexicon::{Stems, WordId};
use crate::matching::Sets;
use crate::rules::{Guard, Keyword, Phrase, RuleSet};
use crate::source::{Cursor, Source};
use crate::text::Text;
use crate::types::{Channel, Intent};
use crate::whole::Fit;

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
pub(crate) type At = (usize, usize);

/// A word that a misspelling is compared with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) word: Box<str>,
    /// A bit for each letter that it has.
    pub(crate) letters: u32,
    pub(crate) keyword: Option<At>,
}

/// What a word of the rules names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Name {
    Category(String),
    Channel(Channel),
}

/// The part of the tables that an instance holds in its memory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) stems: Stems,
    pub(crate) longest_courtesy: usize,
    pub(crate) targets: Vec<Target>,
    pub(crate) phrase_at: Vec<At>,
    pub(crate) guard_at: Vec<At>,
    pub(crate) names: Vec<(usize, Name)>,
    /// How many buckets the texts are in, a power of two. Where each begins, and where the last one
    /// ends, stands at the beginning of the source.
    pub(crate) buckets: usize,
    /// Where the beginnings of the words' records stand, by number.
    pub(crate) words: usize,
}

/// What a text is: flags of an [`Entry`].
pub(crate) const COURTESY: u8 = 1;
pub(crate) const FILLER: u8 = 2;
pub(crate) const REAL_WORD: u8 = 4;

/// What most buckets have room in, in bytes.
const MOST_BUCKETS: usize = 128;

/// What stands before the identifier of a button, so that it is not taken for a text.
pub(crate) const SELECTION: char = '\u{1}';

/// What the rules know of a text that is a word, a keyword or a courtesy.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    pub(crate) word: WordId,
    pub(crate) flags: u8,
    pub(crate) keywords: Vec<At>,
}

#[derive(Debug)]
pub(crate) struct Tables {
    head: Head,
    source: Box<dyn Source>,
}

impl Tables {
    pub(crate) fn new(head: Head, source: Box<dyn Source>) -> Self {
        Self { head, source }
    }

    /// Replaces what is in `into` by some bytes of the source.
    pub(crate) fn read(&self, at: usize, size: usize, into: &mut Vec<u8>) {
        // What was there is overwritten; only what is longer has to be filled first.
        if into.len() < size {
            into.resize(size, 0);
        }
        into.truncate(size);
        self.source.read(at, into);
    }

    /// Some bytes of the source.
    pub(crate) fn read_array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        self.source.read(at, &mut bytes);
        bytes
    }

    /// Where a record begins and how long it is, from a list of beginnings.
    fn record(&self, beginnings: usize, number: usize) -> (usize, usize) {
        let pair = self.read_array::<8>(beginnings + 4 * number);
        let mut pair = Cursor(&pair);
        let (start, end) = (pair.u32() as usize, pair.u32() as usize);
        (start, end.saturating_sub(start))
    }

    fn entry(&self, text: &str) -> Entry {
        let (at, size) = self.record(0, hash(text) as usize & (self.head.buckets - 1));
        let mut most = [0; MOST_BUCKETS];
        let mut large = Vec::new();
        let bucket = match most.get_mut(..size) {
            Some(bucket) => {
                self.source.read(at, bucket);
                bucket
            }
            None => {
                self.read(at, size, &mut large);
                &mut large
            }
        };
        let mut cursor = Cursor(bucket);
        while !cursor.0.is_empty() {
            let length = cursor.u16();
            let is_it = cursor.take(length.into()) == text.as_bytes();
            let word = WordId(cursor.u16());
            let (flags, count) = (cursor.u8(), cursor.u8());
            let mut keywords = Cursor(cursor.take(4 * usize::from(count)));
            if is_it {
                let one = |_| (keywords.u16().into(), keywords.u16().into());
                return Entry {
                    word,
                    flags,
                    keywords: (0..count).map(one).collect(),
                };
            }
        }
        Entry::default()
    }

    pub(crate) fn word(&self, folded: &str) -> WordId {
        self.entry(folded).word
    }

    /// The longest beginning that a word has.
    pub(crate) fn stem(&self, folded: &str) -> WordId {
        self.head.stems.of(folded)
    }

    /// What is known of a word, and the sets that it is of.
    pub(crate) fn read_word(&self, id: WordId, sets: &mut Vec<u8>) -> Word {
        let (at, _) = self.record(self.head.words, id.index());
        let header = self.read_array::<{ Word::HEADER }>(at);
        let mut header = Cursor(&header);
        let own = Sets {
            start: sets.len() as u32,
            slots: header.u16(),
        };
        sets.resize(sets.len() + own.size(), 0);
        if let Some(own) = sets.get_mut(own.start as usize..) {
            self.source.read(at + Word::HEADER, own);
        }
        Word {
            at: at as u32,
            sets: own,
            candidates: Kind::ALL.map(|_| Candidates {
                groups: header.u16(),
                open: header.u16(),
                grouped: header.u16(),
            }),
            courtesies: [header.u16(), header.u16()],
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
    pub(crate) fn whole(&self, folded: &str) -> Vec<At> {
        self.entry(folded).keywords
    }

    pub(crate) fn selection(&self, id: &str) -> Vec<At> {
        self.entry(&format!("{SELECTION}{}", id.to_lowercase()))
            .keywords
    }

    /// Whether some words are a courtesy; or, when they may be, a filler.
    pub(crate) fn is_courtesy(&self, folded: &str, or_filler: bool) -> bool {
        let wanted = if or_filler {
            COURTESY | FILLER
        } else {
            COURTESY
        };
        self.entry(folded).flags & wanted != 0
    }

    pub(crate) fn longest_courtesy(&self) -> usize {
        self.head.longest_courtesy
    }

    pub(crate) fn is_real_word(&self, folded: &str) -> bool {
        self.entry(folded).flags & REAL_WORD != 0
    }

    /// Whether a text is a keyword or no misspelling of one.
    pub(crate) fn is_a_word(&self, folded: &str) -> bool {
        let entry = self.entry(folded);
        entry.flags & REAL_WORD != 0 || !entry.keywords.is_empty()
    }

    pub(crate) fn targets(&self) -> &[Target] {
        &self.head.targets
    }

    pub(crate) fn phrase<'r>(
        &self,
        rules: &'r RuleSet,
        number: usize,
    ) -> Option<(&'r Phrase, Spoken<'r>)> {
        let (spoken, at) = *self.head.phrase_at.get(number)?;
        let language = rules.languages.get(spoken)?;
        Some((language.phrases.get(at)?, (spoken, &language.tag)))
    }

    /// A guard, with the number of its language.
    pub(crate) fn guard<'r>(
        &self,
        rules: &'r RuleSet,
        number: usize,
    ) -> Option<(&'r Guard, usize)> {
        let (language, at) = *self.head.guard_at.get(number)?;
        Some((rules.languages.get(language)?.guards.get(at)?, language))
    }

    /// The categories and channels that a match names, in the language of its rule.
    pub(crate) fn names(&self, text: &Text, fit: &Fit<'_>) -> Vec<&Name> {
        let mut names = Vec::new();
        matches(self, text, Kind::Name, |number, from, to| {
            if let Some((language, name)) = self.head.names.get(number)
                && fit.rule.spoken == Some(*language)
                && (fit.from..fit.to).contains(&from)
                && to <= fit.to
            {
                names.push(name);
            }
            ControlFlow::Continue(())
        });
        names
    }
}

/// The hash by which texts are in buckets: FNV-1a.
pub(crate) fn hash(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let hash = text.bytes().fold(0x811c_9dc5, step);
    hash ^ (hash >> 16)
}

/// The bit for a length in words; one bit for all that are too long.
pub(crate) fn length_bit(count: usize) -> u16 {
    1 << count.clamp(1, 16).saturating_sub(1)
}

/// Whether a length is among some.
pub(crate) fn has_length(lengths: u16, count: usize) -> bool {
    lengths & length_bit(count) != 0
}

/// A bit for each letter of a word.
pub(crate) fn letters(word: &str) -> u32 {
    word.bytes()
        .filter(u8::is_ascii_lowercase)
        .fold(0, |bits, letter| bits | 1 << (letter - b'a'))
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
