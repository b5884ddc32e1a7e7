//! A message that somebody wants to send, and what a policy says about it.

use consentry_model as model;
use consentry_model::check::category;
use consentry_model::{Channel, Timestamp};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::Checked;

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
