//! Addresses of contacts: telephone numbers, e-mail addresses, WhatsApp user ids.

use std::fmt;
use std::str::FromStr;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use thiserror::Error;

/// An address in the one form in which it is stored and compared: a telephone number in E.164, an
/// e-mail address in lower case, or a WhatsApp business-scoped user id as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

/// A text that is no address.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BadAddress {
    /// It has no country code, and no country is known.
    #[error("write the telephone number with its country code, like +14155550123")]
    NoCountry,
    /// It is no telephone number.
    #[error("this is no telephone number: {0}")]
    Phone(String),
    /// It is no address of any kind.
    #[error(
        "this is neither a telephone number like +14155550123, nor an e-mail address, nor a \
         WhatsApp user id like US.13491208655302741918"
    )]
    Unknown,
}

/// Stands in the place of an address that was erased.
pub(crate) const ERASED: &str = "erased";

/// No address is longer, in bytes.
const MAX_LENGTH: usize = 254;

/// The countries of ISO 3166-1 that have no telephone numbers of their own.
const WITHOUT_NUMBERS: [&str; 7] = ["AQ", "BV", "GS", "HM", "PN", "TF", "UM"];

/// Whether two capital letters are a country of ISO 3166-1. Reading them as a [`Region`] does not
/// say so: every two letters are one.
pub(crate) fn is_country(code: &str) -> bool {
    let mut with_numbers = PHONE_NUMBER_UTIL.get_supported_regions();
    with_numbers.any(|region| *region.as_region_str() == *code) || WITHOUT_NUMBERS.contains(&code)
}

impl Address {
    /// Reads an address. A telephone number without `+` and country code is read as one of
    /// `country` (ISO 3166-1 alpha-2).
    ///
    /// A number is taken when its length is possible in its country: a stop from a number that the
    /// tables do not know yet must not be lost.
    pub fn parse(text: &str, country: Option<&str>) -> Result<Self, BadAddress> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(BadAddress::Unknown);
        }
        if text.contains('@') {
            return email(text);
        }
        if is_whatsapp_user(text) {
            return Ok(Self(text.to_owned()));
        }
        if text.chars().any(char::is_alphabetic) {
            return Err(BadAddress::Unknown);
        }
        phone(text, country)
    }

    /// What stands in the place of an address that was erased.
    pub(crate) fn erased() -> Self {
        Self(ERASED.to_owned())
    }

    /// The address, when it is a telephone number (E.164).
    pub fn phone_number(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| text.starts_with('+'))
    }

    /// Whether it is a telephone number that the numbering plan of its country has.
    pub(crate) fn is_valid_number(&self) -> bool {
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None);
        number.is_ok_and(|number| PHONE_NUMBER_UTIL.is_valid_number(&number))
    }

    /// The country of a telephone number, ISO 3166-1 alpha-2, where it has one.
    pub fn country(&self) -> Option<String> {
        if !self.0.starts_with('+') {
            return None;
        }
        if let Some(country) = consentry_places::country(&self.0) {
            return Some(country.to_owned());
        }
        let number = PHONE_NUMBER_UTIL.parse(&self.0, None).ok()?;
        let region: Region = PHONE_NUMBER_UTIL.get_region_for_number(&number)?;
        Some(region.to_string())
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        Self::parse(text, None)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn email(text: &str) -> Result<Address, BadAddress> {
    let fits = text.rsplit_once('@').is_some_and(|(local, domain)| {
        let plain = |char: char| !char.is_whitespace() && !char.is_control();
        !local.is_empty() && domain.contains('.') && text.chars().all(plain)
    });
    if fits {
        Ok(Address(text.to_lowercase()))
    } else {
        Err(BadAddress::Unknown)
    }
}

/// Two capital letters, a dot, then up to 128 letters and digits; a parent id has `ENT.` between.
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids>
fn is_whatsapp_user(text: &str) -> bool {
    let Some((country, id)) = text.split_once('.') else {
        return false;
    };
    let id = id.strip_prefix("ENT.").unwrap_or(id);
    country.len() == 2
        && country.chars().all(|char| char.is_ascii_uppercase())
        && (1..=128).contains(&id.len())
        && id.chars().all(|char| char.is_ascii_alphanumeric())
}

/// Whether a text is a number of the North American plan in E.164: all have one length, so that there is
/// nothing to look up.
fn is_north_american(text: &str) -> bool {
    text.strip_prefix("+1").is_some_and(|national| {
        national.len() == 10
            && national.starts_with(|first| ('2'..='9').contains(&first))
            && national.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn phone(text: &str, country: Option<&str>) -> Result<Address, BadAddress> {
    if is_north_american(text) {
        return Ok(Address(text.to_owned()));
    }
    let country = country.and_then(|code| code.to_ascii_uppercase().parse::<Region>().ok());
    if country.is_none() && !text.starts_with(['+', '\u{ff0b}']) {
        return Err(BadAddress::NoCountry);
    }
    let number = PHONE_NUMBER_UTIL
        .parse(text, country)
        .map_err(|error| BadAddress::Phone(error.to_string()))?;
    if !PHONE_NUMBER_UTIL.is_possible_number(&number) {
        return Err(BadAddress::Phone(
            "no number of its country has this length".to_owned(),
        ));
    }
    Ok(Address(
        PHONE_NUMBER_UTIL
            .format(&number, PhoneNumberFormat::E164)
            .into_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, BadAddress> {
        Address::parse(text, None).map(|address| address.to_string())
    }

    #[test]
    fn numbers_become_e164_however_they_are_written() {
        for text in ["+14155550123", "+1 (415) 555-0123", " +1.415.555.0123 "] {
            assert_eq!(parse(text).unwrap(), "+14155550123", "{text}");
        }
        let national = Address::parse("(415) 555-0123", Some("us")).unwrap();
        assert_eq!(national.to_string(), "+14155550123");
        assert_eq!(national.country().as_deref(), Some("US"));
    }

    #[test]
    fn a_number_without_country_code_is_not_guessed() {
        // Read as +41 55..., this would be somebody in Switzerland.
        assert_eq!(parse("4155550123"), Err(BadAddress::NoCountry));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "+",
            "+1",
            "hello",
            "+1415555012345678",
            "a@b",
            "@",
            "US.",
            "+14x5",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn emails_and_whatsapp_users_are_addresses_too() {
        assert_eq!(parse("Ann@Example.org").unwrap(), "ann@example.org");
        assert_eq!(
            parse("US.13491208655302741918").unwrap(),
            "US.13491208655302741918"
        );
        assert_eq!(
            parse("US.ENT.506847293015824").unwrap(),
            "US.ENT.506847293015824"
        );
    }
}
