//! May this message go? The checks, in the order in which they are made.

use crate::rules::{Needs, RuleSet};
use crate::types::{
    Channel, ConsentRecord, ConsentStatus, Decision, Lookup, Outbound, Outcome, SendRoute, Step,
    Verdict,
};

/// WhatsApp's customer service window, in milliseconds: 24 hours from the contact's last message.
/// <https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages>
const SERVICE_WINDOW: i64 = 24 * 60 * 60 * 1000;

/// What one check finds: nothing to object, not its business, or a reason against.
enum Finding {
    Pass,
    Skip,
    Block(&'static str),
}

pub(crate) fn preflight(rules: &RuleSet, message: &Outbound, contact: &impl Lookup) -> Decision {
    let consent = contact.consent(message.channel, &message.category);
    let mut trace = Vec::with_capacity(4);
    let mut blocked = None;
    for (rule, check) in [
        ("preflight.suppression", suppression as Check<_>),
        ("preflight.consent", needed_consent),
        ("preflight.whatsapp-template", whatsapp_template),
        ("preflight.whatsapp-window", whatsapp_window),
    ] {
        let outcome = match check(rules, message, consent, contact) {
            Finding::Pass => Outcome::Pass,
            Finding::Skip => Outcome::Skip,
            Finding::Block(reason) => {
                blocked = Some(reason);
                Outcome::Block
            }
        };
        trace.push(Step { rule, outcome });
        if blocked.is_some() {
            break;
        }
    }
    match blocked {
        None => Decision {
            verdict: Verdict::Allow,
            route: SendRoute::Send,
            reason: "allowed",
            trace,
        },
        Some(reason) => Decision {
            verdict: Verdict::Deny,
            route: match reason {
                "opted_out" => rules.routes.opted_out,
                _ => rules.routes.otherwise,
            },
            reason,
            trace,
        },
    }
}

type Check<L> = fn(&RuleSet, &Outbound, ConsentRecord, &L) -> Finding;

/// Nothing goes to somebody who said stop.
fn suppression<L>(_: &RuleSet, _: &Outbound, consent: ConsentRecord, _: &L) -> Finding {
    match consent.status {
        ConsentStatus::OptOut => Finding::Block("opted_out"),
        _ => Finding::Pass,
    }
}

/// A category that nobody defined is treated as the strictest one.
fn needed_consent<L>(
    rules: &RuleSet,
    message: &Outbound,
    consent: ConsentRecord,
    _: &L,
) -> Finding {
    let known = rules
        .categories
        .iter()
        .find(|category| category.name == message.category);
    match known.map_or(Needs::OptIn, |category| category.needs) {
        Needs::NoOptOut => Finding::Skip,
        Needs::OptIn if consent.status == ConsentStatus::OptIn => Finding::Pass,
        Needs::OptIn => Finding::Block("no_consent"),
    }
}

/// A template needs an opt-in on record: when, at which address, the wording. That the contact
/// started a chat is none. <https://developers.facebook.com/docs/whatsapp/overview/getting-opt-in>
fn whatsapp_template<L>(_: &RuleSet, message: &Outbound, consent: ConsentRecord, _: &L) -> Finding {
    if message.channel != Channel::Whatsapp || message.template.is_none() {
        return Finding::Skip;
    }
    if consent.status == ConsentStatus::OptIn && consent.proven {
        Finding::Pass
    } else {
        Finding::Block("no_opt_in_evidence")
    }
}

/// A free-form message needs an open service window.
fn whatsapp_window<L: Lookup>(
    _: &RuleSet,
    message: &Outbound,
    _: ConsentRecord,
    contact: &L,
) -> Finding {
    if message.channel != Channel::Whatsapp || message.template.is_some() {
        return Finding::Skip;
    }
    match contact.last_inbound(Channel::Whatsapp) {
        Some(last) if message.at.saturating_sub(last) <= SERVICE_WINDOW => Finding::Pass,
        _ => Finding::Block("window_closed"),
    }
}
