//! What one sentence among others means by itself.

use crate::rules::Keyword;
use crate::tables::Rule;
use crate::text::{Break, Text};
use crate::types::Intent;
use crate::whole::{Fit, Whole};

/// The longest message in which one sentence alone counts, in words.
const MAX_WORDS: usize = 40;

/// Tokens from one up to another.
type Range = (usize, usize);

/// A part of a message, and what of it is left without courtesies.
#[derive(Clone, Copy)]
struct Part {
    all: Range,
    core: Range,
}

impl<'r> Whole<'r> {
    /// What the sentences and lines of a message, and its last words, mean by themselves, beside
    /// the phrases in it.
    pub(crate) fn sentences(&self, text: &Text, phrases: &[(Fit<'r>, bool)]) -> Vec<Fit<'r>> {
        let tokens = text.tokens.as_slice();
        let mut found = Vec::new();
        if tokens.len() > MAX_WORDS {
            return found;
        }
        let starts = |least: Break| {
            let starts = tokens
                .iter()
                .enumerate()
                .filter(move |(at, token)| *at == 0 || token.before >= least);
            starts
                .map(|(at, _)| at)
                .chain([tokens.len()])
                .collect::<Vec<usize>>()
        };
        let part = |all| Part {
            all,
            core: self.strip(text, all, false),
        };
        let sentences: Vec<Part> = ranges(&starts(Break::Stop)).map(part).collect();
        let refusals = self.refusals(text, &sentences, phrases);
        for sentence in sentences {
            found.extend(self.alone(text, sentence, "sentence", &refusals));
        }
        // "I already voted, stop". The first words say less: "Stop, you make me blush".
        if let Some(last) = ranges(&starts(Break::Colon)).last() {
            found.extend(self.alone(text, part(last), "last-words", &refusals));
        }
        // An echo stands on a line of its own, above a signature.
        for (from, to) in ranges(&starts(Break::Line)) {
            if let Some(rule) = self.echo(text.words((from, to))) {
                found.push(Fit {
                    rule,
                    how: "line",
                    from,
                    to,
                });
            }
        }
        found
    }

    /// What a part of a message means by itself: as it stands, without courtesies, without fillers.
    /// An everyday word counts beside a refusal ("Not interested. Remove").
    fn alone(
        &self,
        text: &Text,
        Part { all, core }: Part,
        how: &'static str,
        refusals: &[Fit<'r>],
    ) -> Option<Fit<'r>> {
        let inner = self.strip(text, core, true);
        let everyday = |keyword: &Keyword, spoken: usize| {
            keyword.intent == Intent::OptOut
                && refusals.iter().any(|refusal| {
                    let is_beside = refusal.to <= all.0 || refusal.from >= all.1;
                    is_beside && refusal.rule.spoken == Some(spoken)
                })
        };
        [all, core, inner].into_iter().find_map(|part| {
            let at = self.tables.whole(text.words(part));
            let rule = self.strongest(&at, |keyword, spoken| {
                keyword.alone || (part != inner || inner == core) && everyday(keyword, spoken)
            })?;
            Some(Fit {
                rule,
                how,
                from: part.0,
                to: part.1,
            })
        })
    }

    /// The phrases, and the sentences that are a keyword, that refuse or complain without saying what
    /// shall happen ("not interested", "wrong number").
    fn refusals(
        &self,
        text: &Text,
        sentences: &[Part],
        phrases: &[(Fit<'r>, bool)],
    ) -> Vec<Fit<'r>> {
        let phrases = phrases.iter().map(|(fit, _)| *fit);
        let keywords = sentences.iter().flat_map(|Part { all, core }| {
            let known = self.tables.whole(text.words(*core)).into_iter();
            let known = known.filter_map(|at| self.tables.keyword(self.rules, at));
            let holding = known.filter(|(keyword, _)| keyword.term.holds(self.message.at));
            holding.map(|(keyword, spoken)| Fit {
                rule: Rule::of_keyword(keyword, spoken),
                how: "sentence",
                from: all.0,
                to: all.1,
            })
        });
        let refuses = |fit: &Fit<'_>| {
            fit.rule.review && matches!(fit.rule.intent, Intent::WrongNumber | Intent::Other)
        };
        phrases.chain(keywords).filter(refuses).collect()
    }
}

/// From each beginning to the next; nothing when that is all there is.
fn ranges(starts: &[usize]) -> impl Iterator<Item = Range> {
    let pairs = starts.windows(2).filter(|_| starts.len() > 2);
    pairs.filter_map(|pair| match pair {
        [from, to] => Some((*from, *to)),
        _ => None,
    })
}
