//! `consentry policy test`: scenarios, as the simulator saves them, played against a policy.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use consentry_host::{Answer, DecidedBy, Policy};
use consentry_scenario::{Begun, Given, Scenario, Step, StepError, World, differences};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::output;
use crate::gateway::decided_by;

/// Not every scenario came out as it must.
#[derive(Debug, Error)]
#[error("{failed} of {count} scenarios failed")]
pub(super) struct Failed {
    failed: usize,
    count: usize,
}

/// How a scenario came out.
#[derive(Serialize)]
struct Outcome {
    file: PathBuf,
    name: Option<String>,
    steps: usize,
    passed: bool,
    wrong: Vec<Wrong>,
}

/// What is wrong with the answer to a step, from 1.
#[derive(Serialize)]
struct Wrong {
    step: usize,
    what: String,
}

pub(super) fn run(policy: &Policy, files: &[PathBuf], as_json: bool) -> anyhow::Result<()> {
    // Nothing is played before everything can be read.
    let scenarios = files.iter().map(|file| read(file));
    let scenarios: Vec<Scenario> = scenarios.collect::<anyhow::Result<_>>()?;
    let outcomes: Vec<Outcome> = files
        .iter()
        .zip(&scenarios)
        .map(|(file, scenario)| play(policy, file, scenario))
        .collect();
    if as_json {
        output::json(&outcomes)?;
    } else {
        for outcome in &outcomes {
            output::text(&told(outcome))?;
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    let count = outcomes.len();
    anyhow::ensure!(failed == 0, Failed { failed, count });
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Scenario> {
    let named = || format!("the scenario {}", file.display());
    let text = fs::read_to_string(file).with_context(named)?;
    Scenario::read(&text).with_context(named)
}

fn told(outcome: &Outcome) -> String {
    let name = outcome.name.as_deref().unwrap_or_default();
    let verdict = if outcome.passed { "ok    " } else { "FAILED" };
    let mut text = format!("{verdict} {} {name}", outcome.file.display());
    for wrong in &outcome.wrong {
        text.push_str(&format!("\n       step {}: {}", wrong.step, wrong.what));
    }
    text
}

fn play(policy: &Policy, file: &Path, scenario: &Scenario) -> Outcome {
    let mut world = World::new(scenario.at);
    let mut wrong = Vec::new();
    if let Err(error) = take(policy, &mut world, &scenario.first()) {
        wrong.push(Wrong {
            step: 0,
            what: error.to_string(),
        });
    }
    for (index, step) in scenario.steps.iter().enumerate() {
        let found = match take(policy, &mut world, step) {
            Ok(answer) => {
                let expected = step.expect.as_ref();
                expected.map_or(Vec::new(), |expected| differences(expected, &answer))
            }
            Err(error) => vec![error.to_string()],
        };
        let step = index + 1;
        wrong.extend(found.into_iter().map(|what| Wrong { step, what }));
    }
    Outcome {
        file: file.to_owned(),
        name: scenario.name.clone(),
        steps: scenario.steps.len(),
        passed: wrong.is_empty(),
        wrong,
    }
}

fn take(policy: &Policy, world: &mut World, step: &Step) -> Result<Value, StepError> {
    Ok(match world.begin(step)? {
        Begun::Done(answer) => answer,
        Begun::Classify(heard) => {
            let answer = policy.classify(&heard.message, &Arc::new(heard.contact.clone()));
            world.understood(*heard, given(answer))
        }
        Begun::Decide(asked) => {
            let answer = policy.preflight(&asked.message, &Arc::new(asked.contact.clone()));
            world.decided(*asked, given(answer))
        }
    })
}

fn given<T>(answer: Answer<T>) -> Given<T> {
    let decided_by = decided_by(&answer.decided_by);
    let fault = match answer.decided_by {
        DecidedBy::Fault(fault) => Some(fault.to_string()),
        DecidedBy::Policy | DecidedBy::Floor => None,
    };
    Given {
        value: answer.value,
        decided_by,
        fault,
    }
}
