//! Following what others change: the store's active policy, or the file that the policy comes from.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::{ChangeError, Source, in_force};
use crate::gateway::Gateway;

/// How often is looked. A file is looked at rather than watched, which no network file system, bind
/// mount or ConfigMap link gets in the way of.
const LOOK: Duration = Duration::from_millis(500);

/// Takes up the store's active policy before the first message comes.
pub(crate) async fn take_up(gateway: &Gateway) {
    if matches!(gateway.policies().source, Source::Store)
        && let Err(error) = take_from_store(gateway).await
    {
        tracing::error!(%error, "the store's active policy was not taken; the built-in one decides");
    }
}

/// Follows for as long as the gateway serves.
pub(crate) async fn follow(gateway: Gateway) {
    let policies = gateway.policies();
    match &policies.source {
        Source::Store => follow_store(&gateway).await,
        Source::File(path) => follow_file(&gateway, path).await,
        Source::Centre(centre) => loop {
            if let Some(newer) = centre.newer(policies).await {
                policies.swap(newer);
            }
            tokio::time::sleep(LOOK).await;
        },
    }
}

async fn follow_store(gateway: &Gateway) {
    let mut last = None;
    loop {
        match gateway.store().last_policy_change().await {
            Ok(seq) if Some(seq) == last => {}
            Ok(seq) => {
                last = Some(seq);
                if let Err(error) = take_from_store(gateway).await {
                    tracing::error!(%error, "the store's active policy was not taken; the old one decides on");
                    // What the store could not give is asked for again; what was refused is not.
                    if matches!(error, ChangeError::Store(_)) {
                        last = None;
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "the active policy cannot be read"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn take_from_store(gateway: &Gateway) -> Result<(), ChangeError> {
    let policies = gateway.policies();
    let changes = gateway.store().policy_changes().await?;
    let active = policies.active().digest().to_string();
    match in_force(&changes).last() {
        Some(digest) if *digest == active => {}
        Some(digest) => policies.swap(policies.kept(gateway.store(), digest).await?),
        // Everything was taken back.
        None if !changes.is_empty() => {
            policies.swap(policies.gate.built_in().map_err(super::Refusal::from)?);
        }
        None => {}
    }
    Ok(())
}

/// A file that is being written is no policy yet, or one that is cut off: it is refused, and taken when
/// it has changed again.
async fn follow_file(gateway: &Gateway, path: &Path) {
    let policies = gateway.policies();
    let mut last = state(path);
    loop {
        tokio::time::sleep(LOOK).await;
        let now = state(path);
        if now.is_none() || now == last {
            continue;
        }
        last = now;
        match tokio::task::block_in_place(|| policies.gate.read(path)) {
            Ok(policy) => policies.swap(policy),
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the changed policy was not taken; the old one decides on"
                );
            }
        }
    }
}

/// What changes when a file, its signature, or what a link points to changes.
fn state(path: &Path) -> Option<[Option<(SystemTime, u64)>; 2]> {
    let of = |path: &Path| {
        let known = std::fs::metadata(path).ok()?;
        Some((known.modified().ok()?, known.len()))
    };
    let policy = of(path)?;
    Some([Some(policy), of(&super::gate::signature_of(path))])
}
