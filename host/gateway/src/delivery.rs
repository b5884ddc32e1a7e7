//! Alerts leave the building: each is posted to a webhook, again and again until it is taken.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, Url, redirect};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::alerts::Alert;
use crate::clock;
use crate::gateway::Gateway;

/// How long the other side may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The first pause after a failure, which doubles with each, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often the store is looked at for what another gateway has put there.
const LOOK: Duration = Duration::from_secs(60);
const AT_ONCE: u32 = 100;

/// Where alerts go.
pub(crate) struct Target {
    url: Url,
    signer: Option<Webhook>,
    client: Client,
}

impl Target {
    /// A webhook. With a secret, in the form `whsec_…` of Standard Webhooks, what is sent is signed.
    pub(crate) fn new(url: Url, secret: Option<&str>) -> anyhow::Result<Self> {
        let signer = secret.map(Webhook::new).transpose();
        let signer = signer.context("the secret is not whsec_ and base64")?;
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Self {
            url,
            signer,
            client,
        })
    }

    async fn post(&self, alert: &Alert) -> anyhow::Result<()> {
        let body = cloud_event(alert).to_string();
        let now = clock::now().millis() / 1000;
        let mut request = self
            .client
            .post(self.url.clone())
            .header("content-type", "application/cloudevents+json")
            .header("webhook-id", &alert.alert_id)
            .header("webhook-timestamp", now);
        if let Some(signer) = &self.signer {
            let signature = signer.sign(&alert.alert_id, now, body.as_bytes())?;
            request = request.header("webhook-signature", signature);
        }
        // The address may hold a secret, so errors go without it.
        let answer = request.body(body).send().await;
        let answer = answer.map_err(reqwest::Error::without_url)?;
        anyhow::ensure!(
            answer.status().is_success(),
            "it answered {}",
            answer.status()
        );
        Ok(())
    }
}

/// The form of CloudEvents 1.0.
fn cloud_event(alert: &Alert) -> Value {
    json!({
        "specversion": "1.0",
        "id": alert.alert_id,
        "source": "urn:consentry",
        "type": "consentry.alert",
        "time": alert.tally.first_at,
        "datacontenttype": "application/json",
        "data": alert,
    })
}

/// Delivers what is in the store, for as long as the gateway serves.
pub(crate) async fn deliver(gateway: Gateway, target: Target) {
    let mut pause = FIRST_PAUSE;
    loop {
        match deliver_waiting(&gateway, &target).await {
            Ok(()) => {
                pause = FIRST_PAUSE;
                // Whichever comes first.
                drop(tokio::time::timeout(LOOK, gateway.alerts().written()).await);
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "an alert was not delivered; it waits"
                );
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

async fn deliver_waiting(gateway: &Gateway, target: &Target) -> anyhow::Result<()> {
    loop {
        let waiting = gateway.store().undelivered_alerts(AT_ONCE).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        for alert in waiting {
            target.post(&alert).await?;
            let store = gateway.store();
            store.alert_delivered(alert.alert_id, clock::now()).await?;
        }
    }
}
