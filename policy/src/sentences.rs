//! What one sentence among others means by itself.

use crate::rules::Keyword;
use crate::text::{Break, Text};
use crate::types::Intent;
use crate::whole::{Fit, Whole};

/// The longest message in which one sentence alone counts, in words.
const MAX_WORDS: usize = 40;

/// Tokens that refuse or complain without saying what shall happen ("not interested", "wrong
/// number"), and the language they do it in.
struct Refusal {
    spoken: usize,
    from: usize,
    to: usize,
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
        let sentences = parts(&starts(Break::Stop));
        let refusals = self.refusals(text, &sentences, phrases);
        for part in sentences {
            found.extend(self.alone(text, part, "sentence", &refusals));
        }
        // "I already voted, stop". The first words say less: "Stop, you make me blush".
        if let Some(part) = parts(&starts(Break::Colon)).pop() {
            found.extend(self.alone(text, part, "last-words", &refusals));
        }
        // An echo stands on a line of its own, above a signature.
        for (from, to) in parts(&starts(Break::Line)) {
            if let Some(rule) = self.echo(words(text, (from, to))) {
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
        all: (usize, usize),
        how: &'static str,
        refusals: &[Refusal],
    ) -> Option<Fit<'r>> {
        let core = self.strip(text, all, false);
        let inner = self.strip(text, core, true);
        let everyday = |keyword: &Keyword, spoken: usize| {
            keyword.intent == Intent::OptOut
                && refusals.iter().any(|refusal| {
                    refusal.spoken == spoken && (refusal.to <= all.0 || refusal.from >= all.1)
                })
        };
        [all, core, inner].into_iter().find_map(|part| {
            let at = self.tables.whole(words(text, part));
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

    /// The sentences that are a keyword, and the phrases, that refuse.
    fn refusals(
        &self,
        text: &Text,
        sentences: &[(usize, usize)],
        phrases: &[(Fit<'r>, bool)],
    ) -> Vec<Refusal> {
        let refuses =
            |intent, review| review && matches!(intent, Intent::WrongNumber | Intent::Other);
        let mut found = Vec::new();
        for (fit, _) in phrases {
            if let Some(spoken) = fit
                .rule
                .spoken
                .filter(|_| refuses(fit.rule.intent, fit.rule.review))
            {
                found.push(Refusal {
                    spoken,
                    from: fit.from,
                    to: fit.to,
                });
            }
        }
        for &(from, to) in sentences {
            let core = self.strip(text, (from, to), false);
            for at in self.tables.whole(words(text, core)) {
                if let Some((keyword, (spoken, _))) = self.tables.keyword(self.rules, at)
                    && keyword.term.holds(self.message.at)
                    && refuses(keyword.intent, keyword.review)
                {
                    found.push(Refusal { spoken, from, to });
                }
            }
        }
        found
    }
}

/// From each beginning to the next; nothing when that is all there is.
fn parts(starts: &[usize]) -> Vec<(usize, usize)> {
    let parts = starts.windows(2).filter(|_| starts.len() > 2);
    parts
        .filter_map(|pair| match pair {
            [from, to] => Some((*from, *to)),
            _ => None,
        })
        .collect()
}

fn words(text: &Text, (from, to): (usize, usize)) -> &str {
    text.folded(text.tokens.get(from..to).unwrap_or(&[]))
}
