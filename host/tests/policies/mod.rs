//! Policies made from text, to see what the host does with them.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const CONTRACT: &str = include_str!("../../../wit/policy.wit");

/// A component of the world `policy` with these functions. All of its memory is zero, which reads
/// as "opt-out, no changes" for a classification and "allow, send" for a decision.
pub(crate) fn policy(classify: &str, preflight: &str) -> Vec<u8> {
    with(CONTRACT, "policy", &core(classify, preflight, ""))
}

/// A component of another contract.
pub(crate) fn with(contract: &str, world: &str, core: &str) -> Vec<u8> {
    let mut module = wat::parse_str(core).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("contract.wit", contract).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, true).unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// The core module of a policy. `more` is added to it.
pub(crate) fn core(classify: &str, preflight: &str, more: &str) -> String {
    format!(
        r#"(module
            {more}
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 32768)
            (func (export "describe") (result i32) i32.const 0)
            (func (export "classify") (param i32) (result i32) {classify})
            (func (export "preflight") {PREFLIGHT} (result i32) {preflight}))"#
    )
}

/// How `outbound` is passed: it fits into sixteen values.
const PREFLIGHT: &str = "(param i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i64 i32)";

/// An answer of zeros, at an address that nothing else is written to.
pub(crate) const ZEROS: &str = "i32.const 4096";
