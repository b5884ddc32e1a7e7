//! What a policy may use, and where its compiled code is kept.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use bytesize::ByteSize;
use clap::Args;
use consentry_host::{CodeCache, Host, Limits};

use super::{BadArgument, StoreArgs};

/// A WebAssembly memory has no more.
const MOST_MEMORY: ByteSize = ByteSize::gib(4);

#[derive(Args, Default)]
pub(super) struct SandboxArgs {
    /// How much memory each call of a policy may use, such as 256MiB; 16MiB when left out
    #[arg(long, env = "CONSENTRY_POLICY_MEMORY", value_name = "SIZE")]
    policy_memory: Option<ByteSize>,
    /// How large a policy component may be; 16MiB when left out
    #[arg(long, env = "CONSENTRY_POLICY_SIZE", value_name = "SIZE")]
    policy_size: Option<ByteSize>,
    /// The folder where compiled policies are kept, so that a start need not compile them again, or
    /// "off". When left out, one beside the store, for commands that use one
    #[arg(long, env = "CONSENTRY_POLICY_CACHE", value_name = "FOLDER|off")]
    policy_cache: Option<CacheAt>,
}

#[derive(Clone, Debug)]
enum CacheAt {
    Nowhere,
    Folder(PathBuf),
}

impl FromStr for CacheAt {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "off" => Self::Nowhere,
            folder => Self::Folder(folder.into()),
        })
    }
}

impl SandboxArgs {
    /// The host of a command, which may use a store.
    pub(super) fn host(&self, store: Option<&StoreArgs>) -> anyhow::Result<Host> {
        let host = Host::new(self.limits()?)?;
        let cache = match (&self.policy_cache, store) {
            (Some(CacheAt::Nowhere), _) | (None, None) => None,
            (Some(CacheAt::Folder(folder)), _) => Some(CodeCache::open(folder)?),
            // Nobody asked for this one, so a place that cannot hold it is no reason to stop.
            (None, Some(store)) => CodeCache::open(store.beside(".compiled"))
                .inspect_err(|error| tracing::warn!(%error, "compiled policies are not kept"))
                .ok(),
        };
        Ok(match cache {
            Some(cache) => host.with_cache(cache),
            None => host,
        })
    }

    fn limits(&self) -> anyhow::Result<Limits> {
        let mut limits = Limits::default();
        if let Some(memory) = self.policy_memory {
            if memory > MOST_MEMORY {
                let problem = format!("--policy-memory: {MOST_MEMORY} is the most, not {memory}");
                return Err(BadArgument(problem).into());
            }
            limits.memory = usize::try_from(memory.as_u64())?;
        }
        if let Some(size) = self.policy_size {
            limits.component = usize::try_from(size.as_u64())?;
        }
        Ok(limits)
    }
}
