//! A message that came in, and what a policy says of it.

use consentry_model as model;
use consentry_model::check::{category, cut};
use consentry_model::{Category, Channel};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::Checked;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Inbound<'m> {
    channel: Channel,
    body: &'m str,
    at: i64,
    selection: Option<Selection<'m>>,
    footer: Option<&'m str>,
    question: Option<&'m str>,
    last_category: Option<&'m str>,
    country: Option<&'m str>,
    language: Option<&'m str>,
    answered: bool,
    explain: bool,
}

#[derive(Serialize)]
struct Selection<'m> {
    id: &'m str,
    title: &'m str,
}

pub(crate) fn inbound(message: &model::Inbound) -> Inbound<'_> {
    Inbound {
        channel: message.channel,
        body: &message.body,
        at: message.at.millis(),
        selection: message.selection.as_ref().map(|tapped| Selection {
            id: &tapped.id,
            title: &tapped.title,
        }),
        footer: message.footer.as_deref(),
        question: message.question.as_deref(),
        last_category: message.last_category.as_ref().map(Category::as_str),
        country: message.country.as_deref(),
        language: message.language.as_deref(),
        answered: message.answered,
        explain: message.explain,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Classification {
    intent: Intent,
    scope: Option<Scope>,
    changes: Vec<Change>,
    reply: Option<String>,
    asks: Option<String>,
    route: Route,
    priority: Priority,
    review: bool,
    rule: String,
    matched: Option<Span>,
    language: Option<String>,
    explanation: Option<Explanation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Intent {
    OptOut,
    OptIn,
    Help,
    AnswerYes,
    AnswerNo,
    WrongNumber,
    Person,
    Other,
}

#[derive(Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Scope {
    All,
    Channel(Channel),
    Category(String),
    Topic(String),
}

#[derive(Deserialize)]
struct Change {
    channel: Channel,
    category: Option<String>,
    kind: ChangeKind,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ChangeKind {
    OptOut,
    OptIn,
    Release,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Route {
    Disconnect,
    Bot,
    Agent,
    PriorityAgent,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Priority {
    Normal,
    High,
}

#[derive(Deserialize)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Deserialize)]
struct Explanation {
    normalised: String,
    rejected: Vec<Rejection>,
    ends: Option<String>,
}

#[derive(Deserialize)]
struct Rejection {
    rule: String,
    matched: Option<Span>,
    why: String,
}

/// What a policy said of a message.
pub(crate) fn classification(
    answer: JsValue,
    message: &model::Inbound,
) -> Checked<model::Classification> {
    let found: Classification =
        serde_wasm_bindgen::from_value(answer).map_err(|error| error.to_string())?;
    let words = |span: Option<Span>| {
        span.map(|span| cut(&message.body, span.start, span.end))
            .transpose()
    };
    let explanation = |explanation: Explanation| {
        let rejected = explanation.rejected.into_iter().map(|rejection| {
            Ok(model::Rejection {
                rule: rejection.rule,
                matched: words(rejection.matched)?,
                why: rejection.why,
            })
        });
        Ok::<_, String>(model::Explanation {
            normalised: explanation.normalised,
            rejected: rejected.collect::<Checked<_>>()?,
            ends: explanation.ends,
        })
    };
    Ok(model::Classification {
        intent: match found.intent {
            Intent::OptOut => model::Intent::OptOut,
            Intent::OptIn => model::Intent::OptIn,
            Intent::Help => model::Intent::Help,
            Intent::AnswerYes => model::Intent::AnswerYes,
            Intent::AnswerNo => model::Intent::AnswerNo,
            Intent::WrongNumber => model::Intent::WrongNumber,
            Intent::Person => model::Intent::Person,
            Intent::Other => model::Intent::Other,
        },
        scope: match found.scope {
            None => None,
            Some(Scope::All) => Some(model::Scope::All),
            Some(Scope::Channel(channel)) => Some(model::Scope::Channel(channel)),
            Some(Scope::Category(name)) => Some(model::Scope::Category(category(&name)?)),
            Some(Scope::Topic(words)) => Some(model::Scope::Topic(words)),
        },
        changes: found
            .changes
            .into_iter()
            .map(change)
            .collect::<Checked<_>>()?,
        reply: found.reply,
        asks: found.asks,
        route: match found.route {
            Route::Disconnect => model::Route::Disconnect,
            Route::Bot => model::Route::Bot,
            Route::Agent => model::Route::Agent,
            Route::PriorityAgent => model::Route::PriorityAgent,
        },
        priority: match found.priority {
            Priority::Normal => model::Priority::Normal,
            Priority::High => model::Priority::High,
        },
        review: found.review,
        rule: found.rule,
        matched: words(found.matched)?,
        language: found.language,
        explanation: found.explanation.map(explanation).transpose()?,
    })
}

fn change(change: Change) -> Checked<model::Change> {
    Ok(model::Change {
        channel: change.channel,
        category: change.category.map(|name| category(&name)).transpose()?,
        kind: match change.kind {
            ChangeKind::OptOut => model::ChangeKind::OptOut,
            ChangeKind::OptIn => model::ChangeKind::OptIn,
            ChangeKind::Release => model::ChangeKind::Release,
        },
    })
}
