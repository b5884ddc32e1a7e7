//! `GET /v1/live`: what happens here, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use serde::Serialize;

use crate::decisions::Counts;
use crate::gateway::Gateway;

/// How often it is looked at whether something has changed.
const PAUSE: Duration = Duration::from_secs(1);

/// What an operator looks at.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    /// Decisions of this gateway since it started.
    #[serde(flatten)]
    counts: Counts,
    /// The digest of the policy that decides here.
    policy: String,
    /// The newest alert, with its count: when it is another one, there is something to look at.
    newest_alert: Option<(String, u64)>,
    /// The newest message that a person must look at.
    newest_review: Option<String>,
    /// Whether the store answers.
    store: bool,
}

/// Sends a snapshot whenever it is another one, at most once a second: how many messages were understood
/// as what (`messages`), how many questions were answered with which reason (`questions`), the `policy`, the
/// newest alert and the newest message to review.
#[utoipa::path(
    get, path = "/v1/live",
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = super::problem::Problem))
)]
pub(crate) async fn live(
    State(gateway): State<Gateway>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let snapshots = stream::unfold((gateway, None), |(gateway, last)| async move {
        loop {
            if last.is_some() {
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = gateway.closing() => return None,
                }
            }
            let now = look(&gateway).await;
            if last.as_ref() != Some(&now) {
                let event = Event::default().json_data(&now).unwrap_or_default();
                return Some((Ok(event), (gateway, Some(now))));
            }
        }
    });
    Sse::new(snapshots).keep_alive(KeepAlive::default())
}

async fn look(gateway: &Gateway) -> Snapshot {
    let store = gateway.store();
    let alerts = store.alerts(None, 1).await;
    let reviews = store.reviews(None, 1).await;
    let answers = alerts.is_ok() && reviews.is_ok();
    let alert = alerts.unwrap_or_default().pop();
    let review = reviews.unwrap_or_default().pop();
    Snapshot {
        counts: gateway.decisions().counts(),
        policy: gateway.policy().digest().to_string(),
        newest_alert: alert.map(|alert| (alert.alert_id, alert.tally.count)),
        newest_review: review.map(|event| event.event_id.0),
        store: answers,
    }
}
