//! What people wait for reads one contact and no other, so that a database may be spread over many machines
//! by contact, and be as large as it likes.

use std::time::{Duration, Instant};

use consentry::store::{NewEvent, Outgoing};
use consentry_model::{Channel, Limit};

use crate::postgres::Schema;
use crate::support::*;

/// Whoever is known beside the one that is asked about.
const OTHERS: &str = "
    INSERT INTO contact (id, created_at, last_seq, last_recorded_at)
        SELECT 'c' || n, 1, 1, 1 FROM generate_series(1, 3000) AS n;
    INSERT INTO address SELECT '+1212555' || lpad(n::text, 4, '0'), 'c' || n FROM generate_series(1, 3000) AS n;
    INSERT INTO consent (contact_id, channel, category, status, own_opt_out_at, own_opt_out_event)
        SELECT 'c' || n, channel, '*', 'OPTOUT', 1, 'e' || n
        FROM generate_series(1, 3000) AS n, unnest(ARRAY['sms', 'whatsapp', 'voice', 'email']) AS channel;
    INSERT INTO last_inbound SELECT 'c' || n, 'sms', 1, NULL FROM generate_series(1, 3000) AS n;
    INSERT INTO sent SELECT 'c' || n, 1, 'd' || n, 'sms', 'marketing', NULL FROM generate_series(1, 3000) AS n;";

/// The tables that hold contacts.
const TABLES: &str =
    "('contact', 'address', 'event', 'consent', 'last_inbound', 'backoff', 'sent')";

/// How often each table of contacts was read from one end to the other, and how many rows were read in all.
fn reads(schema: &Schema) -> Vec<(String, i64)> {
    let from = format!(
        "FROM pg_stat_user_tables WHERE schemaname = '{}' AND relname IN {TABLES} ORDER BY relname",
        schema.name()
    );
    let column = |what: &str| schema.column::<i64>(&format!("SELECT {what} {from}"));
    let names = schema.column::<String>(&format!("SELECT relname::text {from}"));
    let whole = names.iter().map(|name| format!("{name}, whole"));
    let rows = names.iter().map(|name| format!("{name}, rows"));
    let counted = column("seq_scan").into_iter();
    let read = column("seq_tup_read + coalesce(idx_tup_fetch, 0)").into_iter();
    whole.zip(counted).chain(rows.zip(read)).collect()
}

/// What a gateway reads that does everything so many times. It is counted when its connections have ended.
async fn reads_of(schema: &Schema, turns: std::ops::Range<i64>) -> Vec<(String, i64)> {
    let before = tokio::task::block_in_place(|| settled(schema));
    let store = open_postgres(&schema.url()).await.unwrap();
    for turn in turns {
        ask(&store, turn).await;
    }
    drop(store);
    let after = tokio::task::block_in_place(|| settled(schema));
    let each = before.into_iter().zip(after);
    each.map(|((name, before), (_, after))| (name, after - before))
        .collect()
}

/// What has been read, when nothing more is counted.
fn settled(schema: &Schema) -> Vec<(String, i64)> {
    let (started, mut last) = (Instant::now(), reads(schema));
    loop {
        std::thread::sleep(Duration::from_millis(1500));
        let now = reads(schema);
        if now == last || started.elapsed() > Duration::from_secs(30) {
            return now;
        }
        last = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_wait_for_reads_one_contact_and_no_other() {
    const TURNS: i64 = 20;
    let schema = Schema::new();
    let store = open_postgres(&schema.url()).await.unwrap();
    schema.execute(OTHERS);
    store.record(stop(ANN)).await.unwrap();
    drop(store);
    // Whoever opens a store looks around once.
    let once = reads_of(&schema, 0..1).await;
    let often = reads_of(&schema, 1..2 + TURNS).await;
    let mut rows = 0;
    for ((name, once), (_, often)) in once.iter().zip(&often) {
        if name.ends_with("whole") {
            assert_eq!(once, often, "{name}");
        } else {
            rows += (often - once) / TURNS;
        }
    }
    // Her own: her address, eight rows of consent, what was sent, and her events, which grow.
    assert!(
        (1..600).contains(&rows),
        "{rows} rows in each turn: {often:?}"
    );
}

/// Everything that is done while somebody waits.
async fn ask(store: &Shared, turn: i64) {
    let ann = address(ANN);
    store.contact(&ann).await.unwrap();
    store.contacts(vec![ann.clone()]).await.unwrap();
    store.delivered(&ann, Channel::Sms, "m").await.unwrap();
    let event = NewEvent {
        message_id: Some(format!("m{turn}")),
        ..chat(ANN, Channel::Sms, "where is it?")
    };
    let event = store.record(event).await.unwrap().event;
    store
        .open_question(&ann, Channel::Sms, at(0))
        .await
        .unwrap();
    store.answerable(&ann, &event.event_id.0).await.unwrap();
    store.event(&ann, &event.event_id).await.unwrap();
    let message = Outgoing {
        address: ann.clone(),
        channel: Channel::Sms,
        category: marketing(),
        at: at(turn),
        decision_id: format!("d{turn}"),
        answers: None,
        limits: vec![Limit {
            rule: "cap".to_owned(),
            categories: vec![marketing()],
            channels: vec![Channel::Sms],
            window: 1,
            count: 2,
        }],
    };
    store.take_place(message).await.unwrap();
    store.history(&ann, 0, 100).await.unwrap();
}
