//! What no policy can go under: a statutory stop word always opts out, and a message to somebody
//! opted out never goes. A policy may be stricter, never looser.

use crate::{
    Change, ChangeKind, Channel, Classification, ConsentStatus, Contact, Decision, Inbound, Intent,
    Outbound, Outcome, Priority, Route, Scope, SendRoute, Step, Verdict,
};

/// The words that 47 CFR 64.1200(a)(10) calls a revocation in any text reply, with their spellings.
const STATUTORY: [&str; 10] = [
    "stop",
    "quit",
    "end",
    "revoke",
    "opt out",
    "optout",
    "cancel",
    "unsubscribe",
    "stopall",
    "stop all",
];

/// The name of the floor's rule for stop words.
pub const STOP_WORD: &str = "floor.stop-word";
/// The name of the floor's rule for messages to somebody opted out.
pub const OPTED_OUT: &str = "floor.opted-out";
/// The name of the floor's answer when the policy gave none.
pub const NO_POLICY: &str = "floor.no-policy";

/// The name of the floor's answer when the store is away.
pub const NO_STORE: &str = "floor.no-store";

/// Whether a message is a statutory stop word and nothing else. Case, punctuation and what is no
/// letter or digit do not count.
pub fn is_stop_word(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(3)
        .map(str::to_lowercase)
        .collect();
    STATUTORY.contains(&words.join(" ").as_str())
}

fn says_stop(message: &Inbound) -> bool {
    message.selection.is_none() && is_stop_word(&message.body)
}

/// Whether a policy's answer to a message is under the floor.
pub fn is_under(message: &Inbound, answer: &Classification) -> bool {
    let stops_here = Change::general(message.channel, ChangeKind::OptOut);
    says_stop(message)
        && (answer.intent != Intent::OptOut
            || !answer.changes.contains(&stops_here)
            || answer
                .changes
                .iter()
                .any(|change| change.kind != ChangeKind::OptOut))
}

/// The floor's own answer: for a stop word that the policy did not honour, and for any message when
/// the policy gave no answer. What is no stop word goes to a person.
pub fn classify(message: &Inbound) -> Classification {
    let stop = says_stop(message);
    Classification {
        intent: if stop { Intent::OptOut } else { Intent::Other },
        scope: stop.then_some(Scope::All),
        changes: if stop {
            Channel::ALL
                .map(|channel| Change::general(channel, ChangeKind::OptOut))
                .into()
        } else {
            Vec::new()
        },
        reply: None,
        route: if stop {
            Route::Disconnect
        } else {
            Route::Agent
        },
        priority: Priority::High,
        review: true,
        rule: if stop { STOP_WORD } else { NO_POLICY }.to_owned(),
        matched: stop.then(|| message.body.trim().to_owned()),
        language: None,
        explanation: None,
    }
}

/// Whether a message may not go, whatever the policy says.
pub fn forbids(contact: &Contact, message: &Outbound) -> bool {
    contact.consent(message.channel, &message.category).status == ConsentStatus::OptOut
}

/// The floor's own answer to a message that it forbids.
pub fn deny() -> Decision {
    denied("opted_out", SendRoute::InternalAlert, OPTED_OUT)
}

/// The floor's own answer when nothing is known because the store is away: nothing goes.
pub fn deny_without_store() -> Decision {
    denied("store_unavailable", SendRoute::InternalAlert, NO_STORE)
}

/// The floor's own answer when the policy gave none: nothing goes.
pub fn deny_without_policy() -> Decision {
    denied("policy_failed", SendRoute::InternalAlert, NO_POLICY)
}

fn denied(reason: &str, route: SendRoute, rule: &str) -> Decision {
    Decision {
        verdict: Verdict::Deny,
        route,
        reason: reason.to_owned(),
        trace: vec![Step {
            rule: rule.to_owned(),
            outcome: Outcome::Block,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn stop_words_are_found_whatever_surrounds_them() {
        for text in [
            "STOP",
            "stop!!",
            " Opt-Out.",
            "unsubscribe 🛑",
            "\"Cancel\"",
            "Stop all",
        ] {
            assert!(is_stop_word(text), "{text}");
        }
        for text in [
            "",
            "stop by at 5",
            "don't stop",
            "bus stop",
            "endless",
            "stop it now please",
        ] {
            assert!(!is_stop_word(text), "{text}");
        }
    }

    #[test]
    fn the_floors_own_answer_is_never_under_the_floor() {
        let at = Timestamp::from_millis(0).unwrap();
        for text in ["STOP", "hello"] {
            let message = Inbound::text(Channel::Voice, text, at);
            assert!(!is_under(&message, &classify(&message)), "{text}");
        }
    }
}
