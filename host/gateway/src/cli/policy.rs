//! `consentry policy`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use consentry_host::{Host, Limits, conformance};
use consentry_model::Timestamp;
use consentry_policy_build::rules;
use serde_json::json;

use super::{PolicyArgs, evaluate, output};
use crate::clock;
use crate::gateway::load_policy;

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Bake a folder of rules into a policy component
    Build {
        /// The folder with policy.toml, languages/, replies.toml, conversation.toml, preflight.toml
        rules: PathBuf,
        /// Where to write the component
        #[arg(short, long, default_value = "policy.wasm")]
        output: PathBuf,
    },
    /// Show what a policy component is, asks for and offers
    Inspect {
        /// The component
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say whether a policy would be taken: what it imports, and the statutory cases
    Check {
        /// The component
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say how well a policy understands labelled messages
    Evaluate {
        /// Tab-separated, with the columns "text" and "expected" and perhaps "lang"
        file: PathBuf,
        /// When the messages were said, RFC 3339; now when left out
        #[arg(long)]
        at: Option<Timestamp>,
        #[command(flatten)]
        policy: PolicyArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// A policy that does not pass the statutory cases.
#[derive(Debug, thiserror::Error)]
#[error("the policy is refused: it fails {failed} of {count} statutory cases")]
pub(super) struct NonConforming {
    failed: usize,
    count: usize,
}

pub(super) fn run(command: &PolicyCommand) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Build { rules, output } => build(rules, output),
        PolicyCommand::Inspect { file, json } => inspect(file, *json),
        PolicyCommand::Check { file, json } => check(file, *json),
        PolicyCommand::Evaluate {
            file,
            at,
            policy,
            json,
        } => {
            let policy = load_policy(policy.policy.as_deref())?;
            evaluate::run(&policy, file, at.unwrap_or_else(clock::now), *json)
        }
    }
}

fn build(folder: &std::path::Path, file: &std::path::Path) -> anyhow::Result<()> {
    let rules = rules::load(folder)?;
    let component = consentry_policy_build::policy(consentry_default_policy::ENGINE, &rules)?;
    // What a gateway would refuse is not worth writing.
    let policy = Host::new(Limits::default())?.load(&component)?;
    std::fs::write(file, &component).with_context(|| format!("writing {}", file.display()))?;
    output::text(&format!("{} {}", policy.digest(), file.display()))
}

fn inspect(file: &std::path::Path, as_json: bool) -> anyhow::Result<()> {
    let policy = load_policy(Some(file))?;
    let manifest = policy.manifest();
    let size = std::fs::metadata(file)?.len();
    if as_json {
        return output::json(&json!({
            "digest": policy.digest().to_string(),
            "name": manifest.name,
            "version": manifest.version,
            "engine": manifest.engine,
            "witVersion": policy.contract_version(),
            "imports": policy.imports(),
            "exports": policy.exports(),
            "size": size,
        }));
    }
    output::text(&format!(
        "{} {}\nengine   {}\ncontract consentry:policy@{}\nimports  {}\nexports  {}\nsize     {size} bytes\n{}",
        manifest.name,
        manifest.version,
        manifest.engine,
        policy.contract_version().unwrap_or_default(),
        policy.imports().join(", "),
        policy.exports().join(", "),
        policy.digest(),
    ))
}

fn check(file: &std::path::Path, as_json: bool) -> anyhow::Result<()> {
    let policy = load_policy(Some(file))?;
    let (failures, count) = conformance::run(&policy);
    let failed = failures.len();
    if as_json {
        let failures = failures.iter().map(|failure| {
            json!({ "case": failure.name, "what": failure.what, "source": failure.source })
        });
        output::json(&json!({
            "digest": policy.digest().to_string(),
            "accepted": failed == 0,
            "cases": count,
            "failures": failures.collect::<Vec<_>>(),
        }))?;
    } else {
        for failure in &failures {
            output::text(&failure.to_string())?;
        }
        output::text(&format!(
            "{} of {count} statutory cases passed",
            count - failed
        ))?;
    }
    anyhow::ensure!(failed == 0, NonConforming { failed, count });
    Ok(())
}
