//! Places for messages that are about to be sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use consentry_model::{Category, Limit, Timestamp};
use futures_util::future::try_join_all;

use super::super::forgotten::Forgotten;
use super::super::{Outgoing, Place, StoreError};
use super::connect::Connection;
use super::failure::Failure;
use super::people::People;
use super::read::text;
use crate::clock;

/// Takes places one after the other, as [`Store::take_place`](super::super::Store::take_place) has it.
pub(super) async fn take(
    connection: Connection,
    forgotten: Arc<Forgotten>,
    messages: Vec<Outgoing>,
) -> Result<Vec<Result<Place, StoreError>>, Failure> {
    let addresses = messages.iter().map(|message| message.address.to_string());
    let addresses: Vec<String> = addresses.collect();
    let mut people = People::find(&connection, &forgotten, &addresses).await?;
    let mut places: Vec<(usize, Place)> = Vec::with_capacity(messages.len());
    let mut by_contact: BTreeMap<String, Vec<(usize, Outgoing)>> = BTreeMap::new();
    for (number, message) in messages.into_iter().enumerate() {
        if people.left(&message.address).is_some() {
            // Erased since it was asked whether the message may go: whatever it answered is gone.
            places.push((number, Place::Answered));
            continue;
        }
        let owner = people.owner(&message.address).cloned();
        let contact_id = owner.unwrap_or_else(People::stranger);
        people.mean(&contact_id, &message.address);
        by_contact
            .entry(contact_id)
            .or_default()
            .push((number, message));
    }
    people.lock(&connection, clock::now()).await?;
    // What is about one contact is done in order; what is about several travels together.
    let takes = by_contact.iter().map(|(contact_id, messages)| {
        let connection = &connection;
        async move {
            let mut places = Vec::with_capacity(messages.len());
            for (number, message) in messages {
                places.push((*number, one(connection, contact_id, message).await?));
            }
            Ok::<_, Failure>(places)
        }
    });
    places.extend(try_join_all(takes).await?.into_iter().flatten());
    places.sort_unstable_by_key(|(number, _)| *number);
    Ok(places.into_iter().map(|(_, place)| Ok(place)).collect())
}

async fn one(
    connection: &Connection,
    contact_id: &str,
    message: &Outgoing,
) -> Result<Place, Failure> {
    for limit in &message.limits {
        if let Some(until) = reached(connection, contact_id, limit, message.at).await? {
            return Ok(Place::Full {
                rule: limit.rule.clone(),
                until,
            });
        }
    }
    let statement = connection
        .prepare_cached("INSERT INTO sent VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING")
        .await?;
    let answers = message.answers.as_ref().map(|event| text(&event.0));
    let taken = connection
        .execute(
            &statement,
            &[
                &contact_id,
                &message.at.millis(),
                &message.decision_id,
                &message.channel.as_str(),
                &message.category.as_str(),
                &answers,
            ],
        )
        .await?;
    Ok(if taken == 0 {
        Place::Answered
    } else {
        Place::Taken
    })
}

/// The moment from which on a limit has room, when it has none.
async fn reached(
    connection: &Connection,
    contact_id: &str,
    limit: &Limit,
    at: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let statement = connection
        .prepare_cached(
            "SELECT at FROM sent
             WHERE contact_id = $1 AND channel = ANY ($2) AND category = ANY ($3)
             ORDER BY at DESC LIMIT 1 OFFSET $4",
        )
        .await?;
    let channels: Vec<&str> = limit
        .channels
        .iter()
        .map(|channel| channel.as_str())
        .collect();
    let categories: Vec<&str> = limit.categories.iter().map(Category::as_str).collect();
    let earlier = i64::from(limit.count.saturating_sub(1));
    let sent = connection
        .query_opt(&statement, &[&contact_id, &channels, &categories, &earlier])
        .await?;
    let sent: Option<i64> = sent.map(|row| row.try_get(0)).transpose()?;
    Ok(limit.full_until(sent.and_then(Timestamp::from_millis), at))
}
