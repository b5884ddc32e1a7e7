//! The command line.

mod ask;
mod classify;
mod consent;
mod demo;
mod diff;
mod evaluate;
mod export;
mod gate;
mod genesys;
mod import;
mod list;
mod message;
mod new;
mod output;
mod page;
mod policy;
mod preflight;
mod receipt;
mod rollout;
mod sandbox;
mod scenario;
mod scrub;
mod serve;
mod simulator;
mod verify;
mod webhooks;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use consentry_host::LoadError;
use consentry_policy_build::rules::RulesError;
use consentry_scenario::BadScenario;
use reqwest::Url;

use sandbox::SandboxArgs;

use crate::gateway::Gateway;
use crate::jws::{PublicKeys, SigningKeys};
use crate::keys::{self, Scope};
use crate::policies::{ChangeError, Policies, Refusal};
use crate::store::Store;
use crate::store::postgres::{DatabaseAddress, PostgresStore};
use crate::store::sqlite::SqliteStore;
use crate::telemetry::LogFormat;

/// A compliance firewall for SMS and WhatsApp: every inbound message is understood, every outbound
/// one asks first.
#[derive(Parser)]
#[command(name = "consentry", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the HTTP API
    Serve(Box<ServeArgs>),
    /// Play a day of messages through a gateway, and show what it decides
    Demo,
    /// Say what a message means; with "-", one message a line from standard input
    Classify(classify::ClassifyArgs),
    /// Ask whether a message may go
    Preflight(preflight::PreflightArgs),
    /// Judge a campaign's list, row by row
    Scrub(scrub::ScrubArgs),
    /// Read and record consent
    #[command(subcommand)]
    Consent(consent::ConsentCommand),
    /// Build and inspect policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Take the simulator along
    #[command(subcommand)]
    Simulator(simulator::SimulatorCommand),
    /// Verify the receipt of a decision, and change the keys that sign them
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Write what Genesys Cloud needs to ask this gateway, as files that import
    #[command(subcommand)]
    Genesys(genesys::GenesysCommand),
    /// Make an API key, and the entry for the file of keys
    Key {
        /// Who will use it
        name: String,
        /// What it allows
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
    },
}

#[derive(Args)]
struct ServeArgs {
    /// Where to listen; any address but a loopback one needs --keys
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    store: StoreArgs,
    /// Bring the store's schema up to date, and serve nothing
    #[arg(long)]
    migrate_only: bool,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Take the policy from another gateway, the centre, instead of the store. What came from there last
    /// is kept beside the store, and decides on while the centre is away
    #[arg(
        long,
        env = "CONSENTRY_POLICY_FROM",
        value_name = "URL",
        conflicts_with = "policy"
    )]
    policy_from: Option<Url>,
    /// The API key that the centre is asked with; the scope read is enough
    #[arg(
        long,
        env = "CONSENTRY_POLICY_FROM_KEY",
        value_name = "KEY",
        hide_env_values = true
    )]
    policy_from_key: Option<String>,
    /// Take an activation back by itself, when its policy has gone under the floor or given no answer
    /// so many times
    #[arg(long, env = "CONSENTRY_ROLLBACK_AFTER", value_name = "BREACHES")]
    rollback_after: Option<NonZeroU32>,
    /// How many decisions are kept, the newest, with what the policy was told: to run them again with
    /// another one. 0: none
    #[arg(long, env = "CONSENTRY_DECISIONS_KEPT", default_value_t = 100_000)]
    decisions_kept: u64,
    #[command(flatten)]
    receipts: ReceiptArgs,
    /// How many seconds lie between two checkpoints over the events, which are signed with the same keys
    #[arg(
        long,
        env = "CONSENTRY_CHECKPOINT_EVERY",
        value_name = "SECONDS",
        default_value = "300"
    )]
    checkpoint_every: NonZeroU32,
    /// A webhook that alerts are posted to, as CloudEvents
    #[arg(
        long,
        env = "CONSENTRY_ALERTS_TO",
        value_name = "URL",
        hide_env_values = true
    )]
    alerts_to: Option<Url>,
    /// The secret that they are signed with, as Standard Webhooks have it: whsec_ and base64
    #[arg(
        long,
        env = "CONSENTRY_ALERTS_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    alerts_secret: Option<String>,
    #[command(flatten)]
    webhooks: webhooks::WebhookArgs,
    #[command(flatten)]
    gate: gate::GateArgs,
    #[command(flatten)]
    number: ask::NumberArgs,
    /// The file of API keys; see "consentry key"
    #[arg(long, env = "CONSENTRY_KEYS")]
    keys: Option<PathBuf>,
    /// How to write logs
    #[arg(long, default_value = "text")]
    log_format: LogFormat,
}

#[derive(Args)]
struct StoreArgs {
    /// Where consent is kept: sqlite:PATH, or postgres://USER@HOST/DATABASE?sslmode=verify-full
    #[arg(
        long,
        env = "CONSENTRY_STORE",
        value_name = "URL",
        default_value = "sqlite:consentry.db",
        hide_env_values = true
    )]
    store: StoreUrl,
    /// The key by which people are known who were erased; made by "consent erase". Without it, a file beside
    /// the store
    #[arg(long, env = "CONSENTRY_SUPPRESSION_KEY", value_name = "FILE")]
    suppression_key: Option<PathBuf>,
}

#[derive(Args)]
struct ReceiptArgs {
    /// The keys that receipts are signed with, a JSON Web Key Set; made when the file is not there.
    /// Without it, a file beside the store
    #[arg(long, env = "CONSENTRY_RECEIPT_KEYS")]
    receipt_keys: Option<PathBuf>,
}

#[derive(Args, Default)]
struct PolicyArgs {
    /// The policy component; without it, the default policy
    #[arg(long, env = "CONSENTRY_POLICY")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    trusted: TrustArgs,
    #[command(flatten)]
    sandbox: SandboxArgs,
}

#[derive(Args, Default)]
struct TrustArgs {
    /// The public keys, a JSON Web Key Set, of those who may sign policies. Then none but the built-in
    /// one is taken without a signature
    #[arg(long, env = "CONSENTRY_TRUSTED_KEYS")]
    trusted_keys: Option<PathBuf>,
}

impl PolicyArgs {
    /// Compiled policies are kept beside the store, where there is one.
    fn start(&self, store: Option<&StoreArgs>) -> anyhow::Result<Policies> {
        let host = self.sandbox.host(store)?;
        Policies::start(self.policy.as_deref(), self.trusted.read()?, host)
    }
}

impl TrustArgs {
    fn read(&self) -> anyhow::Result<Option<PublicKeys>> {
        let Some(path) = &self.trusted_keys else {
            return Ok(None);
        };
        let named = || format!("the trusted keys {}", path.display());
        let bytes = std::fs::read(path).with_context(named)?;
        Ok(Some(PublicKeys::read(&bytes).with_context(named)?))
    }
}

/// Where a store is.
#[derive(Clone)]
enum StoreUrl {
    Sqlite(PathBuf),
    /// As it was written: what is wrong with it is said later, without the password that it may hold.
    Postgres(String),
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            // SQLite reads more than paths: a store in memory is gone with the process.
            Some(path)
                if path.is_empty() || path.starts_with(":memory:") || path.starts_with("file:") =>
            {
                Err("name a file, as in sqlite:consentry.db".to_owned())
            }
            Some(path) => Ok(Self::Sqlite(path.into())),
            None => Err("a store is written sqlite:PATH or postgres://…".to_owned()),
        }
    }
}

impl StoreArgs {
    /// A file beside the store, with a longer name; beside a database, which is on no disk of this machine's,
    /// one in the working directory.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = match &self.store {
            StoreUrl::Sqlite(path) => path.as_os_str().to_owned(),
            StoreUrl::Postgres(_) => "consentry".into(),
        };
        name.push(ending);
        name.into()
    }

    /// Opens the store, and brings its schema up to date.
    async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        let beside = || self.beside(".suppression-key.json");
        let key = self.suppression_key.clone().unwrap_or_else(beside);
        match &self.store {
            StoreUrl::Sqlite(path) => {
                let store = SqliteStore::open_with(path, key)
                    .map_err(|error| anyhow::anyhow!("the store {}: {error}", path.display()))?;
                Ok(Arc::new(store))
            }
            StoreUrl::Postgres(url) => {
                let address = DatabaseAddress::parse(url)
                    .map_err(|error| BadArgument(format!("--store: {error}")))?;
                let store = PostgresStore::open(&address, key).await;
                let store = store.context("the store in PostgreSQL")?;
                Ok(Arc::new(store))
            }
        }
    }

    async fn gateway(&self, policy: &PolicyArgs) -> anyhow::Result<Gateway> {
        Ok(Gateway::new(policy.start(Some(self))?, self.open().await?))
    }
}

impl ReceiptArgs {
    /// The file of the keys.
    fn path(&self, store: &StoreArgs) -> PathBuf {
        let beside = || store.beside(".receipt-keys.json");
        self.receipt_keys.clone().unwrap_or_else(beside)
    }

    fn load(&self, store: &StoreArgs) -> anyhow::Result<SigningKeys> {
        let path = self.path(store);
        SigningKeys::load(&path)
            .with_context(|| format!("the keys for receipts, {}", path.display()))
    }
}

/// Something in the arguments that only shows when they are used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BadArgument(String);

/// Bad arguments end with 2, a refused policy or rule set with 3, a failed test with 4, anything else
/// with 1.
const BAD_ARGUMENTS: u8 = 2;
const REFUSED_POLICY: u8 = 3;
const FAILED_TEST: u8 = 4;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Whoever asks over TLS needs it; that it was set before is no fault.
    drop(rustls::crypto::ring::default_provider().install_default());
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("consentry: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let is_refusal = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<LoadError>()
            || cause.is::<RulesError>()
            || cause.is::<Refusal>()
            || matches!(cause.downcast_ref(), Some(ChangeError::TooDifferent { .. }))
    };
    if error
        .chain()
        .any(|cause| cause.is::<BadArgument>() || cause.is::<BadScenario>())
    {
        BAD_ARGUMENTS
    } else if error.chain().any(is_refusal) {
        REFUSED_POLICY
    } else if error.is::<rollout::TooDifferent>()
        || error.is::<scenario::Failed>()
        || error.is::<verify::Wrong>()
    {
        FAILED_TEST
    } else {
        1
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Classify(args) => classify::run(&args),
        Command::Policy(command) => runtime()?.block_on(policy::run(command)),
        Command::Receipt(command) => receipt::run(command),
        Command::Genesys(command) => genesys::run(command),
        Command::Simulator(command) => simulator::run(command),
        Command::Key { name, scopes } => {
            let (key, entry) = keys::make(&name, &scopes)?;
            eprintln!("The key; it is shown this once and kept nowhere:\n{key}\n");
            eprintln!("For the file of keys:");
            output::text(&entry)
        }
        Command::Serve(args) => runtime()?.block_on(serve::run(*args)),
        Command::Demo => runtime()?.block_on(demo::run()),
        Command::Preflight(args) => runtime()?.block_on(preflight::run(args)),
        Command::Scrub(args) => runtime()?.block_on(scrub::run(args)),
        Command::Consent(command) => runtime()?.block_on(consent::run(command)),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}
