//! `consentry policy`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use consentry_host::{Host, Limits, Policy, conformance};
use consentry_model::Timestamp;
use consentry_policy_build::rules;
use serde_json::json;

use super::rollout::{self, WhyArgs};
use super::{PolicyArgs, StoreArgs, TrustArgs, evaluate, output, scenario};
use crate::clock;
use crate::policies::Refusal;

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
    /// Play scenarios, as the simulator saves them; end with 4 when one does not come out as it must
    Test {
        /// The scenarios, JSON
        #[arg(required = true, value_name = "SCENARIO")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        policy: PolicyArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Sign a policy, into a file beside it, FILE.sig
    Sign {
        file: PathBuf,
        /// The file of keys, a JSON Web Key Set; made when it is not there
        #[arg(long)]
        keys: PathBuf,
    },
    /// Print the public keys, for --trusted-keys
    Keys {
        #[arg(long)]
        keys: PathBuf,
    },
    /// Let a policy decide, in every gateway on the store, after it has passed the gate
    Activate {
        /// The component; a signature is read from FILE.sig
        file: PathBuf,
        #[command(flatten)]
        why: WhyArgs,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        trusted: TrustArgs,
    },
    /// Run recorded messages again with another policy, and list what would be understood otherwise
    Replay {
        /// The component
        file: PathBuf,
        /// How many messages, the newest
        #[arg(long, default_value_t = 10_000)]
        last: u32,
        /// Only messages recorded from this moment on, RFC 3339
        #[arg(long)]
        since: Option<Timestamp>,
        /// Only messages recorded before this moment, RFC 3339
        #[arg(long)]
        until: Option<Timestamp>,
        /// End with 4 when more messages than this would be understood otherwise
        #[arg(long)]
        at_most: Option<u64>,
        #[command(flatten)]
        store: StoreArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take the last activation back
    Rollback {
        #[command(flatten)]
        why: WhyArgs,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        trusted: TrustArgs,
    },
    /// List the policies of a store, and what was activated and rolled back
    List {
        #[command(flatten)]
        store: StoreArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(command: PolicyCommand) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Build { rules, output } => build(&rules, &output),
        PolicyCommand::Inspect { file, json } => inspect(&file, json),
        PolicyCommand::Check { file, json } => check(&file, json),
        PolicyCommand::Sign { file, keys } => rollout::sign(&file, &keys),
        PolicyCommand::Keys { keys } => rollout::keys(&keys),
        PolicyCommand::Activate {
            file,
            why,
            store,
            trusted,
        } => rollout::activate(file, why, store, trusted).await,
        PolicyCommand::Replay {
            file,
            last,
            since,
            until,
            at_most,
            store,
            json,
        } => {
            let policy = load(&file)?;
            let between = (since, until);
            rollout::replay(&policy, between, last, at_most, store, json).await
        }
        PolicyCommand::Rollback {
            why,
            store,
            trusted,
        } => rollout::roll_back(why, store, trusted).await,
        PolicyCommand::List { store, json } => rollout::list(store, json).await,
        PolicyCommand::Test {
            files,
            policy,
            json,
        } => scenario::run(&policy.start()?.active(), &files, json),
        PolicyCommand::Evaluate {
            file,
            at,
            policy,
            json,
        } => {
            let policy = policy.start()?.active();
            evaluate::run(&policy, &file, at.unwrap_or_else(clock::now), json)
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

/// Loads a policy to look at it, before any gate.
fn load(file: &std::path::Path) -> anyhow::Result<Policy> {
    let named = || format!("the policy {}", file.display());
    let bytes = std::fs::read(file).with_context(named)?;
    let host = Host::new(Limits::default())?;
    host.load(&bytes).with_context(named)
}

fn inspect(file: &std::path::Path, as_json: bool) -> anyhow::Result<()> {
    let policy = load(file)?;
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
    let policy = load(file)?;
    let (failures, count) = conformance::run(&policy);
    let failed = failures.len();
    if as_json {
        let listed = failures.iter().map(|failure| {
            json!({ "case": failure.name, "what": failure.what, "source": failure.source })
        });
        output::json(&json!({
            "digest": policy.digest().to_string(),
            "accepted": failed == 0,
            "cases": count,
            "failures": listed.collect::<Vec<_>>(),
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
    anyhow::ensure!(failed == 0, Refusal::NonConforming { failures, count });
    Ok(())
}
