//! Quiet hours, holidays and frequency caps.

use consentry_policy::Channel::{Email, Sms, Voice};
use consentry_policy::Proof;

use crate::known::{Known, at, opted_in};
use crate::table::{HOUR, Table, message, place};

/// 10 June 2026 is a Wednesday, the 13th a Saturday, the 14th a Sunday.
pub(crate) fn quiet_hours(table: &mut Table) {
    table.quiet(
        "quiet.us",
        "47 CFR 64.1200(c)(1)",
        &place("US", Some("US-NY"), -240),
        &[
            (
                "2026-06-10T11:59:59Z",
                "quiet_hours until 2026-06-10T12:00:00+00:00",
            ),
            ("2026-06-10T12:00:00Z", "allowed"),
            ("2026-06-11T00:59:59Z", "allowed"),
            (
                "2026-06-11T01:00:00Z",
                "quiet_hours until 2026-06-11T12:00:00+00:00",
            ),
        ],
    );
    for (rule, source, region, from) in [
        ("quiet.us-fl", "Fla. Stat. 501.616(6)", "US-FL", None),
        (
            "quiet.us-md",
            "Md. Code, Com. Law 14-4502",
            "US-MD",
            Some(2024),
        ),
        ("quiet.us-ms", "Miss. Code 77-3-723", "US-MS", None),
        ("quiet.us-nj", "N.J.S.A. 56:8-130", "US-NJ", None),
        ("quiet.us-ok", "15 O.S. 775C.4", "US-OK", Some(2022)),
        ("quiet.us-or", "Oregon HB 3865", "US-OR", Some(2026)),
        ("quiet.us-wa", "RCW 80.36.390", "US-WA", None),
    ] {
        let place = place("US", Some(region), -240);
        table.quiet(
            rule,
            source,
            &place,
            &[
                ("2026-06-10T23:59:59Z", "allowed"),
                (
                    "2026-06-11T00:00:00Z",
                    "quiet_hours until 2026-06-11T12:00:00+00:00",
                ),
            ],
        );
        // A quarter past eight in the evening, in the year before it began to hold.
        if let Some(year) = from {
            let before = format!("{}-06-11T00:15:00Z", year - 1);
            table.quiet(rule, source, &place, &[(&before, "allowed")]);
        }
    }
    table.quiet(
        "quiet.us-ct",
        "Public Act 23-98",
        &place("US", Some("US-CT"), -240),
        &[
            (
                "2026-06-10T12:30:00Z",
                "quiet_hours until 2026-06-10T13:00:00+00:00",
            ),
            ("2026-06-10T13:00:00Z", "allowed"),
        ],
    );
    table.quiet(
        "quiet.us-tx",
        "SB 140",
        &place("US", Some("US-TX"), -300),
        &[
            (
                "2026-06-10T13:30:00Z",
                "quiet_hours until 2026-06-10T14:00:00+00:00",
            ),
            (
                "2026-06-14T16:30:00Z",
                "quiet_hours until 2026-06-14T17:00:00+00:00",
            ),
            ("2026-06-14T17:00:00Z", "allowed"),
            ("2025-08-31T16:30:00Z", "allowed"),
            (
                "2025-09-07T16:30:00Z",
                "quiet_hours until 2025-09-07T17:00:00+00:00",
            ),
        ],
    );
    table.quiet(
        "quiet.us-ri",
        "R.I. Gen. Laws 5-61-3.6",
        &place("US", Some("US-RI"), -240),
        &[
            (
                "2026-06-10T22:00:00Z",
                "quiet_hours until 2026-06-11T13:00:00+00:00",
            ),
            (
                "2026-06-13T13:30:00Z",
                "quiet_hours until 2026-06-13T14:00:00+00:00",
            ),
            ("2026-06-14T20:59:00Z", "allowed"),
        ],
    );
    table.quiet(
        "quiet.us-ut",
        "Utah Code 13-25a-103",
        &place("US", Some("US-UT"), -360),
        &[
            (
                "2026-06-14T18:00:00Z",
                "quiet_hours until 2026-06-15T14:00:00+00:00",
            ),
            ("2026-06-13T18:00:00Z", "allowed"),
            // Independence Day is a Saturday in 2026: it is kept on Friday, and Sunday follows.
            (
                "2026-07-03T18:00:00Z",
                "quiet_hours until 2026-07-06T14:00:00+00:00",
            ),
        ],
    );
    for day in [
        "2026-01-01",
        "2026-01-19",
        "2026-02-16",
        "2026-05-25",
        "2026-06-19",
        "2026-09-07",
        "2026-10-12",
        "2026-11-11",
        "2026-11-26",
        "2026-12-25",
    ] {
        let noon = format!("{day}T18:00:00Z");
        let place = place("US", Some("US-UT"), -360);
        table.quiet(
            "us-federal",
            "5 U.S.C. 6103",
            &place,
            &[(&noon, "quiet_hours")],
        );
    }
    for day in [
        "2026-01-01",
        "2026-04-06",
        "2026-05-01",
        "2026-05-08",
        "2026-05-14",
        "2026-05-25",
        "2026-07-14",
        "2026-08-15",
        "2026-11-11",
        "2026-12-25",
        "2027-11-01",
    ] {
        let noon = format!("{day}T11:00:00Z");
        table.quiet(
            "fr",
            "Code du travail L3133-1",
            &place("FR", None, 60),
            &[(&noon, "quiet_hours")],
        );
    }
    table.quiet(
        "quiet.fr",
        "af2m",
        &place("FR", None, 120),
        &[
            (
                "2026-06-10T20:00:00Z",
                "quiet_hours until 2026-06-11T06:00:00+00:00",
            ),
            (
                "2026-06-14T10:00:00Z",
                "quiet_hours until 2026-06-15T06:00:00+00:00",
            ),
            ("2026-06-10T10:00:00Z", "allowed"),
        ],
    );
    let mut call = message(Voice, "marketing");
    call.places = vec![place("CA", Some("CA-ON"), -240)];
    call.at = at("2026-06-13T13:00:00Z");
    let agreed = opted_in(Voice, "marketing", Proof::None);
    let crtc = "CRTC Unsolicited Telecommunications Rules";
    table.row(
        "quiet.ca-voice",
        crtc,
        call.clone(),
        &agreed,
        "quiet_hours until 2026-06-13T14:00:00+00:00",
    );
    call.at = at("2026-06-13T14:00:00Z");
    table.row("quiet.ca-voice", crtc, call, &agreed, "allowed");
    // What is essential does not wait, and nor does e-mail.
    let mut code = message(Sms, "authentication");
    code.at = at("2026-06-10T07:00:00Z");
    table.row(
        "essential",
        "quiet hours are for marketing",
        code,
        &Known::default(),
        "allowed",
    );
    let mut letter = message(Email, "marketing");
    letter.at = at("2026-06-10T07:00:00Z");
    let agreed = opted_in(Email, "marketing", Proof::None);
    table.row(
        "e-mail",
        "47 CFR 64.1200(c) is for calls and texts",
        letter,
        &agreed,
        "allowed",
    );
    // In every zone where the number may be: the later opening counts.
    let mut anywhere = message(Sms, "marketing");
    anywhere.places.push(place("US", Some("US-CA"), -420));
    anywhere.at = at("2026-06-10T12:30:00Z");
    let agreed = opted_in(Sms, "marketing", Proof::None);
    table.row(
        "zones",
        "every zone counts",
        anywhere,
        &agreed,
        "quiet_hours until 2026-06-10T15:00:00+00:00",
    );
}

pub(crate) fn frequency_caps(table: &mut Table) {
    for (rule, source, region, from) in [
        ("frequency.us-fl", "Fla. Stat. 501.616(6)", "US-FL", None),
        (
            "frequency.us-md",
            "Md. Code, Com. Law 14-4502",
            "US-MD",
            Some(2024),
        ),
        ("frequency.us-nj", "N.J.S.A. 56:8-130", "US-NJ", None),
        ("frequency.us-ok", "15 O.S. 775C.4", "US-OK", Some(2022)),
        ("frequency.us-or", "Oregon HB 3865", "US-OR", Some(2026)),
    ] {
        let mut message = message(Sms, "marketing");
        message.places = vec![place("US", Some(region), -240)];
        let mut known = opted_in(Sms, "marketing", Proof::None);
        let ago = |hours: i64| message.at - hours * HOUR;
        known.sent = vec![ago(1), ago(2), ago(3)];
        let waits = "frequency_cap until 2026-06-11T13:00:00+00:00";
        table.row(rule, source, message.clone(), &known, waits);
        known.sent = vec![ago(1), ago(2), ago(24)];
        table.row(rule, source, message.clone(), &known, "allowed");
        if let Some(year) = from {
            message.at = at(&format!("{}-06-10T16:00:00Z", year - 1));
            known.sent = vec![message.at; 3];
            table.row(rule, source, message, &known, "allowed");
        }
    }
}
