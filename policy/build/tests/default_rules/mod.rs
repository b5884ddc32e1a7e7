//! The default rules, in the native engine.

use std::path::Path;
use std::sync::LazyLock;

use consentry_policy::{Classification, Engine, Inbound, Timestamp};

pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let rules =
        consentry_policy_build::rules::load(&folder).unwrap_or_else(|error| panic!("{error}"));
    Engine::new(&rules).unwrap()
});

/// 24 November 2026, noon.
pub(crate) const NOW: Timestamp = 1_795_521_600_000;

pub(crate) fn text(body: &str) -> Inbound {
    Inbound {
        explain: true,
        ..Inbound::text(body, NOW)
    }
}

pub(crate) fn read(body: &str) -> Classification {
    ENGINE.classify(&text(body))
}
