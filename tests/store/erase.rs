//! People are forgotten, and stay suppressed.

use consentry::evidence::{Problem, Verifier};
use consentry::store::{Erasure, EventKind, NewEvent, StoreError, Table};
use consentry_model::{Category, Channel, ConsentStatus, Statement};
use futures_util::future::join_all;

use crate::support::*;

on_both_stores! {
    of_somebody_who_was_erased_nothing_is_left_but_hashes,
    every_address_stays_suppressed_until_the_person_opts_in_anew,
    an_address_that_goes_to_somebody_else_takes_its_suppression_along,
    a_gateway_without_the_key_allows_nobody_whom_it_does_not_know,
    rows_that_somebody_erased_without_a_record_show,
    whoever_writes_while_being_erased_is_suppressed_or_known,
}

async fn problems(store: &Shared) -> Vec<Problem> {
    let mut problems = Vec::new();
    let snapshot = store.snapshot().await.unwrap();
    let verifier = Verifier::new(snapshot, None, None, |problem| {
        problems.push(problem.clone())
    });
    verifier.all(None, |_| {}).await.unwrap();
    problems
}

fn erasure() -> Erasure {
    Erasure {
        actor: Some("kim".to_owned()),
        reason: Some("asked for it".to_owned()),
    }
}

async fn everywhere(store: &Shared, of: &str) -> Vec<ConsentStatus> {
    let contact = contact(store, of).await;
    let known = store.contacts(vec![address(of)]).await.unwrap();
    assert_eq!(known[0].contact.marks, contact.marks);
    let on = |channel: Channel| contact.consent(channel, &Category::marketing()).status;
    Channel::ALL.into_iter().map(on).collect()
}

async fn of_somebody_who_was_erased_nothing_is_left_but_hashes(place: Place) {
    let store = place.open().await;
    assert_eq!(store.erase(&address(ANN), erasure()).await.unwrap(), None);
    store.record(crate::events::full()).await.unwrap();
    store.record(start(ANN)).await.unwrap();
    store.record(stop(BOB)).await.unwrap();
    let erased = store
        .erase(&address("ann@example.org"), erasure())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((erased.events, erased.addresses), (2, 3));
    assert_eq!(problems(&store).await, []);
    let mut snapshot = store.snapshot().await.unwrap();
    let mut all = String::new();
    for table in [
        Table::Contact,
        Table::Address,
        Table::Event,
        Table::Consent,
        Table::ErasedEvent,
        Table::Checkpoint,
        Table::HeadOfContact,
    ] {
        for row in snapshot.rows(table, None, None, 1000).await.unwrap() {
            all.push_str(&serde_json::to_string(&row).unwrap());
        }
    }
    for word in [
        "4155550123",
        "ann@example.org",
        "US.1349",
        "Werbung",
        "Nein",
        "START",
    ] {
        assert!(!all.contains(word), "{word}: {all}");
    }
    assert!(all.contains("asked for it") && all.contains(BOB), "{all}");
    assert!(store.history(&address(ANN), 0, 10).await.unwrap().is_none());
    assert_eq!(store.contact(&address(ANN)).await.unwrap().id, None);
    // Bob is as he was, and nobody is erased twice.
    assert_eq!(events(&store, BOB).await.len(), 1);
    assert_eq!(store.erase(&address(ANN), erasure()).await.unwrap(), None);
}

async fn every_address_stays_suppressed_until_the_person_opts_in_anew(place: Place) {
    let store = place.open().await;
    let both = NewEvent {
        other_addresses: vec![address("ann@example.org")],
        ..start(ANN)
    };
    store.record(both).await.unwrap();
    store
        .erase(&address(ANN), erasure())
        .await
        .unwrap()
        .unwrap();
    let other = place.open().await;
    for of in [ANN, "ann@example.org"] {
        assert_eq!(everywhere(&store, of).await, [Out; 4], "{of}");
        assert_eq!(everywhere(&other, of).await, [Out; 4], "{of}");
    }
    assert_eq!(everywhere(&store, BOB).await, [ConsentStatus::None; 4]);
    // What somebody else says lifts nothing, and neither does a message about something else.
    let report = NewEvent {
        channel: Some(Channel::Sms),
        changes: vec![change(Channel::Sms, None, OptIn)],
        ..NewEvent::new(EventKind::Reported, address(ANN), Statement::Reported)
    };
    other.record(report).await.unwrap();
    assert_eq!(everywhere(&store, ANN).await, [Out; 4]);
    store
        .record(chat(ANN, Channel::Sms, "Hello?"))
        .await
        .unwrap();
    assert_eq!(everywhere(&store, ANN).await, [Out; 4]);
    let known = events(&store, ANN).await;
    assert_eq!(known[0].source.as_deref(), Some("erasure"));
    assert_eq!(known.len(), 3);
    store.record(start(ANN)).await.unwrap();
    assert_eq!(status(&other, ANN).await, In);
    assert_eq!(everywhere(&store, "ann@example.org").await, [Out; 4]);
    assert_eq!(problems(&store).await, []);
    // And once more.
    store
        .erase(&address(ANN), erasure())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(everywhere(&store, ANN).await, [Out; 4]);
    assert_eq!(problems(&store).await, []);
}

async fn an_address_that_goes_to_somebody_else_takes_its_suppression_along(place: Place) {
    let store = place.open().await;
    store.record(start(ANN)).await.unwrap();
    store
        .erase(&address(ANN), erasure())
        .await
        .unwrap()
        .unwrap();
    store.record(start(BOB)).await.unwrap();
    let linked = NewEvent {
        other_addresses: vec![address(ANN)],
        ..chat(BOB, Channel::Sms, "I write with this as well")
    };
    store.record(linked).await.unwrap();
    assert_eq!(status(&store, ANN).await, Out);
    assert_eq!(status(&store, BOB).await, Out);
    assert_eq!(problems(&store).await, []);
}

async fn a_gateway_without_the_key_allows_nobody_whom_it_does_not_know(place: Place) {
    let store = place.open().await;
    store.record(start(ANN)).await.unwrap();
    store.record(start(BOB)).await.unwrap();
    store
        .erase(&address(ANN), erasure())
        .await
        .unwrap()
        .unwrap();
    let key = std::fs::read(place.key()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(place.key()).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
    drop(store);
    let wrong = format!("{{\"key\":\"{}\"}}", "0".repeat(64));
    for instead in [None, Some("{}"), Some("not JSON"), Some(wrong.as_str())] {
        match instead {
            None => std::fs::remove_file(place.key()).unwrap(),
            Some(text) => std::fs::write(place.key(), text).unwrap(),
        }
        let store = place.open().await;
        for refused in [
            store.contact(&address(ANN)).await.map(drop),
            store
                .contacts(vec![address(BOB), address(ANN)])
                .await
                .map(drop),
            store.record(start(ANN)).await.map(drop),
        ] {
            assert!(
                matches!(refused, Err(StoreError::Unavailable(_))),
                "{refused:?}"
            );
        }
        assert_eq!(status(&store, BOB).await, In);
    }
    std::fs::write(place.key(), key).unwrap();
    assert_eq!(status(&place.open().await, ANN).await, Out);
}

async fn rows_that_somebody_erased_without_a_record_show(place: Place) {
    let store = place.open().await;
    let ann = store.record(stop(ANN)).await.unwrap().contact_id;
    store.record(start(ANN)).await.unwrap();
    place.tamper(
        "INSERT INTO erased_event SELECT contact_id, seq, 'x', hash, recorded_at FROM event WHERE seq = 1;
         DELETE FROM event WHERE seq = 1",
    );
    let found = problems(&store).await;
    let says = |what: &str| {
        let found = found.iter().any(|problem| {
            problem.contact_id.as_deref() == Some(ann.as_str()) && problem.what.contains(what)
        });
        assert!(found, "{what}");
    };
    says("no event after them records it");
    says("does not fit its hash");
}

async fn whoever_writes_while_being_erased_is_suppressed_or_known(place: Place) {
    let gateways = place.open_together(3).await;
    gateways[0].record(stop(ANN)).await.unwrap();
    let writing = async {
        for number in 0..20 {
            let words = number.to_string();
            gateways[1]
                .record(chat(ANN, Channel::Sms, &words))
                .await
                .unwrap();
        }
    };
    let erasing = async {
        for _ in 0..5 {
            gateways[2].erase(&address(ANN), erasure()).await.unwrap();
        }
    };
    let asking = join_all((0..3).map(async |_| {
        for _ in 0..20 {
            assert_eq!(status(&gateways[0], ANN).await, Out);
        }
    }));
    tokio::join!(writing, erasing, asking);
    assert_eq!(problems(&gateways[0]).await, []);
}
