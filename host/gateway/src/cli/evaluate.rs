//! `consentry policy evaluate`: how well a policy understands labelled messages.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use consentry_host::Policy;
use consentry_model::{Channel, Contact, Inbound, Intent, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::{BadArgument, output};

/// A message and what it was labelled.
struct Case {
    line: u64,
    text: String,
    expected: &'static str,
    language: String,
}

/// A message that was understood otherwise.
#[derive(Serialize)]
struct Miss {
    line: u64,
    language: String,
    text: String,
    expected: &'static str,
    found: &'static str,
    review: bool,
    rule: String,
}

/// Evaluates a policy with a tab-separated file: columns `text` and `expected`, and perhaps `lang`.
pub(super) fn run(
    policy: &Policy,
    file: &Path,
    at: Timestamp,
    as_json: bool,
) -> anyhow::Result<()> {
    let cases = read(file).with_context(|| file.display().to_string())?;
    let nobody = Arc::new(Contact::default());
    let mut confusion: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut misses = Vec::new();
    let progress = output::progress("messages");
    for case in cases {
        let message = Inbound::text(Channel::Sms, case.text.clone(), at);
        let answer = policy.classify(&message, &nobody).value;
        let found = answer.intent.as_str();
        *confusion.entry((case.expected, found)).or_default() += 1;
        if found != case.expected {
            misses.push(Miss {
                line: case.line,
                language: case.language,
                text: case.text,
                expected: case.expected,
                found,
                review: answer.review,
                rule: answer.rule,
            });
        }
        progress.inc(1);
    }
    progress.finish_and_clear();

    let sum = |is: &dyn Fn(&str, &str) -> bool| -> u64 {
        let counts = confusion
            .iter()
            .filter(|((expected, found), _)| is(expected, found));
        counts.map(|(_, count)| count).sum()
    };
    let stop = Intent::OptOut.as_str();
    let (stops, found) = (
        sum(&|expected, _| expected == stop),
        sum(&|expected, found| expected == stop && found == stop),
    );
    let (others, flagged) = (
        sum(&|expected, _| expected != stop),
        sum(&|expected, found| expected != stop && found == stop),
    );
    if as_json {
        let table: Vec<_> = confusion
            .iter()
            .map(|((expected, found), count)| json!({ "expected": expected, "found": found, "count": count }))
            .collect();
        return output::json(&json!({
            "optOuts": stops, "optOutsFound": found, "recall": share(found, stops),
            "others": others, "falseAlarms": flagged, "falseAlarmRate": share(flagged, others),
            "confusion": table, "misses": misses,
        }));
    }
    let mut text = String::new();
    for miss in &misses {
        let review = if miss.review { ", for review" } else { "" };
        text.push_str(&format!(
            "line {}: {:?} is {}, understood as {}{review} ({})\n",
            miss.line, miss.text, miss.expected, miss.found, miss.rule
        ));
    }
    text.push_str("\nexpected      understood as       count\n");
    for ((expected, found), count) in &confusion {
        text.push_str(&format!("{expected:<13} {found:<15} {count:>9}\n"));
    }
    let percent = |share: Option<f64>| {
        share.map_or("-".to_owned(), |share| format!("{:.2} %", share * 100.0))
    };
    text.push_str(&format!(
        "\nopt-outs found  {found} of {stops} ({})\nfalse alarms    {flagged} of {others} ({})",
        percent(share(found, stops)),
        percent(share(flagged, others)),
    ));
    output::text(&text)
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn read(file: &Path) -> anyhow::Result<Vec<Case>> {
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .quoting(false)
        .flexible(true)
        .from_path(file)?;
    let names = rows.headers()?.clone();
    let column = |name: &str| {
        names
            .iter()
            .position(|known| known.trim().eq_ignore_ascii_case(name))
    };
    let needed = |name: &str| {
        column(name).ok_or_else(|| BadArgument(format!("the first line names no column {name:?}")))
    };
    let (text, expected, language) = (needed("text")?, needed("expected")?, column("lang"));
    let mut cases = Vec::new();
    for row in rows.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        let get = |at: usize| row.get(at).unwrap_or("").to_owned();
        cases.push(Case {
            line,
            text: get(text).replace("\\n", "\n"),
            expected: match label(&get(expected)) {
                Some(intent) => intent.as_str(),
                None => bail!(BadArgument(format!("line {line}: {:?} is no label; use stop, start, help, yes, no, wrong-number, person or none", get(expected)))),
            },
            language: language.map(get).unwrap_or_default(),
        });
    }
    Ok(cases)
}

/// The intent that a label means: an intent's name, or a shorter word for one.
fn label(text: &str) -> Option<Intent> {
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "opt-out" | "stop" => Intent::OptOut,
        "opt-in" | "start" => Intent::OptIn,
        "help" => Intent::Help,
        "answer-yes" | "yes" => Intent::AnswerYes,
        "answer-no" | "no" => Intent::AnswerNo,
        "wrong-number" => Intent::WrongNumber,
        "person" => Intent::Person,
        "other" | "none" => Intent::Other,
        _ => return None,
    })
}
