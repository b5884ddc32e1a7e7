//! What is recorded, and read back.

use consentry::store::{Backoff, EventKind, NewEvent, Selection, Understood};
use consentry_model::{
    Channel, Classification, Intent, Priority, Route, Scope, Statement, Timestamp,
};
use serde_json::json;

use crate::support::*;

on_both_stores! {
    of_a_stranger_nothing_is_known,
    an_event_is_read_back_as_it_was_recorded,
    what_holds_can_be_read_by_whoever_asks_next,
    events_are_numbered_and_no_two_of_a_contact_share_a_moment,
    a_moment_that_is_yet_to_come_counts_as_now,
    a_character_that_sql_cannot_keep_loses_no_stop,
    the_last_message_and_the_last_advertisement_are_the_newest,
    the_longest_time_to_leave_somebody_alone_counts,
    a_history_comes_in_pages,
    messages_of_a_time_come_newest_first,
    many_are_looked_up_in_the_order_in_which_they_are_asked_for,
}

async fn of_a_stranger_nothing_is_known(place: Place) {
    let store = place.open().await;
    let known = store.contact(&address(ANN)).await.unwrap();
    assert_eq!(known.id, None);
    assert_eq!(known.contact, consentry_model::Contact::default());
    assert!(store.history(&address(ANN), 0, 10).await.unwrap().is_none());
    store.ready().await.unwrap();
}

/// An event with something in every column.
pub(crate) fn full() -> NewEvent {
    let classification = Classification {
        intent: Intent::OptOut,
        scope: Some(Scope::Topic("\"sales\"; DROP TABLE event --".to_owned())),
        changes: vec![change(Channel::Whatsapp, Some("marketing"), OptOut)],
        reply: Some("Sie erhalten keine Werbung mehr. 👍".to_owned()),
        asks: Some("All messages?".to_owned()),
        route: Route::PriorityAgent,
        priority: Priority::High,
        review: true,
        rule: "phrase.de.12".to_owned(),
        matched: Some("keine Werbung".to_owned()),
        language: Some("de".to_owned()),
        explanation: None,
    };
    NewEvent {
        kind: EventKind::Inbound,
        address: address(ANN),
        other_addresses: vec![
            address("US.13491208655302741918"),
            address("ann@example.org"),
        ],
        channel: Some(Channel::Whatsapp),
        business_address: Some("+18335550100".to_owned()),
        message_id: Some("wamid.HBg'\\\"".to_owned()),
        body: Some("Bitte keine\nWerbung mehr 🙏 \\u0041 {}".to_owned()),
        selection: Some(Selection {
            id: "row-1".to_owned(),
            title: "Nein".to_owned(),
        }),
        footer: Some("Reply STOP to end".to_owned()),
        question: Some("Werbung?".to_owned()),
        last_category: Some("marketing".parse().unwrap()),
        country: Some("DE".to_owned()),
        contact_language: Some("de".to_owned()),
        answered: true,
        source: Some("whatsapp".to_owned()),
        actor: Some("kim".to_owned()),
        evidence: Some(json!({ "b": [1, 2.5, null], "a": { "text": "Ja, \"gerne\"" } })),
        ad_entry: true,
        backoff: Some(Backoff {
            category: marketing(),
            until: at(1_800_000_000_000),
        }),
        said_at: Some(at(1_700_000_000_123)),
        statement: Statement::Own,
        changes: classification.changes.clone(),
        understood: Some(Understood {
            classification,
            policy: "sha256:00".to_owned(),
        }),
    }
}

async fn an_event_is_read_back_as_it_was_recorded(place: Place) {
    let store = place.open().await;
    let recorded = store.record(full()).await.unwrap();
    assert!(!recorded.duplicate);
    let as_told = serde_json::to_value(&recorded.event).unwrap();
    assert_eq!(as_told["body"], "Bitte keine\nWerbung mehr 🙏 \\u0041 {}");
    assert_eq!(as_told["selection"]["id"], "row-1");
    assert_eq!(as_told["saidAt"], "2023-11-14T22:13:20.123Z");
    assert_eq!(as_told["changes"][0]["status"], "OPTOUT");
    let kept = events(&place.open().await, "ann@example.org").await;
    let [kept] = kept.as_slice() else {
        panic!("{kept:?}")
    };
    assert_eq!(serde_json::to_value(kept).unwrap(), as_told);
    let message_id = full().message_id.unwrap();
    let ann = address(ANN);
    let delivered = store.delivered(&ann, Channel::Whatsapp, &message_id);
    let delivered = delivered.await.unwrap().unwrap();
    assert_eq!(serde_json::to_value(delivered).unwrap(), as_told);

    let page = store.history(&address(ANN), 0, 10).await.unwrap().unwrap();
    assert_eq!(page.contact_id, recorded.contact_id);
    let addresses = ["+14155550123", "US.13491208655302741918", "ann@example.org"];
    assert_eq!(page.addresses, addresses);
    assert_eq!(contact(&store, ANN).await, recorded.contact);
}

async fn what_holds_can_be_read_by_whoever_asks_next(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    for _ in 0..20 {
        one.record(stop(ANN)).await.unwrap();
        assert_eq!(status(&other, ANN).await, Out);
        other.record(start(ANN)).await.unwrap();
        assert_eq!(status(&one, ANN).await, In);
    }
}

async fn events_are_numbered_and_no_two_of_a_contact_share_a_moment(place: Place) {
    let store = place.open().await;
    for _ in 0..10 {
        store.record(stop(ANN)).await.unwrap();
    }
    store.record(stop(BOB)).await.unwrap();
    let events = events(&store, ANN).await;
    let numbers: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    assert!(events.is_sorted_by(|one, next| one.recorded_at < next.recorded_at));
}

async fn a_moment_that_is_yet_to_come_counts_as_now(place: Place) {
    let store = place.open().await;
    let late = NewEvent {
        said_at: Timestamp::from_millis(4_000_000_000_000),
        ..start(ANN)
    };
    let event = store.record(late).await.unwrap().event;
    assert_eq!(event.said_at, event.recorded_at);
    store.record(stop(ANN)).await.unwrap();
    assert_eq!(status(&store, ANN).await, Out);
}

async fn a_character_that_sql_cannot_keep_loses_no_stop(place: Place) {
    let store = place.open().await;
    let event = NewEvent {
        message_id: Some("M\0 1".to_owned()),
        evidence: Some(json!({ "a\0": ["\0", "\\u0000"] })),
        ..wrote(ANN, "STOP\0", OptOut)
    };
    let recorded = store.record(event.clone()).await.unwrap();
    assert_eq!(status(&store, ANN).await, Out);
    let body = recorded.event.body.clone().unwrap();
    assert!(body.starts_with("STOP"), "{body:?}");
    let kept = &events(&store, ANN).await[0];
    let told = serde_json::to_value(&recorded.event).unwrap();
    assert_eq!(serde_json::to_value(kept).unwrap(), told);
    assert!(store.record(event).await.unwrap().duplicate);
    let delivered = store.delivered(&address(ANN), Channel::Sms, "M\0 1").await;
    assert!(delivered.unwrap().is_some());
    let nothing = store.answerable(&address(ANN), "\0").await.unwrap();
    assert_eq!(nothing, consentry::store::Answerable::Unknown);
    assert!(store.policy("\0").await.unwrap().is_none());
    assert!(
        store
            .alerts(Some("\0".to_owned()), 1)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn the_last_message_and_the_last_advertisement_are_the_newest(place: Place) {
    let store = place.open().await;
    for (moment, ad_entry) in [(2000, true), (3000, false), (1000, true), (2500, false)] {
        let event = NewEvent {
            said_at: Some(at(moment)),
            ad_entry,
            ..chat(ANN, Channel::Whatsapp, "Hello")
        };
        let recorded = store.record(event).await.unwrap();
        assert_eq!(recorded.contact, contact(&store, ANN).await);
    }
    let known = contact(&store, ANN).await;
    assert_eq!(known.last_inbound[&Channel::Whatsapp], at(3000));
    assert_eq!(known.last_ad_entry[&Channel::Whatsapp], at(2000));
    assert_eq!(known.last_inbound.len(), 1);
}

async fn the_longest_time_to_leave_somebody_alone_counts(place: Place) {
    let store = place.open().await;
    for until in [2000, 5000, 3000] {
        let backoff = Some(Backoff {
            category: marketing(),
            until: at(until),
        });
        let event = NewEvent {
            channel: Some(Channel::Whatsapp),
            backoff,
            ..NewEvent::new(EventKind::Reported, address(ANN), Statement::Platform)
        };
        let recorded = store.record(event).await.unwrap();
        assert_eq!(recorded.contact, contact(&store, ANN).await);
    }
    let known = contact(&store, ANN).await;
    assert_eq!(known.backoff[&(Channel::Whatsapp, marketing())], at(5000));
    assert!(known.last_inbound.is_empty());
}

async fn a_history_comes_in_pages(place: Place) {
    let store = place.open().await;
    for number in 0..7 {
        let words = number.to_string();
        store.record(wrote(ANN, &words, OptOut)).await.unwrap();
    }
    let mut read = Vec::new();
    for after in [0, 3, 6, 7, u64::MAX] {
        let page = store.history(&address(ANN), after, 3).await.unwrap();
        read.push(page.unwrap().events.len());
    }
    assert_eq!(read, [3, 3, 1, 0, 0]);
}

async fn messages_of_a_time_come_newest_first(place: Place) {
    let store = place.open().await;
    let mut moments = Vec::new();
    for (number, from) in [ANN, BOB, ANN].into_iter().enumerate() {
        let words = number.to_string();
        let recorded = store.record(wrote(from, &words, OptOut)).await.unwrap();
        moments.push(recorded.event.recorded_at);
        // What was recorded in one millisecond has no order.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let reported = NewEvent::new(EventKind::Reported, address(ANN), Statement::Reported);
    store.record(reported).await.unwrap();
    let bodies = async |between, limit| {
        let messages = store.messages(between, limit).await.unwrap();
        let bodies = messages.into_iter().map(|event| event.body.unwrap());
        bodies.collect::<Vec<_>>()
    };
    assert_eq!(bodies((None, None), 10).await, ["2", "1", "0"]);
    assert_eq!(bodies((None, None), 2).await, ["2", "1"]);
    let middle = (Some(moments[1]), Some(moments[2]));
    assert_eq!(bodies(middle, 10).await, ["1"]);
}

async fn many_are_looked_up_in_the_order_in_which_they_are_asked_for(place: Place) {
    let store = place.open().await;
    for number in (0..600).step_by(2) {
        store.record(stop(&person(number))).await.unwrap();
    }
    let mut asked: Vec<_> = (0..600)
        .rev()
        .map(|number| address(&person(number)))
        .collect();
    asked.push(address(&person(4)));
    let known = store.contacts(asked).await.unwrap();
    assert_eq!(known.len(), 601);
    for (known, number) in known.iter().zip((0..600).rev().chain([4])) {
        let expected = if number % 2 == 0 {
            Out
        } else {
            consentry_model::ConsentStatus::None
        };
        assert_eq!(
            known.contact.status_of(Channel::Sms, None),
            expected,
            "{number}"
        );
        assert_eq!(known.id.is_some(), number % 2 == 0);
    }
    assert!(store.contacts(Vec::new()).await.unwrap().is_empty());
}
