//! Which patterns may begin at a word of a message. Hundreds begin with a common word, and most are
//! told by the words that come after it that they cannot fit.

use std::ops::ControlFlow;

use crate::matching::{Pattern, Sets};
use crate::source::Cursor;
use crate::tables::Tables;
use crate::text::{Text, Token};

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

/// A pattern that may begin with a word, at one of its places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Where the pattern is, and its size in bytes.
    pub(crate) at: u32,
    pub(crate) size: u16,
    pub(crate) place: u8,
    /// Whether only where a sentence begins.
    pub(crate) at_start: bool,
    /// The bits of the words one of which must be the second next; [`ANYTHING`] when none has to.
    pub(crate) second: u64,
}

/// The bits of every word, and of the end of a sentence.
pub(crate) const ANYTHING: u64 = u64::MAX;

impl Candidate {
    const SIZE: usize = 16;

    fn read(cursor: &mut Cursor<'_>) -> Self {
        Self {
            at: cursor.u32(),
            size: cursor.u16(),
            place: cursor.u8(),
            at_start: cursor.u8() != 0,
            second: cursor.u64(),
        }
    }

    pub(crate) fn write(self, to: &mut Vec<u8>) {
        to.extend(self.at.to_le_bytes());
        to.extend(self.size.to_le_bytes());
        to.extend([self.place, u8::from(self.at_start)]);
        to.extend(self.second.to_le_bytes());
    }
}

/// Candidates that need one of the same words next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    /// The bits of those words, by which most groups are told at once that they cannot fit.
    pub(crate) bits: u64,
    pub(crate) set: u16,
    pub(crate) count: u16,
}

impl Group {
    const SIZE: usize = 12;

    fn read(cursor: &mut Cursor<'_>) -> Self {
        Self {
            bits: cursor.u64(),
            set: cursor.u16(),
            count: cursor.u16(),
        }
    }

    pub(crate) fn write(self, to: &mut Vec<u8>) {
        to.extend(self.bits.to_le_bytes());
        to.extend(self.set.to_le_bytes());
        to.extend(self.count.to_le_bytes());
    }
}

/// What there is of a word's candidates of a kind: first the groups, then the candidates that need
/// no certain word next, then those of one group after another.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) groups: u16,
    pub(crate) open: u16,
    pub(crate) grouped: u16,
}

impl Candidates {
    fn size(self) -> usize {
        let all = usize::from(self.open) + usize::from(self.grouped);
        usize::from(self.groups) * Group::SIZE + all * Candidate::SIZE
    }
}

/// What a message needs to know of one word.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    /// Where the word's record is.
    pub(crate) at: u32,
    pub(crate) sets: Sets,
    pub(crate) candidates: [Candidates; Kind::ALL.len()],
    /// A bit for each length of a courtesy that begins with it, in words; and that ends with it.
    pub(crate) courtesies: [u16; 2],
}

impl Word {
    pub(crate) const HEADER: usize = 24;

    /// What there is of a kind, and where it begins.
    fn candidates(&self, kind: Kind) -> (Candidates, usize) {
        let mut at = self.at as usize + Self::HEADER + self.sets.size();
        for (other, candidates) in Kind::ALL.into_iter().zip(self.candidates) {
            if other == kind {
                return (candidates, at);
            }
            at += candidates.size();
        }
        (Candidates::default(), at)
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
    let mut groups = Vec::new();
    let mut buffers = (Vec::new(), Vec::new());
    for (from, token) in text.tokens.iter().enumerate() {
        let start = Start::at(text, from);
        for id in [token.word, token.stem] {
            let Some(word) = text.word(id) else { continue };
            let (own, at) = word.candidates(kind);
            let mut first = at + usize::from(own.groups) * Group::SIZE;
            let mut follow = |at: usize, count: u16| {
                let some = (at, count.into());
                follow(tables, text, some, &start, &mut buffers, &mut found)
            };
            if own.open > 0 && follow(first, own.open).is_break() {
                return;
            }
            let Some(next) = start.next.filter(|_| own.groups > 0) else {
                continue;
            };
            first += usize::from(own.open) * Candidate::SIZE;
            tables.read(at, usize::from(own.groups) * Group::SIZE, &mut groups);
            let mut cursor = Cursor(&groups);
            for _ in 0..own.groups {
                let group = Group::read(&mut cursor);
                let goes_on = group.bits & next.bits() != 0 && text.fits(next, group.set);
                if goes_on && follow(first, group.count).is_break() {
                    return;
                }
                first += usize::from(group.count) * Candidate::SIZE;
            }
        }
    }
}

/// The token that patterns may begin at, and what is around it.
struct Start<'t> {
    from: usize,
    begins_sentence: bool,
    next: Option<&'t Token>,
    /// The bits of the second next, when it is of the same sentence.
    second: u64,
}

impl<'t> Start<'t> {
    fn at(text: &'t Text, from: usize) -> Self {
        let next = text.next_in_sentence(from);
        let second = next.and_then(|_| text.next_in_sentence(from + 1));
        Self {
            from,
            begins_sentence: from == 0 || text.ends_sentence(from),
            next,
            second: second.map_or(0, Token::bits),
        }
    }
}

/// Follows some candidates, by where they are and how many, from a token on.
fn follow(
    tables: &Tables,
    text: &Text,
    (at, count): (usize, usize),
    start: &Start<'_>,
    (candidates, pattern): &mut (Vec<u8>, Vec<u8>),
    found: &mut impl FnMut(usize, usize, usize) -> ControlFlow<()>,
) -> ControlFlow<()> {
    tables.read(at, count * Candidate::SIZE, candidates);
    let mut cursor = Cursor(candidates);
    for _ in 0..count {
        let candidate = Candidate::read(&mut cursor);
        let goes_on = candidate.second == ANYTHING || candidate.second & start.second != 0;
        if !goes_on || (candidate.at_start && !start.begins_sentence) {
            continue;
        }
        tables.read(candidate.at as usize, candidate.size.into(), pattern);
        let pattern = Pattern(pattern);
        let mut flow = ControlFlow::Continue(());
        pattern.ends(text, start.from, candidate.place, |to| {
            if flow.is_continue() {
                flow = found(pattern.rule(), start.from, to);
            }
        });
        flow?;
    }
    ControlFlow::Continue(())
}
