//! One sandbox: made for one call about one contact, and thrown away after it.

use std::sync::Arc;

use consentry_model::Contact;
use wasmtime::{Store, StoreLimits, StoreLimitsBuilder};

use crate::bindings::consentry::policy::{consent_lookup, types};
use crate::bindings::{Policy, PolicyPre};
use crate::runtime::Limits;
use crate::translate;

/// What a call may see: its own contact, and nothing else.
pub(crate) struct CallState {
    contact: Arc<Contact>,
    limits: StoreLimits,
}

/// Makes a sandbox and runs one call in it.
pub(crate) fn call<T>(
    policy: &PolicyPre<CallState>,
    limits: &Limits,
    contact: &Arc<Contact>,
    call: impl FnOnce(&Policy, &mut Store<CallState>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let bounds = StoreLimitsBuilder::new()
        .memory_size(limits.memory)
        .table_elements(limits.table_elements)
        .trap_on_grow_failure(true)
        .build();
    let state = CallState {
        contact: Arc::clone(contact),
        limits: bounds,
    };
    let mut store = Store::new(policy.engine(), state);
    store.limiter(|state| &mut state.limits);
    store.set_epoch_deadline(limits.deadline_ticks());
    let instance = policy.instantiate(&mut store)?;
    call(&instance, &mut store)
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
}

impl types::Host for CallState {}
