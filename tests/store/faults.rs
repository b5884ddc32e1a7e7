//! A database that goes away, goes silent or is in use by somebody else. What is acknowledged is there, what
//! is not known is said to be, in time, and when the database is back everything goes on by itself.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use consentry::store::{Outgoing, StoreError};
use consentry_model::Channel;
use futures_util::future::join_all;

use crate::postgres::{self, Schema};
use crate::proxy::{Proxy, Way};
use crate::support::*;

/// How long an answer may take at most, on a machine that has much to do: five seconds are what it is given.
const BOUND: Duration = Duration::from_secs(15);
/// How long what must happen may take. Only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

async fn eventually<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn message(to: &str) -> Outgoing {
    Outgoing {
        address: address(to),
        channel: Channel::Sms,
        category: marketing(),
        at: at(1),
        decision_id: "one".to_owned(),
        answers: None,
        limits: Vec::new(),
    }
}

fn is_away<T: std::fmt::Debug>(answer: Result<T, StoreError>) {
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
}

/// Asks everything that a message may wait for.
async fn nothing_is_answered(store: &Shared) {
    let started = Instant::now();
    let (known, recorded, place, ready) = tokio::join!(
        async { store.contact(&address(ANN)).await.map(|known| known.id) },
        async { store.record(stop(ANN)).await.map(|one| one.contact_id) },
        store.take_place(message(ANN)),
        store.ready(),
    );
    is_away(known);
    is_away(recorded);
    is_away(place);
    is_away(ready);
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_cut_off_or_silent_is_said_to_be_away_and_found_again() {
    let schema = Schema::new();
    let proxy = Proxy::to(&postgres::host());
    let store = open_postgres(&schema.url_by(proxy.address()))
        .await
        .unwrap();
    store.record(stop(BOB)).await.unwrap();
    for way in [Way::Cut, Way::Silent] {
        proxy.set(way);
        nothing_is_answered(&store).await;
        proxy.set(Way::Open);
        eventually("it is found again", || async {
            store.ready().await.is_ok()
        })
        .await;
        assert_eq!(status(&store, BOB).await, Out);
        store.record(stop(BOB)).await.unwrap();
    }
}

/// Stops arrive all the time, and `disturb` is done in the middle, again and again.
async fn every_stop_that_was_acknowledged_is_there(
    store: &Shared,
    truth: &Shared,
    disturb: impl AsyncFn(),
) {
    let mut told = Vec::new();
    for round in 0..5 {
        let acknowledged = &AtomicUsize::new(0);
        let writes = (0..40).map(|writer| async move {
            let mut told = Vec::new();
            for number in 0..5 {
                let who = person(round * 200 + writer * 5 + number);
                if store.record(stop(&who)).await.is_ok() {
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    told.push(who);
                }
            }
            told
        });
        let (recorded, ()) = tokio::join!(join_all(writes), async {
            eventually("some are acknowledged", || async {
                acknowledged.load(Ordering::SeqCst) > 20 * round
            })
            .await;
            disturb().await;
        });
        told.extend(recorded);
        eventually("it is found again", || async {
            store.ready().await.is_ok()
        })
        .await;
    }
    let kept: Vec<String> = told.into_iter().flatten().collect();
    assert!(!kept.is_empty());
    for who in &kept {
        assert_eq!(status(truth, who).await, Out, "{who}");
        assert_eq!(events(truth, who).await.len(), 1);
    }
    store.record(stop(ANN)).await.unwrap();
    assert_eq!(status(store, ANN).await, Out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_is_cut_in_the_middle_of_a_group_loses_nothing_acknowledged() {
    let schema = Schema::new();
    let proxy = Proxy::to(&postgres::host());
    let store = open_postgres(&schema.url_by(proxy.address()))
        .await
        .unwrap();
    let truth = open_postgres(&schema.url()).await.unwrap();
    every_stop_that_was_acknowledged_is_there(&store, &truth, async || {
        proxy.set(Way::Cut);
        tokio::time::sleep(Duration::from_millis(20)).await;
        proxy.set(Way::Open);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_between_two_statements_lose_nothing_acknowledged() {
    let schema = Schema::new();
    let store = open_postgres(&schema.url()).await.unwrap();
    every_stop_that_was_acknowledged_is_there(&store, &store, async || {
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}'",
            schema.name()
        );
        tokio::task::block_in_place(|| schema.execute(&end));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_holds_one_contact_holds_up_no_other() {
    let schema = Schema::new();
    let store = open_postgres(&schema.url()).await.unwrap();
    let ann = store.record(start(ANN)).await.unwrap().contact_id;
    store.record(start(BOB)).await.unwrap();
    let hold = format!("SELECT FROM contact WHERE id = '{ann}' FOR UPDATE; SELECT pg_sleep(6)");
    let holding = std::thread::spawn({
        let url = schema.url();
        move || hold_for(&url, &hold)
    });
    let held = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(6)%'
        AND wait_event = 'PgSleep'";
    while schema.column::<i64>(held)[0] == 0 {
        std::thread::yield_now();
    }
    let started = Instant::now();
    let group = [ANN, BOB]
        .into_iter()
        .chain(["+14155550198", "+14155550199"]);
    let recorded = join_all(group.map(|who| store.record(stop(who)))).await;
    let [of_ann, others @ ..] = recorded.as_slice() else {
        panic!()
    };
    assert!(
        matches!(of_ann, Err(StoreError::Unavailable(_))),
        "{of_ann:?}"
    );
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    assert!(started.elapsed() < BOUND);
    // What is asked waits for no lock.
    assert_eq!(status(&store, ANN).await, In);
    holding.join().unwrap();
    store.record(stop(ANN)).await.unwrap();
    assert_eq!(status(&store, ANN).await, Out);
}

/// Runs statements in one transaction.
fn hold_for(url: &str, sql: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.unwrap();
        tokio::spawn(connection);
        let all = format!("BEGIN; {sql}; COMMIT");
        client.batch_execute(&all).await.unwrap();
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_every_connection_is_taken_stops_and_lookups_have_their_own() {
    let schema = Schema::new();
    let store = open_postgres(&schema.url()).await.unwrap();
    store.record(stop(BOB)).await.unwrap();
    let hold = "LOCK TABLE alert IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(7)";
    let holding = std::thread::spawn({
        let url = schema.url();
        move || hold_for(&url, hold)
    });
    let held = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(7)%'
        AND wait_event = 'PgSleep'";
    while schema.column::<i64>(held)[0] == 0 {
        std::thread::yield_now();
    }
    let started = Instant::now();
    let stuck = join_all((0..40).map(|_| store.alerts(None, 1)));
    let others = async {
        for number in 0..20 {
            let who = person(number);
            store.record(stop(&who)).await.unwrap();
            assert_eq!(status(&store, &who).await, Out);
            store.take_place(message(&who)).await.unwrap();
        }
        started.elapsed()
    };
    let (stuck, took) = tokio::join!(stuck, others);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(stuck.iter().any(Result::is_err));
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    holding.join().unwrap();
    store.alerts(None, 1).await.unwrap();
}
