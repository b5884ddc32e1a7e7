//! Policies that loop, trap, grow, lie or ask for too much: each is refused or contained, and the
//! next decision is right.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets something unexpected shall fail"
)]

mod policies;

use std::sync::Arc;

use consentry_host::{DecidedBy, Fault, Host, Limits, LoadError, Policy, conformance};
use consentry_model::contract::BadImport;
use consentry_model::{
    Answers, Category, Change, ChangeKind, Channel, Contact, EventId, Inbound, Intent, Mark,
    Outbound, Statement, Timestamp, Verdict,
};
use policies::{ZEROS, core, policy, with};
use wit_parser::WorldItem;

const CONTRACT: &str = include_str!("../../wit/policy.wit");

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn load(component: &[u8]) -> Policy {
    Host::new(Limits::default())
        .unwrap()
        .load(component)
        .unwrap()
}

fn refusal(component: &[u8]) -> LoadError {
    Host::new(Limits::default())
        .unwrap()
        .load(component)
        .unwrap_err()
}

fn says(body: &str) -> Inbound {
    Inbound::text(Channel::Sms, body, at(1_000))
}

fn marketing() -> Outbound {
    let category: Category = "marketing".parse().unwrap();
    Outbound {
        channel: Channel::Sms,
        category,
        template: None,
        at: at(2_000),
        places: Vec::new(),
        answers: Answers::Nothing,
        explain: false,
    }
}

fn opted_out() -> Arc<Contact> {
    let mut contact = Contact::default();
    let stop = Change::general(Channel::Sms, ChangeKind::OptOut);
    contact.apply(
        &stop,
        Statement::Own,
        Mark {
            at: at(1),
            event: EventId("1".to_owned()),
        },
    );
    Arc::new(contact)
}

/// The policy gives no answer: a stop word opts out all the same, a question goes to a person, and
/// nothing is sent.
fn fails_safely(policy: &Policy, expected: impl Fn(&Fault) -> bool) {
    let nobody = Arc::new(Contact::default());
    let is_expected = |decided_by: &DecidedBy| match decided_by {
        DecidedBy::Fault(fault) => expected(fault),
        other => panic!("{other:?}"),
    };
    let stop = policy.classify(&says("Stop!"), &nobody);
    assert!(is_expected(&stop.decided_by), "{:?}", stop.decided_by);
    assert_eq!(stop.value.intent, Intent::OptOut);
    assert_eq!(stop.value.changes.len(), Channel::ALL.len());
    assert!(stop.value.review);

    let question = policy.classify(&says("when do you open?"), &nobody);
    assert_eq!(question.value.intent, Intent::Other);
    assert!(question.value.review);

    let send = policy.preflight(&marketing(), &nobody);
    assert!(is_expected(&send.decided_by), "{:?}", send.decided_by);
    assert_eq!(
        (send.value.verdict, send.value.reason.as_str()),
        (Verdict::Deny, "policy_failed")
    );
}

#[test]
fn the_default_policy_imports_nothing_but_the_consent_lookup() {
    let policy = load(consentry_default_policy::POLICY);
    let imports = policy.imports();
    assert_eq!(
        imports,
        [
            "consentry:policy/consent-lookup@0.1.0",
            "consentry:policy/types@0.1.0"
        ]
    );
    assert_eq!(policy.exports(), ["classify", "describe", "preflight"]);
    // The same, read from the bytes by somebody else's decoder.
    let decoded = wit_component::decode(consentry_default_policy::POLICY).unwrap();
    let resolve = decoded.resolve();
    let wit_component::DecodedWasm::Component(_, world) = decoded else {
        panic!("no component")
    };
    // A type that the world uses under a name of its own is nothing that could be called.
    let decoded: Vec<String> = resolve.worlds[world]
        .imports
        .iter()
        .filter(|(_, item)| !matches!(item, WorldItem::Type { .. }))
        .map(|(key, _)| resolve.name_world_key(key))
        .collect();
    assert!(!decoded.is_empty());
    for import in &decoded {
        assert!(imports.contains(import), "{import}");
    }
}

#[test]
fn an_endless_loop_ends_at_the_deadline() {
    let endless = "(loop br 0) unreachable";
    fails_safely(&load(&policy(endless, endless)), |fault| {
        *fault == Fault::Deadline
    });
}

#[test]
fn a_trap_is_contained() {
    fails_safely(&load(&policy("unreachable", "unreachable")), |fault| {
        matches!(fault, Fault::Trap(_))
    });
}

#[test]
fn memory_growth_ends_at_the_limit() {
    let grow = "(loop (drop (memory.grow (i32.const 16))) br 0) unreachable";
    fails_safely(&load(&policy(grow, grow)), |fault| *fault == Fault::Memory);
}

#[test]
fn an_endless_recursion_ends_at_the_end_of_the_stack() {
    let recursion = format!("(call $again) {ZEROS}");
    let more = "(func $again (call $again))";
    let policy = load(&with(
        CONTRACT,
        "policy",
        &core(&recursion, &recursion, more),
    ));
    fails_safely(&policy, |fault| matches!(fault, Fault::Trap(_)));
}

#[test]
fn a_table_that_grows_ends_at_the_limit() {
    let grows = format!(
        "(loop $again
            (drop (table.grow $bomb (ref.null func) (i32.const 1000)))
            (br $again)) {ZEROS}"
    );
    let more = "(table $bomb 1 funcref)";
    let policy = load(&with(CONTRACT, "policy", &core(&grows, &grows, more)));
    fails_safely(&policy, |fault| !matches!(fault, Fault::Deadline));
}

#[test]
fn a_table_or_a_memory_that_is_too_large_from_the_start_is_refused() {
    for more in [
        "(table 1000000 funcref)",
        "(table 5 5 funcref) (table 5 5 funcref) (table 5 5 funcref)",
    ] {
        let error = refusal(&with(CONTRACT, "policy", &core(ZEROS, ZEROS, more)));
        assert!(error.to_string().contains("table"), "{error}");
    }
    let large = core(ZEROS, ZEROS, "").replace("\"memory\") 1", "\"memory\") 1000");
    let error = refusal(&with(CONTRACT, "policy", &large));
    assert!(error.to_string().contains("memory"), "{error}");
}

#[test]
fn a_start_function_that_loops_keeps_a_policy_out() {
    let more = "(func $start (loop $again (br $again))) (start $start)";
    let error = refusal(&with(CONTRACT, "policy", &core(ZEROS, ZEROS, more)));
    assert!(
        matches!(&error, LoadError::Describe(Fault::Deadline)),
        "{error}"
    );
}

/// An answer of zeros, but for some words at some addresses from its beginning.
fn zeros_with(words: &[(u32, u32)]) -> String {
    let stores = words
        .iter()
        .map(|(at, word)| format!("(i32.store (i32.const {}) (i32.const {word}))", 4096 + at));
    stores.collect::<String>() + ZEROS
}

#[test]
fn an_answer_that_is_too_large_or_no_text_does_not_count() {
    let nobody = Arc::new(Contact::default());
    // Where a classification has its changes (a list) and its reply (perhaps a text).
    let (changes, reply) = (20, 28);
    let good = zeros_with(&[
        (changes, 8192),
        (changes + 4, 1),
        (reply, 1),
        (reply + 4, 8192),
        (reply + 8, 3),
    ]);
    let answer = load(&policy(&good, ZEROS)).classify(&says("STOP"), &nobody);
    assert!(
        matches!(answer.decided_by, DecidedBy::Policy),
        "the places are right"
    );
    for (what, answer) in [
        (
            "65 changes",
            zeros_with(&[(changes, 4096), (changes + 4, 65)]),
        ),
        (
            "changes beyond the memory",
            zeros_with(&[(changes + 4, 1 << 28)]),
        ),
        (
            "a reply of 5,000 bytes",
            zeros_with(&[(reply, 1), (reply + 4, 16384), (reply + 8, 5000)]),
        ),
        (
            "a reply that is no UTF-8",
            zeros_with(&[
                (reply, 1),
                (reply + 4, 4096 + 60),
                (reply + 8, 1),
                (60, 0xff),
            ]),
        ),
    ] {
        let policy = load(&policy(&answer, ZEROS));
        let answer = policy.classify(&says("STOP"), &nobody);
        assert!(
            matches!(answer.decided_by, DecidedBy::Fault(_)),
            "{what}: {:?}",
            answer.decided_by
        );
        assert_eq!(answer.value.intent, Intent::OptOut, "{what}");
    }
}

#[test]
fn an_answer_outside_the_memory_is_refused() {
    let outside = "i32.const -8";
    fails_safely(&load(&policy(outside, outside)), |fault| {
        matches!(fault, Fault::Trap(_))
    });
}

#[test]
fn after_a_fault_the_next_decision_is_right() {
    // Traps on every text that begins with "x"; the first parameter's record holds the body's
    // address at offset 4.
    let traps_on_x = format!(
        "(if (i32.eq (i32.load8_u (i32.load offset=4 (local.get 0))) (i32.const 120))
            (then unreachable)) {ZEROS}"
    );
    let policy = load(&policy(&traps_on_x, ZEROS));
    let nobody = Arc::new(Contact::default());
    for _ in 0..300 {
        let answer = policy.classify(&says("x"), &nobody);
        assert!(matches!(
            answer.decided_by,
            DecidedBy::Fault(Fault::Trap(_))
        ));
        let answer = policy.classify(&says("hello"), &nobody);
        assert!(
            matches!(answer.decided_by, DecidedBy::Policy),
            "{:?}",
            answer.decided_by
        );
    }
}

#[test]
fn a_policy_that_allows_everything_cannot_message_somebody_opted_out() {
    let policy = load(&policy(ZEROS, ZEROS));
    let allowed = policy.preflight(&marketing(), &Arc::new(Contact::default()));
    assert_eq!(allowed.value.verdict, Verdict::Allow);
    let denied = policy.preflight(&marketing(), &opted_out());
    assert!(matches!(denied.decided_by, DecidedBy::Floor));
    assert_eq!(
        (denied.value.verdict, denied.value.reason.as_str()),
        (Verdict::Deny, "opted_out")
    );
}

#[test]
fn a_policy_that_shrugs_at_stop_is_overruled() {
    // Says "opt-out" and changes nothing: the floor sees through it.
    let policy = load(&policy(ZEROS, ZEROS));
    let answer = policy.classify(&says("STOP"), &Arc::new(Contact::default()));
    assert!(matches!(answer.decided_by, DecidedBy::Floor));
    assert_eq!(answer.value.changes.len(), Channel::ALL.len());
}

#[test]
fn nothing_of_one_call_is_left_for_the_next() {
    // Counts its calls in memory, and traps on the second.
    let counts = format!(
        "(if (i32.load (i32.const 8192)) (then unreachable))
         (i32.store (i32.const 8192) (i32.const 1)) {ZEROS}"
    );
    let policy = load(&policy(&counts, ZEROS));
    for _ in 0..300 {
        let answer = policy.classify(&says("hello"), &Arc::new(Contact::default()));
        assert!(
            matches!(answer.decided_by, DecidedBy::Policy),
            "{:?}",
            answer.decided_by
        );
    }
}

#[test]
fn a_sandbox_for_many_rows_is_renewed_after_a_fault_and_after_a_thousand_calls() {
    // Counts its calls in memory, and traps on every one after the seven hundredth.
    let tires = format!(
        "(if (i32.ge_u (i32.load (i32.const 8192)) (i32.const 700)) (then unreachable))
         (i32.store (i32.const 8192) (i32.add (i32.load (i32.const 8192)) (i32.const 1))) {ZEROS}"
    );
    let tiring = load(&policy(ZEROS, &tires));
    let mut bulk = tiring.bulk();
    let nobody = Arc::new(Contact::default());
    let mut ask = || bulk.preflight(&marketing(), &nobody).decided_by;
    let faults = (0..2103).filter(|_| matches!(ask(), DecidedBy::Fault(_)));
    assert_eq!(faults.count(), 3, "one after each 700 calls");

    // Never tires, and counts up to where it would: it must never get there.
    let counts = tires.replace("700", "1000");
    let counting = load(&policy(ZEROS, &counts));
    let mut bulk = counting.bulk();
    for _ in 0..3000 {
        let answer = bulk.preflight(&marketing(), &nobody);
        assert!(matches!(answer.decided_by, DecidedBy::Policy));
    }
}

#[test]
fn a_sandbox_for_many_rows_sees_the_contact_of_each_row() {
    let host = Host::new(Limits::default()).unwrap();
    let policy = host.load(consentry_default_policy::POLICY).unwrap();
    let mut bulk = policy.bulk();
    let (out, nobody) = (opted_out(), Arc::new(Contact::default()));
    for contact in [&out, &nobody, &nobody, &out, &nobody] {
        let alone = policy.preflight(&marketing(), contact).value;
        assert_eq!(bulk.preflight(&marketing(), contact).value, alone);
    }
}

#[test]
fn a_component_that_imports_something_else_is_refused_by_name() {
    let contract = CONTRACT.replace(
        "import consent-lookup;",
        "import consent-lookup;\n    import clock: func() -> u64;",
    );
    let import = r#"(import "$root" "clock" (func (result i64)))"#;
    let component = with(&contract, "policy", &core(ZEROS, ZEROS, import));
    let error = refusal(&component);
    assert!(
        matches!(&error, LoadError::Import(BadImport::Forbidden(name)) if name == "clock"),
        "{error}"
    );
}

#[test]
fn a_component_of_another_or_a_newer_contract_version_is_refused_by_name() {
    for version in ["0.0.9", "0.1.1", "0.2.0", "1.0.0"] {
        let version_line = format!("consentry:policy@{version}");
        let contract = CONTRACT.replace("consentry:policy@0.1.0", &version_line);
        let error = refusal(&with(&contract, "policy", &core(ZEROS, ZEROS, "")));
        assert!(
            matches!(&error, LoadError::Import(BadImport::Version { found, .. }) if found == version),
            "{error}"
        );
    }
}

#[test]
fn a_component_made_for_less_than_the_contract_has_now_runs() {
    // What an older minor version looks like: some functions and types were not there yet.
    let cut = |text: String, from: &str, to: &str| {
        let (before, rest) = text.split_once(from).unwrap();
        let (_, after) = rest.split_once(to).unwrap();
        format!("{before}{after}")
    };
    let mut contract = CONTRACT.to_owned();
    for function in [
        "    backoff: func",
        "    sent: func",
        "    last-ad-entry: func",
    ] {
        contract = cut(contract, function, ";\n");
    }
    // It asks for consent when it is asked about a message, and allows it when there is an opt-in.
    let import = r#"(import "consentry:policy/consent-lookup@0.1.0" "consent"
        (func $consent (param i32 i32 i32 i32)))"#;
    // No opt-in is a 1 in the verdict and in the route: deny, and drop it.
    let asks = "(call $consent (i32.const 0) (i32.const 8192) (i32.const 0) (i32.const 12288))
        (i32.store8 (i32.const 4096) (i32.ne (i32.load8_u (i32.const 12288)) (i32.const 0)))
        (i32.store8 (i32.const 4112) (i32.load8_u (i32.const 4096)))
        i32.const 4096";
    let policy = load(&with(&contract, "policy", &core(ZEROS, asks, import)));
    assert_eq!(policy.contract_version().as_deref(), Some("0.1.0"));
    let mut agreed = Contact::default();
    let start = Change::general(Channel::Sms, ChangeKind::OptIn);
    let event = EventId("1".to_owned());
    agreed.apply(&start, Statement::Own, Mark { at: at(1), event });
    for (contact, verdict) in [
        (Contact::default(), Verdict::Deny),
        (agreed, Verdict::Allow),
    ] {
        let answer = policy.preflight(&marketing(), &Arc::new(contact));
        assert!(
            matches!(answer.decided_by, DecidedBy::Policy),
            "{:?}",
            answer.decided_by
        );
        assert_eq!(answer.value.verdict, verdict);
    }
}

#[test]
fn a_component_made_for_other_types_is_refused() {
    // A record that has changed is another contract, whatever its version says.
    let contract = CONTRACT.replacen("        named-since: option<timestamp>,\n", "", 1);
    let import = r#"(import "consentry:policy/consent-lookup@0.1.0" "consent"
        (func $consent (param i32 i32 i32 i32)))"#;
    let error = refusal(&with(&contract, "policy", &core(ZEROS, ZEROS, import)));
    assert!(matches!(&error, LoadError::WrongType(_)), "{error}");
}

#[test]
fn a_component_without_a_function_is_refused_by_name() {
    let contract = CONTRACT.replace("export preflight: func(message: outbound) -> decision;", "");
    let error = refusal(&with(&contract, "policy", &core(ZEROS, ZEROS, "")));
    assert!(
        matches!(&error, LoadError::MissingExport(name) if name == "preflight"),
        "{error}"
    );
}

#[test]
fn what_is_no_component_is_refused() {
    for bytes in [b"".as_slice(), b"\0asm\x01\0\0\0", b"hello, not wasm"] {
        assert!(matches!(refusal(bytes), LoadError::Invalid(_)));
    }
    let host = Host::new(Limits {
        component: 100,
        ..Limits::default()
    })
    .unwrap();
    let error = host.load(consentry_default_policy::POLICY).unwrap_err();
    assert!(matches!(error, LoadError::TooLarge { .. }));
}

#[test]
fn the_default_policy_passes_every_statutory_case() {
    let (failures, count) = conformance::run(&load(consentry_default_policy::POLICY));
    let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 40, "{count}");
}

#[test]
fn a_policy_that_shrugs_fails_the_statutory_cases() {
    let (failures, count) = conformance::run(&load(&policy(ZEROS, ZEROS)));
    // All zeros says "opt-out" and records nothing, and allows every message.
    assert!(failures.len() > count / 2, "{}", failures.len());
    assert!(
        failures
            .iter()
            .any(|failure| failure.name == "the word stop")
    );
    let endless = "(loop br 0) unreachable";
    let quick = Limits {
        deadline: std::time::Duration::from_millis(5),
        ..Limits::default()
    };
    let endless = Host::new(quick)
        .unwrap()
        .load(&policy(endless, endless))
        .unwrap();
    let (failures, count) = conformance::run(&endless);
    assert_eq!(failures.len(), count);
}
