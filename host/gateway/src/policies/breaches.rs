//! A policy that goes under the floor, or gives no answer, is answered for; and taken back by itself
//! when that was set and happens too often.

use std::sync::Mutex;
use std::sync::PoisonError;

use consentry_host::{DecidedBy, Digest, Fault};

use super::ChangeError;
use crate::gateway::Gateway;

/// How often a policy was answered for.
#[derive(Debug, Default)]
pub(super) struct Breaches {
    /// After how many it is taken back; nothing: never.
    limit: Option<u32>,
    /// By which policy, and how many.
    so_far: Mutex<Option<(Digest, u32)>>,
}

impl Breaches {
    pub(super) fn up_to(limit: Option<u32>) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Whether a policy is to be taken back because of one more. This is said once.
    fn is_too_many(&self, policy: Digest) -> bool {
        let Some(limit) = self.limit else {
            return false;
        };
        let mut so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        let count = match *so_far {
            Some((known, count)) if known == policy => count.saturating_add(1),
            _ => 1,
        };
        *so_far = Some((policy, count));
        count == limit
    }
}

/// Takes note of who decided. What is no fault of the policy does not count against it.
pub(crate) fn note(gateway: &Gateway, policy: Digest, decided_by: &DecidedBy) {
    let is_breach = match decided_by {
        DecidedBy::Policy | DecidedBy::Fault(Fault::NoSandbox(_) | Fault::TooLong) => false,
        DecidedBy::Floor | DecidedBy::Fault(_) => true,
    };
    if is_breach && gateway.policies().breaches.is_too_many(policy) {
        tokio::spawn(take_back(gateway.clone(), policy));
    }
}

async fn take_back(gateway: Gateway, policy: Digest) {
    let policies = gateway.policies();
    if policies.active().digest() != policy {
        return;
    }
    let why = "it went under the floor, or gave no answer, too often";
    match policies.roll_back(gateway.store(), "floor", why).await {
        Ok(change) => {
            tracing::error!(%policy, now = change.digest, "a policy was taken back: {why}")
        }
        Err(error @ (ChangeError::NothingBefore | ChangeError::Elsewhere(_))) => {
            tracing::error!(%policy, %error, "a policy should be taken back, and cannot");
        }
        Err(error) => tracing::error!(%policy, %error, "a policy could not be taken back"),
    }
}
