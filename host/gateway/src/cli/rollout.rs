//! `consentry policy sign`, `activate`, `rollback` and `list`: what decides, and who said so.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use consentry_host::{Digest, Policy};
use consentry_model::Timestamp;
use serde_json::json;

use super::sandbox::SandboxArgs;
use super::{StoreArgs, TrustArgs, output};
use crate::clock;
use crate::decisions::Differences;
use crate::jws::{Kind, SigningKeys};
use crate::policies::{self, Policies, in_force, signature_of};

/// Why something is done, and by whom.
#[derive(Args)]
pub(super) struct WhyArgs {
    /// Why, for those who will ask later
    #[arg(long)]
    why: String,
    /// Who does it
    #[arg(long, env = "USER", default_value = "unknown")]
    by: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Signs a policy's digest, into a file beside it.
pub(super) fn sign(file: &Path, keys: &Path) -> anyhow::Result<()> {
    let named = || format!("the policy {}", file.display());
    let digest = Digest::of(&std::fs::read(file).with_context(named)?).to_string();
    let keys = SigningKeys::load(keys).with_context(|| format!("the keys {}", keys.display()))?;
    let payload = json!({ "digest": digest, "signedAt": clock::now() });
    let path = signature_of(file);
    std::fs::write(&path, keys.sign(Kind::Policy, &payload))
        .with_context(|| format!("writing {}", path.display()))?;
    output::text(&format!("{digest} {}", path.display()))
}

/// Prints the public halves of keys.
pub(super) fn keys(keys: &Path) -> anyhow::Result<()> {
    let named = || format!("the keys {}", keys.display());
    output::json(&SigningKeys::load(keys).with_context(named)?.public())
}

pub(super) async fn activate(
    file: PathBuf,
    at_most: Option<u64>,
    why: WhyArgs,
    store: StoreArgs,
    trusted: TrustArgs,
    sandbox: SandboxArgs,
) -> anyhow::Result<()> {
    let named = || format!("the policy {}", file.display());
    let bytes = std::fs::read(&file).with_context(named)?;
    let signature = std::fs::read_to_string(signature_of(&file)).ok();
    let host = sandbox.host(Some(&store))?;
    let (policies, store) = (
        Policies::start(None, trusted.read()?, host)?,
        store.open().await?,
    );
    let version = policies.add(&*store, bytes, signature, &why.by).await;
    let version = version.with_context(named)?;
    let because = (why.by.as_str(), why.why.as_str());
    let change = policies.activate(&*store, &version.digest, at_most, because);
    let change = change.await?;
    if why.json {
        return output::json(&change);
    }
    output::text(&format!(
        "{} {} {} decides from now on; running gateways follow within a second",
        version.digest, version.name, version.version
    ))
}

pub(super) async fn roll_back(
    why: WhyArgs,
    store: StoreArgs,
    trusted: TrustArgs,
    sandbox: SandboxArgs,
) -> anyhow::Result<()> {
    let host = sandbox.host(Some(&store))?;
    let (policies, store) = (
        Policies::start(None, trusted.read()?, host)?,
        store.open().await?,
    );
    let change = policies.roll_back(&*store, &why.by, &why.why).await?;
    if why.json {
        return output::json(&change);
    }
    output::text(&format!("{} decides again from now on", change.digest))
}

pub(super) async fn list(store: StoreArgs, as_json: bool) -> anyhow::Result<()> {
    let store = store.open().await?;
    let (kept, changes) = (store.policies().await?, store.policy_changes().await?);
    let active = in_force(&changes).pop();
    if as_json {
        let changes: Vec<_> = changes.iter().rev().collect();
        return output::json(&json!({ "active": active, "policies": kept, "changes": changes }));
    }
    let mut lines = Vec::new();
    for version in &kept {
        let mark = if Some(&version.digest) == active.as_ref() {
            "active"
        } else {
            ""
        };
        let signed = if version.signed { "signed" } else { "unsigned" };
        lines.push(format!(
            "{:<6} {} {} {} {signed}, added {} by {}",
            mark, version.digest, version.name, version.version, version.added_at, version.added_by
        ));
    }
    if active.is_none() {
        lines.push("The built-in policy is active.".to_owned());
    }
    for change in changes.iter().rev() {
        lines.push(format!(
            "{} {} {} by {}: {}",
            change.at,
            change.kind.as_str(),
            change.digest,
            change.actor,
            change.reason
        ));
    }
    output::text(&lines.join("\n"))
}

pub(super) async fn replay(
    policy: &Policy,
    between: (Option<Timestamp>, Option<Timestamp>),
    last: u32,
    at_most: Option<u64>,
    store: StoreArgs,
    as_json: bool,
) -> anyhow::Result<()> {
    let store = store.open().await?;
    let found = policies::replay(policy, &*store, between, last).await?;
    differences(&found, as_json)?;
    match at_most {
        Some(limit) if found.different > limit => Err(TooDifferent {
            different: found.different,
            limit,
        }
        .into()),
        _ => Ok(()),
    }
}

/// Prints what would come out otherwise.
pub(super) fn differences(found: &Differences, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return output::json(found);
    }
    let mut lines = vec![format!(
        "{} of {} messages and {} questions would come out otherwise",
        found.different, found.messages, found.questions
    )];
    for difference in &found.differences {
        lines.push(format!(
            "{:>6}  {}: {} -> {}\n        {}",
            difference.count,
            difference.what,
            difference.was,
            difference.would_be,
            difference.examples.join(" ")
        ));
    }
    output::text(&lines.join("\n"))
}

/// More would be different than was allowed.
#[derive(Debug, thiserror::Error)]
#[error("{different} would come out otherwise, and at most {limit} may")]
pub(super) struct TooDifferent {
    different: u64,
    limit: u64,
}
