//! A file of rules is read or refused; what was read can be prepared, and answers.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs, process};

use consentry_policy::Engine;
use consentry_policy_build::rules;
use consentry_policy_fuzz::{folder, message};
use libfuzzer_sys::fuzz_target;

/// A folder of rules without languages.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let copy = env::temp_dir().join(format!("consentry-fuzz-{}", process::id()));
    fs::create_dir_all(copy.join("languages")).expect("a temporary folder");
    for file in ["policy.toml", "conversation.toml", "preflight.toml"] {
        fs::copy(folder().join(file), copy.join(file)).expect("a copy of the rules");
    }
    fs::write(copy.join("replies.toml"), "reply = []").expect("a file without replies");
    copy
});

fuzz_target!(|text: &str| {
    fs::write(FOLDER.join("languages/en.toml"), text).expect("a file of rules");
    if let Ok(rules) = rules::load(&FOLDER) {
        let engine = Engine::new(&rules).expect("the loader found the rules sound");
        engine.classify(&message("please stop texting me"));
    }
});
