//! What does this message mean?

use crate::consequences::{self, consequences};
use crate::ends;
use crate::phrases::{self, Guards};
use crate::reply::reply;
use crate::rules::{Ends, RuleSet};
use crate::scope;
use crate::tables::{Rule, Tables};
use crate::text::{Text, Token};
use crate::types::{Classification, Explanation, Inbound, Intent, Rejection, Scope, Span};
use crate::whole::{Fit, Whole};

/// A rule that found something and did not decide.
struct Rejected<'r> {
    fit: Fit<'r>,
    why: String,
}

pub(crate) fn classify(rules: &RuleSet, tables: &Tables, message: &Inbound) -> Classification {
    let text = Text::new(&message.body, tables);
    let whole = Whole {
        rules,
        tables,
        message,
    };
    let mut rejected = Vec::new();
    let mut found = None;
    let mut scope = None;
    if message.selection.is_some() {
        found = whole.selection();
        if found.is_some_and(|fit| fit.rule.intent == Intent::OptOut) {
            scope = Some(Scope::All);
        }
    } else if !text.tokens.is_empty() {
        let guards = Guards::find(rules, tables, message, &text);
        let mut fits = weigh(&whole, &text, &guards, &mut rejected);
        found = decide(&whole, &mut fits);
        let stop = fits.iter().find(|fit| fit.rule.intent == Intent::OptOut);
        scope = stop.map(|fit| scope::of(tables, &text, fit, &guards, message.channel));
        for fit in fits {
            if found.is_none_or(|found| found.rule.id != fit.rule.id) {
                let winner = found.map_or("", |found| found.rule.id);
                rejected.push(Rejected {
                    fit,
                    why: format!("{winner} comes before it"),
                });
            }
        }
    }
    answer(rules, message, &text, found, scope, rejected)
}

/// Every rule that fits and that nothing speaks against.
fn weigh<'r>(
    whole: &Whole<'r>,
    text: &Text,
    guards: &Guards<'r>,
    rejected: &mut Vec<Rejected<'r>>,
) -> Vec<Fit<'r>> {
    let mut fits = Vec::new();
    fits.extend(whole.read(text));
    let phrases = phrases::find(whole.rules, whole.tables, whole.message, text);
    for fit in whole.sentences(text, &phrases) {
        match guards.against_sentence(text, &fit) {
            None => fits.push(fit),
            Some(why) => rejected.push(Rejected { fit, why }),
        }
    }
    for (fit, unguarded) in phrases.iter().copied() {
        // A cry for help counts however it is put.
        let against = match fit.rule.intent {
            Intent::Person => None,
            _ => guards.against(
                text,
                &fit,
                &phrases::begins(text, &phrases, &fit, unguarded),
            ),
        };
        match against {
            None => fits.push(fit),
            Some(why) => rejected.push(Rejected { fit, why }),
        }
    }
    fits
}

/// The fit that decides comes first: a person before everything else, an opt-out before the rest,
/// what is certain before what must be looked at; of those the longest, and in the likeliest
/// language.
fn decide<'r>(whole: &Whole<'r>, fits: &mut [Fit<'r>]) -> Option<Fit<'r>> {
    fits.sort_by_key(|fit| {
        let first = fit.rule.intent != Intent::Person;
        let topic = fit.rule.topic && fit.how == "phrase";
        (
            first,
            fit.rule.intent,
            fit.rule.review,
            !topic,
            std::cmp::Reverse(fit.to - fit.from),
            whole.unlikelihood(fit.rule.language),
        )
    });
    fits.first().copied()
}

fn answer(
    rules: &RuleSet,
    message: &Inbound,
    text: &Text,
    found: Option<Fit<'_>>,
    scope: Option<Scope>,
    rejected: Vec<Rejected<'_>>,
) -> Classification {
    let bare = match scope {
        Some(Scope::All) => ends::bare_stop(rules, message, text),
        _ => None,
    };
    let ends = bare.map(|rule| rule.id.clone());
    let explanation = message.explain.then(|| explain(text, rejected, ends));
    let Some(fit) = found else {
        return Classification {
            explanation,
            ..consequences::nothing()
        };
    };
    let Rule {
        id,
        intent,
        language,
        ..
    } = fit.rule;
    // A stop that names a topic nobody knows is held, and a person decides.
    let review = fit.rule.review || matches!(scope, Some(Scope::Topic(_)));
    let mut consequences = consequences(rules, message, intent, scope, review);
    if bare.is_some_and(|rule| rule.ends == Ends::Category) {
        ends::narrow(rules, message, &mut consequences);
    }
    let (reply, asks) = if message.answered {
        (None, None)
    } else {
        reply(
            rules,
            message,
            intent,
            language,
            consequences.scope.as_ref(),
        )
    };
    Classification {
        intent,
        scope: consequences.scope,
        changes: consequences.changes,
        reply,
        asks,
        route: consequences.route,
        priority: consequences.priority,
        review,
        rule: format!("{id}.{}", fit.how),
        matched: span(text, &fit),
        language: Some(language.to_owned()),
        explanation,
    }
}

fn span(text: &Text, fit: &Fit<'_>) -> Option<Span> {
    let tokens: &[Token] = text.tokens.get(fit.from..fit.to)?;
    Some(Span {
        start: tokens.first()?.span.start,
        end: tokens.last()?.span.end,
    })
}

fn explain(text: &Text, rejected: Vec<Rejected<'_>>, ends: Option<String>) -> Explanation {
    Explanation {
        ends,
        normalised: text.all().to_owned(),
        rejected: rejected
            .into_iter()
            .map(|Rejected { fit, why }| Rejection {
                rule: format!("{}.{}", fit.rule.id, fit.how),
                matched: span(text, &fit),
                why,
            })
            .collect(),
    }
}
