//! What every entry has: an identifier, a source, and the dates between which it holds.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use consentry_policy::{Term, Timestamp};
use toml::Spanned;
use toml::value::Datetime;

use super::file::{File, RulesError};

/// The identifiers used so far, with the terms in which their entries hold.
#[derive(Default)]
pub(super) struct Ids(BTreeMap<String, Vec<Term>>);

/// What every kind of entry has.
pub(super) struct Entry<'e> {
    id: &'e str,
    source: &'e str,
    from: &'e Option<Datetime>,
    until: &'e Option<Datetime>,
}

impl<'e> Entry<'e> {
    pub(super) fn of(
        id: &'e str,
        source: &'e str,
        from: &'e Option<Datetime>,
        until: &'e Option<Datetime>,
    ) -> Self {
        Self {
            id,
            source,
            from,
            until,
        }
    }
}

/// An entry that says what it is called, why it is there and when it holds.
pub(super) trait Dated {
    /// All of that.
    fn dates(&self) -> Entry<'_>;
}

/// Whether a source is named.
pub(super) fn sourced(source: &str) -> Result<(), String> {
    if source.trim().is_empty() {
        return Err("name the law, carrier rule or observation behind it in `source`".into());
    }
    Ok(())
}

impl Ids {
    /// Checks what every entry must have, and makes a rule of each.
    pub(super) fn each<E: Dated, T>(
        &mut self,
        file: &File,
        entries: &[Spanned<E>],
        rule: impl Fn(&E, Term) -> Result<T, String>,
    ) -> Result<Vec<T>, RulesError> {
        let one = |spanned: &Spanned<E>| {
            let entry = spanned.get_ref();
            let term = self.check(file, spanned)?;
            rule(entry, term).map_err(|what| file.error(spanned, entry.dates().id, what))
        };
        entries.iter().map(one).collect()
    }

    /// Checks what every entry must have, and gives its term.
    pub(super) fn check<E: Dated>(
        &mut self,
        file: &File,
        spanned: &Spanned<E>,
    ) -> Result<Term, RulesError> {
        let entry = spanned.get_ref().dates();
        let fail = |what: String| Err(file.error(spanned, entry.id, what));
        if let Err(what) = sourced(entry.source) {
            return fail(what);
        }
        let date = |field: &str, value: &Option<Datetime>| {
            let start = value.as_ref().map(start_of_day).transpose();
            start.map_err(|what| file.error(spanned, entry.id, format!("`{field}`: {what}")))
        };
        let term = Term {
            from: date("from", entry.from)?,
            until: date("until", entry.until)?,
        };
        if let (Some(from), Some(until)) = (term.from, term.until)
            && until <= from
        {
            return fail("`until` is not after `from`, so the entry would never hold".into());
        }
        let others = self.0.entry(entry.id.to_owned()).or_default();
        if others.iter().any(|other| overlap(*other, term)) {
            return fail("another entry has this id and holds at the same time; give it another id, or dates that do not overlap".into());
        }
        others.push(term);
        Ok(term)
    }
}

fn overlap(a: Term, b: Term) -> bool {
    let begins_before_end = |a: Term, b: Term| match (a.from, b.until) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    begins_before_end(a, b) && begins_before_end(b, a)
}

/// A date in TOML (`2027-01-31`) as its first moment in UTC.
fn start_of_day(date: &Datetime) -> Result<Timestamp, String> {
    let wrong = || format!("{date} is not a date like 2027-01-31");
    let day = match (date.date, date.time) {
        (Some(day), None) => day,
        _ => return Err(wrong()),
    };
    let day = NaiveDate::from_ymd_opt(day.year.into(), day.month.into(), day.day.into());
    Ok(day
        .ok_or_else(wrong)?
        .and_time(NaiveTime::MIN)
        .and_utc()
        .timestamp_millis())
}
