//! What the clock shows in a time zone.

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use consentry_model::{ClockChange, Place, Timestamp};

/// How far ahead a change of the clock is looked for.
const AHEAD: i64 = 8 * 24 * 60 * 60 * 1000;

pub(crate) fn read(country: &str, region: Option<&str>, zone: Tz, at: Timestamp) -> Place {
    let now = at.millis();
    let offset = offset(zone, now);
    Place {
        country: country.to_owned(),
        region: region.map(str::to_owned),
        offset,
        change: next_change(zone, now, offset),
    }
}

/// How far a zone's clock is ahead of UTC, in minutes.
fn offset(zone: Tz, millis: i64) -> i32 {
    let utc = DateTime::<Utc>::from_timestamp_millis(millis).unwrap_or_default();
    let offset = zone.offset_from_utc_datetime(&utc.naive_utc());
    offset.fix().local_minus_utc() / 60
}

/// Between two moments with different offsets, the first one of the later offset.
fn next_change(zone: Tz, now: i64, before: i32) -> Option<ClockChange> {
    let (mut earlier, mut later) = (now, now.saturating_add(AHEAD));
    let after = offset(zone, later);
    if after == before {
        return None;
    }
    while later - earlier > 1 {
        let middle = earlier.midpoint(later);
        if offset(zone, middle) == before {
            earlier = middle;
        } else {
            later = middle;
        }
    }
    Some(ClockChange {
        at: Timestamp::from_millis(later)?,
        offset: offset(zone, later),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_change_of_the_clock_is_found_to_the_millisecond() {
        let place = |at: &str| read("US", None, Tz::America__New_York, at.parse().unwrap());
        let before = place("2026-03-07T12:00:00Z");
        assert_eq!(before.offset, -300);
        let change = before.change.unwrap();
        assert_eq!(change.at.to_string(), "2026-03-08T07:00:00.000Z");
        assert_eq!(change.offset, -240);
        assert_eq!(place("2026-03-08T07:00:00Z").offset, -240);
        assert_eq!(place("2026-06-01T12:00:00Z").change, None);
    }
}
