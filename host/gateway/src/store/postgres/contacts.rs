//! What is known of contacts, of many at a time.

use std::cmp::Reverse;
use std::collections::HashMap;

use consentry_model::{Channel, Contact, EventId, Mark, Marks, Sent, Timestamp};
use futures_util::future::join;
use tokio_postgres::{Row, Statement};

use super::super::Known;
use super::super::forgotten::{Forgotten, Suppressed};
use super::super::record::MOST_SENT;
use super::connect::Connection;
use super::erase;
use super::failure::Failure;
use super::read::{optional_moment, parsed, text};
use crate::address::Address;

const OWNERS: &str = "SELECT value, contact_id FROM address WHERE value = ANY ($1)";

/// One row for each thing known of a contact. It is one statement, so that all is as it was at one moment.
const STATES: &str = "
    SELECT contact_id, 'consent' AS part, channel, category,
        ARRAY[own_opt_out_at, reported_opt_out_at, own_opt_in_at, proven_opt_in_at,
            reported_opt_in_at, release_at, platform_stop_at, platform_resume_at] AS times,
        ARRAY[own_opt_out_event, reported_opt_out_event, own_opt_in_event, proven_opt_in_event,
            reported_opt_in_event, release_event, platform_stop_event,
            platform_resume_event] AS events
    FROM consent WHERE contact_id = ANY ($1)
    UNION ALL
    SELECT contact_id, 'last_inbound', channel, '*', ARRAY[at, ad_entry_at], NULL
    FROM last_inbound WHERE contact_id = ANY ($1)
    UNION ALL
    SELECT contact_id, 'backoff', channel, category, ARRAY[until], NULL
    FROM backoff WHERE contact_id = ANY ($1)
    UNION ALL
    SELECT asked.id, 'sent', newest.channel, newest.category, ARRAY[newest.at], NULL
    FROM unnest($1) AS asked (id) CROSS JOIN LATERAL (
        SELECT channel, category, at FROM sent
        WHERE contact_id = asked.id ORDER BY at DESC LIMIT $2
    ) AS newest";

/// What is known of the contacts that addresses belong to, in the order of the addresses, all at one
/// moment.
pub(super) async fn known(
    connection: Connection,
    forgotten: &Forgotten,
    addresses: &[Address],
) -> Result<Vec<Known>, Failure> {
    let values: Vec<String> = addresses.iter().map(Address::to_string).collect();
    let (of_owners, of_states) = (owners_of(&connection).await?, states_of(&connection).await?);
    // What is joined travels together, and is done in this order.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    let (begun, owners) = join(
        connection.batch_execute(begin),
        owners(&connection, &of_owners, &values),
    )
    .await;
    begun?;
    let owners = owners?;
    let ids: Vec<&String> = owners.values().collect();
    let (states, ended) = join(
        states(&connection, &of_states, &ids),
        connection.batch_execute("COMMIT"),
    )
    .await;
    let states = states?;
    ended?;
    // What was erased stays so: it is found afterwards as well.
    let strangers = values.iter().filter(|value| !owners.contains_key(*value));
    let strangers: Vec<&String> = strangers.collect();
    let left = erase::suppressed(&connection, forgotten, &strangers).await?;
    let known = |value| match owners.get(value) {
        Some(id) => Known {
            contact: states.get(id).cloned().unwrap_or_default(),
            id: Some(id.clone()),
        },
        None => Known {
            contact: left.get(value).map(Suppressed::contact).unwrap_or_default(),
            id: None,
        },
    };
    Ok(values.iter().map(known).collect())
}

/// The statement of [`owners`].
pub(super) async fn owners_of(connection: &Connection) -> Result<Statement, Failure> {
    Ok(connection.prepare_cached(OWNERS).await?)
}

/// The contacts that addresses belong to, where they belong to one.
pub(super) async fn owners(
    connection: &Connection,
    statement: &Statement,
    values: &[String],
) -> Result<HashMap<String, String>, Failure> {
    let rows = connection.query(statement, &[&values]).await?;
    let pair = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    rows.iter().map(pair).collect()
}

/// The statement of [`states`].
pub(super) async fn states_of(connection: &Connection) -> Result<Statement, Failure> {
    Ok(connection.prepare_cached(STATES).await?)
}

/// What is known of some contacts; none for one of whom nothing is.
pub(super) async fn states(
    connection: &Connection,
    statement: &Statement,
    ids: &[&String],
) -> Result<HashMap<String, Contact>, Failure> {
    let most_sent = i64::try_from(MOST_SENT).unwrap_or(i64::MAX);
    let mut contacts: HashMap<String, Contact> = HashMap::new();
    for row in connection.query(statement, &[&ids, &most_sent]).await? {
        let id: String = row.try_get(0)?;
        take(contacts.entry(id).or_default(), &row)?;
    }
    for contact in contacts.values_mut() {
        contact.sent.sort_unstable_by_key(|sent| Reverse(sent.at));
    }
    Ok(contacts)
}

/// Takes in a row of [`STATES`].
fn take(contact: &mut Contact, row: &Row) -> Result<(), Failure> {
    let part: &str = row.try_get(1)?;
    let channel = parsed(row.try_get(2)?)?;
    let category = match row.try_get(3)? {
        "*" => None,
        name => Some(parsed(name)?),
    };
    let times: Vec<Option<i64>> = row.try_get(4)?;
    let mut times = times.into_iter().map(optional_moment);
    let mut next = || times.next().unwrap_or(Ok(None));
    match (part, category) {
        ("consent", category) => {
            let events: Vec<Option<String>> = row.try_get(5)?;
            let mut events = events.into_iter();
            let mut mark = || -> Result<Option<Mark>, Failure> {
                let at: Option<Timestamp> = next()?;
                let event = events.next().flatten().map(EventId);
                Ok(at.zip(event).map(|(at, event)| Mark { at, event }))
            };
            let marks = Marks {
                own_opt_out: mark()?,
                reported_opt_out: mark()?,
                own_opt_in: mark()?,
                proven_opt_in: mark()?,
                reported_opt_in: mark()?,
                release: mark()?,
                platform_stop: mark()?,
                platform_resume: mark()?,
            };
            contact.marks.insert((channel, category), marks);
        }
        ("last_inbound", _) => {
            contact.last_inbound.extend(next()?.map(|at| (channel, at)));
            contact
                .last_ad_entry
                .extend(next()?.map(|at| (channel, at)));
        }
        ("backoff", Some(category)) => {
            let until = next()?;
            let entry = until.map(|until| ((channel, category), until));
            contact.backoff.extend(entry);
        }
        ("sent", Some(category)) => contact.sent.extend(next()?.map(|at| Sent {
            at,
            channel,
            category,
        })),
        _ => return Err(Failure::unreadable(part)),
    }
    Ok(())
}

/// The telephone numbers that everything has stopped for on a channel, in order.
pub(super) async fn opted_out(
    connection: Connection,
    on: Channel,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Address>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT address.value FROM address
             JOIN consent ON consent.contact_id = address.contact_id
                AND channel = $1 AND category = '*' AND status = 'OPTOUT'
             WHERE address.value > $2 AND address.value >= '+' AND address.value < ','
             ORDER BY address.value LIMIT $3",
        )
        .await?;
    let after = after.map(text).unwrap_or_default();
    let rows = connection
        .query(&statement, &[&on.as_str(), &after, &i64::from(limit)])
        .await?;
    rows.iter().map(|row| parsed(row.try_get(0)?)).collect()
}
