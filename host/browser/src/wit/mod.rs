//! Between the contract's types, in the form that JavaScript bindings give them, and the model's. Nothing
//! else in this crate knows both.

mod inbound;
mod lookup;
mod outbound;

use serde::Serialize;
use wasm_bindgen::prelude::*;

pub(crate) use inbound::{classification, inbound};
pub(crate) use lookup::lookup;
pub(crate) use outbound::{decision, outbound};

type Checked<T> = Result<T, String>;

/// Moments are `s64`, which JavaScript writes as BigInt.
pub(crate) fn question(ask: &'static str, message: &impl Serialize) -> Result<JsValue, JsError> {
    #[derive(Serialize)]
    struct Question<'m, M> {
        ask: &'static str,
        message: &'m M,
    }
    to_js(&Question { ask, message })
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    let serializer =
        serde_wasm_bindgen::Serializer::new().serialize_large_number_types_as_bigints(true);
    Ok(value.serialize(&serializer)?)
}
