//! Many gateways that write at the same moment.

use consentry::store::{NewEvent, StoreError};
use consentry_model::{Contact, Mark, Statement};
use futures_util::future::join_all;

use crate::support::*;

on_both_stores! {
    two_who_write_about_one_contact_lose_nothing_of_each_other,
    what_is_delivered_everywhere_at_once_is_recorded_once,
    somebody_new_who_is_met_everywhere_at_once_is_one_person,
    two_who_name_each_other_at_once_do_not_wait_for_ever,
    one_that_is_refused_in_a_crowd_is_refused_alone,
}

async fn two_who_write_about_one_contact_lose_nothing_of_each_other(place: Place) {
    let gateways = place.open_together(2).await;
    let writes = (0..120).map(|number| {
        let categories = [None, Some("marketing"), Some("billing")];
        let kind = [OptOut, OptIn][number % 2];
        let mut event = wrote(ANN, &number.to_string(), kind);
        event.changes[0].category = categories[number % 3].map(|name| name.parse().unwrap());
        gateways[number % 2].record(event)
    });
    for recorded in join_all(writes).await {
        recorded.unwrap();
    }
    let events = events(&gateways[0], ANN).await;
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=120).collect::<Vec<_>>());
    // The view is what follows from the events.
    let mut rebuilt = Contact::default();
    for event in &events {
        let words = event.body.as_deref().unwrap();
        let kind = [OptOut, OptIn][words.parse::<usize>().unwrap() % 2];
        let category = event.changes[0]["category"].as_str();
        let mark = Mark {
            at: event.said_at,
            event: event.event_id.clone(),
        };
        let channel = event.channel.unwrap();
        rebuilt.apply(&change(channel, category, kind), Statement::Own, mark);
    }
    assert_eq!(contact(&gateways[1], ANN).await.marks, rebuilt.marks);
}

async fn what_is_delivered_everywhere_at_once_is_recorded_once(place: Place) {
    let gateways = place.open_together(3).await;
    for round in 0..10 {
        let who = person(round);
        let deliveries = (0..30).map(|number| {
            let event = NewEvent {
                message_id: Some("M1".to_owned()),
                ..stop(&who)
            };
            gateways[number % 3].record(event)
        });
        let recorded = join_all(deliveries).await;
        let firsts = recorded
            .iter()
            .filter(|one| !one.as_ref().unwrap().duplicate);
        assert_eq!(firsts.count(), 1);
        assert_eq!(events(&gateways[0], &who).await.len(), 1);
    }
}

async fn somebody_new_who_is_met_everywhere_at_once_is_one_person(place: Place) {
    let gateways = place.open_together(3).await;
    for round in 0..10 {
        let who = person(round);
        let writes = (0..9).map(|number| gateways[number % 3].record(stop(&who)));
        let recorded = join_all(writes).await.into_iter().map(Result::unwrap);
        let ids: Vec<String> = recorded.map(|one| one.contact_id).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }
}

async fn two_who_name_each_other_at_once_do_not_wait_for_ever(place: Place) {
    let gateways = place.open_together(2).await;
    for round in 0..20 {
        let pair = [person(2 * round), person(2 * round + 1)];
        for who in &pair {
            gateways[0].record(start(who)).await.unwrap();
        }
        let writes = (0..8).map(|number| {
            let event = NewEvent {
                other_addresses: vec![address(&pair[(number + 1) % 2])],
                ..stop(&pair[number % 2])
            };
            gateways[number % 2].record(event)
        });
        for recorded in join_all(writes).await {
            recorded.unwrap();
        }
        for who in &pair {
            assert_eq!(status(&gateways[0], who).await, Out);
        }
    }
}

async fn one_that_is_refused_in_a_crowd_is_refused_alone(place: Place) {
    let store = place.open().await;
    store.record(stop(BOB)).await.unwrap();
    let writes = (0..200).map(|number| {
        let mut event = start(&person(number));
        if number % 50 == 7 {
            event.other_addresses = vec![address(BOB)];
        }
        store.record(event)
    });
    for (number, recorded) in join_all(writes).await.into_iter().enumerate() {
        let known = store.contact(&address(&person(number))).await.unwrap();
        if number % 50 == 7 {
            assert_eq!(recorded.unwrap_err(), StoreError::AddressTaken);
            assert_eq!(known.id, None);
        } else {
            assert_eq!(known.id, Some(recorded.unwrap().contact_id));
        }
    }
}
