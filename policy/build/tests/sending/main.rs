//! What the default rules answer to those who want to send: a row for every rule, on both sides of
//! what it draws a line between. Taking any one rule away must change an answer.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected shall fail"
)]

mod consent;
mod hours;
mod known;
mod table;
mod whatsapp;

use std::path::Path;

use chrono::DateTime;
use consentry_policy::{Engine, RuleSet, Verdict};

use table::Table;

fn table() -> Table {
    let mut table = Table::default();
    consent::categories(&mut table);
    consent::confirmation_and_help(&mut table);
    whatsapp::whatsapp(&mut table);
    hours::quiet_hours(&mut table);
    hours::frequency_caps(&mut table);
    table
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
