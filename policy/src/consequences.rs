//! What follows from a message: consent changes, where it goes, how urgent it is there.

use crate::rules::{ConsentQuestion, RuleSet};
use crate::text::canonical;
use crate::types::{
    Change, ChangeKind, Channel, Classification, Inbound, Intent, Priority, Route, Scope,
};

pub(crate) struct Consequences {
    pub(crate) scope: Option<Scope>,
    pub(crate) changes: Vec<Change>,
    pub(crate) route: Route,
    pub(crate) priority: Priority,
}

/// A message that no rule knows goes to the bot.
pub(crate) fn nothing() -> Classification {
    Classification {
        intent: Intent::Other,
        scope: None,
        changes: Vec::new(),
        reply: None,
        asks: None,
        route: Route::Bot,
        priority: Priority::Normal,
        review: false,
        rule: "otherwise".to_owned(),
        matched: None,
        language: None,
        explanation: None,
    }
}

/// What follows from an intent. `stop` is the scope of an opt-out that the message holds, whatever
/// else it says.
pub(crate) fn consequences(
    rules: &RuleSet,
    message: &Inbound,
    intent: Intent,
    stop: Option<Scope>,
    review: bool,
) -> Consequences {
    let (route, priority) = match intent {
        Intent::OptOut if matches!(stop, Some(Scope::Topic(_))) => (Route::Agent, Priority::High),
        Intent::OptOut => (Route::Disconnect, Priority::High),
        Intent::Person => (Route::PriorityAgent, Priority::High),
        Intent::OptIn | Intent::Help => (Route::Disconnect, Priority::Normal),
        _ if review => (Route::Agent, Priority::Normal),
        _ => (Route::Bot, Priority::Normal),
    };
    let (scope, changes) = match (stop, intent) {
        (Some(scope), _) => {
            let changes = stopped(rules, &scope);
            (Some(scope), changes)
        }
        (None, Intent::OptIn) => (Some(Scope::All), opted_in(message.channel)),
        (None, Intent::AnswerYes) => agreed(rules, message),
        (None, _) if review => (None, held(rules)),
        (None, _) => (None, Vec::new()),
    };
    Consequences {
        scope,
        changes,
        route,
        priority,
    }
}

/// What an opt-out ends. 47 CFR 64.1200(a)(10): a bare revocation ends everything, on every channel.
fn stopped(rules: &RuleSet, scope: &Scope) -> Vec<Change> {
    let everywhere = |category: Option<&String>| {
        Channel::ALL
            .into_iter()
            .map(|channel| change(channel, category.cloned(), ChangeKind::OptOut))
            .collect()
    };
    match scope {
        Scope::All => everywhere(None),
        Scope::Channel(channel) => vec![change(*channel, None, ChangeKind::OptOut)],
        Scope::Category(category) => everywhere(Some(category)),
        Scope::Topic(_) => held(rules),
    }
}

/// What stops while a person looks.
fn held(rules: &RuleSet) -> Vec<Change> {
    Channel::ALL
        .into_iter()
        .map(|channel| change(channel, Some(rules.held.clone()), ChangeKind::OptOut))
        .collect()
}

/// The channel on which it was said is opted in. The others are no longer stopped, but asking for
/// texts is not asking for calls.
fn opted_in(here: Channel) -> Vec<Change> {
    Channel::ALL
        .into_iter()
        .map(|channel| {
            let kind = if channel == here {
                ChangeKind::OptIn
            } else {
                ChangeKind::Release
            };
            change(channel, None, kind)
        })
        .collect()
}

/// A "yes" gives the consent that the open question asked for, and nothing more.
fn agreed(rules: &RuleSet, message: &Inbound) -> (Option<Scope>, Vec<Change>) {
    let Some(asked) = asked_for(rules, message) else {
        return (None, Vec::new());
    };
    let category = asked.category.clone();
    let scope = match &category {
        Some(category) => Scope::Category(category.clone()),
        None => Scope::Channel(message.channel),
    };
    (
        Some(scope),
        vec![change(message.channel, category, ChangeKind::OptIn)],
    )
}

fn change(channel: Channel, category: Option<String>, kind: ChangeKind) -> Change {
    Change {
        channel,
        category,
        kind,
    }
}

/// What the open question asks consent for, if it does.
fn asked_for<'r>(rules: &'r RuleSet, message: &Inbound) -> Option<&'r ConsentQuestion> {
    let question = canonical(message.question.as_deref()?);
    let contains = |phrases: &[String]| {
        phrases
            .iter()
            .any(|phrase| contains_words(&question, &canonical(phrase)))
    };
    rules
        .consent_questions
        .iter()
        .find(|kind| contains(&kind.asks) && (kind.about.is_empty() || contains(&kind.about)))
        .filter(|kind| {
            let answer = canonical(&message.body);
            let says = |word: &String| contains_words(&answer, &canonical(word));
            kind.words.is_empty() || kind.words.iter().any(says)
        })
}

/// Whether a phrase occurs in a text as whole words; both folded.
fn contains_words(text: &str, phrase: &str) -> bool {
    format!(" {text} ").contains(&format!(" {phrase} "))
}
