//! What the sandbox costs: the same messages through a policy in a fresh sandbox each, and through
//! the native engine. `cargo bench -p consentry-host`
#![allow(
    missing_docs,
    reason = "the macros of criterion write undocumented functions"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that cannot start shall fail"
)]

use std::path::Path;
use std::sync::Arc;

use consentry_host::{Host, Limits};
use consentry_model::{Channel, Contact, Inbound, Timestamp};
use consentry_policy::Engine;
use criterion::{Criterion, criterion_group, criterion_main};

const MESSAGES: [(&str, &str); 4] = [
    ("keyword", "STOP"),
    (
        "phrase",
        "Please take me off your list, I never signed up for this",
    ),
    (
        "question",
        "Hi, is my order on its way? I have been waiting since Monday.",
    ),
    ("misspelling", "wuit2ebd"),
];

fn classify(criterion: &mut Criterion) {
    let host = Host::new(Limits::default()).unwrap();
    let policy = host.load(consentry_default_policy::POLICY).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/rules");
    let rules = consentry_policy_build::rules::load(&folder).unwrap();
    let engine = Engine::new(&rules).unwrap();
    let nobody = Arc::new(Contact::default());
    let at = Timestamp::from_millis(1_795_500_000_000).unwrap();
    let mut group = criterion.benchmark_group("classify");
    for (name, text) in MESSAGES {
        let message = Inbound::text(Channel::Sms, text, at);
        group.bench_function(format!("{name}/fresh-sandbox"), |bench| {
            bench.iter(|| policy.classify(&message, &nobody));
        });
        let message = consentry_policy::Inbound::text(text, at.millis());
        group.bench_function(format!("{name}/native"), |bench| {
            bench.iter(|| engine.classify(&message));
        });
    }
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
