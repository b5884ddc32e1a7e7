//! The runtime: its settings, its clock, and loading policies into it.

use std::thread;
use std::time::Duration;

use consentry_model::contract::BadImport;
use thiserror::Error;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings;
use crate::digest::Digest;
use crate::inspect;
use crate::policy::{Fault, Policy};
use crate::sandbox::{CallState, Prepared};

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
}

/// The runtime could not be set up.
#[derive(Debug, Error)]
#[error("the WebAssembly runtime cannot start on this machine: {0}")]
pub struct HostError(String);

/// Why a policy was refused.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It is larger than [`Limits::component`].
    #[error("the policy has {size} bytes; at most {limit} are allowed")]
    TooLarge {
        /// Its size, in bytes.
        size: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// It is no component, or none that can be compiled.
    #[error("this is no WebAssembly component that can be compiled: {0}")]
    Invalid(String),
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
        })
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

    /// Checks and compiles a policy component. Compiling takes tens of milliseconds or more: keep
    /// it off the path of messages.
    pub fn load(&self, bytes: &[u8]) -> Result<Policy, LoadError> {
        self.check_size(bytes)?;
        let component = Component::from_binary(&self.engine, bytes)
            .map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
        inspect::check(&component)?;
        let wrong_type = |error: wasmtime::Error| LoadError::WrongType(format!("{error:#}"));
        let prepared = self
            .linker
            .instantiate_pre(&component)
            .map_err(wrong_type)?;
        let ready = Prepared::new(prepared.clone())?;
        bindings::PolicyPre::new(prepared).map_err(wrong_type)?;
        Policy::new(ready, Digest::of(bytes), self.limits.clone()).map_err(LoadError::Describe)
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
        // Pages up to here are reset in place instead of being given back to the system.
        .linear_memory_keep_resident(limits.memory)
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
