//! Everybody else: the neutral form of `/v1/inbound` or `/v1/platform-notices`, signed as Standard
//! Webhooks have it. <https://www.standardwebhooks.com>

use anyhow::Context as _;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, Webhook, WebhookError};

use super::provider::{Delivery, Done, Provider, Told, bad_signature};
use super::secrets::Secrets;
use crate::http::extract::read;
use crate::http::inbound::{self, InboundAnswer};
use crate::http::platform::{self, NoticeAnswer};
use crate::http::problem::Problem;

pub(crate) struct Generic {
    secrets: Secrets<Webhook>,
}

impl Generic {
    pub(crate) const NAME: &str = "generic";

    pub(crate) fn new(secrets: Secrets) -> anyhow::Result<Self> {
        let secrets = secrets.in_form(|secret| {
            let secret = String::from_utf8(secret).ok()?;
            secret.strip_prefix("whsec_")?;
            Webhook::new(&secret).ok()
        });
        let secrets = secrets.context("a secret for generic is not whsec_ and base64")?;
        Ok(Self { secrets })
    }
}

impl Provider for Generic {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn signed_in(&self) -> &'static str {
        HEADER_WEBHOOK_SIGNATURE
    }

    fn verify(&self, delivery: &Delivery<'_>, _signature: &str) -> Result<(), Problem> {
        let verified = |webhook: &Webhook| webhook.verify(delivery.body, delivery.headers);
        if self.secrets.any(|webhook| verified(webhook).is_ok()) {
            return Ok(());
        }
        let stale = |webhook: &Webhook| {
            let stale = verified(webhook).err();
            matches!(
                stale,
                Some(WebhookError::TimestampTooOldError | WebhookError::FutureTimestampError)
            )
        };
        if self.secrets.any(stale) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "stale-signature",
                "webhook-timestamp: it is more than five minutes from now; sign again",
            )
            .at("webhook-timestamp"));
        }
        Err(bad_signature(self.signed_in()))
    }

    fn read(&self, delivery: &Delivery<'_>) -> Result<Vec<Told>, Problem> {
        // Signed, so it is there.
        let id = delivery.headers.get(HEADER_WEBHOOK_ID);
        let id = id.and_then(|id| id.to_str().ok()).map(str::to_owned);
        let document: Value = read(delivery.body)?;
        if document.get("platform").is_some() {
            let mut notice = platform::read(read(delivery.body)?)?;
            notice.message_id = notice.message_id.or(id);
            return Ok(vec![Told::Notice(Box::new(notice))]);
        }
        let mut message = inbound::message(read(delivery.body)?)?;
        message.message_id = message.message_id.or(id);
        Ok(vec![Told::Message(Box::new(message))])
    }

    fn answer(&self, done: Vec<Done>) -> Response {
        match done.into_iter().next() {
            Some(Done::Message(recorded)) => Json(InboundAnswer::from(*recorded)).into_response(),
            Some(Done::Notice(effect, recorded)) => {
                Json(NoticeAnswer::new(effect, *recorded)).into_response()
            }
            Some(Done::Decision(_) | Done::Nothing) | None => {
                StatusCode::NO_CONTENT.into_response()
            }
        }
    }
}
