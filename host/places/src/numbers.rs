//! Which zones a number may be in, from the plans in `data/`.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono_tz::Tz;
use serde::Deserialize;

/// A country, a part of it, and a zone.
type Possible = (&'static str, Option<&'static str>, Tz);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nanp {
    area: Vec<Area>,
}

/// Area codes of the North American plan: of a state (ISO 3166-2), or of a country of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    region: String,
    zones: Vec<Tz>,
    codes: Vec<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Countries {
    country: Vec<Country>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Country {
    code: String,
    /// The country's calling code, where numbers tell more than the country.
    calling: Option<String>,
    zones: Vec<Tz>,
    #[serde(default)]
    prefix: Vec<Prefix>,
}

/// The numbers that begin with some digits after the calling code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prefix {
    digits: Vec<String>,
    zones: Vec<Tz>,
}

struct Plans {
    areas: HashMap<u16, &'static Area>,
    countries: HashMap<&'static str, &'static Country>,
}

static PLANS: LazyLock<Result<Plans, toml::de::Error>> = LazyLock::new(|| {
    let nanp: Nanp = toml::from_str(include_str!("../data/nanp.toml"))?;
    let countries: Countries = toml::from_str(include_str!("../data/countries.toml"))?;
    // They are kept as long as the program runs.
    let areas: &[Area] = Vec::leak(nanp.area);
    let countries: &[Country] = Vec::leak(countries.country);
    let codes = |area: &'static Area| area.codes.iter().map(move |code| (*code, area));
    Ok(Plans {
        areas: areas.iter().flat_map(codes).collect(),
        countries: countries
            .iter()
            .map(|country| (country.code.as_str(), country))
            .collect(),
    })
});

/// Whether the data can be read.
#[cfg(test)]
pub(crate) fn check() -> Result<(), String> {
    PLANS.as_ref().map(drop).map_err(ToString::to_string)
}

pub(crate) fn possible(number: Option<&str>, country: Option<&str>) -> Vec<Possible> {
    let Ok(plans) = PLANS.as_ref() else {
        return Vec::new();
    };
    match number.and_then(|number| number.strip_prefix("+1")) {
        Some(national) => plans.north_american(national),
        None => plans.of_country(number, country),
    }
}

/// The country of a number whose area code is known.
pub(crate) fn country(number: &str) -> Option<&'static str> {
    let plans = PLANS.as_ref().ok()?;
    let area = plans.area(number.strip_prefix("+1")?)?;
    area.region.get(..2)
}

impl Plans {
    fn area(&self, national: &str) -> Option<&'static Area> {
        let code: u16 = national.get(..3)?.parse().ok()?;
        self.areas.get(&code).copied()
    }

    fn north_american(&self, national: &str) -> Vec<Possible> {
        match self.area(national) {
            Some(area) => {
                let country = area.region.get(..2).unwrap_or_default();
                let region = (area.region.len() > 2).then_some(area.region.as_str());
                let zones = area.zones.iter();
                zones.map(|zone| (country, region, *zone)).collect()
            }
            // Toll-free numbers and the like serve both countries.
            None => ["US", "CA"]
                .into_iter()
                .flat_map(|country| self.of_country(None, Some(country)))
                .collect(),
        }
    }

    fn of_country(&self, number: Option<&str>, country: Option<&str>) -> Vec<Possible> {
        let Some(country) = country.and_then(|code| self.countries.get(code)) else {
            return Vec::new();
        };
        let national = number
            .zip(country.calling.as_deref())
            .and_then(|(number, calling)| number.strip_prefix('+')?.strip_prefix(calling));
        let finer = national.and_then(|national| {
            let begins = |prefix: &&Prefix| {
                let mut digits = prefix.digits.iter();
                digits.any(|digits| national.starts_with(digits.as_str()))
            };
            let longest = |prefix: &&Prefix| {
                let fitting = prefix.digits.iter();
                let fitting = fitting.filter(|digits| national.starts_with(digits.as_str()));
                fitting.map(String::len).max()
            };
            country.prefix.iter().filter(begins).max_by_key(longest)
        });
        let zones = finer.map_or(&country.zones, |prefix| &prefix.zones);
        let place = |zone: &Tz| (country.code.as_str(), None, *zone);
        zones.iter().map(place).collect()
    }
}
