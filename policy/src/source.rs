//! Where the prepared tables are read from. They are one run of bytes that is never written to and
//! of which a message needs little: an instance of the component copies just that into its memory,
//! so that the host has a small memory to reset after each call.

use std::fmt;

/// A run of bytes to read from.
pub trait Source: Send + Sync {
    /// Fills `into` with the bytes from `at` on; with zeros past the end.
    fn read(&self, at: usize, into: &mut [u8]);
}

impl Source for Vec<u8> {
    fn read(&self, at: usize, into: &mut [u8]) {
        match self.get(at..at.saturating_add(into.len())) {
            Some(bytes) => into.copy_from_slice(bytes),
            None => into.fill(0),
        }
    }
}

impl fmt::Debug for dyn Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// Numbers, little-endian, one after another; 0 past the end.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'b>(pub(crate) &'b [u8]);

impl<'b> Cursor<'b> {
    pub(crate) fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or((&[], &[]));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or([0; N])
    }

    pub(crate) fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}
