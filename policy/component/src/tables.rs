//! The tables, read in place from a segment of the module that no instance can write to.

use consentry_policy::Source;

/// The segment that `policy/build` adds.
pub(crate) struct Segment;

impl Source for Segment {
    fn read(&self, at: usize, into: &mut [u8]) {
        #[allow(
            unsafe_code,
            reason = "a function that is given an address writes to it"
        )]
        // SAFETY: it writes `into.len()` bytes to `into`.
        unsafe {
            consentry_read_tables(at, into.as_mut_ptr(), into.len());
        }
    }
}

/// Stands for an instruction that Rust cannot write: `policy/build` puts "copy from the segment",
/// `memory.init`, in the place of what is here.
#[allow(unsafe_code, reason = "an export that the build finds by name")]
#[unsafe(no_mangle)]
#[inline(never)]
unsafe extern "C" fn consentry_read_tables(at: usize, into: *mut u8, length: usize) {
    for offset in 0..length {
        // Volatile, so that the compiler relies on nothing that is written here.
        // SAFETY: the caller's promise: there are `length` bytes to write to.
        unsafe { into.add(offset).write_volatile(at as u8) };
    }
}
