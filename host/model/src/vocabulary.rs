//! Channels, categories and statuses.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;
use thiserror::Error;

/// A way to reach a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Text messages over the telephone network (SMS and MMS).
    Sms,
    /// WhatsApp.
    Whatsapp,
    /// Telephone calls.
    Voice,
    /// Electronic mail.
    Email,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Sms, Self::Whatsapp, Self::Voice, Self::Email];

    /// The name in URLs, JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Voice => "voice",
            Self::Email => "email",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no channel.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a channel; use sms, whatsapp, voice or email")]
pub struct BadChannel(String);

impl FromStr for Channel {
    type Err = BadChannel;

    /// Case does not count.
    fn from_str(text: &str) -> Result<Self, BadChannel> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| BadChannel(text.to_owned()))
    }
}

/// A kind of messages, such as `marketing` or `billing`. Case does not count: it is kept in lower
/// case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Category(SmolStr);

impl Category {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Advertising: what platforms mean when a person stops "marketing messages".
    pub fn marketing() -> Self {
        Self::known("marketing")
    }

    /// A name that is known to be one.
    pub(crate) fn known(name: &'static str) -> Self {
        Self(SmolStr::new_static(name))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that is no category.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a category; use 1 to {max} letters, digits, '-', '_' or '.'",
    max = Category::MAX_LENGTH
)]
pub struct BadCategory(String);

impl FromStr for Category {
    type Err = BadCategory;

    fn from_str(text: &str) -> Result<Self, BadCategory> {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(Self(SmolStr::new(text)));
        }
        let fits = (1..=Self::MAX_LENGTH).contains(&text.chars().count());
        if fits
            && text
                .chars()
                .all(|char| char.is_alphanumeric() || "-_.".contains(char))
        {
            Ok(Self(SmolStr::new(text.to_lowercase())))
        } else {
            Err(BadCategory(text.chars().take(Self::MAX_LENGTH).collect()))
        }
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(D::Error::custom)
    }
}

/// What a contact has consented to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ConsentStatus {
    /// Agreed, and not withdrawn.
    OptIn,
    /// Withdrawn, or objected.
    OptOut,
    /// Nothing is known.
    None,
}

impl ConsentStatus {
    /// The name in URLs, JSON and SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OptIn => "OPTIN",
            Self::OptOut => "OPTOUT",
            Self::None => "NONE",
        }
    }
}

impl fmt::Display for ConsentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no status somebody could ask for.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is not a status; use OPTIN or OPTOUT")]
pub struct BadStatus(String);

impl FromStr for ConsentStatus {
    type Err = BadStatus;

    /// Case does not count. `NONE` cannot be asked for: what was said stays said.
    fn from_str(text: &str) -> Result<Self, BadStatus> {
        [Self::OptIn, Self::OptOut]
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| BadStatus(text.to_owned()))
    }
}
