//! Loading native code: the one place that is not safe.
#![allow(
    unsafe_code,
    reason = "the compiler's output is run as it is; the cache vouches for where it comes from"
)]

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::Trusted;

/// A component from its native code; an error when that was made for another runtime.
pub(crate) fn component(engine: &Engine, code: &Trusted) -> wasmtime::Result<Component> {
    // SAFETY: the bytes are what `Component::serialize` gave to a host of this user: that is what
    // `Trusted` says, and `cache.rs` makes it of nothing else. They are copied from memory and not mapped
    // from the file, so that what was checked is what runs.
    unsafe { Component::deserialize(engine, code.code()) }
}
