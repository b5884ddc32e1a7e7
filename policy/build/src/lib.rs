//! From rules that people write to a policy component.
//!
//! 1. [`rules::load`] reads and checks a folder of TOML files.
//! 2. [`policy`] runs the engine once with them, snapshots its memory and encodes the result as a
//!    component, so that every table is ready the moment an instance starts.
//!
//! The engine itself, a core module, is compiled by [`wasm::compile`] from a build script; later
//! only its bytes are needed, so that building a policy takes no Rust toolchain.

#[cfg(feature = "bake")]
mod bake;
pub mod rules;
pub mod wasm;

#[cfg(feature = "bake")]
pub use bake::{BuildError, component, policy};
