//! How fast a campaign's list is judged: the whole command, on a list of a million rows in no order,
//! against a store of a million contacts, or as many as `CONTACTS` says.
//! `cargo bench -p consentry --bench scrub`
#![allow(
    missing_docs,
    reason = "the macros of criterion write undocumented functions"
)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot start shall fail"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use consentry::store::sqlite::SqliteStore;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rusqlite::Connection;

const ROWS: u64 = 1_000_000;
/// Wednesday noon in New York.
const AT: &str = "2026-06-10T16:00:00Z";

/// Of ten contacts one said stop to everything, seven agreed to marketing by text, and of two nothing is
/// known but the number.
const FILL: &str = "
    CREATE TEMP TABLE made AS
        WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number LIMIT ?1)
        SELECT n, lower(hex(randomblob(16))) AS id, printf('+1%d%07d',
            CASE n % 4 WHEN 0 THEN 212 WHEN 1 THEN 415 WHEN 2 THEN 713 ELSE 312 END,
            2000000 + n / 4) AS number
        FROM number;
    INSERT INTO contact SELECT id, 0, 1, 0 FROM made;
    INSERT INTO address SELECT number, id FROM made;
    INSERT INTO consent (contact_id, channel, category, status, own_opt_in_at, own_opt_in_event)
        SELECT id, 'sms', 'marketing', 'OPTIN', 1, id FROM made WHERE n % 10 BETWEEN 1 AND 7;
    INSERT INTO consent (contact_id, channel, category, status, own_opt_out_at, own_opt_out_event)
        SELECT id, channel, '*', 'OPTOUT', 1, id FROM made CROSS JOIN
        (SELECT 'sms' AS channel UNION SELECT 'whatsapp' UNION SELECT 'voice' UNION SELECT 'email')
        WHERE n % 10 = 0;
    COMMIT;
";

fn fill(store: &Path, contacts: u64) {
    drop(SqliteStore::open(store).unwrap());
    let connection = Connection::open(store).unwrap();
    let fill = FILL.replace("?1", &contacts.to_string());
    connection.execute_batch(&format!("BEGIN;{fill}")).unwrap();
}

/// Every number of the list is of a contact; each comes from elsewhere in the store than the last.
fn list(file: &Path, contacts: u64) {
    let mut rows = String::from("name,phone\n");
    for row in 0..ROWS {
        let at = row.wrapping_mul(6_700_417) % contacts;
        let area = [212, 415, 713, 312][(at % 4) as usize];
        writeln!(rows, "Name {row},+1{area}{:07}", 2_000_000 + at / 4).unwrap();
    }
    fs::write(file, rows).unwrap();
}

fn scrub(criterion: &mut Criterion) {
    let contacts = std::env::var("CONTACTS").map_or(1_000_000, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fill(&path("store.db"), contacts);
    list(&path("list.csv"), contacts);
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    command
        .args([
            "scrub",
            "--column",
            "phone",
            "--category",
            "marketing",
            "--at",
            AT,
        ])
        .arg("--store")
        .arg(format!("sqlite:{}", path("store.db").display()))
        .arg("--allowed")
        .arg(path("allowed.csv"))
        .arg("--blocked")
        .arg(path("blocked.csv"))
        .arg(path("list.csv"))
        .stdout(std::process::Stdio::null());
    let mut group = criterion.benchmark_group("scrub");
    group.throughput(Throughput::Elements(ROWS)).sample_size(10);
    group.bench_function(format!("a-million-rows-of-{contacts}-contacts"), |bench| {
        bench.iter(|| assert!(command.status().unwrap().success()));
    });
    group.finish();
}

criterion_group!(benches, scrub);
criterion_main!(benches);
