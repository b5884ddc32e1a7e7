//! Limits, with many who ask at once.

use consentry::store::{Outgoing, Place as Room, StoreError};
use consentry_model::{Channel, Limit};
use futures_util::future::join_all;

use crate::support::*;

on_both_stores! {
    of_many_who_ask_at_once_no_more_get_a_place_than_there_are,
    a_full_limit_says_when_there_is_room_again,
    what_is_sent_is_known_of_the_contact,
}

fn message(to: &str, number: i64, count: u32) -> Outgoing {
    Outgoing {
        address: address(to),
        channel: Channel::Sms,
        category: marketing(),
        at: at(10_000 + number),
        decision_id: format!("decision-{number}"),
        answers: None,
        limits: vec![Limit {
            rule: "cap".to_owned(),
            categories: vec![marketing()],
            channels: vec![Channel::Sms, Channel::Whatsapp],
            window: 5000,
            count,
        }],
    }
}

async fn of_many_who_ask_at_once_no_more_get_a_place_than_there_are(place: Place) {
    let gateways = place.open_together(3).await;
    for round in 0..5 {
        // Somebody new each time: who is made the first time must be made once.
        let who = person(round);
        let asks = (0..60).map(|number| {
            let gateway = &gateways[number % 3];
            let number = i64::try_from(number).unwrap();
            gateway.take_place(message(&who, number, 4))
        });
        let places = join_all(asks).await;
        let taken = |place: &&Result<Room, StoreError>| **place == Ok(Room::Taken);
        let full = |place: &&Result<Room, StoreError>| matches!(place, Ok(Room::Full { .. }));
        assert_eq!(places.iter().filter(taken).count(), 4, "{places:?}");
        assert_eq!(places.iter().filter(full).count(), 56, "{places:?}");
    }
}

async fn a_full_limit_says_when_there_is_room_again(place: Place) {
    let store = place.open().await;
    for number in [1, 2, 3] {
        let place = store.take_place(message(ANN, number, 3)).await.unwrap();
        assert_eq!(place, Room::Taken);
    }
    let full = store.take_place(message(ANN, 4, 3)).await.unwrap();
    let until = at(10_001 + 5000);
    let rule = "cap".to_owned();
    assert_eq!(full, Room::Full { rule, until });
    // Another category does not count, and when there is room there is.
    let other = Outgoing {
        category: "billing".parse().unwrap(),
        limits: Vec::new(),
        ..message(ANN, 5, 3)
    };
    assert_eq!(store.take_place(other).await.unwrap(), Room::Taken);
    let later = message(ANN, 5001, 3);
    assert_eq!(store.take_place(later).await.unwrap(), Room::Taken);
}

async fn what_is_sent_is_known_of_the_contact(place: Place) {
    let store = place.open().await;
    for number in 0..150 {
        store.take_place(message(ANN, number, 1000)).await.unwrap();
    }
    for known in [
        contact(&store, ANN).await,
        store
            .contacts(vec![address(ANN)])
            .await
            .unwrap()
            .remove(0)
            .contact,
    ] {
        assert!(known.sent.len() >= 128, "{}", known.sent.len());
        let moments: Vec<i64> = known.sent[..128]
            .iter()
            .map(|sent| sent.at.millis())
            .collect();
        let newest: Vec<i64> = (10_022..10_150).rev().collect();
        assert_eq!(moments, newest);
    }
}
