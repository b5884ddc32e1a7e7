//! Between the contract's types, in the form that JavaScript bindings give them, and the model's. Nothing
//! else in this crate knows both.

use consentry_model as model;
use consentry_model::check::{category, cut};
use consentry_model::{Category, Channel, Contact, Timestamp};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

type Checked<T> = Result<T, String>;

/// Moments are `s64`, which JavaScript writes as BigInt.
pub(crate) fn question(ask: &'static str, message: &impl Serialize) -> Result<JsValue, JsError> {
    #[derive(Serialize)]
    struct Question<'m, M> {
        ask: &'static str,
        message: &'m M,
    }
    to_js(&Question { ask, message })
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    let serializer =
        serde_wasm_bindgen::Serializer::new().serialize_large_number_types_as_bigints(true);
    Ok(value.serialize(&serializer)?)
}

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

#[derive(Serialize)]
pub(crate) struct Outbound<'m> {
    channel: Channel,
    category: &'m str,
    template: Option<Template<'m>>,
    at: i64,
    places: Vec<Place<'m>>,
    answers: Answers,
    explain: bool,
}

#[derive(Serialize)]
struct Template<'m> {
    name: &'m str,
    category: &'m str,
}

#[derive(Serialize)]
struct Place<'m> {
    country: &'m str,
    region: Option<&'m str>,
    offset: i32,
    change: Option<ClockChange>,
}

#[derive(Serialize)]
struct ClockChange {
    at: i64,
    offset: i32,
}

#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Answers {
    Nothing,
    OptOut(i64),
    Help(i64),
}

pub(crate) fn outbound(message: &model::Outbound) -> Outbound<'_> {
    Outbound {
        channel: message.channel,
        category: message.category.as_str(),
        template: message.template.as_ref().map(|template| Template {
            name: &template.name,
            category: template.category.as_str(),
        }),
        at: message.at.millis(),
        places: message.places.iter().map(place).collect(),
        answers: match message.answers {
            model::Answers::Nothing => Answers::Nothing,
            model::Answers::OptOut(said) => Answers::OptOut(said.millis()),
            model::Answers::Help(said) => Answers::Help(said.millis()),
        },
        explain: message.explain,
    }
}

fn place(place: &model::Place) -> Place<'_> {
    Place {
        country: &place.country,
        region: place.region.as_deref(),
        offset: place.offset,
        change: place.change.map(|change| ClockChange {
            at: change.at.millis(),
            offset: change.offset,
        }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    verdict: Verdict,
    route: SendRoute,
    reason: String,
    reasons: Vec<String>,
    relied_on: Option<String>,
    limits: Vec<Limit>,
    trace: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Verdict {
    Allow,
    Deny,
    DeferUntil(i64),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SendRoute {
    Send,
    SilentFailure,
    InternalAlert,
}

#[derive(Deserialize)]
struct Limit {
    rule: String,
    categories: Vec<String>,
    channels: Vec<Channel>,
    window: i64,
    count: u32,
}

#[derive(Deserialize)]
struct Step {
    rule: String,
    outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    Pass,
    Skip,
    Block,
}

/// What a policy said about a message that somebody wants to send.
pub(crate) fn decision(answer: JsValue) -> Checked<model::Decision> {
    let decided: Decision =
        serde_wasm_bindgen::from_value(answer).map_err(|error| error.to_string())?;
    let limit = |limit: Limit| {
        let categories = limit.categories.iter().map(|name| category(name));
        Ok::<_, String>(model::Limit {
            rule: limit.rule,
            categories: categories.collect::<Checked<_>>()?,
            channels: limit.channels,
            window: limit.window,
            count: limit.count,
        })
    };
    let step = |step: Step| model::Step {
        rule: step.rule,
        outcome: match step.outcome {
            Outcome::Pass => model::Outcome::Pass,
            Outcome::Skip => model::Outcome::Skip,
            Outcome::Block => model::Outcome::Block,
        },
    };
    Ok(model::Decision {
        verdict: match decided.verdict {
            Verdict::Allow => model::Verdict::Allow,
            Verdict::Deny => model::Verdict::Deny,
            Verdict::DeferUntil(millis) => Timestamp::from_millis(millis)
                .map(model::Verdict::DeferUntil)
                .ok_or_else(|| format!("{millis} is no moment to defer to"))?,
        },
        route: match decided.route {
            SendRoute::Send => model::SendRoute::Send,
            SendRoute::SilentFailure => model::SendRoute::SilentFailure,
            SendRoute::InternalAlert => model::SendRoute::InternalAlert,
        },
        reason: decided.reason,
        reasons: decided.reasons,
        relied_on: decided.relied_on.map(|name| category(&name)).transpose()?,
        limits: decided
            .limits
            .into_iter()
            .map(limit)
            .collect::<Checked<_>>()?,
        trace: decided.trace.into_iter().map(step).collect(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsentRecord {
    status: &'static str,
    since: Option<i64>,
    proof: model::Proof,
    named_since: Option<i64>,
}

/// Answers a function of `consent-lookup`. A name that is no category is one that nobody has said anything
/// about, so only general statements count.
pub(crate) fn lookup(
    contact: &Contact,
    name: &str,
    arguments: JsValue,
) -> Result<JsValue, JsError> {
    let moment = |at: Option<&Timestamp>| to_js(&at.map(|at| at.millis()));
    match name {
        "consent" => {
            let (channel, name): (Channel, String) = serde_wasm_bindgen::from_value(arguments)?;
            let consent = match name.parse::<Category>() {
                Ok(category) => contact.consent(channel, &category),
                Err(_) => contact.summary(Some(channel), None),
            };
            to_js(&ConsentRecord {
                status: match consent.status {
                    model::ConsentStatus::OptIn => "opt-in",
                    model::ConsentStatus::OptOut => "opt-out",
                    model::ConsentStatus::None => "none",
                },
                since: consent.because.map(|mark| mark.at.millis()),
                proof: consent.proof,
                named_since: consent.named_since.map(Timestamp::millis),
            })
        }
        "lastInbound" => {
            let (channel,): (Channel,) = serde_wasm_bindgen::from_value(arguments)?;
            moment(contact.last_inbound.get(&channel))
        }
        "lastAdEntry" => {
            let (channel,): (Channel,) = serde_wasm_bindgen::from_value(arguments)?;
            moment(contact.last_ad_entry.get(&channel))
        }
        "backoff" => {
            let (channel, name): (Channel, String) = serde_wasm_bindgen::from_value(arguments)?;
            let until = name.parse().ok();
            moment(until.and_then(|category| contact.backoff.get(&(channel, category))))
        }
        "sent" => {
            let (channels, names, earlier): (Vec<Channel>, Vec<String>, u32) =
                serde_wasm_bindgen::from_value(arguments)?;
            let categories: Vec<Category> =
                names.iter().filter_map(|name| name.parse().ok()).collect();
            moment(
                contact
                    .sent(&channels, &categories, earlier as usize)
                    .as_ref(),
            )
        }
        other => Err(JsError::new(&format!("there is no lookup {other:?}"))),
    }
}
