//! Events, read back, and what their columns hold.

use std::borrow::Cow;

use consentry_model::{Category, Channel, EventId, Timestamp};
use serde_json::Value;
use tokio_postgres::Row;

use super::super::record::Named;
use super::super::{Answerable, Event, History};
use super::connect::Connection;
use super::failure::Failure;
use crate::address::Address;

/// The columns of an event. Documents are read as they were written.
pub(super) const EVENT: &str = "event.id, event.seq, event.kind, event.address, event.channel,
    event.business_address, event.message_id, event.body, event.selection::text, event.footer,
    event.question, event.last_category, event.country, event.contact_language, event.answered,
    event.source, event.actor, event.evidence::text, event.intent, event.scope, event.review,
    event.rule, event.matched, event.language, event.reply, event.asks, event.route,
    event.priority, event.policy, event.changes::text, event.said_at, event.recorded_at,
    event.other_addresses::text, event.statement, event.hash";

/// The event that a provider's message has made.
pub(super) async fn delivered(
    connection: Connection,
    address: &Address,
    channel: Channel,
    message_id: &str,
) -> Result<Option<Event>, Failure> {
    let query = format!(
        "SELECT {EVENT} FROM event
         WHERE contact_id = (SELECT contact_id FROM address WHERE value = $1)
         AND channel = $2 AND message_id = $3"
    );
    let statement = connection.prepare_cached(&query).await?;
    let row = connection
        .query_opt(
            &statement,
            &[&address.to_string(), &channel.as_str(), &text(message_id)],
        )
        .await?;
    row.map(|row| event(&row)).transpose()
}

/// The question that the answer to a contact's newest message on a channel asked.
pub(super) async fn open_question(
    connection: Connection,
    address: &Address,
    channel: Channel,
    since: Timestamp,
) -> Result<Option<String>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT asks, said_at FROM event
             WHERE contact_id = (SELECT contact_id FROM address WHERE value = $1)
             AND channel = $2 AND kind = 'inbound' ORDER BY seq DESC LIMIT 1",
        )
        .await?;
    let newest = connection
        .query_opt(&statement, &[&address.to_string(), &channel.as_str()])
        .await?;
    let Some(newest) = newest else {
        return Ok(None);
    };
    let (asks, at): (Option<String>, i64) = (newest.try_get(0)?, newest.try_get(1)?);
    Ok(asks.filter(|_| at >= since.millis()))
}

/// What a message that names an event as the one it answers is bound to.
pub(super) async fn answerable(
    connection: Connection,
    address: &Address,
    event_id: &str,
) -> Result<Answerable, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT intent, said_at,
                EXISTS (SELECT FROM sent
                    WHERE sent.contact_id = event.contact_id AND answers = event.id),
                NOT EXISTS (SELECT FROM event AS newer
                    WHERE newer.contact_id = event.contact_id AND newer.intent = 'opt-out'
                    AND (newer.said_at, newer.seq) > (event.said_at, event.seq))
             FROM event
             WHERE contact_id = (SELECT contact_id FROM address WHERE value = $1) AND id = $2",
        )
        .await?;
    let row = connection
        .query_opt(&statement, &[&address.to_string(), &text(event_id)])
        .await?;
    let Some(row) = row else {
        return Ok(Answerable::Unknown);
    };
    let intent: Option<String> = row.try_get(0)?;
    let named = Named {
        intent: intent.as_deref(),
        said_at: moment(row.try_get(1)?)?,
        is_answered: row.try_get(2)?,
        is_newest_opt_out: row.try_get(3)?,
    };
    Ok(named.answerable())
}

pub(super) async fn history(
    connection: Connection,
    address: &Address,
    after: u64,
    limit: u32,
) -> Result<Option<History>, Failure> {
    let addresses = connection
        .prepare_cached(
            "SELECT value, contact_id FROM address
             WHERE contact_id = (SELECT contact_id FROM address WHERE value = $1)
             ORDER BY value",
        )
        .await?;
    let rows = connection
        .query(&addresses, &[&address.to_string()])
        .await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let contact_id: String = first.try_get(1)?;
    let addresses = rows.iter().map(|row| row.try_get(0));
    let addresses = addresses.collect::<Result<_, _>>()?;
    let page = format!(
        "SELECT {EVENT} FROM event WHERE contact_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
    );
    let page = connection.prepare_cached(&page).await?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = connection
        .query(&page, &[&contact_id, &after, &i64::from(limit)])
        .await?;
    Ok(Some(History {
        contact_id,
        addresses,
        events: rows.iter().map(event).collect::<Result<_, _>>()?,
    }))
}

/// One event of the contact that an address belongs to.
pub(super) async fn one(
    connection: Connection,
    address: &Address,
    event_id: &EventId,
) -> Result<Option<Event>, Failure> {
    let query = format!(
        "SELECT {EVENT} FROM event
         WHERE contact_id = (SELECT contact_id FROM address WHERE value = $1) AND id = $2"
    );
    let statement = connection.prepare_cached(&query).await?;
    let row = connection
        .query_opt(&statement, &[&address.to_string(), &text(&event_id.0)])
        .await?;
    row.map(|row| event(&row)).transpose()
}

/// Messages that a person must look at and nobody has decided about, the newest first.
pub(super) async fn reviews(
    connection: Connection,
    before: Option<&EventId>,
    limit: u32,
) -> Result<Vec<Event>, Failure> {
    let query = format!(
        "SELECT {EVENT} FROM event
         WHERE review AND ($1::text IS NULL OR event.id < $1) AND NOT EXISTS (
            SELECT FROM event AS decided WHERE decided.contact_id = event.contact_id
            AND decided.channel = event.channel AND decided.message_id = 'review:' || event.id)
         ORDER BY event.id DESC LIMIT $2"
    );
    let statement = connection.prepare_cached(&query).await?;
    let before = before.map(|before| text(&before.0));
    let rows = connection
        .query(&statement, &[&before, &i64::from(limit)])
        .await?;
    rows.iter().map(event).collect()
}

/// Messages that came in, the newest first: up to `limit` of those recorded from one moment on and before
/// another.
pub(super) async fn messages(
    connection: Connection,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    limit: u32,
) -> Result<Vec<Event>, Failure> {
    let query = format!(
        "SELECT {EVENT} FROM event WHERE kind = 'inbound' AND recorded_at >= $1 AND recorded_at < $2
         ORDER BY recorded_at DESC LIMIT $3"
    );
    let statement = connection.prepare_cached(&query).await?;
    let from = from.map_or(i64::MIN, Timestamp::millis);
    let to = to.map_or(i64::MAX, Timestamp::millis);
    let rows = connection
        .query(&statement, &[&from, &to, &i64::from(limit)])
        .await?;
    rows.iter().map(event).collect()
}

/// Reads the columns of [`EVENT`].
pub(super) fn event(row: &Row) -> Result<Event, Failure> {
    let channel: Option<&str> = row.try_get(4)?;
    let last_category: Option<&str> = row.try_get(11)?;
    Ok(Event {
        event_id: EventId(row.try_get(0)?),
        seq: row.try_get::<_, i64>(1)?.unsigned_abs(),
        kind: row.try_get(2)?,
        address: row.try_get(3)?,
        channel: channel.map(parsed::<Channel>).transpose()?,
        business_address: row.try_get(5)?,
        message_id: row.try_get(6)?,
        body: row.try_get(7)?,
        selection: json(row.try_get(8)?)?,
        footer: row.try_get(9)?,
        question: row.try_get(10)?,
        last_category: last_category.map(parsed::<Category>).transpose()?,
        country: row.try_get(12)?,
        contact_language: row.try_get(13)?,
        answered: row.try_get(14)?,
        source: row.try_get(15)?,
        actor: row.try_get(16)?,
        evidence: json(row.try_get(17)?)?,
        intent: row.try_get(18)?,
        scope: row.try_get(19)?,
        review: row.try_get(20)?,
        rule: row.try_get(21)?,
        matched: row.try_get(22)?,
        language: row.try_get(23)?,
        reply: row.try_get(24)?,
        asks: row.try_get(25)?,
        route: row.try_get(26)?,
        priority: row.try_get(27)?,
        policy: row.try_get(28)?,
        changes: json(row.try_get(29)?)?.unwrap_or(Value::Null),
        said_at: moment(row.try_get(30)?)?,
        recorded_at: moment(row.try_get(31)?)?,
        other_addresses: match row.try_get::<_, Option<&str>>(32)? {
            Some(text) => serde_json::from_str(text).map_err(Failure::unreadable)?,
            None => Vec::new(),
        },
        statement: parsed(row.try_get(33)?)?,
        hash: row.try_get(34)?,
    })
}

pub(super) fn moment(millis: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_millis(millis).ok_or_else(|| Failure::unreadable(millis))
}

pub(super) fn optional_moment(millis: Option<i64>) -> Result<Option<Timestamp>, Failure> {
    millis.map(moment).transpose()
}

pub(super) fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, Failure>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(Failure::unreadable)
}

pub(super) fn json<T: serde::de::DeserializeOwned>(
    text: Option<&str>,
) -> Result<Option<T>, Failure> {
    let read = |text| serde_json::from_str(text).map_err(Failure::unreadable);
    text.map(read).transpose()
}

/// A text as it is kept: no text in PostgreSQL holds the character of code 0, so a picture of it stands
/// in its place.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{2400}"))
    } else {
        Cow::Borrowed(text)
    }
}
