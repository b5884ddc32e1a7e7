//! Patterns in the form in which they are matched.
//!
//! One pattern is: its rule (u16), how many places it has and how many different sets of places
//! follow them (u8 each); for each place the set of words that fits it (u16), the number of what
//! follows it (u8) and how it may end the pattern (u8); and those sets, a bit for each place (u64, or
//! u128 for more than 64 places).

use std::collections::BTreeMap;

use super::{PrepareError, fit};
use crate::candidates::{ANYTHING, Candidate, Group, Kind};
use crate::lexicon::{Lexicon, Map, WordId};
use crate::matching::{ANY, LAST, LAST_OF_SENTENCE, Sets, words_for};
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
    candidates: [Listed; Kind::ALL.len()],
}

/// Candidates that need no certain word next, and those that do, by the set of those words.
#[derive(Clone, Default)]
struct Listed {
    open: Vec<Candidate>,
    groups: BTreeMap<u16, (u64, Vec<Candidate>)>,
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
            let next = next(parsed, &places, bit(number));
            let candidate = Candidate {
                at,
                size,
                place: number as u8,
                at_start: anywhere & bit(number) == 0,
                second: second(parsed, &places, number),
            };
            let set = self.set(&next);
            for word in words {
                if let Some(record) = self.words.get_mut(word.index())
                    && let Some(list) = record.candidates.get_mut(kind as usize)
                {
                    if set == ANY {
                        list.open.push(candidate);
                    } else {
                        let group = list.groups.entry(set).or_default();
                        group.0 = bits(&next);
                        group.1.push(candidate);
                    }
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
        self.bytes.extend(written);
        let size = words_for(places.len()) * size_of::<u64>();
        for follow in follows {
            let bytes = follow.to_le_bytes();
            self.bytes.extend(bytes.into_iter().take(size));
        }
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
                let grouped = candidates.groups.values().map(|(_, group)| group.len());
                for count in [
                    candidates.groups.len(),
                    candidates.open.len(),
                    grouped.sum(),
                ] {
                    records.extend(fit::<u16>(count)?.to_le_bytes());
                }
            }
            for lengths in courtesies.get(number).copied().unwrap_or_default() {
                records.extend(lengths.to_le_bytes());
            }
            for set in sets {
                records.extend(set.to_le_bytes());
            }
            for Listed { open, groups } in &word.candidates {
                for (set, (bits, group)) in groups {
                    let group = Group {
                        bits: *bits,
                        set: *set,
                        count: fit(group.len())?,
                    };
                    group.write(&mut records);
                }
                let grouped = groups.values().flat_map(|(_, group)| group);
                for candidate in open.iter().chain(grouped) {
                    let moved = Candidate {
                        at: candidate.at + patterns,
                        ..*candidate
                    };
                    moved.write(&mut records);
                }
            }
            at += (records.len() - start) as u32;
        }
        source.extend(at.to_le_bytes());
        source.append(&mut records);
        Ok(())
    }
}

/// The words one of which must come after some places; none when it may be any, or when one of the
/// places may be the last.
fn next(parsed: &Parsed, places: &[Vec<WordId>], after: u128) -> Vec<WordId> {
    let [last, last_of_sentence] = parsed.last;
    let follow = followers(parsed, after);
    let follows = |(at, _): &(usize, &Vec<WordId>)| follow & bit(*at) != 0;
    let next = || places.iter().enumerate().filter(follows);
    if (last | last_of_sentence) & after != 0 || next().any(|(_, words)| words.is_empty()) {
        return Vec::new();
    }
    let mut words: Vec<WordId> = next().flat_map(|(_, words)| words).copied().collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// The bits of the words that must come second after a place.
fn second(parsed: &Parsed, places: &[Vec<WordId>], place: usize) -> u64 {
    let [last, last_of_sentence] = parsed.last;
    if (last | last_of_sentence) & bit(place) != 0 {
        return ANYTHING;
    }
    match next(parsed, places, followers(parsed, bit(place))).as_slice() {
        [] => ANYTHING,
        words => bits(words),
    }
}

fn bits(words: &[WordId]) -> u64 {
    words.iter().fold(0, |bits, word| bits | word.bit())
}

/// The places that may come directly after some.
fn followers(parsed: &Parsed, after: u128) -> u128 {
    let follow = parsed.follow.iter().enumerate();
    follow
        .filter(|(at, _)| after & bit(*at) != 0)
        .fold(0, |all, (_, follow)| all | follow)
}
