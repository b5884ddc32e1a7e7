//! Compiled policies on disk: only what this host wrote itself is ever loaded, and nothing that lies there
//! keeps a policy from deciding.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected shall fail"
)]

mod policies;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use consentry_host::{CodeCache, Host, Limits};
use policies::{ZEROS, policy};
use tempfile::TempDir;

fn host(folder: &Path) -> Host {
    let cache = CodeCache::open(folder).unwrap();
    Host::new(Limits::default()).unwrap().with_cache(cache)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_policy_is_compiled_once_for_this_user_alone() {
    let folder = TempDir::new().unwrap();
    let missing = CodeCache::open(folder.path().join("a/b")).unwrap_err();
    assert!(missing.to_string().contains("No such file"), "{missing}");
    assert!(!folder.path().join("a").exists());
    let folder = folder.path().join("compiled");
    let timed = || {
        let host = host(&folder);
        let started = Instant::now();
        let loaded = host.load(consentry_default_policy::POLICY).unwrap();
        (started.elapsed(), loaded.digest())
    };
    let (compiled, digest) = timed();
    let written = files(&folder);
    assert_eq!(written.len(), 1);
    assert_eq!((mode(&folder), mode(&written[0])), (0o700, 0o600));
    let name = written[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(
        digest
            .to_string()
            .ends_with(name.split('-').next().unwrap())
    );
    let changed = fs::metadata(&written[0]).unwrap().modified().unwrap();
    let cached = (0..3).map(|_| timed().0).min().unwrap();
    assert!(cached * 2 < compiled, "{cached:?} {compiled:?}");
    assert_eq!(
        fs::metadata(&written[0]).unwrap().modified().unwrap(),
        changed
    );
}

#[test]
fn what_is_damaged_or_foreign_is_passed_over_and_written_anew() {
    let folder = TempDir::new().unwrap();
    let host = host(folder.path());
    let (one, two) = (policy(ZEROS, ZEROS), policy("unreachable", ZEROS));
    host.load(&one).unwrap();
    let [file] = files(folder.path()).try_into().unwrap();
    let whole = fs::read(&file).unwrap();
    host.load(&two).unwrap();
    let other = files(folder.path()).into_iter().find(|path| *path != file);
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let mut longer = whole.clone();
    longer.push(0);
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("cut off", whole[..whole.len() / 2].to_vec()),
        ("without code", whole[..48].to_vec()),
        ("something else", b"#!/bin/sh".to_vec()),
        ("another form", flipped(0)),
        ("another seal", flipped(20)),
        ("one bit of the code", flipped(whole.len() - 100)),
        ("longer", longer),
        ("another policy's", fs::read(other.unwrap()).unwrap()),
    ] {
        fs::write(&file, bytes).unwrap();
        host.load(&one).unwrap();
        assert_eq!(fs::read(&file).unwrap(), whole, "{what}");
    }
}

#[test]
fn what_others_may_have_written_is_not_taken() {
    let folder = TempDir::new().unwrap();
    let host = host(folder.path());
    let one = policy(ZEROS, ZEROS);
    host.load(&one).unwrap();
    let [file] = files(folder.path()).try_into().unwrap();
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        host.load(&one).unwrap();
        assert_eq!(self::mode(&file), 0o600, "written anew");
    }
    for mode in [0o770, 0o703] {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let error = CodeCache::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("others may write"), "{error}");
        // It was opened before, and is used no more.
        fs::remove_file(&file).unwrap();
        host.load(&one).unwrap();
        assert!(!file.exists());
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        host.load(&one).unwrap();
    }
    let error = CodeCache::open(&file).unwrap_err().to_string();
    assert!(error.contains("cannot hold compiled policies"), "{error}");
}

#[test]
fn a_folder_that_is_gone_costs_nothing_but_time() {
    let folder = TempDir::new().unwrap();
    let host = host(folder.path());
    fs::remove_dir(folder.path()).unwrap();
    host.load(&policy(ZEROS, ZEROS)).unwrap();
}

#[test]
fn the_folder_does_not_grow_without_end() {
    let folder = TempDir::new().unwrap();
    let host = host(folder.path());
    let mut last = None;
    for number in 0..20 {
        let answer = format!("(drop (i32.const {number})) {ZEROS}");
        last = Some(host.load(&policy(&answer, ZEROS)).unwrap().digest());
    }
    let files = files(folder.path());
    assert_eq!(files.len(), 16);
    let last = last.unwrap().to_string();
    let last = last.trim_start_matches("sha256:");
    let is_last = |path: &PathBuf| path.to_str().unwrap().contains(last);
    assert!(files.iter().any(is_last));
}

#[test]
fn many_hosts_at_once_share_a_folder() {
    let folder = TempDir::new().unwrap();
    let one = policy(ZEROS, ZEROS);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let host = host(folder.path());
                let until = Instant::now() + Duration::from_millis(200);
                while Instant::now() < until {
                    host.load(&one).unwrap();
                    files(folder.path()).first().map(fs::remove_file);
                }
            });
        }
    });
}
