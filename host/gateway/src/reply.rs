//! What there is to say to somebody who wrote by a provider that takes no answer: it is sent as a message
//! of its own, when it may go.

use anyhow::Context as _;
use consentry_model::{Channel, Outbound};
use serde_json::json;

use crate::address::Address;
use crate::cloud_api;
use crate::gateway::Gateway;
use crate::preflight::Question;
use crate::store::Event;
use crate::{clock, telemetry};

/// Sends the answer to a message, if there is one and a number to send from is configured.
pub(crate) async fn send(gateway: Gateway, number: String, event: Event) {
    if event.reply.is_none() || gateway.cloud_api().is_none() {
        return;
    }
    let outcome = match try_to_send(&gateway, &number, &event).await {
        Ok(true) => "sent",
        Ok(false) => "denied",
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "an answer was not sent");
            "failed"
        }
    };
    telemetry::replied(outcome);
}

/// Whether it went.
async fn try_to_send(gateway: &Gateway, number: &str, event: &Event) -> anyhow::Result<bool> {
    let (Some(text), Some(api)) = (&event.reply, gateway.cloud_api()) else {
        return Ok(false);
    };
    let to = Address::parse(&event.address, None).context("the address is none")?;
    let is_bound = matches!(event.intent.as_deref(), Some("opt-out" | "help"));
    let message = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        cloud_api::recipient(&to): to.to_string(),
        "type": "text",
        "text": { "body": text },
    });
    let question = Question {
        to,
        from: event.business_address.clone(),
        channel: Channel::Whatsapp,
        category: Outbound::default_category(Channel::Whatsapp, None),
        template: None,
        at: clock::now(),
        country: None,
        region: None,
        time_zone: None,
        in_reply_to: is_bound.then(|| event.event_id.clone()),
        explain: false,
        dry_run: false,
    };
    let allowed = gateway.preflight(&question).await?;
    if !allowed.decision.is_allowed() {
        return Ok(false);
    }
    api.send_from(number, &message).await?;
    Ok(true)
}
