//! Writing, which takes a compiler.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::{CodeCache, ENDING, FORM, Unfit, check, name, seal};
use crate::digest::Digest;

/// How many files are kept; those written last stay.
const KEPT: usize = 16;

/// A number for all that decides whether code fits a runtime.
pub(crate) fn number(compatibility: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    compatibility.hash(&mut hasher);
    hasher.finish()
}

impl CodeCache {
    /// Keeps the code of a component. That it cannot be kept costs time at the next start, and nothing
    /// else.
    pub(crate) fn keep(&self, digest: Digest, runtime: u64, code: &[u8]) {
        if let Err(error) = self.write(digest, runtime, code) {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "the compiled policy is not kept");
        }
    }

    fn write(&self, digest: Digest, runtime: u64, code: &[u8]) -> Result<(), Unfit> {
        check(&self.folder)?;
        // Whole or not at all, and never in place: others may be reading.
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(FORM)?;
        file.write_all(&seal(digest, runtime, code))?;
        file.write_all(code)?;
        let path = self.folder.join(name(digest, runtime));
        file.persist(path).map_err(|error| error.error)?;
        self.tidy()?;
        Ok(())
    }

    /// Removes all but the newest files. Another process may be at it too.
    fn tidy(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            if entry.file_name().to_string_lossy().ends_with(ENDING)
                && let Ok(written) = written
            {
                files.push((written, entry.path()));
            }
        }
        files.sort();
        for (_, path) in files.iter().rev().skip(KEPT) {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
