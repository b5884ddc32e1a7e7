//! Decisions, kept to be made again, and messages that a person must look at.

use std::collections::BTreeSet;

use consentry::decisions::{Kept, Made};
use consentry::store::{NewEvent, Understood};
use consentry_model::{Channel, EventId, Inbound, Outbound, Template, Timestamp, floor};
use futures_util::future::join_all;

use crate::support::*;

on_both_stores! {
    a_decision_is_read_as_it_was_kept,
    only_the_newest_decisions_are_kept,
    what_a_person_must_look_at_is_listed_until_it_was_decided,
}

fn question() -> Outbound {
    Outbound {
        channel: Channel::Whatsapp,
        category: marketing(),
        template: Some(Template {
            name: "offer \u{2603} \"x\"".to_owned(),
            category: marketing(),
        }),
        at: at(1_800_000_000_123),
        places: consentry_places::of(Some(ANN), Some("US"), at(1_800_000_000_123)),
        answers: consentry_model::Answers::Help(at(7)),
        explain: true,
    }
}

fn kept(id: usize, made_at: Timestamp) -> Kept {
    Kept {
        id: id.to_string(),
        at: made_at,
        policy: "sha256:x".to_owned(),
        contact: Default::default(),
        made: None,
    }
}

async fn a_decision_is_read_as_it_was_kept(place: Place) {
    let store = place.open().await;
    for event in [stop(ANN), start(ANN), chat(ANN, Channel::Whatsapp, "hello")] {
        store.record(event).await.unwrap();
    }
    let one = Kept {
        contact: contact(&store, ANN).await,
        made: Some(Made {
            question: question(),
            verdict: "defer".to_owned(),
            reason: "quiet_hours".to_owned(),
            retry_at: Some(at(1_800_000_100_001)),
        }),
        ..kept(1, at(5))
    };
    let both = vec![one.clone(), kept(2, at(6))];
    store.record_decisions(both.clone(), 10).await.unwrap();
    let read = store.decisions((None, None), 10).await.unwrap();
    assert_eq!(
        format!("{:?}", [&read[1], &read[0]]),
        format!("{:?}", [&both[0], &both[1]])
    );
    let between = |from, to| (Some(at(from)), Some(at(to)));
    assert_eq!(store.decisions(between(5, 6), 10).await.unwrap().len(), 1);
    assert_eq!(store.decisions(between(7, 9), 10).await.unwrap().len(), 0);
}

async fn only_the_newest_decisions_are_kept(place: Place) {
    let gateways = place.open_together(2).await;
    let writes = (0..20_usize).map(|number| {
        let rows = (0..10).map(|row| kept(number * 10 + row, at(1))).collect();
        gateways[number % 2].record_decisions(rows, 50)
    });
    for written in join_all(writes).await {
        written.unwrap();
    }
    let left = gateways[0].decisions((None, None), 1000).await.unwrap();
    assert_eq!(left.len(), 50);
}

async fn what_a_person_must_look_at_is_listed_until_it_was_decided(place: Place) {
    let store = place.open().await;
    let mut recorded = Vec::new();
    for number in 0..3 {
        let message = Inbound::text(Channel::Sms, "S", at(1));
        let mut classification = floor::classify(&message);
        classification.review = number != 1;
        let event = NewEvent {
            understood: Some(Understood {
                classification,
                policy: String::new(),
            }),
            ..chat(&person(number), Channel::Sms, "S")
        };
        recorded.push(store.record(event).await.unwrap().event.event_id);
    }
    let ids = |events: Vec<consentry::store::Event>| -> Vec<EventId> {
        events.into_iter().map(|event| event.event_id).collect()
    };
    let open = ids(store.reviews(None, 10).await.unwrap());
    assert_eq!(open, [recorded[2].clone(), recorded[0].clone()]);
    let next = ids(store.reviews(Some(open[0].clone()), 10).await.unwrap());
    assert_eq!(next, [recorded[0].clone()]);

    let decided = |to: &str| NewEvent {
        message_id: Some(format!("review:{}", recorded[2].0)),
        ..chat(to, Channel::Sms, "decided")
    };
    let twice = [
        store.record(decided(&person(2))),
        store.record(decided(&person(2))),
    ];
    let duplicates: BTreeSet<bool> = join_all(twice)
        .await
        .into_iter()
        .map(|recorded| recorded.unwrap().duplicate)
        .collect();
    assert_eq!(duplicates, BTreeSet::from([false, true]));
    assert_eq!(
        ids(store.reviews(None, 10).await.unwrap()),
        [recorded[0].clone()]
    );
    // Another contact's event decides nothing here.
    let own = store
        .event(&address(&person(0)), &recorded[0])
        .await
        .unwrap();
    assert!(own.is_some());
    let others = store
        .event(&address(&person(1)), &recorded[0])
        .await
        .unwrap();
    assert!(others.is_none());
}
