//! What every provider has: how its webhooks are signed, what they tell, and what they are answered.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::gateway::InboundMessage;
use crate::http::preflight::{PreflightAnswer, PreflightRequest};
use crate::http::problem::Problem;
use crate::http::{MAX_BODY, no_such_method};
use crate::platform::{Effect, Moved, Notice};
use crate::store::Recorded;

/// A messaging provider. One more is one more file beside the others, and a line in
/// [`super::Providers`].
pub(crate) trait Provider: Send + Sync {
    /// What it is called in the path and in metrics.
    fn name(&self) -> &'static str;

    /// The header with the signature.
    fn signed_in(&self) -> &'static str;

    /// The media types that it sends.
    fn media_types(&self) -> &'static [&'static str] {
        &["application/json"]
    }

    /// The largest body that it sends, in bytes.
    fn largest(&self) -> usize {
        MAX_BODY
    }

    /// Whether the delivery comes from the provider, by its bytes as they came.
    fn verify(&self, delivery: &Delivery<'_>, signature: &str) -> Result<(), Problem>;

    /// What a delivery tells, in its order. What cannot be used, alone among others that can, is
    /// [`Told::Nothing`]: the provider would send the whole delivery again and again.
    fn read(&self, delivery: &Delivery<'_>) -> Result<Vec<Told>, Problem>;

    /// What the provider is answered when everything is on disk.
    fn answer(&self, done: Vec<Done>) -> Response;

    /// What a `GET` is answered, with which some providers ask whether an address is theirs to use.
    fn handshake(&self, _query: &str) -> Result<Response, Problem> {
        Err(no_such_method())
    }
}

/// A delivery, as it came.
pub(crate) struct Delivery<'d> {
    /// The path and the query.
    pub(crate) path_and_query: &'d str,
    pub(crate) headers: &'d HeaderMap,
    pub(crate) body: &'d [u8],
}

/// One thing that a delivery tells.
pub(crate) enum Told {
    /// Somebody wrote.
    Message(Box<InboundMessage>),
    /// The platform says something about a contact.
    Notice(Box<Notice>),
    /// Somebody wants to send a message.
    Question(Box<PreflightRequest>),
    /// Somebody has another address.
    Moved(Box<Moved>),
    /// Nothing to keep; for what reason is counted.
    Nothing(&'static str),
}

impl Told {
    /// What it is counted as.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Notice(_) => "notice",
            Self::Question(_) => "question",
            Self::Moved(_) => "moved",
            Self::Nothing(why) => why,
        }
    }
}

/// What was made of it.
pub(crate) enum Done {
    Message(Box<Recorded>),
    Notice(Effect, Box<Recorded>),
    Decision(Box<PreflightAnswer>),
    /// There is nothing to answer.
    Nothing,
}

/// The signature is not that of the delivery.
pub(super) fn bad_signature(header: &str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "bad-signature",
        format!("{header}: this is no signature of this body by a secret known here"),
    )
    .at(header)
}
