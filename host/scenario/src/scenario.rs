//! A scenario: a conversation in a file, with what must come of it. docs/simulator.md has its form.

use consentry_model::Timestamp;
use serde::Deserialize;
use thiserror::Error;

use crate::step::{Settings, Step};

/// The version of the form.
pub const VERSION: u64 = 1;

/// The longest conversation.
const MAX_STEPS: usize = 10_000;

/// A conversation, with what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of the form.
    #[serde(rename = "consentry")]
    _version: u64,
    /// What it shows.
    pub name: Option<String>,
    /// When it begins.
    pub at: Timestamp,
    /// Who the contact is.
    #[serde(default)]
    pub contact: Settings,
    /// What happens.
    pub steps: Vec<Step>,
}

/// Why something is no scenario.
#[derive(Debug, Error)]
pub enum BadScenario {
    /// It is no JSON.
    #[error("this is no JSON: {0}")]
    NoJson(String),
    /// Nothing says that it is one.
    #[error("this is no scenario of Consentry: it lacks \"consentry\": {VERSION}")]
    NoScenario,
    /// It has the form of another version.
    #[error(
        "this scenario has version {0} of the form, and this Consentry reads version {VERSION}; \
         open it with the Consentry that made it"
    )]
    Version(String),
    /// A part of it makes no sense.
    #[error("{path}: {what}")]
    Part {
        /// Where, such as `steps[2].inbound`.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// It is longer than anybody would read.
    #[error("it has {0} steps; at most {MAX_STEPS} are taken")]
    TooLong(usize),
}

impl Scenario {
    /// Reads a scenario.
    pub fn read(json: &str) -> Result<Self, BadScenario> {
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|error| BadScenario::NoJson(error.to_string()))?;
        match value.get("consentry") {
            None => return Err(BadScenario::NoScenario),
            Some(version) if version.as_u64() != Some(VERSION) => {
                return Err(BadScenario::Version(version.to_string()));
            }
            Some(_) => {}
        }
        let scenario: Self =
            serde_path_to_error::deserialize(value).map_err(|error| BadScenario::Part {
                path: error.path().to_string(),
                what: error.into_inner().to_string(),
            })?;
        if scenario.steps.len() > MAX_STEPS {
            return Err(BadScenario::TooLong(scenario.steps.len()));
        }
        Ok(scenario)
    }

    /// The step that tells who the contact is, before all others.
    pub fn first(&self) -> Step {
        Step {
            contact: Some(self.contact.clone()),
            ..Step::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(json: &str) -> String {
        Scenario::read(json).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_scenario_is_told_apart() {
        assert!(problem("{").starts_with("this is no JSON"));
        assert!(problem("{}").contains("lacks"));
        assert!(problem("[1]").contains("lacks"));
        assert!(problem(r#"{"consentry": 2, "whatever": 1}"#).contains("version 2"));
        let misspelt = r#"{"consentry": 1, "at": "2026-06-10T19:00:00Z",
            "steps": [{"inbound": {"channel": "sms", "text": "STOP"}}]}"#;
        assert!(
            problem(misspelt).starts_with("steps[0].inbound"),
            "{}",
            problem(misspelt)
        );
    }
}
