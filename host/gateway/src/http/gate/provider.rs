//! What the send API of every provider has: how a request is read, how a refusal is said, and what an
//! error of its own tells about the contact.

use async_trait::async_trait;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use consentry_model::{Channel, Decision, Timestamp};
use serde_json::Value;

use super::access::Access;
use crate::address::Address;
use crate::gateway::Gateway;
use crate::http::problem::Problem;
use crate::platform::Said;

/// A provider whose send API the gate speaks. One more is one more file beside the others, and a line
/// in [`super::provider`].
#[async_trait]
pub(super) trait Provider: Send + Sync {
    /// What it is called in settings, events and metrics.
    fn name(&self) -> &'static str;

    /// The paths of the calls that send, which are posted to.
    fn paths(&self) -> &'static [&'static str];

    /// The media type of its requests.
    fn media_type(&self) -> &'static str {
        "application/json"
    }

    /// The names that the query of a request may have. Others could say something else than the body.
    fn query(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether the signature of a request covers headers of it, which then must arrive as they are.
    fn signs_headers(&self) -> bool {
        false
    }

    /// Serves what is not for the provider, but for the store.
    async fn serve(
        &self,
        _gateway: &Gateway,
        _access: &Access<'_>,
        _call: &Call<'_>,
    ) -> Result<Option<Response>, Problem> {
        Ok(None)
    }

    /// What a request wants to send.
    fn read(&self, call: &Call<'_>) -> Result<Asked, Problem>;

    /// A refusal in the provider's own form: the status, the document, and its headers.
    fn refuse(&self, refusal: &Refusal) -> Response;

    /// What an error of the provider's tells about the contact.
    fn said(&self, error: &Value) -> Option<Said>;
}

/// A request, as it came.
pub(super) struct Call<'c> {
    /// The path, as the provider has it.
    pub(super) path: &'c str,
    pub(super) headers: &'c HeaderMap,
    pub(super) body: &'c [u8],
}

/// What a request wants.
pub(super) enum Asked {
    /// To send somebody a message.
    Message(Box<Message>),
    /// Something that reaches nobody.
    NoMessage,
}

/// A message that somebody wants to send.
pub(super) struct Message {
    /// To whom.
    pub(super) to: Address,
    /// Other addresses that the same person may have opted out with.
    pub(super) also: Vec<Address>,
    pub(super) channel: Channel,
    /// The sender's own address, or what the provider calls a group of them.
    pub(super) from: Option<String>,
    /// The name of the template; nothing: free-form.
    pub(super) template: Option<String>,
    /// The category, where the request names one.
    pub(super) category: Option<String>,
    /// The category that the provider's own word for the kind of message comes to.
    pub(super) kind: Option<&'static str>,
    /// Whether the provider is only asked what would become of it.
    pub(super) dry_run: bool,
}

impl Message {
    pub(super) fn new(channel: Channel, to: Address) -> Self {
        Self {
            to,
            also: Vec::new(),
            channel,
            from: None,
            template: None,
            category: None,
            kind: None,
            dry_run: false,
        }
    }
}

/// Why a request is not forwarded, or why there is no answer of the provider's.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) cause: Cause,
    /// A stable code, as pre-flight or a problem has it.
    pub(super) reason: String,
    /// The same for people.
    pub(super) detail: String,
    /// How the message would have gone, where that is known.
    pub(super) channel: Option<Channel>,
    /// The decision, where there is one.
    pub(super) decision_id: Option<String>,
}

/// The kinds of refusals that a provider has an error for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The message can never go.
    OptedOut,
    /// On WhatsApp, the contact has to write first, or a template has to be used.
    WindowClosed,
    /// The message may be asked about again then.
    Later(Timestamp),
    /// The caller has no API key, or one that does not allow it.
    NoKey(StatusCode),
    /// The request is not one that can be judged.
    Request(StatusCode),
    /// Too much is being asked.
    Busy,
    /// Something is out of order; nothing may be sent because of it.
    Fault(StatusCode),
}

impl Refusal {
    pub(super) fn denied(decision: &Decision, channel: Channel, decision_id: String) -> Self {
        let reason = decision.reason.clone();
        let (cause, detail) = match (decision.retry_at(), reason.as_str()) {
            (Some(at), _) => (
                Cause::Later(at),
                format!("not now ({reason}): ask again from {at} on"),
            ),
            (None, "store_unavailable" | "policy_failed") => (
                Cause::Fault(StatusCode::SERVICE_UNAVAILABLE),
                format!("nobody can say whether it may go ({reason}), so it does not"),
            ),
            (None, "window_closed") => (
                Cause::WindowClosed,
                format!("the contact has to write first, or use a template ({reason})"),
            ),
            (None, "unknown_category") => (
                Cause::Request(StatusCode::BAD_REQUEST),
                format!("the policy has no such category ({reason})"),
            ),
            (None, "opted_out") => (
                Cause::OptedOut,
                format!("the contact has opted out ({reason})"),
            ),
            (None, _) => (
                Cause::OptedOut,
                format!("the contact has not agreed to such a message ({reason})"),
            ),
        };
        Self {
            cause,
            detail: format!("Consentry did not let this message go: {detail}"),
            reason,
            channel: Some(channel),
            decision_id: Some(decision_id),
        }
    }

    /// The name that goes along in some providers' errors.
    pub(super) fn id(&self) -> &str {
        self.decision_id.as_deref().unwrap_or_default()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let cause = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => {
                Cause::NoKey(status)
            }
            StatusCode::SERVICE_UNAVAILABLE if problem.name() == "overloaded" => Cause::Busy,
            status if status.is_server_error() => Cause::Fault(status),
            status => Cause::Request(status),
        };
        Self {
            cause,
            reason: problem.name().replace('-', "_"),
            detail: format!("Consentry did not forward this: {}", problem.detail()),
            channel: None,
            decision_id: None,
        }
    }
}

/// A telephone number with its country code, and nothing else. What would be read as another number here
/// may be read as a third one there.
pub(super) fn number(field: &str, text: &str) -> Result<Address, Problem> {
    let address = Address::parse(text, None).map_err(|error| Problem::field(field, error))?;
    let is_plain = |char: char| char.is_ascii_digit() || "+ ()-.".contains(char);
    if text.chars().all(is_plain) && digits(text) == digits(&address.to_string()) {
        return Ok(address);
    }
    Err(Problem::field(
        field,
        "write the number in E.164, like +14155550123",
    ))
}

pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_as_one_and_as_itself() {
        for (text, reads) in [
            ("+14155550123", true),
            (" +1 (415) 555-0123", true),
            ("14155550123", false),
            ("+14155550123;ext=5", false),
            ("+14155550123/4", false),
            ("+44 (0)20 7183 8750", false),
            ("+14155550123\0", false),
            ("ann@example.org", false),
            ("US.13491208655302741918", false),
        ] {
            assert_eq!(number("To", text).is_ok(), reads, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_has_the_digits_that_were_written(text in "[+0-9 ();/x.,-]{0,20}") {
            if let Ok(address) = number("To", &text) {
                prop_assert_eq!(digits(&address.to_string()), digits(&text));
            }
        }
    }
}
