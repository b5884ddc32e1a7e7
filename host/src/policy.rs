//! A loaded policy, and what it answers.

use std::fmt;
use std::sync::Arc;

use consentry_model::{Classification, Contact, Decision, Inbound, Outbound, floor};
use thiserror::Error;
use wasmtime::Trap;

use crate::bulk::Bulk;
use crate::digest::Digest;
use crate::runtime::Limits;
use crate::sandbox::Prepared;
use crate::{inspect, translate};

/// The longest text that is handed to a policy, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// How often a policy's first sandbox is tried, and the pause between.
const ATTEMPTS: u32 = 10;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// A policy, checked and compiled. Cheap to clone; calls may run at the same time.
#[derive(Clone)]
pub struct Policy {
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) limits: Arc<Limits>,
    digest: Digest,
    manifest: Arc<Manifest>,
}

/// Who a policy says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The rule set's name.
    pub name: String,
    /// The rule set's version.
    pub version: String,
    /// The engine that interprets it, with its version.
    pub engine: String,
}

/// An answer, and who gave it.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// Who gave it.
    pub decided_by: DecidedBy,
}

/// Who gave an answer.
#[derive(Clone, Debug)]
pub enum DecidedBy {
    /// The policy.
    Policy,
    /// The floor: the policy's answer was looser than the law allows.
    Floor,
    /// The floor: the policy gave no answer.
    Fault(Fault),
}

/// Why a policy gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// It ran longer than [`Limits::deadline`].
    #[error("it ran over its deadline")]
    Deadline,
    /// It wanted more memory or larger tables than allowed.
    #[error("it ran over its memory limit (Limits::memory; in consentry, --policy-memory)")]
    Memory,
    /// It trapped.
    #[error("it trapped: {0}")]
    Trap(String),
    /// Its answer makes no sense.
    #[error("its answer is not usable: {0}")]
    BadAnswer(String),
    /// The message is too long to be handed to it.
    #[error("the message is longer than {MAX_TEXT} bytes")]
    TooLong,
    /// There was no sandbox for it.
    #[error("no sandbox could be made: {0}")]
    NoSandbox(String),
}

impl Policy {
    pub(crate) fn new(prepared: Prepared, digest: Digest, limits: Limits) -> Result<Self, Fault> {
        let manifest = describe(&prepared, &limits).map_err(fault)?;
        Ok(Self {
            prepared: Arc::new(prepared),
            limits: Arc::new(limits),
            digest,
            manifest: Arc::new(translate::manifest(manifest)),
        })
    }

    /// What identifies this policy.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Who this policy says it is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it imports, by name.
    pub fn imports(&self) -> Vec<String> {
        inspect::imports(self.prepared.instance.component())
    }

    /// The version of the contract `consentry:policy` that it was made for; nothing when it asks
    /// nothing of the host.
    pub fn contract_version(&self) -> Option<String> {
        inspect::contract_version(self.prepared.instance.component())
    }

    /// What it exports, by name.
    pub fn exports(&self) -> Vec<String> {
        inspect::exports(self.prepared.instance.component())
    }

    /// Says what a message from a contact means.
    pub fn classify(&self, message: &Inbound, contact: &Arc<Contact>) -> Answer<Classification> {
        let (value, decided_by) = match self.ask_classify(message, contact) {
            Ok(own) => match floor::instead(message, &own) {
                None => (own, DecidedBy::Policy),
                Some(floored) => (floored, DecidedBy::Floor),
            },
            Err(fault) => (floor::classify(message), DecidedBy::Fault(fault)),
        };
        Answer { value, decided_by }
    }

    /// Says whether a message to a contact may go.
    pub fn preflight(&self, message: &Outbound, contact: &Arc<Contact>) -> Answer<Decision> {
        above_floor(self.ask_preflight(message, contact), message, contact)
    }

    /// For bulk work: one sandbox for many contacts, instead of one for each.
    pub fn bulk(&self) -> Bulk<'_> {
        Bulk::new(self)
    }

    fn ask_classify(
        &self,
        message: &Inbound,
        contact: &Arc<Contact>,
    ) -> Result<Classification, Fault> {
        let texts = [
            Some(&message.body),
            message.footer.as_ref(),
            message.question.as_ref(),
        ];
        if texts
            .into_iter()
            .flatten()
            .any(|text| text.len() > MAX_TEXT)
        {
            return Err(Fault::TooLong);
        }
        let asked = translate::inbound(message);
        let Prepared { classify, .. } = &*self.prepared;
        let answer = self
            .prepared
            .call(classify, &self.limits, contact, (&asked,));
        translate::classification(answer.map_err(fault)?, message).map_err(Fault::BadAnswer)
    }

    fn ask_preflight(&self, message: &Outbound, contact: &Arc<Contact>) -> Result<Decision, Fault> {
        let asked = translate::outbound(message);
        let Prepared { preflight, .. } = &*self.prepared;
        let answer = self
            .prepared
            .call(preflight, &self.limits, contact, (&asked,));
        translate::decision(answer.map_err(fault)?).map_err(Fault::BadAnswer)
    }
}

/// What a policy decided, unless that is under the floor.
pub(crate) fn above_floor(
    decided: Result<Decision, Fault>,
    message: &Outbound,
    contact: &Contact,
) -> Answer<Decision> {
    let (value, decided_by) = match decided {
        Ok(own) => match floor::instead_of_decision(contact, message, &own) {
            None => (own, DecidedBy::Policy),
            Some(floored) => (floored, DecidedBy::Floor),
        },
        Err(fault) => (floor::deny_without_policy(), DecidedBy::Fault(fault)),
    };
    Answer { value, decided_by }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// Asks a policy who it is. This is its first sandbox, for which the system makes an image of its
/// memory; a busy one may refuse to seal it, and takes it a moment later.
fn describe(prepared: &Prepared, limits: &Limits) -> wasmtime::Result<crate::bindings::Manifest> {
    let nobody = Arc::new(Contact::default());
    let mut attempt = 0;
    loop {
        attempt += 1;
        let described = prepared.call(&prepared.describe, limits, &nobody, ());
        match described {
            Err(error) if attempt < ATTEMPTS && error.downcast_ref::<Trap>().is_none() => {
                std::thread::sleep(PAUSE);
            }
            described => return described,
        }
    }
}

pub(crate) fn fault(error: wasmtime::Error) -> Fault {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Fault::Deadline,
        Some(trap) => Fault::Trap(trap.to_string()),
        None if error.is::<wasmtime::PoolConcurrencyLimitError>() => {
            Fault::NoSandbox("all of them are in use".to_owned())
        }
        None => {
            let text = format!("{error:#}");
            if text.contains("forcing trap when growing") {
                Fault::Memory
            } else {
                Fault::Trap(text)
            }
        }
    }
}
