//! A text that is normalised already stays as it is.
#![no_main]

use consentry_policy_fuzz::normalised;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let once = normalised(text);
    assert_eq!(normalised(&once), once, "{text:?}");
});
