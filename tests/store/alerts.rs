//! Alerts, added to by many gateways.

use std::collections::BTreeMap;

use consentry::alerts::{AlertKind, AlertTally};
use consentry_model::Channel;
use futures_util::future::join_all;

use crate::support::*;

on_both_stores! {
    what_many_gateways_noted_is_added_up,
    alerts_come_in_pages_and_are_delivered_once,
}

fn noted(reason: &str, hour: i64, count: u64) -> (AlertKind, AlertTally) {
    let kind = AlertKind {
        hour: at(hour),
        reason: reason.to_owned(),
        channel: Channel::Sms,
        category: marketing(),
    };
    let tally = AlertTally {
        count,
        first_at: at(hour + i64::try_from(count).unwrap()),
        last_at: at(hour + 100 + i64::try_from(count).unwrap()),
        last_decision_id: format!("decision-{count}"),
    };
    (kind, tally)
}

async fn what_many_gateways_noted_is_added_up(place: Place) {
    let gateways = place.open_together(3).await;
    let adds = (1..=30_usize).map(|number| {
        let count = u64::try_from(number).unwrap();
        let alerts = BTreeMap::from([noted("a", 0, count), noted("b", 0, count)]);
        gateways[number % 3].add_alerts(alerts)
    });
    for added in join_all(adds).await {
        added.unwrap();
    }
    let alerts = gateways[0].alerts(None, 10).await.unwrap();
    assert_eq!(alerts.len(), 2);
    for alert in alerts {
        assert_eq!(alert.tally.count, (1..=30).sum::<u64>());
        assert_eq!(
            (alert.tally.first_at, alert.tally.last_at),
            (at(1), at(130))
        );
    }
}

async fn alerts_come_in_pages_and_are_delivered_once(place: Place) {
    let store = place.open().await;
    for hour in 0..5 {
        let alerts = BTreeMap::from([noted("a", hour, 1)]);
        store.add_alerts(alerts).await.unwrap();
    }
    let mut hours = Vec::new();
    let mut before = None;
    loop {
        let page = store.alerts(before.clone(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some(last.alert_id.clone());
        hours.extend(page.iter().map(|alert| alert.kind.hour.millis()));
    }
    assert_eq!(hours, [4, 3, 2, 1, 0]);
    let waiting = store.undelivered_alerts(3).await.unwrap();
    assert_eq!(waiting.len(), 3);
    for alert in waiting {
        let id = alert.alert_id.clone();
        store.alert_delivered(id, at(9)).await.unwrap();
    }
    let waiting = store.undelivered_alerts(10).await.unwrap();
    assert_eq!(waiting.len(), 2);
    assert_eq!(
        store.alerts(None, 10).await.unwrap()[4].delivered_at,
        Some(at(9))
    );
}
