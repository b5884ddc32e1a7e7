//! A message as the words it is made of. Case, punctuation, emoji and white space do not count.

use crate::types::Span;

/// One word, in lower case, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// Splits a text into words. An apostrophe belongs to the word and is dropped: "don't" is "dont".
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    for (at, char) in text.char_indices() {
        let end = (at + char.len_utf8()) as u32;
        if char.is_alphanumeric() {
            let word = current.get_or_insert_with(|| Word {
                text: String::new(),
                span: Span {
                    start: at as u32,
                    end,
                },
            });
            word.text.extend(char.to_lowercase());
            word.span.end = end;
        } else if !is_joiner(char) {
            words.extend(current.take());
        }
    }
    words.extend(current);
    words
}

/// Characters that do not end a word: apostrophes, and what has no width.
fn is_joiner(char: char) -> bool {
    matches!(
        char,
        '\'' | '\u{2019}' | '\u{2bc}' | '\u{ad}' | '\u{200b}'
            ..='\u{200d}' | '\u{2060}' | '\u{feff}'
    )
}

/// The same words with single spaces between, to compare with.
pub(crate) fn joined(words: &[Word]) -> String {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    texts.join(" ")
}

/// A phrase in the form in which [`joined`] gives a message.
pub(crate) fn canonical(phrase: &str) -> String {
    joined(&words(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_emoji_do_not_count() {
        for text in [
            "STOP",
            "stop.",
            " \u{200b}StOp!!\n",
            "🛑 STOP 🛑",
            "ST\u{200b}OP",
        ] {
            assert_eq!(canonical(text), "stop", "{text:?}");
        }
        assert_eq!(canonical("Opt-Out"), "opt out");
        assert_eq!(canonical("don’t"), "dont");
        assert_eq!(canonical("!! 👍"), "");
    }

    #[test]
    fn spans_point_into_the_text_as_it_was_written() {
        let text = "«ÉTÉ», no";
        let spans: Vec<&str> = words(text)
            .iter()
            .map(|word| &text[word.span.start as usize..word.span.end as usize])
            .collect();
        assert_eq!(spans, ["ÉTÉ", "no"]);
    }
}
