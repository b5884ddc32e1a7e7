//! What must hold for every message.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets something unexpected shall fail"
)]

mod default_rules;

use consentry_policy::Intent;
use default_rules::read;
use proptest::prelude::*;

/// Opt-outs of several kinds: keywords, an echo, phrases, other scripts.
const OPT_OUTS: [&str; 14] = [
    "stop",
    "unsubscribe",
    "opt out",
    "cancel",
    "quit2end",
    "stop texting me",
    "take me off your list",
    "baja",
    "arret",
    "abmelden",
    "退订",
    "не пишите мне больше",
    "iptal",
    "no me escriban más",
];

const ENDINGS: [&str; 9] = [
    "!", "!!!", ".", "...", " 🛑", "🙏🏽", " 👍 !", "\u{200b}", "\n",
];

fn normalised(body: &str) -> String {
    read(body).explanation.unwrap().normalised
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_message_is_too_strange_to_be_read(body in "\\PC{0,400}|[\\x00-\\x7f]{0,400}|.{0,200}") {
        let found = read(&body);
        if let Some(span) = found.matched {
            prop_assert!(body.get(span.start as usize..span.end as usize).is_some());
        }
    }

    #[test]
    fn to_normalise_twice_changes_nothing(body in "(m{1,4} ?|a{1,4} ?|no ?){0,12}|\\PC{0,120}|[a-zA-Z .,'!\\n-]{0,120}") {
        let once = normalised(&body);
        prop_assert_eq!(normalised(&once), once);
    }

    #[test]
    fn case_never_changes_an_opt_out(at in 0..OPT_OUTS.len(), upper in proptest::collection::vec(any::<bool>(), 32)) {
        let changed: String = OPT_OUTS[at]
            .chars()
            .zip(upper.iter().cycle())
            .flat_map(|(char, upper)| if *upper { char.to_uppercase().collect::<Vec<_>>() } else { vec![char] })
            .collect();
        prop_assert_eq!(read(&changed).intent, Intent::OptOut, "{}", changed);
    }

    #[test]
    fn punctuation_emoji_and_spaces_around_never_change_an_opt_out(
        at in 0..OPT_OUTS.len(),
        before in "[ \\n\\t]{0,3}",
        endings in proptest::collection::vec(0..ENDINGS.len(), 0..4),
    ) {
        let after: String = endings.into_iter().map(|ending| ENDINGS[ending]).collect();
        let body = format!("{before}{}{after}", OPT_OUTS[at]);
        prop_assert_eq!(read(&body).intent, Intent::OptOut, "{:?}", body);
    }
}

#[test]
fn a_message_as_long_as_it_may_be_is_read_in_time() {
    // Reading the rules takes time too, and is not what is measured.
    read("");
    for piece in [
        "stop texting me ",
        "dont ",
        "s t o p ",
        "a",
        "please ",
        "stop2",
        "不要",
        "no me escriban ",
        "\"",
        "... ",
    ] {
        let body = piece.repeat(16 * 1024 / piece.len());
        let started = std::time::Instant::now();
        read(&body);
        // A hundred times what it takes, so that only work that grows out of hand is caught.
        assert!(
            started.elapsed().as_secs() < 5,
            "{piece:?}: {:?}",
            started.elapsed()
        );
    }
}
