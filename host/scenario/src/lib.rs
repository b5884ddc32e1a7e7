//! Conversations that are played with a clock of their own: what a gateway does with a message between
//! its API and its store, kept in memory. The simulator in the browser and `consentry policy test` share it.
//!
//! A [`World`] asks no policy by itself. [`World::begin`] says what to ask one, and [`World::understood`] and
//! [`World::decided`] take its answer, so that the policy may run wherever there is a runtime for it.

mod answers;
mod consent;
mod expect;
mod given;
mod inbound;
mod outbound;
mod person;
mod read;
mod scenario;
mod step;
mod world;

pub use expect::differences;
pub use given::Given;
pub use inbound::Heard;
pub use outbound::Asked;
pub use scenario::{BadScenario, Scenario, VERSION};
pub use step::{Asking, ConsentQuestion, Reporting, Saying, Settings, Step, Tapped, TemplateName};
pub use world::{Begun, StepError, World};
