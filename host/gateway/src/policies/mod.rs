//! The policy in force, and how another one takes its place while messages flow: it passes the gate, is
//! kept by its digest, and every gateway on the store follows within a second. Calls in flight finish
//! on the policy they began with.

mod breaches;
mod centre;
mod follow;
mod gate;
mod replay;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use consentry_host::{Digest, Host, Policy};
use consentry_model::Timestamp;
use serde::Serialize;
use thiserror::Error;

use breaches::Breaches;
pub(crate) use breaches::note;
pub(crate) use centre::{Centre, SIGNATURE};
pub(crate) use follow::{follow, take_up};
pub(crate) use gate::signature_of;
pub use gate::{Gate, Refusal};
pub(crate) use replay::replay;

use crate::clock;
use crate::jws::PublicKeys;
use crate::store::{Store, StoreError};

/// How many messages and how many questions a limit of differences is about: the newest.
const LATELY: u32 = 10_000;

/// The policies of a gateway.
pub struct Policies {
    gate: Gate,
    active: ArcSwap<Admitted>,
    source: Source,
    breaches: Breaches,
}

/// Where the policy comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// From the store: the one that was activated last.
    Store,
    /// From a file, which is followed.
    File(PathBuf),
    /// From another gateway.
    Centre(Centre),
}

/// A policy that has passed the gate, as it came.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The policy.
    pub policy: Policy,
    /// The component that it is.
    pub component: Bytes,
    /// Its signature, if it has one.
    pub signature: Option<String>,
}

/// A policy that is kept.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// What identifies it.
    pub digest: String,
    /// The rule set's name.
    pub name: String,
    /// The rule set's version.
    pub version: String,
    /// The engine that interprets it.
    pub engine: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Whether a signature is kept with it.
    pub signed: bool,
    /// When it was added.
    pub added_at: Timestamp,
    /// By whom.
    pub added_by: String,
}

/// How a policy became the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It was activated.
    Activate,
    /// The one after it was taken back.
    Rollback,
}

impl ChangeKind {
    /// The name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Rollback => "rollback",
        }
    }
}

/// An activation or a rollback.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Its number, from 1.
    pub seq: u64,
    /// Which of both.
    pub kind: ChangeKind,
    /// The policy that is active since.
    pub digest: String,
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// Why the active policy was not changed.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// It did not pass the gate.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not kept.
    #[error("no policy with the digest {0} is kept; upload it first")]
    Unknown(String),
    /// There is nothing to go back to.
    #[error("no policy was active before this one")]
    NothingBefore,
    /// Too much would be decided otherwise.
    #[error(
        "{different} of the last {of} recorded messages and questions would come out otherwise, and at \
         most {limit} may; \"consentry policy replay\" lists them"
    )]
    TooDifferent {
        /// How much would be.
        different: u64,
        /// Of how much.
        of: u64,
        /// How much may be.
        limit: u64,
    },
    /// The policy does not come from the store.
    #[error("this gateway takes its policy from {0}: change it there")]
    Elsewhere(String),
}

impl Policies {
    /// Starts with the policy of a file, or with the built-in one. With trusted keys, whatever is not
    /// built in must be signed by one of them; a file's signature is beside it, as `FILE.sig`.
    pub fn start(
        file: Option<&Path>,
        trusted: Option<PublicKeys>,
        host: Host,
    ) -> anyhow::Result<Self> {
        let gate = Gate::new(host, trusted);
        let (active, source) = match file {
            None => (gate.built_in()?, Source::Store),
            Some(path) => (gate.read(path)?, Source::File(path.to_owned())),
        };
        Ok(Self {
            gate,
            active: ArcSwap::from_pointee(active),
            source,
            breaches: Breaches::default(),
        })
    }

    /// Takes the policy from another gateway from now on: first the one that came from there last.
    pub(crate) fn with_centre(mut self, centre: Centre) -> Self {
        if let Some(known) = centre.last_known(&self.gate) {
            self.active.store(Arc::new(known));
        }
        self.source = Source::Centre(centre);
        self
    }

    /// Takes an activation back by itself when its policy has gone under the floor, or given no answer,
    /// so many times.
    pub fn roll_back_after(mut self, breaches: Option<u32>) -> Self {
        self.breaches = Breaches::up_to(breaches);
        self
    }

    /// The policy in force at this moment.
    pub fn active(&self) -> Policy {
        self.active.load().policy.clone()
    }

    /// The same, as it came.
    pub fn as_it_came(&self) -> Arc<Admitted> {
        self.active.load_full()
    }

    /// Where it comes from.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Whatever lets policies in.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Checks a policy and keeps it.
    pub async fn add(
        &self,
        store: &dyn Store,
        bytes: Vec<u8>,
        signature: Option<String>,
        actor: &str,
    ) -> Result<Version, ChangeError> {
        let component = Bytes::from(bytes);
        let admit = || self.gate.admit(component.clone(), signature.clone());
        let policy = tokio::task::block_in_place(admit)?.policy;
        let manifest = policy.manifest();
        let version = Version {
            digest: policy.digest().to_string(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            engine: manifest.engine.clone(),
            size: component.len() as u64,
            signed: signature.is_some(),
            added_at: clock::now(),
            added_by: actor.to_owned(),
        };
        let kept = version.clone();
        store
            .add_policy(kept, component.to_vec(), signature)
            .await?;
        Ok(version)
    }

    /// A policy that is kept, to be asked beside the active one.
    pub(crate) async fn candidate(
        &self,
        store: &dyn Store,
        digest: &str,
    ) -> Result<Policy, ChangeError> {
        Ok(self.kept(store, digest).await?.policy)
    }

    /// Makes a policy that is kept the active one, here at once and everywhere within a second; with a
    /// limit, only if it decides no more than so much of what was recorded lately otherwise.
    pub async fn activate(
        &self,
        store: &dyn Store,
        digest: &str,
        at_most: Option<u64>,
        (actor, reason): (&str, &str),
    ) -> Result<Change, ChangeError> {
        self.decided_by_store()?;
        let policy = self.kept(store, digest).await?;
        if let Some(limit) = at_most {
            let found = replay(&policy.policy, store, (None, None), LATELY).await?;
            if found.different > limit {
                return Err(ChangeError::TooDifferent {
                    different: found.different,
                    of: found.messages + found.questions,
                    limit,
                });
            }
        }
        self.change(store, policy, ChangeKind::Activate, actor, reason)
            .await
    }

    /// Takes the last activation back.
    pub async fn roll_back(
        &self,
        store: &dyn Store,
        actor: &str,
        reason: &str,
    ) -> Result<Change, ChangeError> {
        self.decided_by_store()?;
        let mut line = in_force(&store.policy_changes().await?);
        line.pop().ok_or(ChangeError::NothingBefore)?;
        let policy = match line.last() {
            Some(digest) => self.kept(store, digest).await?,
            None => self.gate.built_in().map_err(Refusal::from)?,
        };
        self.change(store, policy, ChangeKind::Rollback, actor, reason)
            .await
    }

    async fn change(
        &self,
        store: &dyn Store,
        admitted: Admitted,
        kind: ChangeKind,
        actor: &str,
        reason: &str,
    ) -> Result<Change, ChangeError> {
        let change = Change {
            seq: 0,
            kind,
            digest: admitted.policy.digest().to_string(),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            at: clock::now(),
        };
        let change = store.change_policy(change).await?;
        self.swap(admitted);
        Ok(change)
    }

    /// A policy that is kept, or the built-in one, after it has passed the gate again.
    async fn kept(&self, store: &dyn Store, digest: &str) -> Result<Admitted, ChangeError> {
        if digest == Digest::of(consentry_default_policy::POLICY).to_string() {
            return Ok(self.gate.built_in().map_err(Refusal::from)?);
        }
        let (bytes, signature) = store
            .policy(digest)
            .await?
            .ok_or_else(|| ChangeError::Unknown(digest.to_owned()))?;
        let admit = || self.gate.admit(bytes.into(), signature);
        Ok(tokio::task::block_in_place(admit)?)
    }

    fn swap(&self, admitted: Admitted) {
        let digest = admitted.policy.digest();
        if self.active().digest() != digest {
            tracing::info!(policy = %digest, "another policy decides from now on");
            self.active.store(Arc::new(admitted));
        }
    }

    fn decided_by_store(&self) -> Result<(), ChangeError> {
        match &self.source {
            Source::Store => Ok(()),
            Source::File(path) => Err(ChangeError::Elsewhere(path.display().to_string())),
            Source::Centre(centre) => Err(ChangeError::Elsewhere(centre.name().to_owned())),
        }
    }
}

/// The policies that were activated and not taken back, the active one last.
pub(crate) fn in_force(changes: &[Change]) -> Vec<String> {
    let mut line = Vec::new();
    for change in changes {
        match change.kind {
            ChangeKind::Activate => line.push(change.digest.clone()),
            ChangeKind::Rollback => drop(line.pop()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_goes_one_activation_further_back_each_time() {
        use ChangeKind::{Activate, Rollback};
        let changes = |kinds: &[(ChangeKind, &str)]| -> Vec<Change> {
            let change = |(kind, digest): &(ChangeKind, &str)| Change {
                seq: 0,
                kind: *kind,
                digest: (*digest).to_owned(),
                actor: String::new(),
                reason: String::new(),
                at: Timestamp::from_millis(0).unwrap(),
            };
            kinds.iter().map(change).collect()
        };
        let line = |kinds: &[(ChangeKind, &str)]| in_force(&changes(kinds));
        let twice = [(Activate, "a"), (Activate, "b"), (Rollback, "a")];
        assert_eq!(line(&twice), ["a"]);
        assert_eq!(line(&[(Activate, "a"), (Rollback, "built-in")]), [""; 0]);
        let again = [(Activate, "a"), (Rollback, "-"), (Activate, "c")];
        assert_eq!(line(&again), ["c"]);
    }
}
