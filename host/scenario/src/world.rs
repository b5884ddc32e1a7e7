//! A clock, the people who write, and what a gateway would do with each step.

use std::collections::BTreeMap;

use consentry_model::{EventId, Timestamp};
use serde_json::{Value, json};
use thiserror::Error;

use crate::answers;
use crate::inbound::Heard;
use crate::outbound::Asked;
use crate::person::Person;
use crate::read::{check_short, country, duration, number};
use crate::step::{Settings, Step};

/// The number of somebody of whom nothing is said.
const SOMEBODY: &str = "+14155550123";

/// A step that cannot be taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field}: {what}")]
pub struct StepError {
    field: String,
    what: String,
}

impl StepError {
    pub(crate) fn new(field: &str, what: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            what: what.into(),
        }
    }
}

/// What comes of beginning a step.
#[derive(Debug)]
pub enum Begun {
    /// It is done, and this is the answer.
    Done(Value),
    /// A policy must say what a message means.
    Classify(Box<Heard>),
    /// A policy must say whether a message may go.
    Decide(Box<Asked>),
}

/// Everybody, and what is on record of them.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Timestamp,
    settings: Settings,
    pub(crate) people: BTreeMap<String, Person>,
    events: u64,
    decisions: u64,
}

impl World {
    /// A world in which nothing has been said, at a moment.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            settings: Settings::default(),
            people: BTreeMap::new(),
            events: 0,
            decisions: 0,
        }
    }

    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Begins a step. Nothing has changed when this is an error.
    pub fn begin(&mut self, step: &Step) -> Result<Begun, StepError> {
        let happens = [
            step.inbound.is_some(),
            step.preflight.is_some(),
            step.report.is_some(),
            step.consent.is_some(),
            step.contact.is_some(),
            step.wait.is_some(),
            step.at.is_some(),
        ];
        if happens.into_iter().filter(|happens| *happens).count() != 1 {
            let what = "exactly one of inbound, preflight, report, consent, contact, wait and at";
            return Err(StepError::new("(step)", what));
        }
        if let Some(saying) = &step.inbound {
            return self.hear(saying);
        }
        if let Some(asking) = &step.preflight {
            return self.ask(asking);
        }
        let done = if let Some(reporting) = &step.report {
            self.report(reporting)?
        } else if let Some(question) = &step.consent {
            self.consent(question)?
        } else if let Some(settings) = &step.contact {
            self.become_known(settings)?
        } else {
            self.pass(step)?
        };
        Ok(Begun::Done(done))
    }

    /// What is on record of a person, oldest first.
    pub fn history(&self, address: &str) -> Value {
        let events = self.people.get(address).map(|person| person.events.iter());
        events.into_iter().flatten().map(answers::event).collect()
    }

    /// Until when a free-form message may go by WhatsApp, as far as the contact's last message says: the
    /// moments of that and of the last chat from an advertisement.
    pub fn last_inbound(&self, address: &str) -> Value {
        let contact = self.people.get(address).map(|person| &person.contact);
        json!({
            "inbound": contact.map(|contact| &contact.last_inbound),
            "adEntry": contact.map(|contact| &contact.last_ad_entry),
        })
    }

    fn pass(&mut self, step: &Step) -> Result<Value, StepError> {
        let to = match (&step.wait, step.at) {
            (Some(wait), _) => {
                let passed = self.now.millis().saturating_add(duration("wait", wait)?);
                let wrong = || StepError::new("wait", "that is beyond the year 9999");
                Timestamp::from_millis(passed).ok_or_else(wrong)?
            }
            (None, at) => at.unwrap_or(self.now),
        };
        self.now = to;
        Ok(json!({ "at": to }))
    }

    fn become_known(&mut self, settings: &Settings) -> Result<Value, StepError> {
        let phone_number = settings.phone_number.as_deref();
        let phone_number = phone_number
            .map(|text| number("contact.phoneNumber", text))
            .transpose()?;
        check_short("contact.language", settings.language.as_deref())?;
        check_short("contact.region", settings.region.as_deref())?;
        if let Some(zone) = settings.time_zone.as_deref() {
            let known = consentry_places::known(None, None, zone, self.now);
            known.map_err(|error| StepError::new("contact.timeZone", error.to_string()))?;
        }
        self.settings = Settings {
            country: country("contact.country", settings.country.as_deref())?,
            phone_number,
            ..settings.clone()
        };
        Ok(json!({ "phoneNumber": self.address() }))
    }

    /// The number of the contact.
    pub fn address(&self) -> &str {
        self.settings.phone_number.as_deref().unwrap_or(SOMEBODY)
    }

    pub(crate) fn addressed(&self, field: &str, named: Option<&str>) -> Result<String, StepError> {
        named.map_or(Ok(self.address().to_owned()), |text| number(field, text))
    }

    /// What is known of the contact, when that is the one.
    pub(crate) fn known_of(&self, address: &str) -> Option<&Settings> {
        Some(&self.settings).filter(|_| address == self.address())
    }

    pub(crate) fn country_of(&self, address: &str, named: Option<String>) -> Option<String> {
        let known = || self.known_of(address)?.country.clone();
        let by_number = || consentry_places::country(address).map(str::to_owned);
        named.or_else(known).or_else(by_number)
    }

    pub(crate) fn next_event(&mut self) -> EventId {
        self.events += 1;
        EventId(format!("event-{:06}", self.events))
    }

    pub(crate) fn next_decision(&mut self) -> String {
        self.decisions += 1;
        format!("decision-{:06}", self.decisions)
    }
}
