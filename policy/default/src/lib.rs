//! The default policy, ready to load.

/// A component of the world `consentry:policy/policy`: the engine with `policy/rules/` baked in.
pub static POLICY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policy.wasm"));

/// The engine without rules: a core module for `consentry_policy_build::policy`.
pub static ENGINE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/engine.wasm"));

/// The default rules: the files of `policy/rules/`, by name.
pub static RULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));
