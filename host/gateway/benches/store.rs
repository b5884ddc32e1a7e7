//! What stores give: contacts looked up, and opt-outs on disk, one after the other and by 64 writers at once.
//! PostgreSQL is looked for where the variable `CONSENTRY_TEST_POSTGRES` says, or else on this machine.
//! `cargo bench -p consentry --bench store`
#![allow(
    missing_docs,
    reason = "the macros of criterion write undocumented functions"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot start shall fail"
)]

#[path = "../../../tests/postgres.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod postgres;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use consentry::address::Address;
use consentry::store::postgres::{DatabaseAddress, PostgresStore};
use consentry::store::sqlite::SqliteStore;
use consentry::store::{EventKind, NewEvent, Store};
use consentry_model::{Change, ChangeKind, Channel, Statement};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use tokio::runtime::Runtime;

const WRITERS: usize = 64;
/// How many people are in the store, each with an opt-in.
const PEOPLE: usize = 20_000;

fn person(number: usize) -> Address {
    let number = format!("+1415{:07}", 2_000_000 + number % PEOPLE);
    Address::parse(&number, None).unwrap()
}

fn said(number: usize, kind: ChangeKind, channels: &[Channel]) -> NewEvent {
    let change = |channel: &Channel| Change::general(*channel, kind);
    NewEvent {
        channel: Some(Channel::Sms),
        body: Some("STOP".to_owned()),
        message_id: Some(uuid::Uuid::now_v7().to_string()),
        changes: channels.iter().map(change).collect(),
        ..NewEvent::new(EventKind::Inbound, person(number), Statement::Own)
    }
}

/// Has so many tasks do something, each one thing after the other, until it was done so many times.
fn at_once<F>(runtime: &Runtime, tasks: usize, times: u64, act: F) -> Duration
where
    F: AsyncFn(usize),
{
    let next = AtomicUsize::new(0);
    let times = usize::try_from(times).unwrap();
    let started = Instant::now();
    runtime.block_on(join_all((0..tasks).map(async |_| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= times {
                break;
            }
            act(number).await;
        }
    })));
    started.elapsed()
}

fn measure(criterion: &mut Criterion, name: &str, runtime: &Runtime, store: &Arc<dyn Store>) {
    at_once(runtime, WRITERS, PEOPLE as u64, async |number| {
        let event = said(number, ChangeKind::OptIn, &[Channel::Sms]);
        store.record(event).await.unwrap();
    });
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    for tasks in [1, WRITERS] {
        group.bench_function(format!("lookup-by-{tasks}"), |bench| {
            bench.iter_custom(|times| {
                at_once(runtime, tasks, times, async |number| {
                    let known = store.contact(&person(number * 7919)).await.unwrap();
                    assert!(known.id.is_some());
                })
            });
        });
    }
    group.sample_size(20);
    for tasks in [1, WRITERS] {
        group.bench_function(format!("opt-out-by-{tasks}"), |bench| {
            bench.iter_custom(|times| {
                at_once(runtime, tasks, times, async |number| {
                    let event = said(number * 7919, ChangeKind::OptOut, &Channel::ALL);
                    store.record(event).await.unwrap();
                })
            });
        });
    }
    group.finish();
}

fn stores(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("s.db")).unwrap());
    measure(criterion, "sqlite", &runtime, &file);
    let schema = postgres::Schema::new();
    let address = DatabaseAddress::parse(&schema.url()).unwrap();
    let opened = runtime
        .block_on(PostgresStore::open(
            &address,
            "no-suppression-key.json".into(),
        ))
        .unwrap();
    let database: Arc<dyn Store> = Arc::new(opened);
    measure(criterion, "postgres", &runtime, &database);
}

criterion_group!(benches, stores);
criterion_main!(benches);
