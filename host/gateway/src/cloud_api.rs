//! Meta's Cloud API, by which WhatsApp messages are sent.
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>

use std::time::Duration;

use reqwest::{Client, StatusCode, Url, redirect};
use serde_json::Value;
use thiserror::Error;

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A telephone number of the sender's at Meta, and what allows to send from it.
pub struct CloudApi {
    url: Url,
    token: String,
    client: Client,
}

/// Why a message was not sent. It holds no part of the message.
#[derive(Debug, Error)]
pub enum SendError {
    /// It did not answer.
    #[error("it does not answer: {0}")]
    Away(reqwest::Error),
    /// It did not take the message.
    #[error("it answered {status}{}", code.map(|code| format!(", error {code}")).unwrap_or_default())]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// Meta's code.
        code: Option<u64>,
    },
}

impl CloudApi {
    /// The number at an address such as `https://graph.facebook.com/v23.0/106540352242922`.
    pub fn new(url: &Url, token: String) -> reqwest::Result<Self> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()?;
        let mut url = url.clone();
        let path = format!("{}/messages", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self { url, token, client })
    }

    /// Sends a message, and gives its identifier.
    pub async fn send(&self, message: &Value) -> Result<Option<String>, SendError> {
        let away = |error: reqwest::Error| SendError::Away(error.without_url());
        let request = self.client.post(self.url.clone());
        let request = request.bearer_auth(&self.token).json(message);
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let said: Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            let code = said.pointer("/error/code").and_then(Value::as_u64);
            return Err(SendError::Refused { status, code });
        }
        let id = said.pointer("/messages/0/id").and_then(Value::as_str);
        Ok(id.map(str::to_owned))
    }
}
