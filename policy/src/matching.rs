//! Matching prepared patterns against the words of a message. How they are written down: see
//! [`crate::prepare`].

use std::ops::ControlFlow;

use crate::lexicon::WordId;
use crate::pattern::bit;
use crate::source::Cursor;
use crate::tables::Tables;
use crate::text::{Break, Text};

/// What a pattern is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Phrase,
    Guard,
    /// The words for a category or a channel.
    Name,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Phrase, Self::Guard, Self::Name];
}

/// The number of the set that every word is of.
pub(crate) const ANY: u16 = u16::MAX;

/// A pattern that may begin with a word, at one of its places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Where the pattern is, and its size in bytes.
    pub(crate) at: u32,
    pub(crate) size: u16,
    pub(crate) place: u8,
    /// Whether only where a sentence begins.
    pub(crate) at_start: bool,
    /// The set of the words one of which must come next; [`ANY`] also when none has to.
    pub(crate) next: u16,
    /// The bits of those words, by which most candidates are told at once that they cannot fit.
    pub(crate) bits: u64,
}

impl Candidate {
    pub(crate) const SIZE: usize = 18;

    fn read(cursor: &mut Cursor<'_>) -> Self {
        Self {
            at: cursor.u32(),
            size: cursor.u16(),
            place: cursor.u8(),
            at_start: cursor.u8() != 0,
            next: cursor.u16(),
            bits: cursor.u64(),
        }
    }

    pub(crate) fn write(self, to: &mut Vec<u8>) {
        to.extend(self.at.to_le_bytes());
        to.extend(self.size.to_le_bytes());
        to.extend([self.place, u8::from(self.at_start)]);
        to.extend(self.next.to_le_bytes());
        to.extend(self.bits.to_le_bytes());
    }
}

/// How a place may end a pattern.
pub(crate) const LAST: u8 = 1;
pub(crate) const LAST_OF_SENTENCE: u8 = 2;

/// A prepared pattern's bytes.
struct Pattern<'b>(&'b [u8]);

impl Pattern<'_> {
    const HEADER: usize = 4;
    const PLACE: usize = 4;

    fn cursor(&self, at: usize) -> Cursor<'_> {
        Cursor(self.0.get(at..).unwrap_or(&[]))
    }

    fn rule(&self) -> usize {
        self.cursor(0).u16().into()
    }

    /// The set of a place, the number of what follows it, and how it may end the pattern.
    fn place(&self, at: usize) -> (u16, usize, u8) {
        let mut cursor = self.cursor(Self::HEADER + at * Self::PLACE);
        (cursor.u16(), cursor.u8().into(), cursor.u8())
    }

    /// The places that may come next.
    fn follow(&self, number: usize) -> u128 {
        let places = usize::from(self.cursor(2).u8());
        let table = Self::HEADER + places * Self::PLACE;
        let at = self.cursor(table + 2 * number).u16();
        let mut runs = self.cursor(at.into());
        let mut follow = 0;
        for _ in 0..runs.u8() {
            let (start, length) = (runs.u8(), runs.u8());
            let run = u128::MAX >> (128 - u32::from(length).clamp(1, 128));
            follow |= run << (u32::from(start) & 127);
        }
        follow
    }

    /// Where it ends when it begins at a token with one of its places: each number of tokens that
    /// fits. A sentence's end is never inside a match.
    ///
    /// Every place that may be reached is followed at the same time, so that the work for each word
    /// is bounded by the pattern's length.
    fn ends(&self, text: &Text, from: usize, place: u8, mut found: impl FnMut(usize)) {
        let mut open = bit(place.into());
        for (at, token) in text.tokens.iter().enumerate().skip(from) {
            if at > from && token.before >= Break::Stop {
                return;
            }
            let (mut next, mut last) = (0, 0);
            while open != 0 {
                let place = open.trailing_zeros() as usize;
                open &= open - 1;
                let (set, follow, flags) = self.place(place);
                if at == from || text.fits(token, set) {
                    next |= self.follow(follow);
                    last |= flags;
                }
            }
            if last & LAST != 0 || (last & LAST_OF_SENTENCE != 0 && text.ends_sentence(at + 1)) {
                found(at + 1);
            }
            if next == 0 {
                return;
            }
            open = next;
        }
    }
}

/// Every match of a kind: the rule's number, and the tokens from where up to where. Ends when it is
/// told that there are enough.
pub(crate) fn matches(
    tables: &Tables,
    text: &Text,
    kind: Kind,
    mut found: impl FnMut(usize, usize, usize) -> ControlFlow<()>,
) {
    let mut candidates = Vec::new();
    let mut pattern = Vec::new();
    for (from, token) in text.tokens.iter().enumerate() {
        let begins = text.ends_sentence(from) || from == 0;
        let next = text
            .tokens
            .get(from + 1)
            .filter(|_| !text.ends_sentence(from + 1));
        let bits = next.map_or(0, |next| next.word.bit() | next.stem.bit());
        for id in [token.word, token.stem] {
            tables.read_candidates(text, id, kind, &mut candidates);
            let mut cursor = Cursor(&candidates);
            for _ in 0..candidates.len() / Candidate::SIZE {
                let candidate = Candidate::read(&mut cursor);
                let goes_on = || {
                    candidate.bits & bits != 0
                        && next.is_some_and(|next| text.fits(next, candidate.next))
                };
                if (candidate.at_start && !begins) || (candidate.next != ANY && !goes_on()) {
                    continue;
                }
                tables.read(candidate.at as usize, candidate.size.into(), &mut pattern);
                let pattern = Pattern(&pattern);
                let mut enough = false;
                pattern.ends(text, from, candidate.place, |to| {
                    enough = enough || found(pattern.rule(), from, to).is_break();
                });
                if enough {
                    return;
                }
            }
        }
    }
}

/// The sets that a word is of: a hash table of their numbers, two bytes each, [`ANY`] where it is
/// empty.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sets {
    /// Where it begins among those of the message.
    pub(crate) start: u32,
    /// How many slots it has: none, or a power of two.
    pub(crate) slots: u16,
}

impl Sets {
    /// Its size, in bytes.
    pub(crate) fn size(self) -> usize {
        2 * usize::from(self.slots)
    }

    /// Where a set is looked for first.
    fn first(self, set: u16) -> u16 {
        let spread = u32::from(set).wrapping_mul(0x9E37_79B1) >> 16;
        spread as u16 & self.slots.wrapping_sub(1)
    }

    pub(crate) fn has(self, set: u16, all: &[u8]) -> bool {
        if self.slots == 0 {
            return false;
        }
        let mut slot = self.first(set);
        loop {
            let at = self.start as usize + 2 * usize::from(slot);
            let known = all.get(at..at + 2).and_then(|pair| pair.try_into().ok());
            match known.map_or(ANY, u16::from_le_bytes) {
                ANY => return false,
                known if known == set => return true,
                _ => slot = (slot + 1) & (self.slots - 1),
            }
        }
    }

    /// The slots for some sets; half of them at least stay empty. Nothing when there are too many
    /// sets.
    pub(crate) fn table(sets: &[u16]) -> Option<Vec<u16>> {
        let slots = if sets.is_empty() {
            0
        } else {
            (2 * sets.len()).next_power_of_two()
        };
        let this = Self {
            start: 0,
            slots: slots.try_into().ok()?,
        };
        let mut table = vec![ANY; slots];
        for set in sets {
            let mut slot = this.first(*set);
            while let Some(taken) = table.get_mut(usize::from(slot)) {
                if *taken == ANY {
                    *taken = *set;
                    break;
                }
                slot = (slot + 1) & (this.slots - 1);
            }
        }
        Some(table)
    }
}

/// What a message needs to know of one word.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    /// Where the word's record is.
    pub(crate) at: u32,
    pub(crate) sets: Sets,
    /// How many candidates of each kind there are.
    pub(crate) candidates: [u16; Kind::ALL.len()],
    /// A bit for each length of a courtesy that begins with it, in words; and that ends with it.
    pub(crate) courtesies: [u16; 2],
}

impl Word {
    pub(crate) const HEADER: usize = 12;

    /// Where its candidates of a kind are, and how many bytes.
    pub(crate) fn candidates(&self, kind: Kind) -> (usize, usize) {
        let mut at = self.at as usize + Self::HEADER + self.sets.size();
        for (other, count) in Kind::ALL.into_iter().zip(self.candidates) {
            let size = usize::from(count) * Candidate::SIZE;
            if other == kind {
                return (at, size);
            }
            at += size;
        }
        (at, 0)
    }
}

impl Tables {
    fn read_candidates(&self, text: &Text, id: WordId, kind: Kind, into: &mut Vec<u8>) {
        match text.word(id) {
            Some(word) => {
                let (at, size) = word.candidates(kind);
                self.read(at, size, into);
            }
            None => into.clear(),
        }
    }
}
