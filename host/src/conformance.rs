//! The statutory cases that every policy must pass: `wit/conformance/`.

use std::fmt;
use std::sync::Arc;

use consentry_model::{
    Answers, Category, Change, ChangeKind, Channel, Classification, Contact, EventId, Inbound,
    Intent, Mark, Outbound, Statement, Template, Timestamp,
};

use crate::policy::{DecidedBy, Policy};

const INBOUND: &str = include_str!("../../wit/conformance/inbound.tsv");
const OUTBOUND: &str = include_str!("../../wit/conformance/outbound.tsv");

/// The moment at which the cases begin: a Wednesday at noon in New York, so that quiet hours play
/// no part.
const BEGINNING: i64 = 1_798_045_200_000;

/// A case that a policy did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The case.
    pub name: String,
    /// What was wrong.
    pub what: String,
    /// The law or platform rule that asks for it.
    pub source: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.name, self.what, self.source)
    }
}

/// Plays every case, and gives those that failed with the number of all.
pub fn run(policy: &Policy) -> (Vec<Failure>, usize) {
    let inbound = rows(INBOUND).map(|row| (judge_inbound(policy, &row), row));
    let outbound = rows(OUTBOUND).map(|row| (judge_outbound(policy, &row), row));
    let mut count = 0;
    let mut failures = Vec::new();
    for (wrong, row) in inbound.chain(outbound) {
        count += 1;
        failures.extend(wrong.map(|what| Failure {
            name: row.get("name").to_owned(),
            what,
            source: row.get("source").to_owned(),
        }));
    }
    (failures, count)
}

/// One line of a file, by the names in its first line.
struct Row {
    names: Arc<Vec<&'static str>>,
    values: Vec<&'static str>,
}

impl Row {
    fn get(&self, name: &str) -> &'static str {
        let at = self.names.iter().position(|known| *known == name);
        at.and_then(|at| self.values.get(at)).copied().unwrap_or("")
    }
}

fn rows(file: &'static str) -> impl Iterator<Item = Row> {
    let mut lines = file
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let names = Arc::new(lines.next().unwrap_or_default());
    lines.map(move |values| Row {
        names: Arc::clone(&names),
        values,
    })
}

fn moment(after: i64) -> Result<Timestamp, String> {
    Timestamp::from_millis(BEGINNING + after).ok_or_else(|| "no such moment".to_owned())
}

/// What is wrong with a policy's answer to an inbound case. A case that cannot be read is a fault of
/// the suite, and fails.
fn judge_inbound(policy: &Policy, row: &Row) -> Option<String> {
    let read = || -> Result<Inbound, String> {
        let channel: Channel = row
            .get("channel")
            .parse()
            .map_err(|error| format!("{error}"))?;
        let question = Some(row.get("question")).filter(|question| !question.is_empty());
        Ok(Inbound {
            question: question.map(str::to_owned),
            ..Inbound::text(channel, row.get("body").replace("\\n", "\n"), moment(0)?)
        })
    };
    let message = match read() {
        Ok(message) => message,
        Err(error) => return Some(error),
    };
    let answer = policy.classify(&message, &Arc::new(Contact::default()));
    not_by_policy(&answer.decided_by)
        .or_else(|| misunderstood(row.get("expect"), &message, &answer.value))
}

fn misunderstood(expect: &str, message: &Inbound, found: &Classification) -> Option<String> {
    let here = |kind| {
        found
            .changes
            .contains(&Change::general(message.channel, kind))
    };
    let any = |kind| found.changes.iter().any(|change| change.kind == kind);
    let is_right = match expect {
        "opt-out" => found.intent == Intent::OptOut && here(ChangeKind::OptOut),
        "opt-in" => {
            found.intent == Intent::OptIn && here(ChangeKind::OptIn) && !any(ChangeKind::OptOut)
        }
        "help" => found.intent == Intent::Help && found.reply.is_some() && !any(ChangeKind::OptOut),
        "no-opt-in" => !any(ChangeKind::OptIn),
        "nothing" => !any(ChangeKind::OptIn) && !any(ChangeKind::OptOut),
        other => return Some(format!("the suite expects {other:?}, which means nothing")),
    };
    let changes = || {
        let changes = found
            .changes
            .iter()
            .map(|change| format!("{:?} {}", change.kind, change.channel));
        changes.collect::<Vec<_>>().join(", ")
    };
    (!is_right).then(|| {
        let understood = found.intent.as_str();
        format!(
            "{:?} must be understood as {expect}; it was {understood} [{}]",
            message.body,
            changes()
        )
    })
}

fn judge_outbound(policy: &Policy, row: &Row) -> Option<String> {
    let (contact, message) = match outbound(row) {
        Ok(both) => both,
        Err(error) => return Some(error),
    };
    let answer = policy.preflight(&message, &Arc::new(contact));
    let allowed = answer.value.is_allowed();
    let must = row.get("expect") == "allow";
    not_by_policy(&answer.decided_by).or_else(|| {
        (allowed != must).then(|| {
            let (verb, reason) = (if must { "must" } else { "must not" }, &answer.value.reason);
            format!("the message {verb} go; the answer was {reason}")
        })
    })
}

fn outbound(row: &Row) -> Result<(Contact, Outbound), String> {
    let mut contact = Contact::default();
    let statements = row.get("history").split(',').map(str::trim);
    let mut last = 0;
    for (number, statement) in statements
        .filter(|statement| !statement.is_empty())
        .enumerate()
    {
        last = number as i64 * 1000;
        let at = moment(last)?;
        let mut words = statement.split(' ');
        let (what, channel) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let channel: Channel = channel.parse().map_err(|error| format!("{error}"))?;
        let category = words.next().map(str::parse).transpose();
        let category: Option<Category> = category.map_err(|error| format!("{error}"))?;
        let (kind, weight) = match what {
            "own-opt-out" => (ChangeKind::OptOut, Statement::Own),
            "own-opt-in" => (ChangeKind::OptIn, Statement::Own),
            "reported-opt-in" => (ChangeKind::OptIn, Statement::Reported),
            "wrote" => {
                contact.wrote(channel, at);
                continue;
            }
            other => {
                return Err(format!(
                    "the suite's history has {other:?}, which means nothing"
                ));
            }
        };
        let change = Change {
            channel,
            category,
            kind,
        };
        let event = EventId(format!("conformance-{number}"));
        contact.apply(&change, weight, Mark { at, event });
    }
    let template = Some(row.get("template")).filter(|category| !category.is_empty());
    let category = |name: &str| name.parse::<Category>().map_err(|error| format!("{error}"));
    let message = Outbound {
        channel: row
            .get("channel")
            .parse()
            .map_err(|error| format!("{error}"))?,
        category: category(row.get("category"))?,
        template: match template {
            Some(name) => Some(Template {
                name: "conformance".to_owned(),
                category: category(name)?,
            }),
            None => None,
        },
        at: moment(last + duration(row.get("after"))?)?,
        places: Vec::new(),
        answers: Answers::Nothing,
        explain: false,
    };
    Ok((contact, message))
}

/// "90s", "1m", "24h" in milliseconds.
fn duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no time such as 90s, 1m or 24h");
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    Ok(number * unit)
}

/// An answer that the floor had to give is no answer of the policy's.
fn not_by_policy(decided_by: &DecidedBy) -> Option<String> {
    match decided_by {
        DecidedBy::Policy => None,
        DecidedBy::Floor => Some("the policy went under the floor".to_owned()),
        DecidedBy::Fault(fault) => Some(format!("the policy gave no answer: {fault}")),
    }
}
