//! What was known at a moment in the past.

use consentry_model::{Contact, Timestamp};

use crate::address::Address;
use crate::store::{History, Store, StoreError};

const PAGE: u32 = 1000;

/// Leaves of a page of events those that were recorded up to a moment.
pub(crate) fn cut(page: &mut History, as_of: Timestamp) {
    // Events are recorded in the order of their moments.
    page.events.retain(|event| event.recorded_at <= as_of);
}

/// What held of a contact's consent, by the events that were recorded up to a moment. What is said to have
/// been said before, and was recorded only later, was not known then.
pub(crate) async fn consent_at(
    store: &dyn Store,
    address: &Address,
    as_of: Timestamp,
) -> Result<Contact, StoreError> {
    let mut contact = Contact::default();
    let mut after = 0;
    while let Some(mut page) = store.history(address, after, PAGE).await? {
        cut(&mut page, as_of);
        for event in &page.events {
            after = event.seq;
            event.apply_to(&mut contact).map_err(|error| {
                StoreError::Unavailable(format!("an event cannot be read: {error}"))
            })?;
        }
        // A page that is not full, before or after the cut, is the last.
        if !u32::try_from(page.events.len()).is_ok_and(|count| count == PAGE) {
            break;
        }
    }
    Ok(contact)
}
