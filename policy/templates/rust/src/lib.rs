//! A policy: what a message that comes in means, and whether one may go out. The contract is
//! `wit/policy.wit`; it says what every field is for.
//!
//! It sees one contact, the one that the call is about, and asks for it through `consent_lookup`. There is
//! no clock, no random number and no network: the time comes in with the message.

mod contract {
    wit_bindgen::generate!({ path: "wit", world: "policy", generate_all });
    export!(Policy with_types_in self);
    use super::Policy;
}

use contract::consentry::policy::consent_lookup::{consent, last_ad_entry, last_inbound};
use contract::consentry::policy::types::{
    Answers, Change, ChangeKind, Channel, ConsentStatus, Intent, Priority, Proof, Route, Scope,
    SendRoute, Span, Verdict,
};
use contract::{Classification, Decision, Guest, Inbound, Manifest, Outbound};

const BRAND: &str = "Example Inc";

const OPT_OUT: &[&str] = &[
    "stop",
    "stopall",
    "stop all",
    "stop it",
    "stop now",
    "quit",
    "end",
    "revoke",
    "cancel",
    "opt out",
    "optout",
    "unsubscribe",
    "unsubscribe me",
    "remove me",
    "arret",
    "arrêt",
    "stop texting",
    "stop texting me",
    "stop messaging me",
    "stop writing me",
    "take me off your list",
    "take me off the list",
    "remove me from your list",
];
const OPT_IN: &[&str] = &["start", "unstop", "subscribe"];
const HELP: &[&str] = &["help", "info", "aide"];
const COURTESIES: &[&str] = &["please", "pls", "thanks", "thank", "you"];

/// What the person or the business needs of the other; no consent is asked for.
const NEEDS_NO_CONSENT: &[&str] = &["billing", "service", "utility", "authentication"];

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// When messages that nobody asked for may come, in the contact's own time.
const MORNING: i64 = 8 * HOUR;
const EVENING: i64 = 21 * HOUR;

struct Policy;

impl Guest for Policy {
    fn describe() -> Manifest {
        Manifest {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: "rust".to_owned(),
        }
    }

    fn classify(message: Inbound) -> Classification {
        // A tapped button decides by its identifier, not by the words on it.
        let tapped = message.selection.as_ref().map(|tapped| tapped.id.as_str());
        let said = words(tapped.unwrap_or(&message.body));
        let is_in = |list: &[&str]| list.contains(&said.as_str());
        let mut answer = if is_in(OPT_OUT) {
            let channels = [
                Channel::Sms,
                Channel::Whatsapp,
                Channel::Voice,
                Channel::Email,
            ];
            Classification {
                scope: Some(Scope::All),
                changes: channels.map(|on| change(on, ChangeKind::OptOut)).into(),
                reply: says("you are unsubscribed and will get no more messages."),
                route: Route::Disconnect,
                priority: Priority::High,
                ..understood(Intent::OptOut, "words.opt-out")
            }
        } else if is_in(OPT_IN) {
            Classification {
                scope: Some(Scope::Channel(message.channel)),
                changes: vec![change(message.channel, ChangeKind::OptIn)],
                reply: says("you are subscribed. Reply STOP to end, HELP for help."),
                ..understood(Intent::OptIn, "words.opt-in")
            }
        } else if is_in(HELP) {
            Classification {
                reply: says("this is our message service. Reply STOP to end."),
                ..understood(Intent::Help, "words.help")
            }
        } else {
            understood(Intent::Other, "words.none")
        };
        if answer.intent != Intent::Other && tapped.is_none() {
            let end = message.body.len() as u32;
            answer.matched = Some(Span { start: 0, end });
        }
        if message.answered {
            answer.reply = None;
        }
        answer
    }

    fn preflight(message: Outbound) -> Decision {
        // The one confirmation of an opt-out, and the answer to a call for help, may always go: the
        // host has made sure that they answer something.
        if !matches!(message.answers, Answers::Nothing) {
            return allow();
        }
        let known = consent(message.channel, &message.category);
        let agreed = known.status == ConsentStatus::OptIn;
        if known.status == ConsentStatus::OptOut {
            return deny("opted_out");
        }
        if message.channel == Channel::Whatsapp {
            // A template begins a conversation: that takes an opt-in with something to show for it.
            if message.template.is_some() {
                if !agreed || known.proof == Proof::None {
                    return deny("no_consent");
                }
            } else if !is_window_open(&message) {
                return deny("window_closed");
            }
        }
        if NEEDS_NO_CONSENT.contains(&message.category.as_str()) {
            return allow();
        }
        if !agreed {
            return deny("no_consent");
        }
        match until_morning(&message) {
            0 => allow(),
            wait => {
                let later = Verdict::DeferUntil(message.at + wait);
                answer(later, SendRoute::SilentFailure, "quiet_hours")
            }
        }
    }
}

fn understood(intent: Intent, rule: &str) -> Classification {
    Classification {
        intent,
        scope: None,
        changes: Vec::new(),
        reply: None,
        asks: None,
        route: Route::Bot,
        priority: Priority::Normal,
        review: false,
        rule: rule.to_owned(),
        matched: None,
        language: None,
        explanation: None,
    }
}

fn change(channel: Channel, kind: ChangeKind) -> Change {
    Change {
        channel,
        category: None,
        kind,
    }
}

fn says(text: &str) -> Option<String> {
    Some(format!("{BRAND}: {text}"))
}

/// The words of a message, in lower case and without courtesies.
fn words(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter_map(plain)
        .flat_map(char::to_lowercase)
        .collect();
    let words = plain.split(|char: char| !char.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && !COURTESIES.contains(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Full-width letters in their usual form, and nothing for what has no width.
fn plain(char: char) -> Option<char> {
    match char {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(char as u32 - 0xff01 + 0x21),
        other => Some(other),
    }
}

/// Whether somebody may be written to freely: a day after they wrote, three after an advertisement.
fn is_window_open(message: &Outbound) -> bool {
    let within = |moment: Option<i64>, window| {
        moment.is_some_and(|moment| (0..=window).contains(&(message.at - moment)))
    };
    let channel = message.channel;
    within(last_inbound(channel), DAY) || within(last_ad_entry(channel), 3 * DAY)
}

/// How long it is quiet in any of the places where the contact may be; 0 when it is quiet in none.
fn until_morning(message: &Outbound) -> i64 {
    let waits = message.places.iter().map(|place| {
        let local = message.at + i64::from(place.offset) * MINUTE;
        let time = local.rem_euclid(DAY);
        if (MORNING..EVENING).contains(&time) {
            0
        } else {
            (MORNING - time).rem_euclid(DAY)
        }
    });
    waits.max().unwrap_or(0)
}

fn allow() -> Decision {
    answer(Verdict::Allow, SendRoute::Send, "allowed")
}

fn deny(reason: &str) -> Decision {
    answer(Verdict::Deny, SendRoute::SilentFailure, reason)
}

fn answer(verdict: Verdict, route: SendRoute, reason: &str) -> Decision {
    Decision {
        verdict,
        route,
        reason: reason.to_owned(),
        reasons: Vec::new(),
        relied_on: None,
        limits: Vec::new(),
        trace: Vec::new(),
    }
}
