//! `consentry policy`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use consentry_host::{Host, Policy, conformance};
use consentry_model::Timestamp;
use consentry_policy_build::rules;
use serde_json::json;

use super::new::{self, Language};
use super::rollout::{self, WhyArgs};
use super::sandbox::SandboxArgs;
use super::{PolicyArgs, StoreArgs, TrustArgs, diff, evaluate, output, scenario};
use crate::clock;
use crate::policies::Refusal;

#[derive(Subcommand)]
pub(super) enum PolicyCommand {
    /// Begin a policy: a folder with all that is needed to build it
    New {
        /// The folder; it must be empty, or not there yet
        folder: PathBuf,
        /// What it is written in
        #[arg(long, default_value = "rules")]
        lang: Language,
    },
    /// Bake a folder of rules, or a module compiled from any language, into a policy component
    Build {
        /// The folder with policy.toml, languages/, replies.toml, conversation.toml, preflight.toml; or
        /// the file of a core module made for the contract
        #[arg(value_name = "RULES|MODULE")]
        source: PathBuf,
        /// Where to write the component
        #[arg(short, long, default_value = "policy.wasm")]
        output: PathBuf,
        #[command(flatten)]
        sandbox: SandboxArgs,
    },
    /// Show what a policy component is, asks for and offers
    Inspect {
        /// The component
        file: PathBuf,
        #[command(flatten)]
        sandbox: SandboxArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say whether a policy would be taken: what it imports, and the statutory cases
    Check {
        /// The component
        file: PathBuf,
        #[command(flatten)]
        sandbox: SandboxArgs,
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
        /// How many of the last 10,000 recorded messages and 10,000 questions it may decide otherwise; left
        /// out: any number
        #[arg(long)]
        at_most: Option<u64>,
        #[command(flatten)]
        why: WhyArgs,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        trusted: TrustArgs,
        #[command(flatten)]
        sandbox: SandboxArgs,
    },
    /// Ask two policies the same, and list what the second one makes of it otherwise
    Diff(diff::DiffArgs),
    /// Run recorded messages and questions again with another policy, and list what would come out otherwise
    Replay {
        /// The component
        file: PathBuf,
        /// How many messages, and how many questions, the newest
        #[arg(long, default_value_t = 10_000)]
        last: u32,
        /// Only what was recorded from this moment on, RFC 3339
        #[arg(long)]
        since: Option<Timestamp>,
        /// Only what was recorded before this moment, RFC 3339
        #[arg(long)]
        until: Option<Timestamp>,
        /// End with 4 when more than this would come out otherwise
        #[arg(long)]
        at_most: Option<u64>,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        sandbox: SandboxArgs,
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
        #[command(flatten)]
        sandbox: SandboxArgs,
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
        PolicyCommand::New { folder, lang } => new::run(&folder, lang),
        PolicyCommand::Build {
            source,
            output,
            sandbox,
        } => build(&source, &output, &sandbox),
        PolicyCommand::Inspect {
            file,
            sandbox,
            json,
        } => inspect(&file, &sandbox, json),
        PolicyCommand::Check {
            file,
            sandbox,
            json,
        } => check(&file, &sandbox, json),
        PolicyCommand::Diff(args) => diff::run(&args),
        PolicyCommand::Sign { file, keys } => rollout::sign(&file, &keys),
        PolicyCommand::Keys { keys } => rollout::keys(&keys),
        PolicyCommand::Activate {
            file,
            at_most,
            why,
            store,
            trusted,
            sandbox,
        } => rollout::activate(file, at_most, why, store, trusted, sandbox).await,
        PolicyCommand::Replay {
            file,
            last,
            since,
            until,
            at_most,
            store,
            sandbox,
            json,
        } => {
            let policy = load(&file, &sandbox.host(Some(&store))?)?;
            let between = (since, until);
            rollout::replay(&policy, between, last, at_most, store, json).await
        }
        PolicyCommand::Rollback {
            why,
            store,
            trusted,
            sandbox,
        } => rollout::roll_back(why, store, trusted, sandbox).await,
        PolicyCommand::List { store, json } => rollout::list(store, json).await,
        PolicyCommand::Test {
            files,
            policy,
            json,
        } => scenario::run(&policy.start(None)?.active(), &files, json),
        PolicyCommand::Evaluate {
            file,
            at,
            policy,
            json,
        } => {
            let policy = policy.start(None)?.active();
            evaluate::run(&policy, &file, at.unwrap_or_else(clock::now), json)
        }
    }
}

fn build(source: &Path, file: &Path, sandbox: &SandboxArgs) -> anyhow::Result<()> {
    let component = if source.is_file() {
        let named = || format!("the module {}", source.display());
        let module = std::fs::read(source).with_context(named)?;
        consentry_policy_build::component(&module).with_context(named)?
    } else {
        let rules = rules::load(source)?;
        consentry_policy_build::policy(consentry_default_policy::ENGINE, &rules)?
    };
    // What a gateway would refuse is not worth writing.
    let policy = sandbox.host(None)?.load(&component)?;
    std::fs::write(file, &component).with_context(|| format!("writing {}", file.display()))?;
    output::text(&format!("{} {}", policy.digest(), file.display()))
}

/// Loads a policy to look at it, before any gate.
pub(super) fn load(file: &Path, host: &Host) -> anyhow::Result<Policy> {
    let named = || format!("the policy {}", file.display());
    let bytes = std::fs::read(file).with_context(named)?;
    host.load(&bytes).with_context(named)
}

fn inspect(file: &Path, sandbox: &SandboxArgs, as_json: bool) -> anyhow::Result<()> {
    let policy = load(file, &sandbox.host(None)?)?;
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

fn check(file: &Path, sandbox: &SandboxArgs, as_json: bool) -> anyhow::Result<()> {
    let policy = load(file, &sandbox.host(None)?)?;
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
