//! The rules engine as a component of the world `consentry:policy/policy`.
//!
//! Built for `wasm32-unknown-unknown` by `policy/build`, which calls [`start`] once with a rule
//! set, snapshots the memory and drops the start functions. What remains is the world's exports.

mod memory;
mod start;
mod tables;
mod translate;

#[allow(
    missing_docs,
    unsafe_code,
    clippy::all,
    clippy::pedantic,
    clippy::restriction
)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "policy", generate_all });
    use super::Policy;
    export!(Policy with_types_in self);
}

use bindings::consentry::policy::consent_lookup;
use bindings::{Classification, Decision, Guest, Inbound, Manifest, Outbound};
use consentry_policy::{Channel, ConsentRecord, Lookup, Timestamp};

struct Policy;

impl Guest for Policy {
    fn classify(message: Inbound) -> Classification {
        start::engine().classify(&message.into()).into()
    }

    fn preflight(message: Outbound) -> Decision {
        start::engine()
            .preflight(&message.into(), &HostLookup)
            .into()
    }

    fn describe() -> Manifest {
        let identity = start::engine().identity();
        Manifest {
            name: identity.name.clone(),
            version: identity.version.clone(),
            engine: concat!("consentry-policy ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// The contact of the call, as the host tells of it.
struct HostLookup;

impl Lookup for HostLookup {
    fn consent(&self, channel: Channel, category: &str) -> ConsentRecord {
        consent_lookup::consent(channel.into(), category).into()
    }

    fn last_inbound(&self, channel: Channel) -> Option<Timestamp> {
        consent_lookup::last_inbound(channel.into())
    }

    fn last_ad_entry(&self, channel: Channel) -> Option<Timestamp> {
        consent_lookup::last_ad_entry(channel.into())
    }

    fn backoff(&self, channel: Channel, category: &str) -> Option<Timestamp> {
        consent_lookup::backoff(channel.into(), category)
    }

    fn sent(&self, channels: &[Channel], categories: &[String], earlier: u32) -> Option<Timestamp> {
        let channels: Vec<_> = channels.iter().map(|channel| (*channel).into()).collect();
        consent_lookup::sent(&channels, categories, earlier)
    }
}
