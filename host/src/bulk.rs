//! Many decisions in one sandbox, for whoever judges a list and can bear that the policy could keep
//! something of one contact until the next. It is renewed after a bounded number of calls, and after
//! every fault.

use std::sync::Arc;

use consentry_model::{Contact, Decision, Outbound};

use crate::bindings;
use crate::policy::{Answer, Fault, Policy, above_floor, fault};
use crate::sandbox::Sandbox;
use crate::translate;

/// How many calls one sandbox serves.
const CALLS: u32 = 1000;

/// A policy's sandbox for bulk work.
pub struct Bulk<'p> {
    policy: &'p Policy,
    sandbox: Option<Sandbox<(bindings::Outbound,), bindings::Decision>>,
    calls: u32,
}

impl<'p> Bulk<'p> {
    pub(crate) fn new(policy: &'p Policy) -> Self {
        Self {
            policy,
            sandbox: None,
            calls: 0,
        }
    }

    /// Says whether a message to a contact may go, as [`Policy::preflight`] does.
    pub fn preflight(&mut self, message: &Outbound, contact: &Arc<Contact>) -> Answer<Decision> {
        above_floor(self.ask(message, contact), message, contact)
    }

    fn ask(&mut self, message: &Outbound, contact: &Arc<Contact>) -> Result<Decision, Fault> {
        let Policy {
            prepared, limits, ..
        } = self.policy;
        let kept = self.sandbox.take().filter(|_| self.calls < CALLS);
        let mut sandbox = match kept {
            Some(mut sandbox) => {
                sandbox.turn_to(contact, limits);
                sandbox
            }
            None => {
                self.calls = 0;
                let opened = prepared.open(&prepared.preflight, limits, contact);
                opened.map_err(fault)?
            }
        };
        self.calls += 1;
        let answer = sandbox.call((translate::outbound(message),));
        let answer = answer.map_err(fault)?;
        self.sandbox = Some(sandbox);
        translate::decision(answer).map_err(Fault::BadAnswer)
    }
}
