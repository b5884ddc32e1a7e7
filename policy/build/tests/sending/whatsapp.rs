//! Templates, windows and back-offs.

use consentry_policy::Channel::Whatsapp;
use consentry_policy::{Proof, Template};

use crate::known::{Known, at, opted_in};
use crate::table::{HOUR, Table, message, place};

pub(crate) fn whatsapp(table: &mut Table) {
    let meta = "https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages";
    let template = |category: &str| {
        let mut message = message(Whatsapp, category);
        message.template = Some(Template {
            name: "t".to_owned(),
            category: category.to_owned(),
        });
        message
    };
    let proven = opted_in(Whatsapp, "utility", Proof::Evidence);
    table.row("template", meta, template("utility"), &proven, "allowed");
    let asserted = opted_in(Whatsapp, "utility", Proof::None);
    table.row(
        "template",
        meta,
        template("utility"),
        &asserted,
        "no_opt_in_evidence",
    );
    for (hours, minutes, answer) in [(24, 0, "allowed"), (24, 1, "window_closed")] {
        let message = message(Whatsapp, "service");
        let wrote = Some(message.at - hours * HOUR - minutes * 60_000);
        let known = Known {
            wrote,
            ..Known::default()
        };
        table.row("window", meta, message, &known, answer);
    }
    for (hours, answer) in [(72, "allowed"), (73, "window_closed")] {
        let message = message(Whatsapp, "service");
        let ad_entry = Some(message.at - hours * HOUR);
        let known = Known {
            ad_entry,
            ..Known::default()
        };
        table.row("ad window", meta, message, &known, answer);
    }
    let proven = opted_in(Whatsapp, "marketing", Proof::OwnWords);
    for (time, country, answer) in [
        ("2025-03-31T23:59:59Z", "US", "allowed"),
        ("2025-04-01T12:00:00Z", "US", "template_paused"),
        ("2025-04-01T12:00:00Z", "DE", "allowed"),
    ] {
        let mut message = template("marketing");
        message.at = at(time);
        message.places = vec![place(country, Some("US-NY"), -240)];
        table.row(
            "whatsapp.us-marketing-pause",
            meta,
            message,
            &proven,
            answer,
        );
    }
    let mut waiting = opted_in(Whatsapp, "marketing", Proof::OwnWords);
    let mut offer = template("marketing");
    offer.places = vec![place("BR", None, -180)];
    waiting.backoff = Some(offer.at + HOUR);
    table.row(
        "backoff",
        "Meta error 131049",
        offer,
        &waiting,
        "provider_backoff until 2026-06-10T17:00:00+00:00",
    );
}
