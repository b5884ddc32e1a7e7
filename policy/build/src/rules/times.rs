//! Times as people write them in rules: lengths, hours of the day, holidays.

use chrono::{Month, NaiveTime, Timelike, Weekday};
use consentry_policy::Holiday;

/// "24h", "5m", "180d", in milliseconds.
pub(super) fn duration(text: &str) -> Result<i64, String> {
    let parsed = humantime::parse_duration(text).map_err(|error| format!("{text:?}: {error}"))?;
    match i64::try_from(parsed.as_millis()) {
        Ok(millis) if millis > 0 => Ok(millis),
        _ => Err(format!("{text:?} is no length of time")),
    }
}

/// "08:00-21:00" in minutes of the day; "never" is nothing.
pub(super) fn times_of_day(text: &str) -> Result<Option<(u16, u16)>, String> {
    if text == "never" {
        return Ok(None);
    }
    let minute = |time: &str| match time {
        "24:00" => Some(24 * 60),
        time => {
            let time = NaiveTime::parse_from_str(time, "%H:%M").ok()?;
            u16::try_from(time.num_seconds_from_midnight() / 60).ok()
        }
    };
    let times = text.split_once('-');
    let times = times.and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    match times.filter(|(from, to)| from < to) {
        Some(times) => Ok(Some(times)),
        None => Err(format!(
            "{text:?} is not a time of day like \"08:00-21:00\", nor \"never\""
        )),
    }
}

/// "07-04", "07-04 observed", "nov thu 4", "may mon last", "easter+39".
pub(super) fn holiday(text: &str) -> Result<Holiday, String> {
    let wrong = || {
        format!(
            "{text:?} is no holiday; write \"12-25\", \"07-04 observed\", \"nov thu 4\", \"may mon \
             last\" or \"easter+1\""
        )
    };
    if let Some(days) = text.strip_prefix("easter") {
        let days = if days.is_empty() { "0" } else { days };
        let days = days.parse().map_err(|_| wrong())?;
        return Ok(Holiday::Easter { days });
    }
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        [date] | [date, "observed"] => {
            let (month, day) = date.split_once('-').ok_or_else(wrong)?;
            let (month, day) = (month.parse().ok(), day.parse().ok());
            match (month, day) {
                (Some(month @ 1..=12), Some(day @ 1..=31)) => Ok(Holiday::Date {
                    month,
                    day,
                    observed: words.len() == 2,
                }),
                _ => Err(wrong()),
            }
        }
        [month, weekday, nth] => {
            let month: Month = month.parse().map_err(|_| wrong())?;
            let weekday: Weekday = weekday.parse().map_err(|_| wrong())?;
            let nth = match *nth {
                "last" => 0,
                nth => nth
                    .parse()
                    .ok()
                    .filter(|nth| (1..=5).contains(nth))
                    .ok_or_else(wrong)?,
            };
            Ok(Holiday::Weekday {
                month: month.number_from_month() as u8,
                weekday: weekday.num_days_from_monday() as u8,
                nth,
            })
        }
        _ => Err(wrong()),
    }
}
