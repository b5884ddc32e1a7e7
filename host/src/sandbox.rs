//! One sandbox: made for one call about one contact, and thrown away after it.

use std::sync::Arc;

use consentry_model::{Channel, Contact};
use wasmtime::component::{
    ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};

use crate::bindings::consentry::policy::{consent_lookup, types};
use crate::runtime::{Limits, LoadError};
use crate::translate;

/// What a call may see: its own contact, and nothing else.
pub(crate) struct CallState {
    contact: Arc<Contact>,
    limits: StoreLimits,
}

/// A policy that is ready to be instantiated, and where its functions are.
pub(crate) struct Prepared {
    pub(crate) instance: InstancePre<CallState>,
    pub(crate) classify: ComponentExportIndex,
    pub(crate) preflight: ComponentExportIndex,
    pub(crate) describe: ComponentExportIndex,
}

impl Prepared {
    pub(crate) fn new(instance: InstancePre<CallState>) -> Result<Self, LoadError> {
        let export = |name: &str| {
            let index = instance.component().get_export_index(None, name);
            index.ok_or_else(|| LoadError::MissingExport(name.to_owned()))
        };
        Ok(Self {
            classify: export("classify")?,
            preflight: export("preflight")?,
            describe: export("describe")?,
            instance,
        })
    }

    /// Makes a sandbox and runs one function in it. Its type alone is checked: checking those of all
    /// three would take longer than making the store.
    pub(crate) fn call<P, R>(
        &self,
        function: &ComponentExportIndex,
        limits: &Limits,
        contact: &Arc<Contact>,
        asked: P,
    ) -> wasmtime::Result<R>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let mut sandbox = self.open(function, limits, contact)?;
        sandbox.call(asked)
    }

    /// Makes a sandbox for one function.
    pub(crate) fn open<P, R>(
        &self,
        function: &ComponentExportIndex,
        limits: &Limits,
        contact: &Arc<Contact>,
    ) -> wasmtime::Result<Sandbox<P, R>>
    where
        P: ComponentNamedList + Lower,
        (R,): ComponentNamedList + Lift,
    {
        let bounds = StoreLimitsBuilder::new()
            .memory_size(limits.memory)
            .table_elements(limits.table_elements)
            .trap_on_grow_failure(true)
            .build();
        let state = CallState {
            contact: Arc::clone(contact),
            limits: bounds,
        };
        let mut store = Store::new(self.instance.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(limits.deadline_ticks());
        let instance = self.instance.instantiate(&mut store)?;
        let function = instance.get_typed_func::<P, (R,)>(&mut store, function)?;
        Ok(Sandbox { store, function })
    }
}

/// A sandbox, and the function that is called in it.
pub(crate) struct Sandbox<P, R> {
    store: Store<CallState>,
    function: TypedFunc<P, (R,)>,
}

impl<P, R> Sandbox<P, R>
where
    P: ComponentNamedList + Lower,
    (R,): ComponentNamedList + Lift,
{
    /// Calls the function. After an error the sandbox is of no more use.
    pub(crate) fn call(&mut self, asked: P) -> wasmtime::Result<R> {
        let (answer,) = self.function.call(&mut self.store, asked)?;
        Ok(answer)
    }

    /// Makes it a sandbox for another contact, with all its time.
    pub(crate) fn turn_to(&mut self, contact: &Arc<Contact>, limits: &Limits) {
        self.store.data_mut().contact = Arc::clone(contact);
        self.store.set_epoch_deadline(limits.deadline_ticks());
    }
}

impl consent_lookup::Host for CallState {
    fn consent(&mut self, channel: types::Channel, category: String) -> types::ConsentRecord {
        translate::consent(&self.contact, channel.into(), &category)
    }

    fn last_inbound(&mut self, channel: types::Channel) -> Option<types::Timestamp> {
        self.contact
            .last_inbound
            .get(&channel.into())
            .map(|at| at.millis())
    }

    fn last_ad_entry(&mut self, channel: types::Channel) -> Option<types::Timestamp> {
        let entry = self.contact.last_ad_entry.get(&channel.into());
        entry.map(|at| at.millis())
    }

    fn backoff(&mut self, channel: types::Channel, category: String) -> Option<types::Timestamp> {
        let category = category.parse().ok()?;
        let until = self.contact.backoff.get(&(channel.into(), category));
        until.map(|at| at.millis())
    }

    fn sent(
        &mut self,
        channels: Vec<types::Channel>,
        categories: Vec<String>,
        earlier: u32,
    ) -> Option<types::Timestamp> {
        let channels: Vec<Channel> = channels.into_iter().map(Into::into).collect();
        let categories = translate::categories(&categories);
        let sent = self.contact.sent(&channels, &categories, earlier as usize);
        sent.map(|at| at.millis())
    }
}

impl types::Host for CallState {}
