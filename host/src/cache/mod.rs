//! Native code of policies, kept on disk so that a start need not compile again.
//!
//! Native code runs with everything that this process may do, so it is taken only from a folder that
//! nobody but this user and the administrator can write to, and only when it is what was written for
//! this very component and runtime. Whatever else lies there is passed over. `docs/sandbox.md` says what
//! that protects from, and what it does not.

#[cfg(feature = "compiler")]
mod write;

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::digest::Digest;
#[cfg(feature = "compiler")]
pub(crate) use write::number;

/// What a file begins with: the form it has, then the seal.
const FORM: &[u8] = b"consentry code 1";
const SEAL: usize = 32;

/// A folder of compiled policies.
#[derive(Clone, Debug)]
pub struct CodeCache {
    folder: PathBuf,
}

/// Why a folder cannot hold compiled policies.
#[derive(Debug, Error)]
#[error("{} cannot hold compiled policies: {what}", folder.display())]
pub struct CacheError {
    folder: PathBuf,
    what: Unfit,
}

#[derive(Debug, Error)]
enum Unfit {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is no folder")]
    NoFolder,
    #[error("it is owned by somebody else; name a folder of your own")]
    Owner,
    #[error("others may write to it; run: chmod go-w on it")]
    Writable,
}

/// Code that this host, or one like it, wrote itself.
pub(crate) struct Trusted(Vec<u8>);

impl Trusted {
    pub(crate) fn code(&self) -> &[u8] {
        self.0.get(FORM.len() + SEAL..).unwrap_or_default()
    }
}

impl CodeCache {
    /// Uses a folder; made, for this user alone, when it is not there and the one above it is.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, CacheError> {
        let folder = folder.into();
        let unfit = |what| CacheError {
            folder: folder.clone(),
            what,
        };
        // Nothing above it is made: a path that was mistyped shall not come true.
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(unfit(error.into()));
            }
            _ => {}
        }
        check(&folder).map_err(unfit)?;
        Ok(Self { folder })
    }

    /// The code of a component that was written for a runtime; for any, when this host cannot say for
    /// which: then the runtime itself looks whether it fits.
    pub(crate) fn find(&self, digest: Digest, runtime: Option<u64>) -> Vec<Trusted> {
        let named = |runtime| (runtime, self.folder.join(name(digest, runtime)));
        let candidates = match runtime {
            Some(runtime) => vec![named(runtime)],
            None => self.runtimes(digest).into_iter().map(named).collect(),
        };
        let read = |(runtime, path): (u64, PathBuf)| match read(&self.folder, &path) {
            Ok(bytes) if is_sealed(&bytes, digest, runtime) => Some(Trusted(bytes)),
            Ok(_) => {
                tracing::warn!(path = %path.display(), "damaged code of a policy is not taken");
                None
            }
            Err(Unfit::Io(error)) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "code of a policy is not taken");
                None
            }
        };
        candidates.into_iter().filter_map(read).collect()
    }

    /// The runtimes that a component was compiled for, as the names of the files say.
    fn runtimes(&self, digest: Digest) -> Vec<u64> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let runtime = |name: String| {
            let rest = name.strip_prefix(&digest.hex())?.strip_prefix('-')?;
            u64::from_str_radix(rest.strip_suffix(ENDING)?, 16).ok()
        };
        entries
            .filter_map(|entry| runtime(entry.file_name().to_string_lossy().into_owned()))
            .collect()
    }
}

const ENDING: &str = ".cwasm";

fn name(digest: Digest, runtime: u64) -> String {
    format!("{}-{runtime:016x}{ENDING}", digest.hex())
}

/// It ties code to the component and the runtime that it is for, so that a damaged file, or one under
/// another's name, is none.
fn seal(digest: Digest, runtime: u64, code: &[u8]) -> [u8; SEAL] {
    let mut hasher = Sha256::new();
    hasher.update(FORM);
    hasher.update(digest.bytes());
    hasher.update(runtime.to_le_bytes());
    hasher.update(code);
    hasher.finalize().into()
}

fn is_sealed(bytes: &[u8], digest: Digest, runtime: u64) -> bool {
    let parts = bytes
        .strip_prefix(FORM)
        .and_then(|rest| rest.split_at_checked(SEAL));
    parts.is_some_and(|(found, code)| found == seal(digest, runtime, code))
}

/// Reads a file that nobody else could have written.
fn read(folder: &Path, path: &Path) -> Result<Vec<u8>, Unfit> {
    check(folder)?;
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    is_ours(metadata.uid(), metadata.mode())?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn check(folder: &Path) -> Result<(), Unfit> {
    let metadata = fs::metadata(folder)?;
    if !metadata.is_dir() {
        return Err(Unfit::NoFolder);
    }
    is_ours(metadata.uid(), metadata.mode())
}

fn is_ours(owner: u32, mode: u32) -> Result<(), Unfit> {
    const ADMINISTRATOR: u32 = 0;
    const OTHERS_WRITE: u32 = 0o022;
    if owner != ADMINISTRATOR && owner != nix::unistd::geteuid().as_raw() {
        return Err(Unfit::Owner);
    }
    if mode & OTHERS_WRITE != 0 {
        return Err(Unfit::Writable);
    }
    Ok(())
}
