//! One person with many addresses, and addresses that belong to others.

use consentry::store::{NewEvent, StoreError};

use crate::support::*;

on_both_stores! {
    what_is_said_on_one_address_counts_for_all,
    a_stop_that_names_somebody_elses_address_counts_for_both,
    what_is_given_is_not_given_to_somebody_else,
    an_address_named_twice_is_one,
    addresses_met_in_one_group_find_their_people,
}

const MAIL: &str = "ann@example.org";

fn naming(event: NewEvent, others: &[&str]) -> NewEvent {
    NewEvent {
        other_addresses: others.iter().map(|other| address(other)).collect(),
        ..event
    }
}

async fn what_is_said_on_one_address_counts_for_all(place: Place) {
    let store = place.open().await;
    let first = store.record(naming(start(ANN), &[MAIL])).await.unwrap();
    let second = store.record(stop(MAIL)).await.unwrap();
    assert_eq!(first.contact_id, second.contact_id);
    assert_eq!(second.event.seq, 2);
    assert_eq!(status(&store, ANN).await, Out);
}

async fn a_stop_that_names_somebody_elses_address_counts_for_both(place: Place) {
    let store = place.open().await;
    let ann = store.record(start(ANN)).await.unwrap().contact_id;
    let bob = store.record(start(BOB)).await.unwrap().contact_id;
    let stopped = store.record(naming(stop(ANN), &[BOB, MAIL])).await.unwrap();
    assert_eq!(stopped.contact_id, ann);
    assert_eq!(stopped.event.address, ANN);
    for (who, id) in [(ANN, &ann), (BOB, &bob), (MAIL, &ann)] {
        assert_eq!(status(&store, who).await, Out, "{who}");
        let known = store.contact(&address(who)).await.unwrap();
        assert_eq!(known.id.as_ref(), Some(id), "{who}");
    }
    assert_eq!(events(&store, BOB).await[1].address, BOB);
}

async fn what_is_given_is_not_given_to_somebody_else(place: Place) {
    let store = place.open().await;
    store.record(stop(BOB)).await.unwrap();
    for from in [ANN, "+14155550199"] {
        let refused = store.record(naming(start(from), &[MAIL, BOB])).await;
        assert_eq!(refused.unwrap_err(), StoreError::AddressTaken);
    }
    // And nothing is left of it.
    for who in [ANN, MAIL, "+14155550199"] {
        assert_eq!(
            store.contact(&address(who)).await.unwrap().id,
            None,
            "{who}"
        );
    }
    assert_eq!(status(&store, BOB).await, Out);
    assert_eq!(events(&store, BOB).await.len(), 1);
}

async fn an_address_named_twice_is_one(place: Place) {
    let store = place.open().await;
    let event = naming(stop(ANN), &[ANN, MAIL, MAIL]);
    store.record(event).await.unwrap();
    let page = store.history(&address(ANN), 0, 10).await.unwrap().unwrap();
    assert_eq!(page.addresses, [ANN, MAIL]);
    assert_eq!(page.events.len(), 1);
}

/// Events that come together are written together, and each must see what the ones before have made.
async fn addresses_met_in_one_group_find_their_people(place: Place) {
    let store = place.open().await;
    let mut group = Vec::new();
    for number in 0..100 {
        let mail = format!("{number}@example.org");
        group.push(naming(stop(&person(number)), &[&mail]));
        group.push(stop(&mail));
        group.push(stop(&person(number)));
    }
    let recorded =
        futures_util::future::join_all(group.into_iter().map(|event| store.record(event)));
    let failed = recorded.await.into_iter().filter(Result::is_err).count();
    // Whether a mail address comes before the event that names it is chance: then it is somebody of its
    // own, and the stop counts for both.
    assert_eq!(failed, 0);
    for number in 0..100 {
        for who in [person(number), format!("{number}@example.org")] {
            assert_eq!(status(&store, &who).await, Out, "{who}");
        }
    }
}
