//! The arguments about the gate.

use clap::Args;

use crate::http::gate::{Categories, Upstreams};

#[derive(Args)]
pub(super) struct GateArgs {
    /// Take messages in the form of a provider's own send API, and forward those that may go there, such
    /// as twilio=https://api.twilio.com; also meta, aws and telnyx
    #[arg(
        long,
        env = "CONSENTRY_GATE",
        value_name = "PROVIDER=URL",
        value_delimiter = ','
    )]
    gate: Vec<String>,
    /// The category of messages that name none: of a template or a sender, such as order_update=utility,
    /// or of all others, such as utility. Without it, marketing
    #[arg(
        long,
        env = "CONSENTRY_GATE_CATEGORY",
        value_name = "[NAME=]CATEGORY",
        value_delimiter = ','
    )]
    gate_category: Vec<String>,
}

impl GateArgs {
    pub(super) fn upstreams(self) -> anyhow::Result<Upstreams> {
        Upstreams::new(&self.gate, Categories::new(&self.gate_category)?)
    }
}
