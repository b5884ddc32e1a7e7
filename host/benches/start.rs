//! How long it takes until a policy can decide: compiled, and from the cache.
//! `cargo bench -p consentry-host --bench start`; with `POLICY=FILE` another one than the default.
#![allow(
    missing_docs,
    reason = "the macros of criterion write undocumented functions"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot start shall fail"
)]

use std::sync::Arc;

use consentry_host::{CodeCache, Host, Limits};
use consentry_model::{Channel, Contact, Inbound, Timestamp};
use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::TempDir;

fn start(criterion: &mut Criterion) {
    let component = match std::env::var_os("POLICY") {
        Some(path) => std::fs::read(path).unwrap(),
        None => consentry_default_policy::POLICY.to_vec(),
    };
    let limits = || Limits {
        memory: 256 << 20,
        ..Limits::default()
    };
    let folder = TempDir::new().unwrap();
    let cache = CodeCache::open(folder.path()).unwrap();
    let host = Host::new(limits()).unwrap();
    let message = Inbound::text(Channel::Sms, "STOP", Timestamp::from_millis(1).unwrap());
    let nobody = Arc::new(Contact::default());
    let mut group = criterion.benchmark_group("start");
    group.sample_size(10);
    group.bench_function("compiled", |bench| {
        bench.iter(|| host.load(&component).unwrap().classify(&message, &nobody));
    });
    let host = Host::new(limits()).unwrap().with_cache(cache);
    let policy = host.load(&component).unwrap();
    group.bench_function("from-the-cache", |bench| {
        bench.iter(|| host.load(&component).unwrap().classify(&message, &nobody));
    });
    group.bench_function("one-call", |bench| {
        bench.iter(|| policy.classify(&message, &nobody));
    });
    group.finish();
}

criterion_group!(benches, start);
criterion_main!(benches);
