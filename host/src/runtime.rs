//! The runtime: its settings, its clock, and loading policies into it.

use std::thread;
use std::time::Duration;

use consentry_model::contract::BadImport;
use thiserror::Error;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings;
use crate::cache::CodeCache;
use crate::digest::Digest;
use crate::inspect;
use crate::native;
use crate::policy::{Fault, Policy};
use crate::sandbox::{CallState, Prepared};

/// How much of a sandbox's memory is reset in place instead of being given back to the system. More than
/// that is used only by policies that take far longer themselves.
const RESIDENT: usize = 16 << 20;

/// How often the deadline of running calls is looked at.
const TICK: Duration = Duration::from_millis(5);

/// What one call of a policy may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Linear memory, in bytes.
    pub memory: usize,
    /// Elements in all tables of the sandbox.
    pub table_elements: usize,
    /// Time. It is looked at every 5 milliseconds.
    pub deadline: Duration,
    /// Calls at the same time. One more is answered by the floor.
    pub concurrency: u32,
    /// The size of a policy component, in bytes.
    pub component: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 16 << 20,
            table_elements: 10_000,
            deadline: Duration::from_millis(100),
            concurrency: 128,
            component: 16 << 20,
        }
    }
}

/// The runtime for policies.
#[derive(Clone)]
pub struct Host {
    engine: Engine,
    linker: Linker<CallState>,
    limits: Limits,
    cache: Option<CodeCache>,
}

/// The runtime could not be set up.
#[derive(Debug, Error)]
#[error("the WebAssembly runtime cannot start on this machine: {0}")]
pub struct HostError(String);

/// Why a policy was refused.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It is larger than [`Limits::component`].
    #[error(
        "the policy has {size} bytes; at most {limit} are allowed (Limits::component; in consentry, \
         --policy-size)"
    )]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// It is no component, or none that can be compiled.
    #[error("this is no WebAssembly component that can be compiled: {0}")]
    Invalid(String),
    /// It needs more than [`Limits::memory`] from the start.
    #[error(
        "the policy needs more memory than the {limit} bytes it may have ({why}); allow it more \
         (Limits::memory; in consentry, --policy-memory)"
    )]
    Memory {
        /// The limit, in bytes.
        limit: usize,
        /// What it needs.
        why: String,
    },
    /// This host has no compiler, and the cache no code that fits it.
    #[error(
        "this host has no compiler, and nothing in its cache was compiled from {0} for this version \
         of the host and this kind of processor"
    )]
    NotCompiled(Digest),
    /// It imports something else than `consent-lookup`, or another version of it.
    #[error(transparent)]
    Import(BadImport),
    /// It lacks a function of the contract.
    #[error("the policy does not export the function {0:?}")]
    MissingExport(String),
    /// A function has another form than the contract says.
    #[error("the policy does not fit the contract consentry:policy: {0}")]
    WrongType(String),
    /// It could not even say who it is.
    #[error("the policy failed when it was asked who it is: {0}")]
    Describe(#[source] Fault),
}

impl Host {
    /// Sets the runtime up, and starts the thread that watches deadlines.
    pub fn new(limits: Limits) -> Result<Self, HostError> {
        let fail = |error: wasmtime::Error| HostError(format!("{error:#}"));
        let engine = Engine::new(&config(&limits)).map_err(fail)?;
        let mut linker = Linker::new(&engine);
        bindings::Policy::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)
            .map_err(fail)?;
        watch_deadlines(&engine).map_err(|error| HostError(error.to_string()))?;
        Ok(Self {
            engine,
            linker,
            limits,
            cache: None,
        })
    }

    /// Keeps compiled policies in a folder, and takes from there what need not be compiled again.
    pub fn with_cache(mut self, cache: CodeCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// What a policy may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a policy component is small enough to be looked at.
    pub fn check_size(&self, bytes: &[u8]) -> Result<(), LoadError> {
        let (size, limit) = (bytes.len(), self.limits.component);
        if size > limit {
            return Err(LoadError::TooLarge { size, limit });
        }
        Ok(())
    }

    /// Checks and compiles a policy component, unless its code is in the cache. Compiling takes tens of
    /// milliseconds or more: keep it off the path of messages.
    pub fn load(&self, bytes: &[u8]) -> Result<Policy, LoadError> {
        self.check_size(bytes)?;
        let digest = Digest::of(bytes);
        match self.compiled(digest)? {
            Some(component) => self.prepare(&component, digest),
            None => self.compile(bytes, digest),
        }
    }

    /// A component's code as the cache has it, when it fits this runtime.
    fn compiled(&self, digest: Digest) -> Result<Option<Component>, LoadError> {
        let Some(cache) = &self.cache else {
            return Ok(None);
        };
        for code in cache.find(digest, self.runtime()) {
            match native::component(&self.engine, &code).map_err(|error| self.unusable(&error)) {
                Ok(component) => return Ok(Some(component)),
                Err(LoadError::Invalid(why)) => tracing::debug!(why, "code that does not fit"),
                Err(refused) => return Err(refused),
            }
        }
        Ok(None)
    }

    /// What its code must have been compiled for, where that is known.
    #[cfg(feature = "compiler")]
    fn runtime(&self) -> Option<u64> {
        let compatibility = self.engine.precompile_compatibility_hash();
        Some(crate::cache::number(compatibility))
    }

    #[cfg(not(feature = "compiler"))]
    fn runtime(&self) -> Option<u64> {
        None
    }

    #[cfg(not(feature = "compiler"))]
    fn compile(&self, _: &[u8], digest: Digest) -> Result<Policy, LoadError> {
        Err(LoadError::NotCompiled(digest))
    }

    #[cfg(feature = "compiler")]
    fn compile(&self, bytes: &[u8], digest: Digest) -> Result<Policy, LoadError> {
        let component =
            Component::from_binary(&self.engine, bytes).map_err(|error| self.unusable(&error))?;
        let policy = self.prepare(&component, digest)?;
        if let (Some(cache), Some(runtime)) = (&self.cache, self.runtime()) {
            match component.serialize() {
                Ok(code) => cache.keep(digest, runtime, &code),
                Err(error) => tracing::warn!(%error, "the compiled policy is not kept"),
            }
        }
        Ok(policy)
    }

    fn unusable(&self, error: &wasmtime::Error) -> LoadError {
        let mut why = format!("{error:#}");
        // The pool says this of a memory that is too large from the start, and has no type for it.
        if let Some(at) = why.find("memory has a minimum byte size") {
            return LoadError::Memory {
                limit: self.limits.memory,
                why: why.split_off(at),
            };
        }
        LoadError::Invalid(why)
    }

    /// Checks a component and makes it ready.
    fn prepare(&self, component: &Component, digest: Digest) -> Result<Policy, LoadError> {
        inspect::check(component)?;
        let wrong_type = |error: wasmtime::Error| LoadError::WrongType(format!("{error:#}"));
        let prepared = self.linker.instantiate_pre(component).map_err(wrong_type)?;
        let ready = Prepared::new(prepared.clone())?;
        bindings::PolicyPre::new(prepared).map_err(wrong_type)?;
        Policy::new(ready, digest, self.limits.clone()).map_err(LoadError::Describe)
    }
}

/// `docs/sandbox.md` says what each setting is worth.
fn config(limits: &Limits) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(limits.concurrency)
        .total_core_instances(limits.concurrency.saturating_mul(4))
        .total_memories(limits.concurrency)
        .total_tables(limits.concurrency.saturating_mul(2))
        .max_memories_per_component(1)
        .max_tables_per_component(2)
        .max_memory_size(limits.memory)
        .table_elements(limits.table_elements)
        .linear_memory_keep_resident(limits.memory.min(RESIDENT))
        .table_keep_resident(limits.table_elements.saturating_mul(size_of::<usize>()))
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .concurrency_support(false);
    config
}

/// A plain thread that sleeps: a timer that fires in bursts after a stall would end innocent calls.
fn watch_deadlines(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("policy-deadline".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })?;
    Ok(())
}

impl Limits {
    /// The deadline in ticks of the watching thread; at least two, as the next tick may be due at
    /// once.
    pub(crate) fn deadline_ticks(&self) -> u64 {
        let ticks = self.deadline.as_millis() / TICK.as_millis();
        u64::try_from(ticks)
            .unwrap_or(u64::MAX)
            .saturating_add(1)
            .max(2)
    }
}
