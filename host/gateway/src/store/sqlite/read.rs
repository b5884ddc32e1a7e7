//! Queries.

use consentry_model::{Category, Channel, EventId, Limit, Mark, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde_json::Value;

use super::super::record::Named;
use super::super::{Answerable, Event, History};

pub(super) fn contact_id(
    connection: &Connection,
    address: &str,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT contact_id FROM address WHERE value = ?1")?
        .query_row([address], |row| row.get(0))
        .optional()
}

/// What a message that names an event as the one it answers is bound to.
pub(super) fn answerable(
    connection: &Connection,
    address: &str,
    event_id: &str,
) -> rusqlite::Result<Answerable> {
    let Some(contact_id) = contact_id(connection, address)? else {
        return Ok(Answerable::Unknown);
    };
    let named = connection
        .prepare_cached(
            "SELECT intent, said_at,
                EXISTS (SELECT 1 FROM sent
                    WHERE sent.contact_id = event.contact_id AND answers = event.id),
                NOT EXISTS (SELECT 1 FROM event AS newer
                    WHERE newer.contact_id = event.contact_id AND newer.intent = 'opt-out'
                    AND (newer.said_at, newer.seq) > (event.said_at, event.seq))
             FROM event WHERE contact_id = ?1 AND id = ?2",
        )?
        .query_row((&contact_id, event_id), |row| {
            let intent: Option<String> = row.get(0)?;
            let named = Named {
                intent: intent.as_deref(),
                said_at: moment(row, 1)?,
                is_answered: row.get(2)?,
                is_newest_opt_out: row.get(3)?,
            };
            Ok(named.answerable())
        })
        .optional()?;
    Ok(named.unwrap_or(Answerable::Unknown))
}

/// The moment from which on a limit has room, when it has none.
pub(super) fn reached(
    connection: &Connection,
    contact_id: &str,
    limit: &Limit,
    at: Timestamp,
) -> rusqlite::Result<Option<Timestamp>> {
    let channels = limit.channels.iter().map(|channel| channel.as_str());
    let categories = limit.categories.iter().map(Category::as_str);
    let listed = |names: Vec<&str>| serde_json::to_string(&names).unwrap_or_default();
    let earlier = i64::from(limit.count) - 1;
    let sent: Option<i64> = connection
        .prepare_cached(
            "SELECT at FROM sent WHERE contact_id = ?1
             AND channel IN (SELECT value FROM json_each(?2))
             AND category IN (SELECT value FROM json_each(?3))
             ORDER BY at DESC LIMIT 1 OFFSET ?4",
        )?
        .query_row(
            (
                contact_id,
                listed(channels.collect()),
                listed(categories.collect()),
                earlier,
            ),
            |row| row.get(0),
        )
        .optional()?;
    Ok(limit.full_until(sent.and_then(Timestamp::from_millis), at))
}

const EVENT: &str = "SELECT id, seq, kind, address, channel, business_address, message_id, body,
    selection, footer, question, last_category, country, contact_language, answered, source, actor, evidence, intent, scope, review, rule,
    matched, language, reply, asks, route, priority, policy, changes, said_at, recorded_at,
    other_addresses, statement, hash FROM event";

pub(super) fn delivered(
    connection: &Connection,
    contact_id: &str,
    channel: Channel,
    message_id: &str,
) -> rusqlite::Result<Option<Event>> {
    let by_message = format!("{EVENT} WHERE contact_id = ?1 AND channel = ?2 AND message_id = ?3");
    connection
        .prepare_cached(&by_message)?
        .query_row((contact_id, channel.as_str(), message_id), event)
        .optional()
}

/// The question that the answer to a contact's newest message on a channel asked.
pub(super) fn open_question(
    connection: &Connection,
    address: &str,
    channel: Channel,
    since: Timestamp,
) -> rusqlite::Result<Option<String>> {
    let asked: Option<(Option<String>, i64)> = connection
        .prepare_cached(
            "SELECT asks, said_at FROM event
             WHERE contact_id = (SELECT contact_id FROM address WHERE value = ?1)
             AND channel = ?2 AND kind = 'inbound' ORDER BY seq DESC LIMIT 1",
        )?
        .query_row((address, channel.as_str()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(asked.and_then(|(asks, at)| asks.filter(|_| at >= since.millis())))
}

pub(super) fn history(
    connection: &Connection,
    address: &str,
    after: u64,
    limit: u32,
) -> rusqlite::Result<Option<History>> {
    let Some(contact_id) = contact_id(connection, address)? else {
        return Ok(None);
    };
    let addresses = connection
        .prepare_cached("SELECT value FROM address WHERE contact_id = ?1 ORDER BY value")?
        .query_map([&contact_id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let page = format!("{EVENT} WHERE contact_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let events = connection
        .prepare_cached(&page)?
        .query_map((&contact_id, after, limit), event)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(History {
        contact_id,
        addresses,
        events,
    }))
}

/// One event of the contact that an address belongs to.
pub(super) fn one(
    connection: &Connection,
    address: &str,
    event_id: &str,
) -> rusqlite::Result<Option<Event>> {
    let by_id = format!(
        "{EVENT} WHERE contact_id = (SELECT contact_id FROM address WHERE value = ?1) AND id = ?2"
    );
    connection
        .prepare_cached(&by_id)?
        .query_row((address, event_id), event)
        .optional()
}

/// Messages that a person must look at and nobody has decided about, the newest first.
pub(super) fn reviews(
    connection: &Connection,
    before: Option<&EventId>,
    limit: u32,
) -> rusqlite::Result<Vec<Event>> {
    let open = format!(
        "{EVENT} AS held WHERE review AND (?1 IS NULL OR id < ?1) AND NOT EXISTS (
            SELECT 1 FROM event AS decided WHERE decided.contact_id = held.contact_id
            AND decided.channel = held.channel AND decided.message_id = 'review:' || held.id)
         ORDER BY id DESC LIMIT ?2"
    );
    connection
        .prepare_cached(&open)?
        .query_map((before.map(|before| &before.0), limit), event)?
        .collect()
}

/// Messages that came in, the newest first: up to `limit` of those recorded from one moment on and before
/// another.
pub(super) fn messages(
    connection: &Connection,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    limit: u32,
) -> rusqlite::Result<Vec<Event>> {
    let query = format!(
        "{EVENT} WHERE kind = 'inbound' AND recorded_at >= ?1 AND recorded_at < ?2
         ORDER BY recorded_at DESC LIMIT ?3"
    );
    connection
        .prepare_cached(&query)?
        .query_map(
            (
                from.map_or(i64::MIN, Timestamp::millis),
                to.map_or(i64::MAX, Timestamp::millis),
                limit,
            ),
            event,
        )?
        .collect()
}

fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        event_id: EventId(row.get(0)?),
        seq: row.get::<_, i64>(1)?.unsigned_abs(),
        kind: row.get(2)?,
        address: row.get(3)?,
        channel: match row.get_ref(4)?.as_str_or_null()? {
            Some(name) => Some(parsed(4, name)?),
            None => None,
        },
        business_address: row.get(5)?,
        message_id: row.get(6)?,
        body: row.get(7)?,
        selection: json(row, 8)?,
        footer: row.get(9)?,
        question: row.get(10)?,
        last_category: match row.get_ref(11)?.as_str_or_null()? {
            Some(name) => Some(parsed(11, name)?),
            None => None,
        },
        country: row.get(12)?,
        contact_language: row.get(13)?,
        answered: row.get(14)?,
        source: row.get(15)?,
        actor: row.get(16)?,
        evidence: json(row, 17)?,
        intent: row.get(18)?,
        scope: row.get(19)?,
        review: row.get(20)?,
        rule: row.get(21)?,
        matched: row.get(22)?,
        language: row.get(23)?,
        reply: row.get(24)?,
        asks: row.get(25)?,
        route: row.get(26)?,
        priority: row.get(27)?,
        policy: row.get(28)?,
        changes: json(row, 29)?.unwrap_or_default(),
        said_at: moment(row, 30)?,
        recorded_at: moment(row, 31)?,
        other_addresses: match row.get_ref(32)?.as_str_or_null()? {
            Some(text) => serde_json::from_str(text).map_err(|error| bad(32, error))?,
            None => Vec::new(),
        },
        statement: parsed(33, row.get_ref(33)?.as_str()?)?,
        hash: row.get(34)?,
    })
}

pub(super) fn channel(row: &Row<'_>, column: usize) -> rusqlite::Result<Channel> {
    parsed(column, row.get_ref(column)?.as_str()?)
}

pub(super) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let millis = row.get(column)?;
    Timestamp::from_millis(millis).ok_or(rusqlite::Error::IntegralValueOutOfRange(column, millis))
}

pub(super) fn mark(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Mark>> {
    match row.get::<_, Option<String>>(column + 1)? {
        Some(event) => Ok(Some(Mark {
            at: moment(row, column)?,
            event: EventId(event),
        })),
        None => Ok(None),
    }
}

fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Value>> {
    match row.get_ref(column)?.as_str_or_null()? {
        Some(text) => serde_json::from_str(text)
            .map(Some)
            .map_err(|error| bad(column, error)),
        None => Ok(None),
    }
}

pub(super) fn parsed<T: std::str::FromStr>(column: usize, text: &str) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|error| bad(column, error))
}

fn bad(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
