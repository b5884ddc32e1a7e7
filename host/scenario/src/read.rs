//! Reading the fields of a step, with problems that name the field.

use std::str::FromStr;

use consentry_model::Inbound;

use crate::world::StepError;

/// The longest of every text but a message's, in bytes.
const MAX_SHORT: usize = 1 << 10;

pub(crate) fn parse<T: FromStr>(field: &str, text: &str) -> Result<T, StepError>
where
    T::Err: ToString,
{
    let parsed = text.trim().parse();
    parsed.map_err(|error: T::Err| StepError::new(field, error.to_string()))
}

pub(crate) fn parse_optional<T: FromStr>(
    field: &str,
    text: Option<&str>,
) -> Result<Option<T>, StepError>
where
    T::Err: ToString,
{
    text.filter(|text| !text.trim().is_empty())
        .map(|text| parse(field, text))
        .transpose()
}

/// Refuses a message that no gateway would take.
pub(crate) fn check_text(field: &str, text: Option<&str>) -> Result<(), StepError> {
    check_length(field, text, Inbound::MAX_TEXT)
}

pub(crate) fn check_short(field: &str, text: Option<&str>) -> Result<(), StepError> {
    check_length(field, text, MAX_SHORT)
}

fn check_length(field: &str, text: Option<&str>, limit: usize) -> Result<(), StepError> {
    match text {
        Some(text) if text.len() > limit => Err(StepError::new(
            field,
            format!("it has {} bytes; at most {limit} are taken", text.len()),
        )),
        _ => Ok(()),
    }
}

/// A telephone number with country code, as E.164 writes it.
pub(crate) fn number(field: &str, text: &str) -> Result<String, StepError> {
    let kept: String = text
        .chars()
        .filter(|char| !" -().".contains(*char))
        .collect();
    let is_number = kept.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if is_number {
        Ok(kept)
    } else {
        let what = "a telephone number with country code, like +14155550123";
        Err(StepError::new(field, what))
    }
}

/// `90s`, `5m`, `24h`, `2d` in milliseconds.
pub(crate) fn duration(field: &str, text: &str) -> Result<i64, StepError> {
    let wrong = || {
        StepError::new(
            field,
            format!("{text:?} is no time such as 90s, 5m, 24h or 2d"),
        )
    };
    let (number, unit) = text
        .trim()
        .split_at_checked(text.trim().len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let unit: i64 = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(i64::from(number) * unit)
}

/// Two letters of ISO 3166-1.
pub(crate) fn country(field: &str, text: Option<&str>) -> Result<Option<String>, StepError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(Some(text.to_ascii_uppercase()));
    }
    let what = "use the two letters of ISO 3166-1, like US";
    Err(StepError::new(field, what))
}
