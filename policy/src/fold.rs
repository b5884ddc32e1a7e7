//! Folding a character to the form in which words are compared: without case, width, accents and
//! the other differences that a hurried thumb or a hostile sender introduces.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// What a character is for the splitting of a text into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Part of a word.
    Letter,
    /// A word by itself: scripts that are written without spaces.
    Ideograph,
    /// Belongs to the letter before it.
    Mark,
    /// Dropped without ending the word: apostrophes, and what has no width.
    Nothing,
    /// Ends a word.
    Space,
    /// Leads to what follows.
    Colon,
    /// Ends a part of a sentence.
    Comma,
    /// Ends a sentence.
    Stop,
    /// Ends a line.
    Line,
    /// Opens or closes a quotation.
    Quote,
}

/// The class of a character as it was written.
pub(crate) fn class(char: char) -> Class {
    if char.is_ascii() {
        return match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Letter,
            '\'' | '`' => Class::Nothing,
            '.' | '!' | '?' | ';' => Class::Stop,
            ':' => Class::Colon,
            ',' | '(' | ')' | '/' | '[' | ']' => Class::Comma,
            '\n' | '\r' => Class::Line,
            '"' => Class::Quote,
            _ => Class::Space,
        };
    }
    match char {
        '\u{2019}'
        | '\u{2018}'
        | '\u{2bc}'
        | '\u{b4}'
        | '\u{2032}'
        | '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{640}' => Class::Nothing,
        '“' | '”' | '„' | '«' | '»' | '「' | '」' | '『' | '』' | '‟' | '＂' => {
            Class::Quote
        }
        '。' | '！' | '？' | '…' | '．' | '؟' | '۔' | '।' | '¡' | '¿' | '；' | '｡' => {
            Class::Stop
        }
        '：' => Class::Colon,
        '，' | '、' | '،' | '（' | '）' | '–' | '—' => Class::Comma,
        '\u{85}' | '\u{2028}' | '\u{2029}' => Class::Line,
        _ if is_unspaced(char) || is_laughing_or_crying(char) => Class::Ideograph,
        _ if is_combining_mark(char) => Class::Mark,
        _ if char.is_alphanumeric() => Class::Letter,
        _ => Class::Space,
    }
}

/// Chinese characters, kana, Thai, Lao, Khmer and Burmese letters.
fn is_unspaced(char: char) -> bool {
    matches!(char,
        '\u{e01}'..='\u{e30}' | '\u{e32}'..='\u{e33}' | '\u{e40}'..='\u{e46}'
        | '\u{e81}'..='\u{eb0}' | '\u{eb2}'..='\u{eb3}' | '\u{ec0}'..='\u{ec6}'
        | '\u{1000}'..='\u{102a}' | '\u{1780}'..='\u{17b3}'
        | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fc}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}' | '\u{ff66}'..='\u{ff9d}')
}

/// Korean laughs and cries without a space: "보내지마ㅠㅠ".
fn is_laughing_or_crying(char: char) -> bool {
    matches!(char, 'ㅋ' | 'ㅎ' | 'ㅠ' | 'ㅜ')
}

/// The characters that one is made of: "ﬁ" is "f" and "i", "½" is "1", "⁄" and "2".
pub(crate) fn parts(char: char, mut each: impl FnMut(char)) {
    if char.is_ascii() || is_laughing_or_crying(char) {
        each(char);
    } else if class(char) != Class::Nothing {
        decompose_compatible(char, each);
    }
}

/// Appends the folded form of a letter or mark.
pub(crate) fn push(into: &mut String, part: char) {
    match part {
        _ if part.is_ascii() => into.push(part.to_ascii_lowercase()),
        // Accents, and the vowel points of Hebrew and Arabic.
        '\u{300}'..='\u{36f}'
        | '\u{483}'..='\u{487}'
        | '\u{591}'..='\u{5c7}'
        | '\u{64b}'..='\u{65f}'
        | '\u{670}'
        | '\u{640}'
        | '\u{93c}' => {}
        _ => {
            for lower in part.to_lowercase() {
                push_lower(into, lower);
            }
        }
    }
}

/// Letters that differ from others only by habit or by keyboard.
fn push_lower(into: &mut String, lower: char) {
    match lower {
        'ı' => into.push('i'),
        'ß' => into.push_str("ss"),
        'ø' => into.push('o'),
        'ł' => into.push('l'),
        'æ' => into.push_str("ae"),
        'œ' => into.push_str("oe"),
        'ς' => into.push('σ'),
        'ى' | 'ی' => into.push('ي'),
        'ة' => into.push('ه'),
        'ک' => into.push('ك'),
        '\u{307}' => {}
        _ => into.push(lower),
    }
}

/// A word in which every letter looks like a Latin one, as that Latin word: "ЅТОР" with Cyrillic
/// letters. Nothing for a word that has any other letter, and for one that may be a word of its own
/// script: Bulgarian "карат" is not Turkish "kapat".
pub(crate) fn latin_lookalike(word: &str) -> Option<String> {
    let is_mixed = || word.contains(|char: char| char.is_ascii_alphabetic());
    let is_odd = || word.contains(['ѕ', 'ԛ', 'ԁ', 'ϲ', 'ո', 'ս', 'օ', 'ᴏ', 'ᴘ', 'ꜱ', 'ᴛ', 'ɴ']);
    if word.is_ascii() || !(is_mixed() || is_odd()) {
        return None;
    }
    word.chars().map(latin).collect()
}

/// A word in which a letter stands three times or more in a row, with one and with two of them. One
/// letter is no word: several would be read as one that is spelled out.
pub(crate) fn drawn_in(word: &str) -> Option<[String; 2]> {
    let after = |count| word.chars().skip(count);
    let mut threes = word.chars().zip(after(1)).zip(after(2));
    if !threes.any(|((first, second), third)| first == second && second == third) {
        return None;
    }
    let at_most = |most: usize| -> String {
        let (mut run, mut before) = (0, None);
        let stays = |char: &char| {
            run = if before == Some(*char) { run + 1 } else { 1 };
            before = Some(*char);
            run <= most || char.is_ascii_digit()
        };
        word.chars().filter(stays).collect()
    };
    let one = at_most(1);
    (one != word && one.chars().nth(1).is_some()).then(|| [one, at_most(2)])
}

fn latin(char: char) -> Option<char> {
    Some(match char {
        'a'..='z' | '0'..='9' => char,
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'н' | 'һ' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'ո' | 'η' => 'n',
        'о' | 'ο' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' => 'v',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'ɴ' => 'n',
        'ᴏ' => 'o',
        'ᴘ' => 'p',
        'ꜱ' => 's',
        'ᴛ' => 't',
        _ => return None,
    })
}
