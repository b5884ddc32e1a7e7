//! The rules engine of Consentry.
//!
//! An [`Engine`] is built from a [`RuleSet`] and answers two questions: what an inbound message
//! means ([`Engine::classify`]), and whether an outbound one may go ([`Engine::preflight`]). It is
//! pure: no clock, no I/O, no global state; time comes in with the message and consent through
//! [`Lookup`]. It runs inside the policy component, which the host sandboxes.

mod candidates;
mod classify;
mod consequences;
mod ends;
mod fold;
mod lexicon;
mod matching;
pub mod pattern;
mod phrases;
mod preflight;
mod prepare;
mod reply;
mod rules;
mod scope;
mod sentences;
mod source;
mod spelling;
mod tables;
mod text;
mod types;
mod whole;

pub use rules::*;
pub use types::*;

pub use prepare::{PrepareError, Prepared};
pub use source::Source;

use prepare::InMemory;
use tables::Tables;

/// A rule set made ready to answer.
#[derive(Debug)]
pub struct Engine {
    rules: RuleSet,
    tables: Tables,
}

impl Engine {
    /// Prepares a rule set.
    pub fn new(rules: &RuleSet) -> Result<Self, PrepareError> {
        let prepared = Prepared::new(rules)?;
        Self::prepared(&prepared.head, Box::new(prepared.tables))
    }

    /// Takes what was prepared before: the head, and where the tables are read from.
    pub fn prepared(head: &[u8], tables: Box<dyn Source>) -> Result<Self, PrepareError> {
        let InMemory { rules, head } = postcard::from_bytes(head)?;
        let tables = Tables::new(head, tables);
        Ok(Self { rules, tables })
    }

    /// Says what a message means.
    pub fn classify(&self, message: &Inbound) -> Classification {
        classify::classify(&self.rules, &self.tables, message)
    }

    /// Says whether a message may go.
    pub fn preflight(&self, message: &Outbound, contact: &impl Lookup) -> Decision {
        preflight::preflight(&self.rules, message, contact)
    }

    /// The name and version of the rule set.
    pub fn identity(&self) -> &Identity {
        &self.rules.identity
    }
}
