//! What the sandbox costs a pre-flight: the same questions in a fresh sandbox each, in one that is used
//! again, and in the native engine, with the lookups answered from memory.
//! `cargo bench -p consentry-host --bench preflight`
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
use consentry_model::{
    Answers, Change, ChangeKind, Channel, Contact, EventId, Mark, Outbound, Statement, Timestamp,
};
use consentry_policy as native;
use criterion::{Criterion, criterion_group, criterion_main};

/// A Wednesday at noon in New York, and a moment before.
const NOON: i64 = 1_781_107_200_000;
const BEFORE: i64 = NOON - 1_000_000;

/// The contact as the native engine asks for it: the same answers, without a map to look in.
struct Known(native::ConsentStatus);

impl native::Lookup for Known {
    fn consent(&self, _: native::Channel, _: &str) -> native::ConsentRecord {
        native::ConsentRecord {
            status: self.0,
            since: Some(BEFORE),
            proof: native::Proof::OwnWords,
            named_since: Some(BEFORE),
        }
    }

    fn last_inbound(&self, _: native::Channel) -> Option<i64> {
        None
    }

    fn last_ad_entry(&self, _: native::Channel) -> Option<i64> {
        None
    }

    fn backoff(&self, _: native::Channel, _: &str) -> Option<i64> {
        None
    }

    fn sent(&self, _: &[native::Channel], _: &[String], _: u32) -> Option<i64> {
        None
    }
}

fn contact(kind: ChangeKind) -> Arc<Contact> {
    let mut contact = Contact::default();
    let change = Change {
        channel: Channel::Sms,
        category: Some("marketing".parse().unwrap()),
        kind,
    };
    let mark = Mark {
        at: Timestamp::from_millis(BEFORE).unwrap(),
        event: EventId("0198c2f0-0000-7000-8000-000000000000".to_owned()),
    };
    contact.apply(&change, Statement::Own, mark);
    Arc::new(contact)
}

fn preflight(criterion: &mut Criterion) {
    let host = Host::new(Limits::default()).unwrap();
    let policy = host.load(consentry_default_policy::POLICY).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/rules");
    let mut rules = consentry_policy_build::rules::load(&folder).unwrap();
    rules.languages.clear();
    let engine = native::Engine::new(&rules).unwrap();
    let mut group = criterion.benchmark_group("preflight");
    for (name, number, kind, status) in [
        (
            "allowed",
            "+12125550100",
            ChangeKind::OptIn,
            native::ConsentStatus::OptIn,
        ),
        (
            "allowed-with-a-cap",
            "+13055550100",
            ChangeKind::OptIn,
            native::ConsentStatus::OptIn,
        ),
        (
            "opted-out",
            "+12125550100",
            ChangeKind::OptOut,
            native::ConsentStatus::OptOut,
        ),
    ] {
        let at = Timestamp::from_millis(NOON).unwrap();
        let message = Outbound {
            channel: Channel::Sms,
            category: "marketing".parse().unwrap(),
            template: None,
            at,
            places: consentry_places::of(Some(number), None, at),
            answers: Answers::Nothing,
            explain: false,
        };
        let contact = contact(kind);
        group.bench_function(format!("{name}/fresh-sandbox"), |bench| {
            bench.iter(|| policy.preflight(&message, &contact));
        });
        let mut bulk = policy.bulk();
        group.bench_function(format!("{name}/reused-sandbox"), |bench| {
            bench.iter(|| bulk.preflight(&message, &contact));
        });
        let places = message.places.iter();
        let message = native::Outbound {
            channel: native::Channel::Sms,
            category: "marketing".to_owned(),
            template: None,
            at: NOON,
            places: places
                .map(|place| native::Place {
                    country: place.country.clone(),
                    region: place.region.clone(),
                    offset: place.offset,
                    change: None,
                })
                .collect(),
            answers: native::Answers::Nothing,
            explain: false,
        };
        let known = Known(status);
        group.bench_function(format!("{name}/native"), |bench| {
            bench.iter(|| engine.preflight(&message, &known));
        });
    }
    group.finish();
}

criterion_group!(benches, preflight);
criterion_main!(benches);
