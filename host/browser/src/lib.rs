//! The host for browsers and for Node: what a gateway does with a message, around the same policy
//! component. JavaScript (`js/`) instantiates the component; what surrounds it is here.

mod component;
mod wit;

use consentry_model::{Contact, Timestamp, check};
use consentry_scenario::{Begun, Given, Scenario, Step, World, differences};
use serde::Serialize;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

pub use component::Component;

/// A world, and the step in it that waits for a policy's answer.
#[wasm_bindgen]
pub struct Simulation {
    world: World,
    waiting: Option<Begun>,
}

#[wasm_bindgen]
impl Simulation {
    /// A world in which nothing has been said, at a moment (RFC 3339).
    #[wasm_bindgen(constructor)]
    pub fn new(at: &str) -> Result<Self, JsError> {
        let at: Timestamp = at.parse()?;
        Ok(Self {
            world: World::new(at),
            waiting: None,
        })
    }

    /// Begins a step. The answer has `done`, or `ask` and the `message` to ask the policy about.
    pub fn begin(&mut self, step: &str) -> Result<JsValue, JsError> {
        let step: Step = serde_json::from_str(step)?;
        let begun = self.world.begin(&step)?;
        let asks = match &begun {
            Begun::Done(answer) => to_js(&json!({ "done": answer })),
            Begun::Classify(heard) => wit::question("classify", &wit::inbound(&heard.message)),
            Begun::Decide(asked) => wit::question("preflight", &wit::outbound(&asked.message)),
        };
        self.waiting = Some(begun);
        asks
    }

    /// Takes in the policy's answer, and gives that of the gateway.
    pub fn finish(&mut self, answer: JsValue) -> Result<JsValue, JsError> {
        self.end(Ok(answer))
    }

    /// Takes in that the policy gave no answer, and why.
    pub fn fail(&mut self, why: String) -> Result<JsValue, JsError> {
        self.end(Err(why))
    }

    fn end(&mut self, said: Result<JsValue, String>) -> Result<JsValue, JsError> {
        let answer = match self.waiting.take() {
            Some(Begun::Classify(heard)) => {
                let said = said.and_then(|answer| wit::classification(answer, &heard.message));
                let said = said.and_then(check::classification);
                let given = Given::classification(&heard.message, said);
                self.world.understood(*heard, given)
            }
            Some(Begun::Decide(asked)) => {
                let said = said.and_then(wit::decision).and_then(check::decision);
                let given = Given::decision(&asked.contact, &asked.message, said);
                self.world.decided(*asked, given)
            }
            _ => return Err(JsError::new("no step waits for an answer")),
        };
        to_js(&answer)
    }

    /// What the clock shows.
    pub fn now(&self) -> String {
        self.world.now().to_string()
    }

    /// The number of the contact.
    pub fn address(&self) -> String {
        self.world.address().to_owned()
    }

    /// The rows of somebody's consent.
    pub fn rows(&self, address: &str) -> Result<JsValue, JsError> {
        to_js(&self.world.rows(address))
    }

    /// What is on record of somebody.
    pub fn history(&self, address: &str) -> Result<JsValue, JsError> {
        to_js(&self.world.history(address))
    }

    /// When somebody last wrote, and last came from an advertisement, by channel.
    #[wasm_bindgen(js_name = lastInbound)]
    pub fn last_inbound(&self, address: &str) -> Result<JsValue, JsError> {
        to_js(&self.world.last_inbound(address))
    }

    /// Answers the policy's `consent-lookup` about the one contact that the step is about.
    pub fn lookup(&self, name: &str, arguments: JsValue) -> Result<JsValue, JsError> {
        let nobody = Contact::default();
        let contact = match &self.waiting {
            Some(Begun::Classify(heard)) => &heard.contact,
            Some(Begun::Decide(asked)) => &asked.contact,
            _ => &nobody,
        };
        wit::lookup(contact, name, arguments)
    }
}

/// Reads a scenario, and gives all of it.
#[wasm_bindgen(js_name = readScenario)]
pub fn read_scenario(text: &str) -> Result<JsValue, JsError> {
    Scenario::read(text)?;
    let whole: Value = serde_json::from_str(text)?;
    to_js(&whole)
}

/// What of an answer is not as a step expects it.
#[wasm_bindgen(js_name = differences)]
pub fn js_differences(expected: &str, answer: JsValue) -> Result<JsValue, JsError> {
    let expected = serde_json::from_str(expected)?;
    let answer: Value = serde_wasm_bindgen::from_value(answer)?;
    to_js(&differences(&expected, &answer))
}

/// What a policy says of itself, as much as is shown of it.
#[wasm_bindgen(js_name = shortened)]
pub fn shortened(name: &str) -> String {
    check::short(name)
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    let plain = serde_wasm_bindgen::Serializer::json_compatible();
    Ok(value.serialize(&plain)?)
}
