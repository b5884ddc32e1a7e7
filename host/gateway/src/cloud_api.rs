//! Meta's Cloud API, by which WhatsApp messages are sent.
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages>

use std::time::Duration;

use reqwest::{Client, StatusCode, Url, redirect};
use serde_json::Value;
use thiserror::Error;

use crate::address::Address;

/// How long it may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A telephone number of the sender's at Meta, and what allows to send from it.
pub struct CloudApi {
    /// The address of the API, without the number.
    api: Url,
    number: String,
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
        let mut api = url.clone();
        let (path, number) = match url.path().trim_end_matches('/').rsplit_once('/') {
            Some((path, number)) => (path, number.to_owned()),
            None => ("", String::new()),
        };
        api.set_path(path);
        Ok(Self {
            api,
            number,
            token,
            client,
        })
    }

    /// Sends a message, and gives its identifier.
    pub async fn send(&self, message: &Value) -> Result<Option<String>, SendError> {
        self.send_from(&self.number, message).await
    }

    /// The same from another number at Meta that the token is for.
    pub async fn send_from(
        &self,
        number: &str,
        message: &Value,
    ) -> Result<Option<String>, SendError> {
        let away = |error: reqwest::Error| SendError::Away(error.without_url());
        let mut url = self.api.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/{number}/messages"));
        let request = self.client.post(url);
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

/// Where a message has its address: somebody without a number known is reached by the user id.
pub(crate) fn recipient(to: &Address) -> &'static str {
    match to.phone_number() {
        Some(_) => "to",
        None => "recipient",
    }
}
