//! What the default rules answer to those who want to send: a row for every rule, on both sides of
//! what it draws a line between. Taking any one rule away must change an answer.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected shall fail"
)]

use std::path::Path;

use chrono::DateTime;
use consentry_policy::{
    Answers, Channel, ConsentRecord, ConsentStatus, Engine, Lookup, Outbound, Place, Proof,
    RuleSet, Template, Timestamp, Verdict,
};

/// What is known of a contact.
#[derive(Clone, Default)]
struct Known {
    consents: Vec<(Channel, &'static str, ConsentRecord)>,
    wrote: Option<Timestamp>,
    ad_entry: Option<Timestamp>,
    backoff: Option<Timestamp>,
    sent: Vec<Timestamp>,
}

impl Lookup for Known {
    fn consent(&self, channel: Channel, category: &str) -> ConsentRecord {
        let mut known = self.consents.iter();
        let known = known.find(|(on, of, _)| *on == channel && *of == category);
        known.map_or(
            record(ConsentStatus::None, Proof::None, 0),
            |(_, _, known)| *known,
        )
    }

    fn last_inbound(&self, _: Channel) -> Option<Timestamp> {
        self.wrote
    }

    fn last_ad_entry(&self, _: Channel) -> Option<Timestamp> {
        self.ad_entry
    }

    fn backoff(&self, _: Channel, _: &str) -> Option<Timestamp> {
        self.backoff
    }

    fn sent(&self, channels: &[Channel], categories: &[String], earlier: u32) -> Option<Timestamp> {
        let counts = channels.contains(&Channel::Sms) && categories.contains(&"marketing".into());
        let at = self.sent.get(earlier as usize).copied();
        at.filter(|_| counts)
    }
}

fn record(status: ConsentStatus, proof: Proof, since: Timestamp) -> ConsentRecord {
    ConsentRecord {
        status,
        since: Some(since),
        proof,
    }
}

fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text)
        .unwrap()
        .timestamp_millis()
}

/// One row: the rule it is about, its source, the question, what is known, and the answer.
struct Row {
    rule: &'static str,
    source: &'static str,
    message: Outbound,
    known: Known,
    answer: String,
}

const HOUR: i64 = 3_600_000;

/// A message that nothing is against: noon in New York on a Wednesday, to somebody opted in.
fn message(channel: Channel, category: &str) -> Outbound {
    Outbound {
        channel,
        category: category.to_owned(),
        template: None,
        at: at("2026-06-10T16:00:00Z"),
        places: vec![place("US", Some("US-NY"), -240)],
        answers: Answers::Nothing,
        explain: false,
    }
}

fn place(country: &str, region: Option<&str>, offset: i32) -> Place {
    Place {
        country: country.to_owned(),
        region: region.map(str::to_owned),
        offset,
        change: None,
    }
}

fn opted_in(channel: Channel, category: &'static str, proof: Proof) -> Known {
    Known {
        consents: vec![(channel, category, record(ConsentStatus::OptIn, proof, 10))],
        ..Known::default()
    }
}

#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn row(
        &mut self,
        rule: &'static str,
        source: &'static str,
        message: Outbound,
        known: &Known,
        answer: &str,
    ) {
        self.0.push(Row {
            rule,
            source,
            message,
            known: known.clone(),
            answer: answer.to_owned(),
        });
    }

    /// Marketing by SMS in a place: at each local time, and when it may go if not then.
    fn quiet(
        &mut self,
        rule: &'static str,
        source: &'static str,
        place: &Place,
        times: &[(&str, &str)],
    ) {
        let known = opted_in(Channel::Sms, "marketing", Proof::OwnWords);
        for (time, answer) in times {
            let mut message = message(Channel::Sms, "marketing");
            message.places = vec![place.clone()];
            message.at = at(time);
            self.row(rule, source, message, &known, answer);
        }
    }
}

fn table() -> Table {
    use Channel::{Email, Sms, Voice, Whatsapp};
    let mut table = Table::default();
    let nobody = Known::default();

    // Categories: what each needs, and what stands above it.
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
        let again = record(ConsentStatus::OptIn, Proof::OwnWords, 30);
        stopped.consents.push((Sms, category_name(child), again));
        table.row(
            child,
            "unless it was asked for since",
            message(Sms, child),
            &stopped,
            "allowed",
        );
        stopped.consents[1].2.since = Some(10);
        table.row(
            child,
            "and not before",
            message(Sms, child),
            &stopped,
            "opted_out",
        );
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

    // WhatsApp.
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

    // Confirmation and help.
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

    // Quiet hours. 10 June 2026 is a Wednesday, the 13th a Saturday, the 14th a Sunday.
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
        &nobody,
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

    // Frequency caps.
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
    table
}

fn category_name(name: &str) -> &'static str {
    let known = ["marketing", "promotions", "newsletter"];
    known.into_iter().find(|known| *known == name).unwrap()
}

/// The rules without the languages, which do not matter here and take long to prepare.
fn rules() -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let mut rules = consentry_policy_build::rules::load(&folder).unwrap();
    rules.languages.clear();
    rules
}

/// The rows that are answered otherwise than they should be.
fn wrong(rules: &RuleSet, table: &Table) -> Vec<String> {
    let engine = Engine::new(rules).unwrap();
    let rows = table.0.iter();
    let rows = rows.filter_map(|row| {
        let decision = engine.preflight(&row.message, &row.known);
        let answer = match decision.verdict {
            Verdict::DeferUntil(until) => {
                let until = DateTime::from_timestamp_millis(until).unwrap();
                format!("{} until {}", decision.reason, until.to_rfc3339())
            }
            Verdict::Allow | Verdict::Deny => decision.reason.to_owned(),
        };
        // A row may leave open until when.
        let fits = answer == row.answer || answer.starts_with(&format!("{} until", row.answer));
        (!fits).then(|| {
            format!(
                "{} ({}): {:?} instead of {:?}\n{:?}\n{:?}",
                row.rule, row.source, answer, row.answer, row.message, decision.trace
            )
        })
    });
    rows.collect()
}

#[test]
fn every_row_is_answered_as_its_source_asks() {
    let wrong = wrong(&rules(), &table());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_rule_can_be_taken_away_unnoticed() {
    let (whole, table) = (rules(), table());
    let mut unnoticed = Vec::new();
    let mut without = |name: String, change: &dyn Fn(&mut RuleSet)| {
        let mut rules = whole.clone();
        change(&mut rules);
        if wrong(&rules, &table).is_empty() {
            unnoticed.push(name);
        }
    };
    let sending = &whole.sending;
    for at in 0..sending.categories.len() {
        let name = sending.categories[at].name.clone();
        without(name, &|rules| drop(rules.sending.categories.remove(at)));
    }
    for at in 0..sending.template_pauses.len() {
        let id = sending.template_pauses[at].id.clone();
        without(id, &|rules| drop(rules.sending.template_pauses.remove(at)));
    }
    for at in 0..sending.quiet_hours.len() {
        let id = sending.quiet_hours[at].id.clone();
        without(id, &|rules| drop(rules.sending.quiet_hours.remove(at)));
    }
    for at in 0..sending.frequency_caps.len() {
        let id = sending.frequency_caps[at].id.clone();
        without(id, &|rules| drop(rules.sending.frequency_caps.remove(at)));
    }
    for (at, holidays) in sending.holidays.iter().enumerate() {
        for day in 0..holidays.days.len() {
            let name = format!("{} {:?}", holidays.id, holidays.days[day]);
            without(name, &|rules| {
                _ = rules.sending.holidays[at].days.remove(day);
            });
        }
    }
    without("service window".into(), &|rules| {
        rules.sending.windows.service = 0
    });
    without("ad entry window".into(), &|rules| {
        rules.sending.windows.ad_entry = 0
    });
    without("confirmation".into(), &|rules| {
        rules.sending.confirmation = 0
    });
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}
