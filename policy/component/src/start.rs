//! How the engine gets its rule set: once, before the snapshot.
//!
//! `policy/build` asks for a buffer, writes the rule set into it and says "start". Neither function
//! is part of the world, so neither can be called on the finished component.

use std::sync::{Mutex, OnceLock, PoisonError};

use consentry_policy::{Engine, RuleSet};

static BUFFER: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static ENGINE: OnceLock<Engine> = OnceLock::new();

/// The engine that the snapshot holds.
pub(crate) fn engine() -> &'static Engine {
    #[allow(
        clippy::expect_used,
        reason = "a component without rules must trap, not answer"
    )]
    ENGINE
        .get()
        .expect("the component was snapshotted with a rule set")
}

/// Gives the address of `length` bytes to write the rule set to.
#[allow(unsafe_code, reason = "an export that the snapshot tool calls by name")]
#[unsafe(no_mangle)]
extern "C" fn consentry_rules_buffer(length: usize) -> *mut u8 {
    let mut buffer = BUFFER.lock().unwrap_or_else(PoisonError::into_inner);
    *buffer = vec![0; length];
    buffer.as_mut_ptr()
}

/// Reads the rule set from the buffer and prepares the engine. Answers 0, or 1 when the rule set
/// cannot be read, 2 when the engine has one already, 3 when a pattern of it cannot be read.
#[allow(unsafe_code, reason = "an export that the snapshot tool calls by name")]
#[unsafe(no_mangle)]
extern "C" fn consentry_start() -> u32 {
    let bytes = std::mem::take(&mut *BUFFER.lock().unwrap_or_else(PoisonError::into_inner));
    let Ok(rules) = RuleSet::from_bytes(&bytes) else {
        return 1;
    };
    let Ok(engine) = Engine::new(rules) else {
        return 3;
    };
    match ENGINE.set(engine) {
        Ok(()) => {
            crate::memory::seal();
            0
        }
        Err(_) => 2,
    }
}
