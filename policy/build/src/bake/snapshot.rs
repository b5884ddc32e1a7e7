//! Running the engine once with its rules, and keeping the memory it ends up with.

use wasmtime::error::Context as _;
use wasmtime::{Engine, Extern, Instance, Linker, Module, Result, Store, Val, bail};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// The engine's start functions; see `policy/component/src/start.rs`.
const BUFFER: &str = "consentry_rules_buffer";
const START: &str = "consentry_start";

/// A core module in which the rules are in place and the start function is gone.
pub(crate) fn snapshot(engine: &[u8], rules: &[u8]) -> Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    wizer.init_func(START);
    let (context, instrumented) = wizer.instrument(engine)?;
    let runtime = Engine::default();
    let module = Module::new(&runtime, &instrumented)?;
    let mut store = Store::new(&runtime, ());
    let mut linker = Linker::new(&runtime);
    // Preparing the rules asks nothing about any contact.
    linker.define_unknown_imports_as_traps(&module)?;
    let instance = linker.instantiate(&mut store, &module)?;
    start(&mut store, &instance, rules)?;
    pollster::block_on(wizer.snapshot(&context, &mut State { store, instance }))
}

fn start(store: &mut Store<()>, instance: &Instance, rules: &[u8]) -> Result<()> {
    let length = u32::try_from(rules.len()).context("the rules are larger than 4 GiB")?;
    let buffer = instance.get_typed_func::<u32, u32>(&mut *store, BUFFER)?;
    let address = buffer.call(&mut *store, length)?;
    let memory = instance
        .get_memory(&mut *store, "memory")
        .context("the engine has no memory")?;
    memory.write(&mut *store, address as usize, rules)?;
    match instance
        .get_typed_func::<(), u32>(&mut *store, START)?
        .call(&mut *store, ())?
    {
        0 => Ok(()),
        1 => bail!("it was built for another form of rule set"),
        code => bail!("it answered {code} when it was started"),
    }
}

struct State {
    store: Store<()>,
    instance: Instance,
}

/// What the snapshot asks for are exports that its own instrumentation has just added.
#[allow(
    clippy::expect_used,
    clippy::panic,
    reason = "the trait has no way to report an error"
)]
impl InstanceState for State {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self
            .instance
            .get_export(&mut self.store, name)
            .and_then(Extern::into_global);
        match global.expect("an instrumented global").get(&mut self.store) {
            Val::I32(value) => SnapshotVal::I32(value),
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(value) => SnapshotVal::F32(value),
            Val::F64(value) => SnapshotVal::F64(value),
            other => panic!("the engine has a global of a kind it should not have: {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut self.store, name);
        contents(memory.expect("an instrumented memory").data(&self.store));
    }
}
