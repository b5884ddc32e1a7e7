//! Decisions as they were made: what the policy was told, and what it answered. They are kept, so that any
//! of them can be made again with another policy, and they are shown to a candidate while messages flow.
//!
//! No address and no text of a message is among what is kept here: a message is in its event.

mod compare;
mod counts;
mod record;
mod recorder;
mod shadow;

pub use compare::{Difference, Differences};
pub(crate) use compare::{Tally, Understanding};
pub(crate) use counts::Counts;
pub(crate) use record::{Decided, What};
pub use record::{Kept, Made};
pub(crate) use recorder::{Recorder, keep, write};
pub use shadow::Report as ShadowReport;
