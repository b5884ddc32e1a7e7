//! A message as the words it is made of, and how they are set apart.

use crate::candidates::Word;
use crate::fold::{self, Class};
use crate::lexicon::{Map, WordId};
use crate::matching::{ANY, Sets};
use crate::tables::Tables;
use crate::types::Span;

/// What stands between a word and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Break {
    /// A space, a hyphen, an emoji.
    None,
    /// A colon.
    Colon,
    /// A comma, a dash, a bracket, a quotation mark.
    Comma,
    /// The end of a sentence.
    Stop,
    /// The end of a line.
    Line,
}

/// One word.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Where it stands in [`Text::folded`].
    start: usize,
    end: usize,
    /// Where it stood in the message.
    pub(crate) span: Span,
    /// The rule set's word that it is.
    pub(crate) word: WordId,
    /// The rule set's longest beginning that it has ("text" for "texting").
    pub(crate) stem: WordId,
    /// The sets that they are of.
    sets: [Sets; 2],
    /// What stands before it.
    pub(crate) before: Break,
    /// Whether it stands in quotation marks.
    pub(crate) quoted: bool,
}

impl Token {
    /// The bits of what the rules know of it.
    pub(crate) fn bits(&self) -> u64 {
        self.word.bit() | self.stem.bit()
    }
}

/// A message, folded and split.
#[derive(Debug)]
pub(crate) struct Text {
    /// The folded words with single spaces between.
    folded: String,
    pub(crate) tokens: Vec<Token>,
    /// What the rules know of its words.
    words: Map<WordId, Word>,
    /// The slots of the words' sets.
    sets: Vec<u8>,
}

impl Text {
    pub(crate) fn new(message: &str, tables: &Tables) -> Self {
        let mut text = split(message);
        text.join_spelled_out();
        text.look_up(tables);
        text
    }

    /// What the rules know of a word that is in the message.
    pub(crate) fn word(&self, id: WordId) -> Option<&Word> {
        self.words.get(&id)
    }

    /// Whether a word is of a set.
    pub(crate) fn fits(&self, token: &Token, set: u16) -> bool {
        set == ANY || token.sets.iter().any(|sets| sets.has(set, &self.sets))
    }

    /// The token after another one, when it is of the same sentence.
    pub(crate) fn next_in_sentence(&self, at: usize) -> Option<&Token> {
        let next = self.tokens.get(at + 1);
        next.filter(|next| next.before < Break::Stop)
    }

    /// Whether a sentence ends before a token.
    pub(crate) fn ends_sentence(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_none_or(|token| token.before >= Break::Stop)
    }

    /// The folded words of some tokens, with single spaces between.
    pub(crate) fn folded(&self, tokens: &[Token]) -> &str {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => self.folded.get(first.start..last.end).unwrap_or(""),
            _ => "",
        }
    }

    /// The same of the tokens from one up to another.
    pub(crate) fn words(&self, (from, to): (usize, usize)) -> &str {
        self.folded(self.tokens.get(from..to).unwrap_or(&[]))
    }

    /// The whole message, folded.
    pub(crate) fn all(&self) -> &str {
        &self.folded
    }

    /// "S T O P" and "S.T.O.P." are one word.
    fn join_spelled_out(&mut self) {
        let folded = &self.folded;
        let is_letter = |token: &Token| {
            let word = folded.get(token.start..token.end).unwrap_or("");
            let mut chars = word.chars();
            chars
                .next()
                .is_some_and(|first| fold::class(first) == Class::Letter)
                && chars.next().is_none()
        };
        if self.tokens.len() < 3 || !self.tokens.windows(3).any(|run| run.iter().all(is_letter)) {
            return;
        }
        let mut joined_words = String::with_capacity(self.folded.len());
        let mut tokens: Vec<Token> = Vec::with_capacity(self.tokens.len());
        let mut rest = self.tokens.as_slice();
        while let Some(first) = rest.first() {
            let letters = rest.iter().take_while(|token| is_letter(token)).count();
            let run = if letters >= 3 { letters } else { 1 };
            let (joined, after) = rest.split_at(run);
            if !joined_words.is_empty() {
                joined_words.push(' ');
            }
            let start = joined_words.len();
            for token in joined {
                joined_words.push_str(self.folded.get(token.start..token.end).unwrap_or(""));
            }
            tokens.push(Token {
                start,
                end: joined_words.len(),
                span: Span {
                    start: first.span.start,
                    end: joined.last().unwrap_or(first).span.end,
                },
                ..first.clone()
            });
            rest = after;
        }
        (self.folded, self.tokens) = (joined_words, tokens);
    }

    fn look_up(&mut self, tables: &Tables) {
        let mut corrected = Vec::new();
        self.words.reserve(2 * self.tokens.len().min(64));
        for (at, token) in self.tokens.iter_mut().enumerate() {
            let word = self.folded.get(token.start..token.end).unwrap_or("");
            token.word = tables.word(word);
            token.stem = tables.stem(word);
            if token.word.is_none()
                && token.stem.is_none()
                && let Some((likely, known)) = likely(word, tables)
            {
                token.word = known;
                token.stem = tables.stem(&likely);
                corrected.push((at, likely));
            }
            let sets = &mut self.sets;
            token.sets = [token.word, token.stem].map(|id| {
                let known = || tables.read_word(id, sets);
                match id {
                    WordId::NONE => Sets::default(),
                    id => self.words.entry(id).or_insert_with(known).sets,
                }
            });
        }
        // From the end, so that what stands before stays where it is.
        for (at, word) in corrected.into_iter().rev() {
            self.replace(at, &word);
        }
    }

    fn replace(&mut self, at: usize, word: &str) {
        let Some(token) = self.tokens.get_mut(at) else {
            return;
        };
        self.folded.replace_range(token.start..token.end, word);
        let shorter = (token.end - token.start).saturating_sub(word.len());
        token.end -= shorter;
        for later in self.tokens.iter_mut().skip(at + 1) {
            later.start -= shorter;
            later.end -= shorter;
        }
    }
}

/// A word of the rules that an unknown one stands for: with letters that only look Latin, or with
/// letters that are drawn out ("stoooop").
fn likely(word: &str, tables: &Tables) -> Option<(String, WordId)> {
    let latin = fold::latin_lookalike(word).into_iter();
    let mut likely = latin.chain(fold::drawn_in(word).into_iter().flatten());
    likely.find_map(|word| match tables.word(&word) {
        WordId::NONE => None,
        known => Some((word, known)),
    })
}

/// The folded form of a phrase from the rules, as [`Text::all`] gives that of a message.
pub(crate) fn canonical(phrase: &str) -> String {
    let mut text = split(phrase);
    text.join_spelled_out();
    text.folded
}

fn split(message: &str) -> Text {
    let mut splitter = Splitter {
        text: Text {
            folded: String::with_capacity(message.len() + 16),
            tokens: Vec::with_capacity(message.len() / 5 + 1),
            words: Map::default(),
            sets: Vec::new(),
        },
        open: false,
        before: Break::None,
        quoted: false,
    };
    let mut chars = message.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let span = Span {
            start: at as u32,
            end: (at + char.len_utf8()) as u32,
        };
        fold::parts(char, |part| splitter.take(part, span, next));
    }
    splitter.text
}

struct Splitter {
    text: Text,
    /// Whether the last word may go on.
    open: bool,
    before: Break,
    quoted: bool,
}

impl Splitter {
    fn take(&mut self, part: char, span: Span, next: Option<char>) {
        let class = fold::class(part);
        match class {
            Class::Letter | Class::Ideograph => {
                if !self.open || class == Class::Ideograph {
                    self.begin(span);
                }
                self.open = class == Class::Letter;
                self.append(part, span.end);
            }
            Class::Mark => {
                if !self.text.tokens.is_empty() {
                    self.append(part, span.end);
                }
            }
            Class::Nothing => {}
            // Within "example.com", "2.5" or "S.T.O.P" a stop ends nothing but the word.
            Class::Stop if part == '.' && next.is_some_and(ends_nothing) => self.open = false,
            Class::Space => self.open = false,
            Class::Colon => self.end(Break::Colon),
            Class::Comma => self.end(Break::Comma),
            Class::Quote => {
                self.quoted = !self.quoted;
                self.end(Break::Comma);
            }
            Class::Stop => self.end(Break::Stop),
            Class::Line => self.end(Break::Line),
        }
    }

    fn begin(&mut self, span: Span) {
        let folded = &mut self.text.folded;
        if !folded.is_empty() {
            folded.push(' ');
        }
        self.text.tokens.push(Token {
            start: folded.len(),
            end: folded.len(),
            span,
            word: WordId::NONE,
            stem: WordId::NONE,
            sets: [Sets::default(); 2],
            before: std::mem::replace(&mut self.before, Break::None),
            quoted: self.quoted,
        });
    }

    fn append(&mut self, part: char, end: u32) {
        fold::push(&mut self.text.folded, part);
        if let Some(token) = self.text.tokens.last_mut() {
            token.end = self.text.folded.len();
            token.span.end = end;
        }
    }

    fn end(&mut self, how: Break) {
        self.open = false;
        self.before = self.before.max(how);
    }
}

fn ends_nothing(next: char) -> bool {
    next.is_ascii_digit() || (next.is_alphabetic() && !next.is_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_width_accents_and_what_has_no_width_do_not_count() {
        for text in [
            "STOP",
            "stop.",
            " \u{200b}StOp!!\n",
            "🛑 STOP 🛑",
            "ST\u{200b}OP",
            "ＳＴＯＰ",
            "S T O P",
            "S.T.O.P.",
            "s-t-o-p",
            "𝐒𝐓𝐎𝐏",
            "ⓢⓣⓞⓟ",
            "st\u{f6}p",
            "sto\u{308}p",
        ] {
            assert_eq!(canonical(text), "stop", "{text:?}");
        }
        assert_eq!(canonical("Opt-Out"), "opt out");
        assert_eq!(canonical("don’t"), "dont");
        assert_eq!(canonical("!! 👍"), "");
        assert_eq!(canonical("İPTAL"), "iptal");
        assert_eq!(canonical("çıkış"), "cikis");
        assert_eq!(canonical("退订"), "退 订");
        assert_eq!(canonical("إلغاء"), "الغاء");
    }

    #[test]
    fn spans_point_into_the_text_as_it_was_written() {
        let message = "«ÉTÉ», no";
        let text = split(message);
        let words: Vec<&str> = text
            .tokens
            .iter()
            .filter_map(|token| message.get(token.span.start as usize..token.span.end as usize))
            .collect();
        assert_eq!(words, ["ÉTÉ", "no"]);
        assert_eq!(
            text.tokens
                .iter()
                .map(|token| token.quoted)
                .collect::<Vec<_>>(),
            [true, false]
        );
    }

    #[test]
    fn sentences_lines_and_commas_set_words_apart() {
        let text = split("Hi, stop. Thanks\nBob visit example.com");
        let before: Vec<Break> = text.tokens.iter().map(|token| token.before).collect();
        assert_eq!(
            before,
            [
                Break::None,
                Break::Comma,
                Break::Stop,
                Break::Line,
                Break::None,
                Break::None,
                Break::None
            ]
        );
    }
}
