//! What is exported for Genesys Cloud, run as Genesys Cloud runs it, against a real gateway.

mod data_actions;
mod export;
mod files;
mod open_messaging;
mod velocity;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::support::{Gateway, consentry, ended, send};

const ACTIONS: [&str; 5] = [
    "classify-inbound",
    "get-consent",
    "pre-flight",
    "send-message",
    "update-consent",
];
const KEY: &str = "the key that the integration has";

/// Writes an export with more arguments, and gives its folder.
fn exported(url: &str, more: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let out = folder.path().to_str().unwrap();
    let arguments = ["genesys", "export", "--url", url, "--out", out];
    let output = ended(&mut consentry(&[&arguments, more].concat()));
    assert!(output.status.success(), "{output:?}");
    folder
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}

fn action(folder: &Path, name: &str) -> Value {
    serde_json::from_str(&read(folder, &format!("data-actions/{name}.json"))).unwrap()
}

/// What a data action sends.
struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// Renders the request of a data action, once its input is what the contract asks for.
fn request(action: &Value, input: &Value) -> Request {
    is_valid(&action["contract"]["input"]["inputSchema"], input);
    let value = |name: &str| match name.split_once('.') {
        Some(("input", "rawRequest")) => Some(input.to_string()),
        Some(("input", field)) => input[field].as_str().map(str::to_owned),
        Some(("credentials", "apiKey")) => Some(KEY.to_owned()),
        _ => panic!("nothing in a request is called {name}"),
    };
    let request = &action["config"]["request"];
    let render = |template: &Value| velocity::render(template.as_str().unwrap(), &value);
    let headers = request["headers"].as_object().unwrap().iter();
    Request {
        method: request["requestType"].as_str().unwrap().to_owned(),
        url: render(&request["requestUrlTemplate"]),
        headers: headers
            .map(|(name, template)| (name.clone(), render(template)))
            .collect(),
        body: render(&request["requestTemplate"]),
    }
}

/// What a data action gives for an answer: the values that its paths find, or their defaults, put into
/// the template, which must be as the contract has it.
fn response(action: &Value, answer: &str) -> Value {
    let response = &action["config"]["response"];
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let defaults = response["translationMapDefaults"].as_object().unwrap();
    let mut values: HashMap<String, String> = defaults
        .iter()
        .map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()))
        .collect();
    for (name, path) in response["translationMap"].as_object().unwrap() {
        let field = path.as_str().unwrap().strip_prefix("$.").unwrap();
        if let Some(found) = answer.get(field) {
            values.insert(name.clone(), found.to_string());
        }
    }
    let template = response["successTemplate"].as_str().unwrap();
    let text = velocity::render(template, &|name| values.get(name).cloned());
    let given: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    is_valid(&action["contract"]["output"]["successSchema"], &given);
    given
}

/// Runs a data action. A status other than 2xx is its failure path.
fn run(gateway: &Gateway, action: &Value, input: &[(&str, &str)]) -> Result<Value, u16> {
    let input: Map<String, Value> = input
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect();
    let made = request(action, &input.into());
    let client = gateway.client();
    let mut request = match made.method.as_str() {
        // What a GET has for a body is not sent.
        "GET" => client.get(&made.url),
        "POST" => client.post(&made.url).body(made.body),
        other => panic!("{other}?"),
    };
    for (name, value) in made.headers {
        request = request.header(name, value);
    }
    let answer = send(request).unwrap();
    if (200..300).contains(&answer.status) {
        Ok(response(action, &answer.text))
    } else {
        Err(answer.status)
    }
}

#[track_caller]
fn is_valid(schema: &Value, document: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}\n{document:#}", errors.join("\n"));
}
