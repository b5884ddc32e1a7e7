//! Days, and the clock of a place.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use crate::rules::Holiday;
use crate::types::{Place, Timestamp};

/// The minutes of a day.
pub(super) const MINUTES: i64 = 24 * 60;
const MINUTE: i64 = 60 * 1000;

/// What the clock and the calendar of a place show.
pub(super) struct Local<'p> {
    place: &'p Place,
    /// The day, counted from 1970-01-01.
    pub(super) day: i64,
    /// Milliseconds since midnight.
    time: i64,
}

impl<'p> Local<'p> {
    pub(super) fn of(place: &'p Place, at: Timestamp) -> Self {
        let offset = match place.change {
            Some((change, later)) if at >= change => later,
            _ => place.offset,
        };
        let local = at.saturating_add(i64::from(offset) * MINUTE);
        Self {
            place,
            day: local.div_euclid(MINUTES * MINUTE),
            time: local.rem_euclid(MINUTES * MINUTE),
        }
    }

    /// The minute of the day.
    pub(super) fn minute(&self) -> i64 {
        self.time / MINUTE
    }

    /// The moment at which the clock shows a later minute of the day. Where it is put forward over
    /// that minute, the moment at which it is.
    pub(super) fn at_minute(&self, minute: i64) -> Timestamp {
        let local = (self.day * MINUTES + minute) * MINUTE;
        let by = |offset: i32| local - i64::from(offset) * MINUTE;
        match self.place.change {
            None => by(self.place.offset),
            Some((change, later)) => {
                let before = by(self.place.offset);
                if before < change {
                    before
                } else {
                    by(later).max(change)
                }
            }
        }
    }
}

/// 0 is Monday.
pub(super) fn weekday(day: i64) -> u8 {
    // 1970-01-01 was a Thursday.
    (day + 3).rem_euclid(7) as u8
}

/// Whether a day, counted from 1970-01-01, is one of some holidays.
pub(super) fn is_one_of(holidays: &[Holiday], day: i64) -> bool {
    let date = u64::try_from(day).ok();
    let Some(date) = date.and_then(|day| NaiveDate::default().checked_add_days(Days::new(day)))
    else {
        return false;
    };
    holidays.iter().any(|holiday| is(*holiday, date))
}

fn is(holiday: Holiday, date: NaiveDate) -> bool {
    match holiday {
        Holiday::Date {
            month,
            day,
            observed,
        } => {
            let is_it = |date: Option<NaiveDate>| {
                date.is_some_and(|date| (date.month(), date.day()) == (month.into(), day.into()))
            };
            let moved_to = match date.weekday() {
                Weekday::Fri => date.succ_opt(),
                Weekday::Mon => date.pred_opt(),
                _ => None,
            };
            is_it(Some(date)) || (observed && is_it(moved_to))
        }
        Holiday::Weekday {
            month,
            weekday,
            nth,
        } => {
            let week = (date.day() - 1) / 7 + 1;
            let is_last = date
                .checked_add_days(Days::new(7))
                .is_none_or(|next| next.month() != date.month());
            let is_nth = if nth == 0 {
                is_last
            } else {
                week == u32::from(nth)
            };
            date.month() == u32::from(month)
                && date.weekday().num_days_from_monday() == u32::from(weekday)
                && is_nth
        }
        Holiday::Easter { days } => {
            easter(date.year()).is_some_and(|easter| (date - easter).num_days() == i64::from(days))
        }
    }
}

/// Easter Sunday of the Gregorian calendar: the Sunday after the first full moon of spring, as the
/// church counts it.
fn easter(year: i32) -> Option<NaiveDate> {
    let moon = year % 19;
    let century = year / 100;
    let epact = (century - century / 4 - (8 * century + 13) / 25 + 19 * moon + 15) % 30;
    let full = epact - (epact / 28) * (1 - (29 / (epact + 1)) * ((21 - moon) / 11));
    let weekday = (year + year / 4 + full + 2 - century + century / 4) % 7;
    let day = full - weekday;
    let march = NaiveDate::from_ymd_opt(year, 3, 1)?;
    let month = march.checked_add_months(Months::new(u32::from(day + 28 > 31)))?;
    let of_month = day + 28 - if day + 28 > 31 { 31 } else { 0 };
    month.with_day(u32::try_from(of_month).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: i32, month: u32, day: u32) -> i64 {
        let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        (date - NaiveDate::default()).num_days()
    }

    #[test]
    fn easter_is_where_the_church_has_it() {
        for (year, month, of_month) in [
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2027, 3, 28),
            (2038, 4, 25),
            (2285, 3, 22),
        ] {
            assert_eq!(easter(year), NaiveDate::from_ymd_opt(year, month, of_month));
        }
    }

    #[test]
    fn holidays_are_found_by_date_by_weekday_and_by_easter() {
        let independence = Holiday::Date {
            month: 7,
            day: 4,
            observed: true,
        };
        // 4 July 2026 is a Saturday, 4 July 2027 a Sunday.
        for (date, is_free) in [
            (day(2026, 7, 3), true),
            (day(2026, 7, 4), true),
            (day(2026, 7, 6), false),
            (day(2027, 7, 5), true),
            (day(2027, 7, 2), false),
        ] {
            assert_eq!(is_one_of(&[independence], date), is_free, "{date}");
        }
        let thanksgiving = Holiday::Weekday {
            month: 11,
            weekday: 3,
            nth: 4,
        };
        let memorial = Holiday::Weekday {
            month: 5,
            weekday: 0,
            nth: 0,
        };
        assert!(is_one_of(&[thanksgiving], day(2026, 11, 26)));
        assert!(!is_one_of(&[thanksgiving], day(2026, 11, 19)));
        assert!(is_one_of(&[memorial], day(2026, 5, 25)));
        assert!(is_one_of(&[Holiday::Easter { days: 1 }], day(2026, 4, 6)));
    }

    #[test]
    fn a_minute_that_the_clock_skips_is_the_moment_of_the_change() {
        // New York, 8 March 2026: at 07:00 UTC two o'clock becomes three.
        let change = day(2026, 3, 8) * MINUTES * MINUTE + 7 * 60 * MINUTE;
        let place = Place {
            country: "US".into(),
            region: None,
            offset: -300,
            change: Some((change, -240)),
        };
        let local = Local::of(&place, change - 90 * MINUTE);
        assert_eq!(local.minute(), 30);
        assert_eq!(local.at_minute(90), change - 30 * MINUTE);
        assert_eq!(local.at_minute(150), change);
        assert_eq!(local.at_minute(8 * 60), change + 5 * 60 * MINUTE);
    }
}
