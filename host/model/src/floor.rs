//! What no policy can go under: a statutory stop word always opts out, and a message to somebody
//! opted out never goes. A policy may be stricter, never looser.

use crate::{
    Answers, Change, ChangeKind, Channel, Classification, ConsentStatus, Contact, Decision,
    Inbound, Intent, Outbound, Outcome, Priority, Route, Scope, SendRoute, Step, Timestamp,
    Verdict,
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
/// The name of the floor's rule for messages that answer nothing they may answer.
pub const NOT_BOUND: &str = "floor.not-bound";
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

/// Whether a policy's answer to a message is under the floor. The least that a stop word ends is what
/// the sender's last message was about, where that is known; else everything on the channel.
pub fn is_under(message: &Inbound, answer: &Classification) -> bool {
    let stops = |change: &Change| {
        change.kind == ChangeKind::OptOut
            && change.channel == message.channel
            && (change.category.is_none() || change.category == message.last_category)
    };
    says_stop(message)
        && (answer.intent != Intent::OptOut
            || !answer.changes.iter().any(stops)
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
        asks: None,
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

/// The floor's own answer, where a policy's answer to a message is under it.
pub fn instead(message: &Inbound, answer: &Classification) -> Option<Classification> {
    is_under(message, answer).then(|| classify(message))
}

/// The floor's own answer, where a policy allows a message that may not go.
pub fn instead_of_decision(
    contact: &Contact,
    message: &Outbound,
    answer: &Decision,
) -> Option<Decision> {
    (answer.is_allowed() && forbids(contact, message)).then(deny)
}

/// Whether a message may not go, whatever the policy says. An answer that the store has bound to what
/// the contact wrote may: the one confirmation of the newest opt-out, and help.
pub fn forbids(contact: &Contact, message: &Outbound) -> bool {
    message.answers == Answers::Nothing
        && contact.consent(message.channel, &message.category).status == ConsentStatus::OptOut
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

/// The answer to a message that names an event which may not be answered (again).
pub fn deny_answer(reason: &str) -> Decision {
    denied(reason, SendRoute::SilentFailure, NOT_BOUND)
}

/// The answer to a message that was allowed, when others have taken the last place of a limit since.
pub fn no_room(allowed: &Decision, rule: String, until: Timestamp) -> Decision {
    let mut decision = denied("frequency_cap", SendRoute::SilentFailure, &rule);
    decision.verdict = Verdict::DeferUntil(until);
    let tried = allowed.trace.iter().filter(|step| step.rule != rule);
    decision.trace.splice(0..0, tried.cloned());
    decision
}

fn denied(reason: &str, route: SendRoute, rule: &str) -> Decision {
    Decision {
        verdict: Verdict::Deny,
        route,
        reason: reason.to_owned(),
        reasons: vec![reason.to_owned()],
        relied_on: None,
        limits: Vec::new(),
        trace: vec![Step {
            rule: rule.to_owned(),
            outcome: Outcome::Block,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
