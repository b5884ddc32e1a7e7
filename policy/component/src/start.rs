//! How the engine gets its rule set: once, before the snapshot. It is prepared already.
//!
//! `policy/build` asks for a buffer, writes the rule set into it and says "start". Neither function
//! is part of the world, so neither can be called on the finished component.

use std::sync::{Mutex, OnceLock, PoisonError};

use consentry_policy::Engine;

use crate::tables::Segment;

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

/// Takes the rule set from the buffer. Answers 0, or 1 when it cannot be read, 2 when the engine
/// has one already.
#[allow(unsafe_code, reason = "an export that the snapshot tool calls by name")]
#[unsafe(no_mangle)]
extern "C" fn consentry_start() -> u32 {
    let mut bytes = std::mem::take(&mut *BUFFER.lock().unwrap_or_else(PoisonError::into_inner));
    let Ok(engine) = Engine::prepared(&bytes, Box::new(Segment)) else {
        return 1;
    };
    // What is nothing but zeros is not in the snapshot.
    bytes.fill(0);
    std::hint::black_box(&bytes);
    match ENGINE.set(engine) {
        Ok(()) => {
            crate::memory::seal();
            0
        }
        Err(_) => 2,
    }
}
