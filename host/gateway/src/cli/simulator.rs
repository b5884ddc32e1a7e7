//! `consentry simulator`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use super::{PolicyArgs, output};

#[derive(Subcommand)]
pub(super) enum SimulatorCommand {
    /// Write the simulator to a folder, for any web server, with the policy in it
    Export {
        /// The folder; made when it is not there
        folder: PathBuf,
        #[command(flatten)]
        policy: PolicyArgs,
    },
}

pub(super) fn run(command: SimulatorCommand) -> anyhow::Result<()> {
    let SimulatorCommand::Export { folder, policy } = command;
    let policies = policy.start(None)?;
    let active = policies.as_it_came();
    let bindings = consentry_simulator::bindings(&active.component)?;
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let own = [
        ("policy.wasm", &*active.component),
        ("bindings.js", bindings.as_slice()),
    ];
    for (name, bytes) in consentry_simulator::FILES.iter().copied().chain(own) {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    output::text(&format!("{} {}", active.policy.digest(), folder.display()))
}
