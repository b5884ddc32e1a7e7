//! What may be sent, when and how often.

use serde::{Deserialize, Serialize};

use super::Term;
use crate::types::{Channel, SendRoute};

/// Everything that a pre-flight decides by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sending {
    /// The categories of messages that are known.
    pub categories: Vec<Category>,
    /// WhatsApp's windows.
    pub windows: Windows,
    /// Templates that a platform does not deliver.
    pub template_pauses: Vec<TemplatePause>,
    /// When messages may be sent.
    pub quiet_hours: Vec<QuietHours>,
    /// The days on which some may not.
    pub holidays: Vec<Holidays>,
    /// How many may be sent.
    pub frequency_caps: Vec<FrequencyCap>,
    /// How long after an opt-out its one confirmation may be sent, in milliseconds.
    pub confirmation: i64,
    /// What becomes of a message that may not go.
    pub routes: Routes,
}

/// A category of messages.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Category {
    /// Its name, in lower case.
    pub name: String,
    /// The category above it, whose consent and rules hold for it too.
    pub parent: Option<String>,
    /// What a message of it needs, in the order of [`Channel::ALL`].
    pub needs: [Need; Channel::ALL.len()],
    /// How long consent is implied by a message of the contact, in milliseconds.
    pub implied_for: i64,
    /// Whether an opt-in counts only when the person has confirmed it in a message.
    pub double_opt_in: bool,
}

/// The consent that a category needs on a channel, from the least to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Only that there is no opt-out.
    None,
    /// An opt-in, or a message of the contact's not long ago.
    Implied,
    /// An opt-in.
    Express,
    /// An opt-in with a record of it, or in the person's own words.
    ExpressWritten,
}

/// WhatsApp's windows for free-form messages, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Windows {
    /// From the contact's last message.
    pub service: i64,
    /// From a chat that began with an advertisement.
    pub ad_entry: i64,
}

/// Where a rule holds: a country, or a part of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Area {
    /// ISO 3166-1 alpha-2; nothing: everywhere.
    pub country: Option<String>,
    /// ISO 3166-2; nothing: the whole country.
    pub region: Option<String>,
}

/// What a rule is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reach {
    /// Where.
    pub area: Area,
    /// The categories; those below them too.
    pub categories: Vec<String>,
    /// The channels.
    pub channels: Vec<Channel>,
}

/// A kind of template that a platform does not deliver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TemplatePause {
    /// The rule's identifier.
    pub id: String,
    /// The template's category with the platform.
    pub template: String,
    /// Where.
    pub area: Area,
    /// When it holds.
    pub term: Term,
}

/// When messages of some categories may be sent, by the clock where the contact is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuietHours {
    /// The rule's identifier.
    pub id: String,
    /// The messages that wait.
    pub reach: Reach,
    /// From Monday to Sunday, from which minute of the day up to which; nothing: all day quiet.
    pub allowed: [Option<(u16, u16)>; 7],
    /// The holidays that are quiet all day.
    pub holidays: Option<String>,
    /// When it holds.
    pub term: Term,
}

/// The holidays of a place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Holidays {
    /// The name by which quiet hours name them.
    pub id: String,
    /// The days.
    pub days: Vec<Holiday>,
}

/// A day that comes each year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holiday {
    /// A day of a month.
    Date {
        /// 1 to 12.
        month: u8,
        /// 1 to 31.
        day: u8,
        /// Whether the Friday before a Saturday, and the Monday after a Sunday, are free as well.
        observed: bool,
    },
    /// A weekday of a month: the first Monday, the last Thursday.
    Weekday {
        /// 1 to 12.
        month: u8,
        /// 0 is Monday.
        weekday: u8,
        /// 1 is the first; 0 the last.
        nth: u8,
    },
    /// So many days after Easter Sunday.
    Easter {
        /// Before it when it is negative.
        days: i16,
    },
}

/// How many messages one contact may be sent in a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrequencyCap {
    /// The rule's identifier.
    pub id: String,
    /// The messages that count together.
    pub reach: Reach,
    /// How many.
    pub count: u32,
    /// In how many milliseconds.
    pub window: i64,
    /// When it holds.
    pub term: Term,
}

/// What becomes of a message that may not go.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    /// For the reason `opted_out`.
    pub opted_out: SendRoute,
    /// For every other reason.
    pub otherwise: SendRoute,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            opted_out: SendRoute::SilentFailure,
            otherwise: SendRoute::InternalAlert,
        }
    }
}

impl Sending {
    /// A category and those above it, the nearest first. None when nobody defined it.
    pub(crate) fn line(&self, name: &str) -> Vec<&Category> {
        let mut line: Vec<&Category> = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next {
            let known = self.categories.iter().find(|known| known.name == name);
            // A rule set whose categories are above each other is refused; it must not hang here.
            let Some(category) = known.filter(|_| line.len() <= self.categories.len()) else {
                break;
            };
            line.push(category);
            next = category.parent.as_deref();
        }
        line
    }

    /// Some categories and all those below them.
    pub(crate) fn with_those_below(&self, names: &[String]) -> Vec<String> {
        let is_below = |category: &&Category| {
            let line = self.line(&category.name);
            line.iter().any(|above| names.contains(&above.name))
        };
        let below = self.categories.iter().filter(is_below);
        below.map(|category| category.name.clone()).collect()
    }
}

impl Category {
    /// What a message needs on a channel.
    pub fn needs(&self, channel: Channel) -> Need {
        let at = Channel::ALL.iter().position(|known| *known == channel);
        let need = at.and_then(|at| self.needs.get(at));
        need.copied().unwrap_or(Need::ExpressWritten)
    }
}
