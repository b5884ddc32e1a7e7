//! Patterns in the form in which they are matched.
//!
//! One pattern is: its rule (u16), how many places it has and how many different sets of places
//! follow them (u8 each); for each place the set of words that fits it (u16), the number of what
//! follows it (u8) and how it may end the pattern (u8); where each set of following places stands
//! in the pattern (u16); and those sets as runs: how many (u8), and of each the first place and the
//! length (u8 each).

use super::{PrepareError, fit};
use crate::lexicon::{Lexicon, Map, WordId};
use crate::matching::{ANY, Candidate, Kind, LAST, LAST_OF_SENTENCE, Sets};
use crate::pattern::{Parsed, bit, words_of};
use crate::tables::Head;

/// The patterns of a rule set, while they are being prepared.
pub(super) struct Patterns<'l> {
    lexicon: &'l Lexicon,
    /// Sets of words, each kept once: many patterns name the same class.
    sets: Map<Vec<WordId>, u16>,
    bytes: Vec<u8>,
    words: Vec<WordRecord>,
}

/// What a word's record holds.
#[derive(Clone, Default)]
struct WordRecord {
    sets: Vec<u16>,
    candidates: [Vec<Candidate>; Kind::ALL.len()],
}

impl<'l> Patterns<'l> {
    pub(super) fn new(lexicon: &'l Lexicon) -> Self {
        Self {
            lexicon,
            sets: Map::default(),
            bytes: Vec::new(),
            words: vec![WordRecord::default(); lexicon.len()],
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.sets.len() >= usize::from(ANY)
    }

    /// Adds a pattern of the rule with this number.
    pub(super) fn add(
        &mut self,
        parsed: &Parsed,
        kind: Kind,
        rule: usize,
    ) -> Result<(), PrepareError> {
        let places: Vec<Vec<WordId>> = parsed
            .places
            .iter()
            .map(|place| words_of(place, self.lexicon))
            .collect();
        let at = self.bytes.len() as u32;
        self.write_pattern(parsed, &places, fit(rule)?);
        let size = (self.bytes.len() - at as usize) as u16;
        let [anywhere, at_start] = parsed.first;
        for (number, words) in places.iter().enumerate() {
            if (anywhere | at_start) & bit(number) == 0 {
                continue;
            }
            let next = next(parsed, &places, number);
            let candidate = Candidate {
                at,
                size,
                place: number as u8,
                at_start: anywhere & bit(number) == 0,
                next: self.set(&next),
                bits: next.iter().fold(0, |bits, word| bits | word.bit()),
            };
            for word in words {
                if let Some(record) = self.words.get_mut(word.index())
                    && let Some(list) = record.candidates.get_mut(kind as usize)
                {
                    list.push(candidate);
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, words: &[WordId]) -> u16 {
        if words.is_empty() {
            return ANY;
        }
        if let Some(number) = self.sets.get(words) {
            return *number;
        }
        let number = u16::try_from(self.sets.len()).unwrap_or(ANY);
        self.sets.insert(words.to_vec(), number);
        for word in words {
            if let Some(record) = self.words.get_mut(word.index()) {
                record.sets.push(number);
            }
        }
        number
    }

    fn write_pattern(&mut self, parsed: &Parsed, places: &[Vec<WordId>], rule: u16) {
        let mut follows: Vec<u128> = Vec::new();
        let mut written = Vec::new();
        let [last, last_of_sentence] = parsed.last;
        for (at, (words, follow)) in places.iter().zip(&parsed.follow).enumerate() {
            let known = follows.iter().position(|known| known == follow);
            let number = known.unwrap_or_else(|| {
                follows.push(*follow);
                follows.len() - 1
            });
            let flag = |set: u128, flag| if set & bit(at) == 0 { 0 } else { flag };
            written.extend(self.set(words).to_le_bytes());
            written.extend([
                number as u8,
                flag(last, LAST) | flag(last_of_sentence, LAST_OF_SENTENCE),
            ]);
        }
        self.bytes.extend(rule.to_le_bytes());
        self.bytes.extend([places.len() as u8, follows.len() as u8]);
        let mut runs_at = 4 + written.len() + 2 * follows.len();
        self.bytes.extend(written);
        let runs: Vec<Vec<u8>> = follows.into_iter().map(runs).collect();
        for runs in &runs {
            self.bytes.extend((runs_at as u16).to_le_bytes());
            runs_at += runs.len();
        }
        self.bytes.extend(runs.concat());
    }

    /// Writes the patterns and the records of the words after what is there. `courtesies` has the
    /// lengths of the courtesies that begin, and end, with each word.
    pub(super) fn write(
        mut self,
        courtesies: &[[u16; 2]],
        source: &mut Vec<u8>,
        head: &mut Head,
    ) -> Result<(), PrepareError> {
        let patterns = source.len() as u32;
        source.append(&mut self.bytes);
        head.words = source.len();
        let mut at = (source.len() + 4 * (self.words.len() + 1)) as u32;
        let mut records = Vec::new();
        for (number, word) in self.words.iter().enumerate() {
            source.extend(at.to_le_bytes());
            let start = records.len();
            let sets = Sets::table(&word.sets).ok_or(PrepareError::TooMany)?;
            records.extend(fit::<u16>(sets.len())?.to_le_bytes());
            for candidates in &word.candidates {
                records.extend(fit::<u16>(candidates.len())?.to_le_bytes());
            }
            for lengths in courtesies.get(number).copied().unwrap_or_default() {
                records.extend(lengths.to_le_bytes());
            }
            for set in sets {
                records.extend(set.to_le_bytes());
            }
            for candidate in word.candidates.iter().flatten() {
                let moved = Candidate {
                    at: candidate.at + patterns,
                    ..*candidate
                };
                moved.write(&mut records);
            }
            at += (records.len() - start) as u32;
        }
        source.extend(at.to_le_bytes());
        source.append(&mut records);
        Ok(())
    }
}

/// The words one of which must come after a place; none when it may be any or the last.
fn next(parsed: &Parsed, places: &[Vec<WordId>], place: usize) -> Vec<WordId> {
    let [last, last_of_sentence] = parsed.last;
    let follow = parsed.follow.get(place).copied().unwrap_or(0);
    let follows = |(at, _): &(usize, &Vec<WordId>)| follow & bit(*at) != 0;
    let next = || places.iter().enumerate().filter(follows);
    if (last | last_of_sentence) & bit(place) != 0 || next().any(|(_, words)| words.is_empty()) {
        return Vec::new();
    }
    let mut words: Vec<WordId> = next().flat_map(|(_, words)| words).copied().collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// A set of places as runs.
fn runs(set: u128) -> Vec<u8> {
    let mut runs = vec![0];
    let mut rest = set;
    let mut at = 0;
    while rest != 0 {
        let gap = rest.trailing_zeros();
        rest >>= gap;
        let length = rest.trailing_ones();
        rest = rest.checked_shr(length).unwrap_or(0);
        runs.extend([(at + gap) as u8, length as u8]);
        at += gap + length;
    }
    let count = (runs.len() / 2) as u8;
    if let Some(first) = runs.first_mut() {
        *first = count;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn a_set_of_places_is_written_as_runs() {
        assert_eq!(runs(0), [0]);
        assert_eq!(runs(0b1), [1, 0, 1]);
        assert_eq!(runs(0b110_0110), [2, 1, 2, 5, 2]);
        assert_eq!(runs(u128::MAX), [1, 0, 128]);
        assert_eq!(runs(1 << 127), [1, 127, 1]);
    }
}
