//! Where a telephone number may be, and what the clock shows there.
//!
//! A number tells less than people think: an area code may lie in two time zones, a mobile number of
//! most countries anywhere in them, and a toll-free number anywhere at all. So a number gives every
//! place where it may be, and quiet hours hold in each. Whoever knows better says so
//! ([`known`]).

mod clock;
mod numbers;

use chrono_tz::Tz;
use consentry_model::{Place, Timestamp};
use thiserror::Error;

/// A name that is no time zone.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a time zone of the IANA database, like \"America/New_York\"")]
pub struct BadZone(String);

/// Every place where a number (E.164) may be at a moment. Without a number, or with one of a plan
/// that is not known, those of the country (ISO 3166-1 alpha-2); without that none.
pub fn of(number: Option<&str>, country: Option<&str>, at: Timestamp) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (country, region, zone) in numbers::possible(number, country) {
        let place = clock::read(country, region, zone, at);
        // Two zones whose clocks show the same for now are one place.
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The country (ISO 3166-1 alpha-2) of a number (E.164) of the North American plan, where its area code
/// tells it.
pub fn country(number: &str) -> Option<&'static str> {
    numbers::country(number)
}

/// The place of a contact whose time zone is known.
pub fn known(
    country: Option<&str>,
    region: Option<&str>,
    zone: &str,
    at: Timestamp,
) -> Result<Place, BadZone> {
    let tz: Tz = zone.parse().map_err(|_| BadZone(zone.to_owned()))?;
    Ok(clock::read(country.unwrap_or_default(), region, tz, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(number: &str) -> Vec<i32> {
        let winter: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let mut offsets: Vec<i32> = of(Some(number), None, winter)
            .iter()
            .map(|place| place.offset / 60)
            .collect();
        offsets.sort_unstable();
        offsets.dedup();
        offsets
    }

    #[test]
    fn an_area_code_is_where_it_lies_and_in_all_its_zones() {
        assert_eq!(offsets("+12125550100"), [-5]);
        assert_eq!(offsets("+18505550100"), [-6, -5]);
        assert_eq!(offsets("+18085550100"), [-10]);
        let at = "2026-01-15T12:00:00Z".parse().unwrap();
        let french = of(Some("+33612345678"), Some("FR"), at);
        assert_eq!((french.len(), french[0].offset), (1, 60));
    }

    #[test]
    fn a_number_that_tells_nothing_may_be_anywhere_in_its_plan() {
        let toll_free = offsets("+18335550100");
        assert!(
            toll_free.contains(&-10) && toll_free.contains(&-5),
            "{toll_free:?}"
        );
        assert_eq!(of(None, None, "2026-01-15T12:00:00Z".parse().unwrap()), []);
    }

    #[test]
    fn the_state_comes_with_the_area_code() {
        let places = of(
            Some("+13055550100"),
            None,
            "2026-01-15T12:00:00Z".parse().unwrap(),
        );
        assert_eq!(places.len(), 1);
        assert_eq!(places[0].country, "US");
        assert_eq!(places[0].region.as_deref(), Some("US-FL"));
    }

    #[test]
    fn every_zone_in_the_data_is_known() {
        numbers::check().unwrap();
    }
}
