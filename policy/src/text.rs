//! A message as the words it is made of, and how they are set apart.

use crate::fold::{self, Class};
use crate::lexicon::{Lexicon, WordId};
use crate::types::Span;

/// What stands between a word and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Break {
    /// A space, a hyphen, an emoji.
    None,
    /// A comma, a dash, a bracket.
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
    /// What stands before it.
    pub(crate) before: Break,
    /// Whether it stands in quotation marks.
    pub(crate) quoted: bool,
}

/// A message, folded and split.
#[derive(Debug)]
pub(crate) struct Text {
    /// The folded words with single spaces between.
    folded: String,
    pub(crate) tokens: Vec<Token>,
}

impl Text {
    pub(crate) fn new(message: &str, lexicon: &Lexicon) -> Self {
        let mut text = split(message);
        text.join_spelled_out();
        text.look_up(lexicon);
        text
    }

    /// The folded words of some tokens, with single spaces between.
    pub(crate) fn folded(&self, tokens: &[Token]) -> &str {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => self.folded.get(first.start..last.end).unwrap_or(""),
            _ => "",
        }
    }

    /// The whole message, folded.
    pub(crate) fn all(&self) -> &str {
        &self.folded
    }

    /// "S T O P" and "S.T.O.P." are one word.
    fn join_spelled_out(&mut self) {
        let is_letter = |token: &Token| token.end - token.start == 1;
        if self.tokens.len() < 3 || !self.tokens.windows(3).any(|run| run.iter().all(is_letter)) {
            return;
        }
        let mut folded = String::with_capacity(self.folded.len());
        let mut tokens: Vec<Token> = Vec::with_capacity(self.tokens.len());
        let mut rest = self.tokens.as_slice();
        while let Some(first) = rest.first() {
            let letters = rest.iter().take_while(|token| is_letter(token)).count();
            let run = if letters >= 3 { letters } else { 1 };
            let (joined, after) = rest.split_at(run);
            if !folded.is_empty() {
                folded.push(' ');
            }
            let start = folded.len();
            for token in joined {
                folded.push_str(self.folded.get(token.start..token.end).unwrap_or(""));
            }
            tokens.push(Token {
                start,
                end: folded.len(),
                span: Span {
                    start: first.span.start,
                    end: joined.last().unwrap_or(first).span.end,
                },
                ..first.clone()
            });
            rest = after;
        }
        (self.folded, self.tokens) = (folded, tokens);
    }

    fn look_up(&mut self, lexicon: &Lexicon) {
        for token in &mut self.tokens {
            let word = self.folded.get(token.start..token.end).unwrap_or("");
            token.word = lexicon.word(word);
            token.stem = lexicon.stem(word);
            if token.word.is_none()
                && let Some(latin) = fold::latin_lookalike(word)
            {
                token.word = lexicon.word(&latin);
            }
        }
    }
}

/// The folded form of a phrase from the rules, as [`Text::all`] gives that of a message.
pub(crate) fn canonical(phrase: &str) -> String {
    let mut text = split(phrase);
    text.join_spelled_out();
    text.folded
}

fn split(message: &str) -> Text {
    let mut folded = String::with_capacity(message.len() + 16);
    let mut tokens: Vec<Token> = Vec::with_capacity(message.len() / 5 + 1);
    let mut open = false;
    let mut before = Break::None;
    let mut quoted = false;
    let mut chars = message.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let class = fold::class(char);
        let (start, end) = (at as u32, (at + char.len_utf8()) as u32);
        match class {
            Class::Letter | Class::Ideograph => {
                if !open || class == Class::Ideograph {
                    if !folded.is_empty() {
                        folded.push(' ');
                    }
                    tokens.push(Token {
                        start: folded.len(),
                        end: folded.len(),
                        span: Span { start, end },
                        word: WordId::NONE,
                        stem: WordId::NONE,
                        before,
                        quoted,
                    });
                    before = Break::None;
                }
                fold::push(&mut folded, char);
                open = class == Class::Letter;
                close(&mut tokens, &folded, end);
            }
            Class::Mark => {
                if !tokens.is_empty() {
                    fold::push(&mut folded, char);
                    close(&mut tokens, &folded, end);
                }
            }
            Class::Nothing => {}
            Class::Quote => {
                open = false;
                quoted = !quoted;
                before = before.max(Break::Comma);
            }
            // Within "example.com", "2.5" or "S.T.O.P" a stop ends nothing but the word.
            Class::Stop if char == '.' && next.is_some_and(ends_nothing) => open = false,
            Class::Space => open = false,
            Class::Comma => (open, before) = (false, before.max(Break::Comma)),
            Class::Stop => (open, before) = (false, before.max(Break::Stop)),
            Class::Line => (open, before) = (false, Break::Line),
        }
    }
    Text { folded, tokens }
}

fn close(tokens: &mut [Token], folded: &str, end: u32) {
    if let Some(token) = tokens.last_mut() {
        token.end = folded.len();
        token.span.end = end;
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
