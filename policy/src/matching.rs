//! Prepared patterns, followed through the words of a message. How they are written down: see
//! [`crate::prepare`].

use crate::source::Cursor;
use crate::text::{Break, Text};

/// The number of the set that every word is of.
pub(crate) const ANY: u16 = u16::MAX;

/// How a place may end a pattern.
pub(crate) const LAST: u8 = 1;
pub(crate) const LAST_OF_SENTENCE: u8 = 2;

/// A prepared pattern's bytes.
pub(crate) struct Pattern<'b>(pub(crate) &'b [u8]);

impl Pattern<'_> {
    const HEADER: usize = 4;
    const PLACE: usize = 4;

    fn cursor(&self, at: usize) -> Cursor<'_> {
        Cursor(self.0.get(at..).unwrap_or(&[]))
    }

    pub(crate) fn rule(&self) -> usize {
        self.cursor(0).u16().into()
    }

    /// The set of a place, the number of what follows it, and how it may end the pattern.
    fn place(&self, at: usize) -> (u16, usize, u8) {
        let mut cursor = self.cursor(Self::HEADER + at * Self::PLACE);
        (cursor.u16(), cursor.u8().into(), cursor.u8())
    }

    /// The places that may come next: a bit for each, in as many words as the pattern needs.
    fn follow(&self, number: usize) -> [u64; 2] {
        let places = usize::from(self.cursor(2).u8());
        let words = words_for(places);
        let at = Self::HEADER + places * Self::PLACE + number * words * size_of::<u64>();
        let mut cursor = self.cursor(at);
        [cursor.u64(), if words > 1 { cursor.u64() } else { 0 }]
    }

    /// Where it ends when it begins at a token with one of its places: each number of tokens that
    /// fits. A sentence's end is never inside a match.
    ///
    /// Every place that may be reached is followed at the same time, so that the work for each word
    /// is bounded by the pattern's length. The sets of places are two words, as shifting 128 bits is
    /// a call in WebAssembly.
    pub(crate) fn ends(&self, text: &Text, from: usize, place: u8, mut found: impl FnMut(usize)) {
        let mut open = [0_u64; 2];
        if let Some(word) = open.get_mut(usize::from(place / 64)) {
            *word = 1 << (place % 64);
        }
        for (at, token) in text.tokens.iter().enumerate().skip(from) {
            if at > from && token.before >= Break::Stop {
                return;
            }
            let (mut next, mut last) = ([0; 2], 0);
            for (first, mut word) in [0, 64].into_iter().zip(open) {
                while word != 0 {
                    let place = first + word.trailing_zeros() as usize;
                    word &= word - 1;
                    let (set, follow, flags) = self.place(place);
                    if at == from || text.fits(token, set) {
                        let [low, high] = self.follow(follow);
                        next = [next[0] | low, next[1] | high];
                        last |= flags;
                    }
                }
            }
            if last & LAST != 0 || (last & LAST_OF_SENTENCE != 0 && text.ends_sentence(at + 1)) {
                found(at + 1);
            }
            if next == [0; 2] {
                return;
            }
            open = next;
        }
    }
}

/// How many words of 64 bits a set of places takes.
pub(crate) fn words_for(places: usize) -> usize {
    if places > 64 { 2 } else { 1 }
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
