//! What a policy must pass before it may decide anything, in this order: its size, its signature, that
//! it is a component which imports nothing but `consent-lookup` in a version of the contract that is
//! spoken here and compiles, and the statutory cases.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bytes::Bytes;
use consentry_host::conformance::{self, Failure};
use consentry_host::{Digest, Host, LoadError, Policy};
use serde_json::Value;
use thiserror::Error;

use super::Admitted;
use crate::jws::{BadSignature, Kind, PublicKeys};

/// The gate.
pub struct Gate {
    host: Host,
    trusted: Option<PublicKeys>,
}

/// Why a policy did not pass.
#[derive(Debug, Error)]
pub enum Refusal {
    /// It has no signature, and keys are trusted.
    #[error(
        "the policy is not signed, and this gateway takes none but those signed with a trusted key; \
         sign it with \"consentry policy sign\""
    )]
    Unsigned,
    /// Its signature does not hold.
    #[error("the policy's signature is not good: {0}")]
    Signature(#[from] BadSignature),
    /// Its signature is for something else.
    #[error("the signature is for another policy: {signed} instead of {found}")]
    SignedOther {
        /// The digest that was signed.
        signed: String,
        /// The policy's digest.
        found: Digest,
    },
    /// The host does not take it.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// It fails statutory cases.
    #[error(
        "the policy is refused: it fails {} of {count} statutory cases, such as {}",
        failures.len(),
        failures.first().map(ToString::to_string).unwrap_or_default()
    )]
    NonConforming {
        /// Those that it fails.
        failures: Vec<Failure>,
        /// How many there are.
        count: usize,
    },
}

impl Gate {
    pub(super) fn new(host: Host, trusted: Option<PublicKeys>) -> Self {
        Self { host, trusted }
    }

    /// The policy that is part of this program.
    pub fn built_in(&self) -> Result<Admitted, LoadError> {
        Ok(Admitted {
            policy: self.host.load(consentry_default_policy::POLICY)?,
            component: Bytes::from_static(consentry_default_policy::POLICY),
            signature: None,
        })
    }

    /// The largest component that is looked at, in bytes.
    pub fn largest(&self) -> usize {
        self.host.limits().component
    }

    /// Loads a component to look at it. It decides nothing.
    pub(crate) fn look_at(&self, component: &[u8]) -> Result<Policy, LoadError> {
        self.host.load(component)
    }

    /// Lets a policy in, or says why not.
    pub fn admit(&self, component: Bytes, signature: Option<String>) -> Result<Admitted, Refusal> {
        self.host.check_size(&component)?;
        if let Some(trusted) = &self.trusted {
            let signature = signature.as_deref().ok_or(Refusal::Unsigned)?;
            let signed = trusted.verify(Kind::Policy, signature)?;
            let signed = signed.get("digest").and_then(Value::as_str).unwrap_or("");
            let found = Digest::of(&component);
            if signed != found.to_string() {
                return Err(Refusal::SignedOther {
                    signed: signed.to_owned(),
                    found,
                });
            }
        }
        let policy = self.host.load(&component)?;
        let (failures, count) = conformance::run(&policy);
        if failures.is_empty() {
            Ok(Admitted {
                policy,
                component,
                signature,
            })
        } else {
            Err(Refusal::NonConforming { failures, count })
        }
    }

    /// Lets the policy of a file in.
    pub(super) fn read(&self, path: &Path) -> anyhow::Result<Admitted> {
        let named = || format!("the policy {}", path.display());
        let bytes = std::fs::read(path).with_context(named)?;
        let signature = std::fs::read_to_string(signature_of(path)).ok();
        self.admit(bytes.into(), signature).with_context(named)
    }
}

/// Where a policy's signature is: beside it.
pub(crate) fn signature_of(policy: &Path) -> PathBuf {
    let mut name = policy.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}
