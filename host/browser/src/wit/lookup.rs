//! What a policy may ask of the contact that a call is about.

use consentry_model as model;
use consentry_model::{Category, Channel, Contact, Timestamp};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::to_js;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConsentRecord {
    status: &'static str,
    since: Option<i64>,
    proof: model::Proof,
    named_since: Option<i64>,
}

/// Answers a function of `consent-lookup`. A name that is no category is one that nobody has said anything
/// about, so only general statements count.
pub(crate) fn lookup(
    contact: &Contact,
    name: &str,
    arguments: JsValue,
) -> Result<JsValue, JsError> {
    let moment = |at: Option<&Timestamp>| to_js(&at.map(|at| at.millis()));
    match name {
        "consent" => {
            let (channel, name): (Channel, String) = serde_wasm_bindgen::from_value(arguments)?;
            let consent = match name.parse::<Category>() {
                Ok(category) => contact.consent(channel, &category),
                Err(_) => contact.summary(Some(channel), None),
            };
            to_js(&ConsentRecord {
                status: match consent.status {
                    model::ConsentStatus::OptIn => "opt-in",
                    model::ConsentStatus::OptOut => "opt-out",
                    model::ConsentStatus::None => "none",
                },
                since: consent.because.map(|mark| mark.at.millis()),
                proof: consent.proof,
                named_since: consent.named_since.map(Timestamp::millis),
            })
        }
        "lastInbound" => {
            let (channel,): (Channel,) = serde_wasm_bindgen::from_value(arguments)?;
            moment(contact.last_inbound.get(&channel))
        }
        "lastAdEntry" => {
            let (channel,): (Channel,) = serde_wasm_bindgen::from_value(arguments)?;
            moment(contact.last_ad_entry.get(&channel))
        }
        "backoff" => {
            let (channel, name): (Channel, String) = serde_wasm_bindgen::from_value(arguments)?;
            let until = name.parse().ok();
            moment(until.and_then(|category| contact.backoff.get(&(channel, category))))
        }
        "sent" => {
            let (channels, names, earlier): (Vec<Channel>, Vec<String>, u32) =
                serde_wasm_bindgen::from_value(arguments)?;
            let categories: Vec<Category> =
                names.iter().filter_map(|name| name.parse().ok()).collect();
            moment(
                contact
                    .sent(&channels, &categories, earlier as usize)
                    .as_ref(),
            )
        }
        other => Err(JsError::new(&format!("there is no lookup {other:?}"))),
    }
}
