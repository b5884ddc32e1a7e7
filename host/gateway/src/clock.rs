//! The one place where the time is read.

use consentry_model::Timestamp;

/// Now, to the millisecond.
#[allow(
    clippy::expect_used,
    reason = "a clock set outside the years 0 to 9999 cannot be served"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(chrono::Utc::now().timestamp_millis()).expect("the clock is set")
}
