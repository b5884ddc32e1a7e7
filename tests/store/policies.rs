//! Policies that are kept, and the numbers of their changes.

use consentry::policies::{Change, ChangeKind, Version};
use futures_util::future::join_all;

use crate::support::*;

on_both_stores! {
    a_policy_is_kept_once_and_gets_its_signature_later,
    changes_made_at_once_are_numbered_without_a_gap,
}

fn version(digest: &str, moment: i64) -> Version {
    Version {
        digest: digest.to_owned(),
        name: "acme".to_owned(),
        version: "1".to_owned(),
        engine: "2".to_owned(),
        size: 3,
        signed: false,
        added_at: at(moment),
        added_by: "kim".to_owned(),
    }
}

async fn a_policy_is_kept_once_and_gets_its_signature_later(place: Place) {
    let store = place.open().await;
    assert!(store.policy("one").await.unwrap().is_none());
    let bytes = vec![0, 255, 7];
    let add = |moment, signature: Option<&str>| {
        let signature = signature.map(str::to_owned);
        store.add_policy(version("one", moment), bytes.clone(), signature)
    };
    add(1, None).await.unwrap();
    add(2, Some("seal")).await.unwrap();
    add(3, None).await.unwrap();
    store
        .add_policy(version("two", 4), vec![1], None)
        .await
        .unwrap();
    let kept = store.policy("one").await.unwrap();
    assert_eq!(kept, Some((bytes, Some("seal".to_owned()))));
    let listed = store.policies().await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|version| {
            (
                version.digest.as_str(),
                version.size,
                version.signed,
                version.added_at,
            )
        })
        .collect();
    assert_eq!(listed, [("two", 1, false, at(4)), ("one", 3, true, at(1))]);
}

async fn changes_made_at_once_are_numbered_without_a_gap(place: Place) {
    let gateways = place.open_together(3).await;
    assert_eq!(gateways[0].last_policy_change().await.unwrap(), 0);
    let changes = (0..30).map(|number| {
        let kind = [ChangeKind::Activate, ChangeKind::Rollback][number % 2];
        gateways[number % 3].change_policy(Change {
            seq: 0,
            kind,
            digest: "one".to_owned(),
            actor: "kim".to_owned(),
            reason: number.to_string(),
            at: at(1),
        })
    });
    let mut told: Vec<Change> = join_all(changes)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    told.sort_by_key(|change| change.seq);
    let listed = gateways[1].policy_changes().await.unwrap();
    let numbers: Vec<u64> = listed.iter().map(|change| change.seq).collect();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
    let plain = |changes: &[Change]| serde_json::to_value(changes).unwrap();
    assert_eq!(plain(&told), plain(&listed));
    assert_eq!(gateways[2].last_policy_change().await.unwrap(), 30);
}
