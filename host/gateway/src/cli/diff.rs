//! `consentry policy diff`: two policies are asked the same.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use consentry_model::{Channel, Contact, Inbound, Timestamp};

use super::sandbox::SandboxArgs;
use super::{output, policy, rollout};
use crate::clock;
use crate::decisions::{Tally, Understanding};

#[derive(Args)]
pub(super) struct DiffArgs {
    /// The component that decides now
    old: PathBuf,
    /// The one that shall
    new: PathBuf,
    /// Messages, one a line; \n stands for a line break
    messages: PathBuf,
    /// How they came
    #[arg(long, default_value = "sms")]
    channel: Channel,
    /// The contacts' country, ISO 3166-1 alpha-2
    #[arg(long)]
    country: Option<String>,
    /// When they were said, RFC 3339; now when left out
    #[arg(long)]
    at: Option<Timestamp>,
    #[command(flatten)]
    sandbox: SandboxArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lists what the second policy understands otherwise; the examples are numbers of lines.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<()> {
    let host = args.sandbox.host(None)?;
    let (old, new) = (
        policy::load(&args.old, &host)?,
        policy::load(&args.new, &host)?,
    );
    let named = || format!("the messages in {}", args.messages.display());
    let mut input = BufReader::new(File::open(&args.messages).with_context(named)?);
    let at = args.at.unwrap_or_else(clock::now);
    let nobody = Arc::new(Contact::default());
    let mut tally = Tally::default();
    let progress = output::progress("messages");
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if input.read_until(b'\n', &mut line).with_context(named)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let body = text.trim_end_matches(['\n', '\r']).replace("\\n", "\n");
        let message = Inbound {
            country: args.country.clone(),
            ..Inbound::text(args.channel, body, at)
        };
        let [was, is] = [&old, &new]
            .map(|policy| Understanding::answered(&policy.classify(&message, &nobody).value));
        tally.message(&format!("line {number}"), was, is);
        progress.inc(1);
    }
    progress.finish_and_clear();
    rollout::differences(&tally.differences(), args.json)
}
