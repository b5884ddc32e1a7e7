//! Baking a rule set into the engine.

mod segment;
mod snapshot;

use consentry_policy::{PrepareError, Prepared, RuleSet};
use thiserror::Error;
use wit_component::ComponentEncoder;

/// Why no policy component could be made.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The rules cannot be brought into the form in which they are read.
    #[error("the rules cannot be prepared: {0}")]
    Prepare(#[from] PrepareError),
    /// The engine did not take the rule set, or its snapshot failed.
    #[error("the engine could not be prepared with these rules: {0}")]
    Snapshot(String),
    /// The prepared engine is no component of the world `policy`.
    #[error("the prepared engine does not fit the contract: {0}")]
    Encode(String),
    /// There is nothing left to do.
    #[error("it is a component already; look at it with \"consentry policy check\"")]
    IsComponent,
    /// A module that somebody wrote is no component of the world `policy`.
    #[error("it is no WebAssembly module made for the contract consentry:policy: {0}")]
    Module(String),
}

/// Bakes a rule set into the engine: the bytes of a component of the world
/// `consentry:policy/policy`. The same engine and rules give the same bytes.
pub fn policy(engine: &[u8], rules: &RuleSet) -> Result<Vec<u8>, BuildError> {
    let prepared = Prepared::new(rules)?;
    let module = snapshot::snapshot(engine, &prepared.head)
        .map_err(|error| BuildError::Snapshot(format!("{error:#}")))?;
    let module = segment::attach(&module, &prepared.tables)
        .map_err(|error| BuildError::Snapshot(format!("{error:#}")))?;
    encode(&module).map_err(|error| BuildError::Encode(format!("{error:#}")))
}

/// Makes a component of a core module that somebody wrote against the contract, in Rust or any other
/// language whose bindings leave the description of the world in it, as `wit-bindgen` does.
pub fn component(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    if wasmparser::Parser::is_component(module) {
        return Err(BuildError::IsComponent);
    }
    encode(module).map_err(|error| BuildError::Module(format!("{error:#}")))
}

/// The engine carries the description of its world, put there by `wit-bindgen`.
fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .encode()
}
