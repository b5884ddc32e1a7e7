//! Meta's Cloud API for WhatsApp.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hmac::Hmac;
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::meta_payload;
use super::provider::{Delivery, Done, Provider, Told, bad_signature};
use super::secrets::Secrets;
use crate::http::extract::read;
use crate::http::problem::Problem;

/// Up to 1,000 updates come together, in up to 3 MB.
const LARGEST: usize = 3 << 20;

pub(crate) struct Meta {
    secrets: Secrets,
    verify_tokens: Option<Secrets>,
}

impl Meta {
    pub(crate) const NAME: &str = "meta";

    pub(crate) fn new(secrets: Secrets, verify_tokens: Option<Secrets>) -> Self {
        Self {
            secrets,
            verify_tokens,
        }
    }
}

impl Provider for Meta {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn signed_in(&self) -> &'static str {
        "x-hub-signature-256"
    }

    fn largest(&self) -> usize {
        LARGEST
    }

    fn verify(&self, delivery: &Delivery<'_>, signature: &str) -> Result<(), Problem> {
        let code = signature.strip_prefix("sha256=").and_then(from_hex);
        let signed = |code: Vec<u8>| self.secrets.signed::<Hmac<Sha256>>(delivery.body, &code);
        if code.is_some_and(signed) {
            Ok(())
        } else {
            Err(bad_signature(self.signed_in()))
        }
    }

    fn read(&self, delivery: &Delivery<'_>) -> Result<Vec<Told>, Problem> {
        let document: Value = read(delivery.body)?;
        if !document.is_object() {
            return Err(Problem::field("(body)", "an object with `entry`"));
        }
        Ok(meta_payload::told(&document))
    }

    /// Meta wants to know only that it arrived.
    fn answer(&self, _done: Vec<Done>) -> Response {
        StatusCode::OK.into_response()
    }

    /// Whoever sets the webhook up is asked for the verify token. This carries no signature.
    fn handshake(&self, query: &str) -> Result<Response, Problem> {
        let refused = |detail| Problem::new(StatusCode::FORBIDDEN, "wrong-verify-token", detail);
        let parameter = |name: &str| {
            let mut parameters = form_urlencoded::parse(query.as_bytes());
            let found = parameters.find(|(parameter, _)| parameter == name);
            found.map_or_else(String::new, |(_, value)| value.into_owned())
        };
        let tokens = self.verify_tokens.as_ref().ok_or_else(|| {
            refused("no verify token is known here: set CONSENTRY_META_VERIFY_TOKEN")
        })?;
        let token = parameter("hub.verify_token");
        let is_right = tokens.any(|known| known.as_slice().ct_eq(token.as_bytes()).into());
        if parameter("hub.mode") != "subscribe" || !is_right {
            let detail = "hub.verify_token: it is not the one that is known here";
            return Err(refused(detail).at("hub.verify_token"));
        }
        let plain = [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        Ok((StatusCode::OK, plain, parameter("hub.challenge")).into_response())
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    pairs.iter().map(byte).collect()
}
