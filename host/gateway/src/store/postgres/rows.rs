//! What a group writes, table by table: each in one statement, from a list of rows as JSON, which
//! PostgreSQL reads by the names of its columns.

use std::collections::BTreeMap;

use consentry_model::{Category, Channel, Contact};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::super::Event;
use super::super::columns::{consent_row, event_row};
use super::connect::Connection;
use super::failure::Failure;

/// The rows of one table that are new or have changed, by their keys.
type Changed = BTreeMap<(String, Channel, Option<Category>), Value>;

/// Rows to be written.
#[derive(Default)]
pub(super) struct Rows {
    events: Vec<Value>,
    contacts: BTreeMap<String, Value>,
    consent: Changed,
    last_inbound: Changed,
    backoff: Changed,
}

const EVENT: &str =
    "INSERT INTO event SELECT * FROM json_populate_recordset(NULL::event, $1::text::json)";

const CONTACT: &str = "
    UPDATE contact SET last_seq = new.last_seq, last_recorded_at = new.last_recorded_at,
        head = new.head
    FROM json_populate_recordset(NULL::contact, $1::text::json) AS new
    WHERE contact.id = new.id";

const CONSENT: &str = "
    INSERT INTO consent SELECT * FROM json_populate_recordset(NULL::consent, $1::text::json)
    ON CONFLICT (contact_id, channel, category) DO UPDATE SET
        status = excluded.status,
        own_opt_out_at = excluded.own_opt_out_at,
        own_opt_out_event = excluded.own_opt_out_event,
        reported_opt_out_at = excluded.reported_opt_out_at,
        reported_opt_out_event = excluded.reported_opt_out_event,
        own_opt_in_at = excluded.own_opt_in_at,
        own_opt_in_event = excluded.own_opt_in_event,
        proven_opt_in_at = excluded.proven_opt_in_at,
        proven_opt_in_event = excluded.proven_opt_in_event,
        reported_opt_in_at = excluded.reported_opt_in_at,
        reported_opt_in_event = excluded.reported_opt_in_event,
        release_at = excluded.release_at,
        release_event = excluded.release_event,
        platform_stop_at = excluded.platform_stop_at,
        platform_stop_event = excluded.platform_stop_event,
        platform_resume_at = excluded.platform_resume_at,
        platform_resume_event = excluded.platform_resume_event";

const LAST_INBOUND: &str = "
    INSERT INTO last_inbound
    SELECT * FROM json_populate_recordset(NULL::last_inbound, $1::text::json)
    ON CONFLICT (contact_id, channel) DO UPDATE SET
        at = excluded.at, ad_entry_at = excluded.ad_entry_at";

const BACKOFF: &str = "
    INSERT INTO backoff SELECT * FROM json_populate_recordset(NULL::backoff, $1::text::json)
    ON CONFLICT (contact_id, channel, category) DO UPDATE SET until = excluded.until";

impl Rows {
    /// Adds an event, and what it has changed of its contact.
    pub(super) fn add(&mut self, contact_id: &str, event: &Event, before: &Contact, now: &Contact) {
        self.events.push(event_row(contact_id, event));
        let newest = json!({
            "id": contact_id,
            "last_seq": event.seq,
            "last_recorded_at": event.recorded_at.millis(),
            "head": event.hash,
        });
        self.contacts.insert(contact_id.to_owned(), newest);
        if now.marks != before.marks {
            // All of them: a general statement changes what holds for its categories.
            for ((channel, category), marks) in &now.marks {
                let key = (contact_id.to_owned(), *channel, category.clone());
                let row = consent_row(contact_id, now, *channel, category.as_ref(), marks);
                self.consent.insert(key, row);
            }
        }
        if let Some(channel) = event.channel {
            let at = now.last_inbound.get(&channel);
            let ad_entry = now.last_ad_entry.get(&channel);
            let earlier = before.last_inbound.get(&channel);
            if (at, ad_entry) != (earlier, before.last_ad_entry.get(&channel)) {
                let row = json!({
                    "contact_id": contact_id,
                    "channel": channel.as_str(),
                    "at": at.map(|at| at.millis()),
                    "ad_entry_at": ad_entry.map(|at| at.millis()),
                });
                let key = (contact_id.to_owned(), channel, None);
                self.last_inbound.insert(key, row);
            }
        }
        for ((channel, category), until) in &now.backoff {
            if before.backoff.get(&(*channel, category.clone())) != Some(until) {
                let row = json!({
                    "contact_id": contact_id,
                    "channel": channel.as_str(),
                    "category": category.as_str(),
                    "until": until.millis(),
                });
                let key = (contact_id.to_owned(), *channel, Some(category.clone()));
                self.backoff.insert(key, row);
            }
        }
    }

    /// Writes everything.
    pub(super) async fn write(self, connection: &Connection) -> Result<(), Failure> {
        let listed = |rows: Changed| rows.into_values().collect();
        let tables: [(&str, Vec<Value>); 5] = [
            (EVENT, self.events),
            (CONTACT, self.contacts.into_values().collect()),
            (CONSENT, listed(self.consent)),
            (LAST_INBOUND, listed(self.last_inbound)),
            (BACKOFF, listed(self.backoff)),
        ];
        let write = tables.into_iter().filter(|(_, rows)| !rows.is_empty());
        // They travel together.
        try_join_all(write.map(|(sql, rows)| async move {
            let statement = connection.prepare_cached(sql).await?;
            let rows = Value::Array(rows).to_string();
            connection.execute(&statement, &[&rows]).await?;
            Ok::<_, Failure>(())
        }))
        .await?;
        Ok(())
    }
}
