//! Runs a Consentry policy: a sandboxed WebAssembly component that says what an inbound message
//! means and whether an outbound one may go.
//!
//! A [`Host`] holds the runtime, a [`Policy`] is a component it has checked and compiled. Every
//! call gets a sandbox of its own, bound to one [`Contact`](consentry_model::Contact), bounded in
//! memory and time. A call cannot fail: when the policy traps, runs over its limits or goes under the
//! [floor](consentry_model::floor), the floor answers, and [`Answer::decided_by`] says so.
//!
//! ```
//! use std::sync::Arc;
//!
//! use consentry_host::{Host, Limits};
//! use consentry_model::{Channel, Contact, Inbound, Intent, Timestamp};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = Host::new(Limits::default())?;
//! let policy = host.load(consentry_default_policy::POLICY)?;
//!
//! let now: Timestamp = "2026-11-24T09:30:00Z".parse()?;
//! let somebody = Arc::new(Contact::default());
//! let answer = policy.classify(&Inbound::text(Channel::Sms, "STOP!!", now), &somebody);
//! assert_eq!(answer.value.intent, Intent::OptOut);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/embed.rs` shows an edge gateway's loop. The crate knows no HTTP and no SQL.
//!
//! Without the feature `compiler`, which is on by default, it has no compiler, and loads only what a host
//! with one has compiled: see [`CodeCache`] and `host/without-compiler`.

mod bulk;
mod cache;
pub mod conformance;
mod digest;
mod inspect;
mod native;
mod policy;
mod runtime;
mod sandbox;
mod translate;

pub use bulk::Bulk;
pub use cache::{CacheError, CodeCache};
pub use digest::Digest;
pub use policy::{Answer, DecidedBy, Fault, Manifest, Policy};
pub use runtime::{Host, HostError, Limits, LoadError};

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::restriction,
    clippy::pedantic
)]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit", world: "policy" });
}
