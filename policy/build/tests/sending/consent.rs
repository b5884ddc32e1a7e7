//! Categories, the consent that each needs, and what may follow an opt-out.

use consentry_policy::Answers;
use consentry_policy::Channel::Sms;
use consentry_policy::{ConsentStatus, Proof};

use crate::known::{Known, opted_in, record};
use crate::table::{HOUR, Table, message};

/// What each category needs, and what stands above it.
pub(crate) fn categories(table: &mut Table) {
    let nobody = Known::default();
    let law = "47 CFR 64.1200(a)(1), (a)(2), (f)(9)";
    for category in ["marketing", "promotions", "newsletter"] {
        table.row(category, law, message(Sms, category), &nobody, "no_consent");
        let asked = opted_in(Sms, category_name(category), Proof::None);
        table.row(category, law, message(Sms, category), &asked, "allowed");
    }
    for category in ["utility", "billing", "service", "authentication"] {
        table.row(category, law, message(Sms, category), &nobody, "allowed");
    }
    for child in ["promotions", "newsletter"] {
        let parent = opted_in(Sms, "marketing", Proof::None);
        table.row(
            child,
            "a parent's consent counts",
            message(Sms, child),
            &parent,
            "allowed",
        );
        let mut stopped = Known::default();
        stopped.consents.push((
            Sms,
            "marketing",
            record(ConsentStatus::OptOut, Proof::None, 20),
        ));
        table.row(
            child,
            "a parent's stop counts",
            message(Sms, child),
            &stopped,
            "opted_out",
        );
        // A stop of what is above yields to the person who asks for this very category, later.
        for (named_since, answer) in [
            (None, "opted_out"),
            (Some(21), "allowed"),
            (Some(20), "opted_out"),
        ] {
            let mut known = stopped.clone();
            let mut again = record(ConsentStatus::OptIn, Proof::OwnWords, 30);
            again.named_since = named_since;
            known.consents.push((Sms, category_name(child), again));
            table.row(
                child,
                "47 CFR 64.1200(a)(10)",
                message(Sms, child),
                &known,
                answer,
            );
        }
    }
    table.row(
        "unknown",
        "an unknown category is refused",
        message(Sms, "brand-new"),
        &nobody,
        "unknown_category",
    );
    let casl = "CASL s. 10(9)(a), (10)(e)";
    for (days, answer) in [(180, "allowed"), (181, "no_consent")] {
        let message = message(Sms, "follow-up");
        let known = Known {
            wrote: Some(message.at - days * 24 * HOUR),
            ..Known::default()
        };
        table.row("follow-up", casl, message, &known, answer);
    }
}

fn category_name(name: &str) -> &'static str {
    let known = ["marketing", "promotions", "newsletter"];
    known.into_iter().find(|known| *known == name).unwrap()
}

pub(crate) fn confirmation_and_help(table: &mut Table) {
    let stopped = Known {
        consents: vec![(
            Sms,
            "service",
            record(ConsentStatus::OptOut, Proof::None, 20),
        )],
        ..Known::default()
    };
    for (seconds, answer) in [(300, "allowed"), (301, "confirmation_too_late")] {
        let mut message = message(Sms, "service");
        message.answers = Answers::OptOut(message.at - seconds * 1000);
        table.row(
            "confirmation",
            "47 CFR 64.1200(a)(12)",
            message,
            &stopped,
            answer,
        );
    }
    let mut help = message(Sms, "service");
    help.answers = Answers::Help(help.at);
    table.row("help", "CTIA: HELP is answered", help, &stopped, "allowed");
    table.row(
        "suppression",
        "47 CFR 64.1200(a)(10)",
        message(Sms, "service"),
        &stopped,
        "opted_out",
    );
}
