//! What proves that nothing was changed: checkpoints are made, and everything is verified.

mod chain;
mod checkpoints;
pub(crate) mod past;
pub(crate) mod rows;
mod verify;
mod view;

use std::sync::Arc;
use std::time::Duration;

pub use verify::{Problem, Verified, Verifier};

use crate::clock;
use crate::gateway::Gateway;
use crate::jws::SigningKeys;
use crate::store::checkpoint::MOST_HEADS;
use crate::store::{Seal, Store, StoreError};

/// Makes checkpoints, one after each pause, for as long as the gateway serves.
pub(crate) async fn keep(gateway: Gateway, keys: Arc<SigningKeys>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        if let Err(error) = seal(gateway.store(), &keys).await {
            tracing::error!(%error, "no checkpoint could be made; the next one makes up for it");
        }
    }
}

/// Makes checkpoints until everything is under one.
pub(crate) async fn seal(store: &dyn Store, keys: &Arc<SigningKeys>) -> Result<(), StoreError> {
    loop {
        let (keys, at) = (Arc::clone(keys), clock::now());
        if store.add_checkpoint(Seal { keys, at }).await? < u64::from(MOST_HEADS) {
            return Ok(());
        }
    }
}
