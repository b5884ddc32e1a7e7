//! What the targets share: the default rules.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use consentry_policy::{Engine, Inbound};
use consentry_policy_build::rules;

/// The engine with the default rules.
pub static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let rules = rules::load(&folder()).expect("the default rules are sound");
    Engine::new(&rules).expect("the default rules can be prepared")
});

/// Where the default rules are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules")
}

/// A message of 24 November 2026 that is to be explained.
pub fn message(body: &str) -> Inbound {
    Inbound {
        explain: true,
        ..Inbound::text(body, 1_795_521_600_000)
    }
}

/// The normalised form of a text.
pub fn normalised(text: &str) -> String {
    let explanation = ENGINE.classify(&message(text)).explanation;
    explanation.expect("it was asked for").normalised
}
