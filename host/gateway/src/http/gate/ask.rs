//! Asks pre-flight about a message at the gate.

use axum::http::HeaderMap;
use consentry_model::EventId;

use super::category::Categories;
use super::check;
use super::provider::{Message, Refusal};
use crate::clock;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::preflight::{Answered, Question};

/// The event that a message answers, as pre-flight's `inReplyTo`.
const IN_REPLY_TO: &str = "x-consentry-in-reply-to";

/// The answer, when the message may go.
pub(super) async fn ask(
    gateway: &Gateway,
    categories: &Categories,
    message: &Message,
    headers: &HeaderMap,
) -> Result<Answered, Refusal> {
    let (category, template) = categories.of(message, headers)?;
    let channel = message.channel;
    let question = Question {
        to: message.to.clone(),
        from: message.from.clone(),
        channel,
        category,
        template,
        at: clock::now(),
        country: None,
        region: None,
        time_zone: None,
        in_reply_to: check::text(headers, IN_REPLY_TO)?.map(|id| EventId(id.to_owned())),
        explain: false,
        dry_run: message.dry_run,
    };
    // What answers an event is bound to the address that it came from.
    let also = message.also.iter();
    for address in also.filter(|_| question.in_reply_to.is_none()) {
        let by_another_name = Question {
            to: address.clone(),
            dry_run: true,
            ..question.clone()
        };
        let answered = gateway.preflight(&by_another_name).await;
        let answered = answered.map_err(Problem::from)?;
        let decision = &answered.decision;
        let counts = ["opted_out", "store_unavailable", "policy_failed"];
        if counts.contains(&&*decision.reason) {
            return Err(Refusal::denied(decision, channel, answered.decision_id));
        }
    }
    let answered = gateway.preflight(&question).await;
    let answered = answered.map_err(Problem::from)?;
    if answered.decision.is_allowed() {
        return Ok(answered);
    }
    Err(Refusal::denied(
        &answered.decision,
        channel,
        answered.decision_id,
    ))
}
