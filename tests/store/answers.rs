//! Duplicates, open questions, and what may be answered.

use consentry::store::{Answerable, NewEvent, Outgoing, Place as Room, StoreError, Understood};
use consentry_model::{Answers, Channel, Classification, Intent, Priority, Route};

use crate::support::*;

on_both_stores! {
    what_was_delivered_before_changes_nothing,
    an_identifier_counts_on_its_own_channel,
    a_question_is_open_that_the_newest_answer_asked,
    only_the_newest_stop_is_answered_and_once,
    a_call_for_help_is_answered_once,
}

fn understood(event: NewEvent, intent: Intent, asks: Option<&str>) -> NewEvent {
    let classification = Classification {
        intent,
        scope: None,
        changes: event.changes.clone(),
        reply: None,
        asks: asks.map(str::to_owned),
        route: Route::Disconnect,
        priority: Priority::Normal,
        review: false,
        rule: "test".to_owned(),
        matched: None,
        language: None,
        explanation: None,
    };
    NewEvent {
        understood: Some(Understood {
            classification,
            policy: "sha256:00".to_owned(),
        }),
        ..event
    }
}

fn numbered(event: NewEvent, message_id: &str) -> NewEvent {
    NewEvent {
        message_id: Some(message_id.to_owned()),
        ..event
    }
}

async fn what_was_delivered_before_changes_nothing(place: Place) {
    let (store, other) = (place.open().await, place.open().await);
    let first = store.record(numbered(stop(ANN), "M1")).await.unwrap();
    store.record(start(ANN)).await.unwrap();
    let before = contact(&store, ANN).await;
    let second = other.record(numbered(stop(ANN), "M1")).await.unwrap();
    assert!(second.duplicate);
    assert_eq!(second.event.event_id, first.event.event_id);
    assert_eq!(second.contact, before);
    assert_eq!(contact(&store, ANN).await, before);
    assert_eq!(events(&store, ANN).await.len(), 2);
}

async fn an_identifier_counts_on_its_own_channel(place: Place) {
    let store = place.open().await;
    for channel in [Channel::Sms, Channel::Whatsapp] {
        let event = numbered(chat(ANN, channel, "Hello"), "M1");
        assert!(!store.record(event).await.unwrap().duplicate, "{channel}");
    }
    let of_bob = numbered(stop(BOB), "M1");
    assert!(!store.record(of_bob).await.unwrap().duplicate);
    let known = async |who: &str, channel, id: &str| {
        let found = store.delivered(&address(who), channel, id).await;
        found.unwrap().is_some()
    };
    assert!(known(ANN, Channel::Sms, "M1").await);
    assert!(!known(ANN, Channel::Voice, "M1").await);
    assert!(!known(ANN, Channel::Sms, "M2").await);
    assert!(!known("+14155550199", Channel::Sms, "M1").await);
}

async fn a_question_is_open_that_the_newest_answer_asked(place: Place) {
    let store = place.open().await;
    let open = async |since| {
        let ann = address(ANN);
        let open = store.open_question(&ann, Channel::Sms, at(since));
        open.await.unwrap()
    };
    assert_eq!(open(0).await, None);
    let asked = NewEvent {
        said_at: Some(at(1000)),
        ..understood(stop(ANN), Intent::OptOut, Some("Everything?"))
    };
    store.record(asked).await.unwrap();
    assert_eq!(open(1000).await.as_deref(), Some("Everything?"));
    assert_eq!(open(1001).await, None);
    store
        .record(chat(ANN, Channel::Whatsapp, "Hello"))
        .await
        .unwrap();
    assert_eq!(open(1000).await.as_deref(), Some("Everything?"));
    store
        .record(chat(ANN, Channel::Sms, "Hello"))
        .await
        .unwrap();
    assert_eq!(open(0).await, None);
}

fn answer(to: &str, event: &consentry_model::EventId) -> Outgoing {
    Outgoing {
        address: address(to),
        channel: Channel::Sms,
        category: marketing(),
        at: at(5000),
        decision_id: event.0.clone(),
        answers: Some(event.clone()),
        limits: Vec::new(),
    }
}

async fn only_the_newest_stop_is_answered_and_once(place: Place) {
    let store = place.open().await;
    let answerable = async |who: &str, event: &str| {
        let answerable = store.answerable(&address(who), event).await;
        answerable.unwrap()
    };
    assert_eq!(answerable(ANN, "none").await, Answerable::Unknown);
    let mut stops = Vec::new();
    // The second comes late.
    for moment in [3000, 1000] {
        let event = NewEvent {
            said_at: Some(at(moment)),
            ..understood(stop(ANN), Intent::OptOut, None)
        };
        stops.push(store.record(event).await.unwrap().event);
    }
    let [newest, older] = stops.as_slice() else {
        panic!()
    };
    let bound = Answerable::Yes(Answers::OptOut(at(3000)));
    assert_eq!(answerable(ANN, &newest.event_id.0).await, bound);
    assert_eq!(
        answerable(ANN, &older.event_id.0).await,
        Answerable::NotNewest
    );
    assert_eq!(
        answerable(BOB, &newest.event_id.0).await,
        Answerable::Unknown
    );
    let plain = store
        .record(chat(ANN, Channel::Sms, "Hello"))
        .await
        .unwrap();
    let plain = answerable(ANN, &plain.event.event_id.0).await;
    assert_eq!(plain, Answerable::Unknown);
    let message = answer(ANN, &newest.event_id);
    store.take_place(message).await.unwrap();
    assert_eq!(
        answerable(ANN, &newest.event_id.0).await,
        Answerable::Answered
    );
}

async fn a_call_for_help_is_answered_once(place: Place) {
    let store = place.open().await;
    let event = NewEvent {
        said_at: Some(at(3000)),
        ..understood(chat(ANN, Channel::Sms, "HELP"), Intent::Help, None)
    };
    let help = store.record(event).await.unwrap().event.event_id;
    let open = store.answerable(&address(ANN), &help.0).await.unwrap();
    assert_eq!(open, Answerable::Yes(Answers::Help(at(3000))));
    let takes = (0..10).map(|_| store.take_place(answer(ANN, &help)));
    let places = futures_util::future::join_all(takes).await;
    let taken = |place: &&Result<Room, StoreError>| **place == Ok(Room::Taken);
    assert_eq!(places.iter().filter(taken).count(), 1, "{places:?}");
    let closed = store.answerable(&address(ANN), &help.0).await.unwrap();
    assert_eq!(closed, Answerable::Answered);
}
