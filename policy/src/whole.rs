//! What a message means as a whole: a keyword, an echo of the footer, a misspelling.

use crate::rules::{Keyword, RuleSet};
use crate::spelling::{self, NEIGHBOUR, distance, tolerance};
use crate::tables::{At, Rule, Tables, has_length, letters};
use crate::text::{Text, canonical};
use crate::types::{Inbound, Intent};

/// A rule that fits, how, and the tokens that it fits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit<'r> {
    pub(crate) rule: Rule<'r>,
    pub(crate) how: &'static str,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// The longest message, in words, that may be a misspelling or stand in a footer.
const MAX_WORDS: usize = 4;
/// The longest message that may be an echo, in bytes, and how far one is followed.
const MAX_ECHO: usize = 64;
const MAX_STEPS: usize = 64;
/// The shortest echo of which letters alone may be a misspelling, in letters.
const ECHO_OF_LETTERS: usize = 7;

/// Reading a message as a whole.
pub(crate) struct Whole<'r> {
    pub(crate) rules: &'r RuleSet,
    pub(crate) tables: &'r Tables,
    pub(crate) message: &'r Inbound,
}

impl<'r> Whole<'r> {
    /// What the whole text means.
    pub(crate) fn read(&self, text: &Text) -> Option<Fit<'r>> {
        let fit = |rule, how, (from, to)| Fit {
            rule,
            how,
            from,
            to,
        };
        let everything = (0, text.tokens.len());
        // As it stands first: a keyword may itself begin with a courtesy.
        if let Some(rule) = self.keyword(text.all(), |_| true) {
            return Some(fit(rule, "whole-message", everything));
        }
        let core = self.strip(text, everything, false);
        let words = |part| text.words(part);
        if let Some(rule) = self.keyword(words(core), |_| true) {
            return Some(fit(rule, "whole-message", core));
        }
        let inner = self.strip(text, core, true);
        if inner != core
            && let Some(rule) = self.keyword(words(inner), |keyword| keyword.alone)
        {
            return Some(fit(rule, "whole-message", inner));
        }
        if let Some((rule, how)) = self.echo_or_footer(words(core)) {
            return Some(fit(rule, how, core));
        }
        // "This has to end" is no echo, though without its fillers it would be one.
        if words(inner).contains('2')
            && let Some(rule) = self.echo(words(inner))
        {
            return Some(fit(rule, "echo", inner));
        }
        let rule = self.misspelling(words(core))?;
        Some(fit(rule, "misspelling", core))
    }

    /// The tokens between courtesies, or between courtesies and fillers.
    pub(crate) fn strip(
        &self,
        text: &Text,
        (mut from, mut to): (usize, usize),
        fillers: bool,
    ) -> (usize, usize) {
        // By how many words a courtesy may have that begins, or ends, with a word.
        let lengths = |at: usize, end: usize| {
            let word = text.tokens.get(at).and_then(|token| text.word(token.word));
            word.and_then(|word| word.courtesies.get(end).copied())
                .unwrap_or(0)
        };
        let is_courtesy =
            |from: usize, to: usize| self.tables.is_courtesy(text.words((from, to)), fillers);
        let longest = self.tables.longest_courtesy();
        'again: loop {
            for count in (1..=longest.min(to - from)).rev() {
                if has_length(lengths(from, 0), count) && is_courtesy(from, from + count) {
                    from += count;
                    continue 'again;
                }
                if has_length(lengths(to - 1, 1), count) && is_courtesy(to - count, to) {
                    to -= count;
                    continue 'again;
                }
            }
            return (from, to);
        }
    }

    /// Of the keywords that fit, the one that counts: an opt-out before everything else, then the
    /// order of [`Intent`], then the likeliest language. "Yes" and "no" only while a question is
    /// open.
    pub(crate) fn keyword(
        &self,
        folded: &str,
        accept: impl Fn(&Keyword) -> bool,
    ) -> Option<Rule<'r>> {
        self.strongest(&self.tables.whole(folded), |keyword, _| accept(keyword))
    }

    /// The same of the keywords at some places; the second of what is asked is the language.
    pub(crate) fn strongest(
        &self,
        at: &[At],
        accept: impl Fn(&Keyword, usize) -> bool,
    ) -> Option<Rule<'r>> {
        at.iter()
            .filter_map(|at| self.tables.keyword(self.rules, *at))
            .filter(|(keyword, (spoken, _))| {
                keyword.term.holds(self.message.at) && accept(keyword, *spoken)
            })
            .filter(|(keyword, _)| match keyword.intent {
                Intent::AnswerYes | Intent::AnswerNo => self.message.question.is_some(),
                _ => true,
            })
            .min_by_key(|(keyword, (_, language))| {
                (keyword.intent, keyword.review, self.unlikelihood(language))
            })
            .map(|(keyword, spoken)| Rule::of_keyword(keyword, spoken))
    }

    /// How unlikely a language is, of several that have a word: the contact's own comes first, then
    /// that of footers.
    pub(crate) fn unlikelihood(&self, language: &str) -> u8 {
        match self.message.language.as_deref() {
            Some(own) if language_of(own).eq_ignore_ascii_case(language) => 0,
            _ if language == self.rules.echo.language => 1,
            _ => 2,
        }
    }

    /// What a tapped button or row means: its identifier decides, and its title when nobody mapped
    /// the identifier.
    pub(crate) fn selection(&self) -> Option<Fit<'r>> {
        let tapped = self.message.selection.as_ref()?;
        let fit = |rule, how| Fit {
            rule,
            how,
            from: 0,
            to: 0,
        };
        if let Some(rule) = self.strongest(&self.tables.selection(&tapped.id), |_, _| true) {
            return Some(fit(rule, "selection"));
        }
        let title = Text::new(&tapped.title, self.tables);
        let core = self.strip(&title, (0, title.tokens.len()), false);
        let rule = self
            .keyword(title.all(), |_| true)
            .or_else(|| self.keyword(title.words(core), |_| true))?;
        Some(fit(rule, "selection-title"))
    }

    fn echo_or_footer(&self, words: &str) -> Option<(Rule<'r>, &'static str)> {
        if let Some(rule) = self.echo(words) {
            return Some((rule, "echo"));
        }
        let is_footer = is_short(words) && self.is_in_footer(words);
        is_footer.then(|| (self.echo_rule("opt-out.footer"), "footer"))
    }

    fn echo_rule(&self, id: &'static str) -> Rule<'r> {
        Rule {
            id,
            intent: Intent::OptOut,
            language: &self.rules.echo.language,
            spoken: None,
            review: false,
            topic: false,
        }
    }

    /// "stop2end", "Quit to end", "stop stop", "end2": nothing but the words that footers name.
    pub(crate) fn echo(&self, words: &str) -> Option<Rule<'r>> {
        if words.len() > MAX_ECHO {
            return None;
        }
        let compact: String = words.split(' ').collect();
        let echo = &self.rules.echo;
        let commands = |rest: &str| starts(&echo.words, rest);
        // Each way to go on: what is left, how many commands there were, whether any were joined.
        let mut open = vec![(compact.as_str(), 0, false)];
        let mut steps = 0;
        while let Some((rest, count, joined)) = open.pop() {
            if rest.is_empty() && (count > 1 || (count == 1 && joined)) {
                return Some(self.echo_rule("opt-out.echo"));
            }
            steps += 1;
            if steps > MAX_STEPS {
                return None;
            }
            let after = |length: &usize| rest.get(*length..).unwrap_or("");
            open.extend(
                starts(&echo.joiners, rest)
                    .iter()
                    .map(|length| (after(length), count, true)),
            );
            open.extend(
                commands(rest)
                    .iter()
                    .map(|length| (after(length), count + 1, joined)),
            );
        }
        None
    }

    /// Whether the words stand in the footer, and are what it told to write.
    fn is_in_footer(&self, words: &str) -> bool {
        let Some(footer) = self.message.footer.as_deref() else {
            return false;
        };
        let told = canonical(footer);
        let around = format!(" {told} ");
        let is_there = around.contains(&format!(" {words} "));
        let spoken = words.split(' ');
        let commands = || self.rules.echo.words.iter().map(String::as_str);
        if is_there
            && spoken
                .clone()
                .any(|word| commands().any(|known| word.contains(known)))
        {
            return true;
        }
        // A word in capitals is one to write: "Reply BYE to leave".
        let shouted = footer
            .split(|char: char| !char.is_alphanumeric())
            .filter(|word| {
                word.chars().count() > 1
                    && word.chars().any(char::is_uppercase)
                    && !word.chars().any(char::is_lowercase)
            });
        let mut shouted = shouted.map(canonical);
        shouted.any(|word| {
            let limit = tolerance(word.len());
            word == words
                || (!self.tables.is_real_word(words)
                    && distance(words.as_bytes(), word.as_bytes(), limit).is_some())
        }) && self.keyword(words, |_| true).is_none()
    }

    fn misspelling(&self, words: &str) -> Option<Rule<'r>> {
        let may_be = is_short(words) && words.is_ascii() && words.len() <= 20;
        if !may_be || self.tables.is_a_word(words) {
            return None;
        }
        let compact: String = words.split(' ').collect();
        let own = letters(&compact);
        let has_digit = compact.bytes().any(|byte| byte.is_ascii_digit());
        let mut best: Option<(u32, Option<Rule<'r>>)> = None;
        let mut tie = false;
        for target in self.tables.targets() {
            // Without a digit the short echoes are near to words of many languages ("ends"), and
            // the long ones when more than two letters are wrong ("entienda").
            let limit = match target.keyword {
                None if !has_digit && target.word.len() < ECHO_OF_LETTERS => continue,
                None if !has_digit => 2 * NEIGHBOUR,
                _ => tolerance(target.word.len()),
            };
            // Each letter of the one that the other lacks costs something.
            let lacks = |one: u32, other: u32| (one & !other).count_ones() * NEIGHBOUR > limit;
            if lacks(target.letters, own)
                || lacks(own, target.letters)
                || !spelling::may_begin(compact.as_bytes(), target.word.as_bytes())
            {
                continue;
            }
            let Some(off) =
                distance(compact.as_bytes(), target.word.as_bytes(), limit).filter(|off| *off > 0)
            else {
                continue;
            };
            let rule = match target.keyword {
                // Two everyday words are no third: "can call" is not "cancel".
                Some(at) => {
                    match self.strongest(&[at], |keyword, _| keyword.alone || !words.contains(' '))
                    {
                        Some(rule) => Some(rule),
                        None => continue,
                    }
                }
                None => None,
            };
            let intent = |rule: &Option<Rule<'r>>| rule.map_or(Intent::OptOut, |rule| rule.intent);
            match &best {
                Some((least, _)) if *least < off => {}
                Some((least, known)) if *least == off => tie |= intent(known) != intent(&rule),
                _ => (best, tie) = (Some((off, rule)), false),
            }
        }
        let (_, rule) = best.filter(|_| !tie)?;
        Some(rule.unwrap_or_else(|| self.echo_rule("opt-out.echo")))
    }
}

fn is_short(words: &str) -> bool {
    !words.is_empty() && words.split(' ').count() <= MAX_WORDS
}

/// The lengths of the words with which a text begins.
fn starts(words: &[String], text: &str) -> Vec<usize> {
    let fitting = words.iter().filter(|word| text.starts_with(word.as_str()));
    fitting.map(String::len).collect()
}

/// The language that a tag is of: "pt-BR" is of "pt", "nb" of "no".
pub(crate) fn language_of(tag: &str) -> &str {
    let main = tag.split(['-', '_']).next().unwrap_or(tag);
    let known_as = OTHER_TAGS
        .iter()
        .find(|(other, _)| main.eq_ignore_ascii_case(other));
    known_as.map_or(main, |(_, known)| known)
}

/// Tags of the same or of a sister language, old and new.
const OTHER_TAGS: [(&str, &str); 10] = [
    ("nb", "no"),
    ("nn", "no"),
    ("fil", "tl"),
    ("bs", "hr"),
    ("sh", "sr"),
    ("iw", "he"),
    ("in", "id"),
    ("mo", "ro"),
    ("cmn", "zh"),
    ("yue", "zh"),
];
