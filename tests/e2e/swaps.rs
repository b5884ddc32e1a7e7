//! A thousand swaps while everybody asks.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use crate::policies::{build, rules};
use crate::rollout::{ACME, BRAVO, BUILT_IN, activate, upload};
use crate::support::Gateway;

const SWAPS: usize = 1000;
/// From when on memory must stay flat: what is kept once for each policy is there by then.
const SETTLED: usize = 200;

/// Adds a policy of two languages, so that a swap is about swapping and not about reading 12 MB.
fn add(gateway: &Gateway, folder: &Path, brand: &'static str) -> (&'static str, Value) {
    let rules = rules(folder, "policy.toml", BUILT_IN, brand);
    for entry in fs::read_dir(rules.join("languages")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("en.toml") && !path.ends_with("fr.toml") {
            fs::remove_file(path).unwrap();
        }
    }
    let replies = rules.join("replies.toml");
    let text = fs::read_to_string(&replies).unwrap();
    let kept = text
        .split("[[reply]]")
        .filter(|reply| reply.contains("language = \"en\"") || reply.contains("language = \"fr\""));
    let kept: String = kept.map(|reply| format!("[[reply]]{reply}")).collect();
    fs::write(&replies, kept).unwrap();
    let component = folder.join("policy.wasm");
    let built = build(&rules, &component);
    assert!(built.status.success(), "{built:?}");
    let added = upload(gateway, fs::read(component).unwrap(), None);
    assert_eq!(added.status, 201, "{}", added.text);
    (brand, added.json["digest"].clone())
}

#[test]
fn no_call_fails_through_a_thousand_swaps_each_answer_is_of_one_policy_and_memory_stays_flat() {
    let gateway = Gateway::start();
    let folder = TempDir::new().unwrap();
    let digests = [ACME, BRAVO].map(|brand| add(&gateway, folder.path(), brand));
    activate(&gateway, &digests[0].1).ok();
    let done = AtomicBool::new(false);
    let (mut settled, mut most) = (0, 0);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|number| {
                let (gateway, digests, done) = (&gateway, &digests, &done);
                scope.spawn(move || {
                    let from = format!("+1415555020{number}");
                    let mut asked = [0, 0];
                    while !done.load(Ordering::Relaxed) {
                        let answer = gateway.text(&from, "HELP");
                        let reply = answer["reply"].as_str().unwrap();
                        let named = digests
                            .iter()
                            .position(|(_, digest)| *digest == answer["policy"]);
                        let named = named.unwrap();
                        assert!(reply.contains(digests[named].0), "{answer}");
                        asked[named] += 1;
                    }
                    asked
                })
            })
            .collect();
        for swap in 0..SWAPS {
            activate(&gateway, &digests[(swap + 1) % 2].1).ok();
            match swap {
                SETTLED => settled = resident(gateway.pid()),
                _ if swap > SETTLED && swap % 100 == 99 => {
                    most = most.max(resident(gateway.pid()));
                }
                _ => {}
            }
        }
        done.store(true, Ordering::Relaxed);
        for one in asking {
            let asked = one.join().unwrap();
            assert!(asked.iter().all(|count| *count > 0), "{asked:?}");
        }
    });
    // A policy takes more than half a MiB. What is allowed is far less than 800 of them, and room for what
    // the store caches.
    assert!(most < settled + (64 << 20), "{settled} bytes, then {most}");
    let changes = gateway.get("/v1/policies").ok()["changes"].clone();
    assert_eq!(changes.as_array().unwrap().len(), SWAPS + 1);
}

/// The memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.parse::<u64>().unwrap() << 10
}
