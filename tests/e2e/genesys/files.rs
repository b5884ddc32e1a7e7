//! The files have the documented form, and what one says of another is so.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::{ACTIONS, action, exported, is_valid, read};

const FLOWS: [&str; 2] = ["inbound-message", "outbound-message"];

/// An export with everything in it, and one with as little as possible.
fn exports() -> [TempDir; 2] {
    let url = "https://consentry.example.com";
    let more = [
        "--bot",
        "Shop",
        "--alert-to",
        "+14155550199",
        "--channel",
        "whatsapp",
    ];
    [exported(url, &[]), exported(url, &more)]
}

fn flow(folder: &Path, name: &str) -> Value {
    serde_saphyr::from_str(&read(folder, &format!("flows/{name}.yaml"))).unwrap()
}

/// Everything below a document that is under a name.
fn under<'d>(document: &'d Value, name: &str, found: &mut Vec<&'d Value>) {
    match document {
        Value::Object(fields) => {
            for (field, value) in fields {
                if field == name {
                    found.push(value);
                }
                under(value, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| under(item, name, found)),
        _ => {}
    }
}

fn all<'d>(document: &'d Value, name: &str) -> Vec<&'d Value> {
    let mut found = Vec::new();
    under(document, name, &mut found);
    found
}

#[test]
fn data_actions_have_the_form_that_imports() {
    let schema = serde_json::from_str(include_str!("data-action.schema.json")).unwrap();
    for folder in exports() {
        for name in ACTIONS {
            let action = action(folder.path(), name);
            is_valid(&schema, &action);
            // A path without a default leaves the contract unfulfilled when an answer lacks it.
            let response = &action["config"]["response"];
            let names = |field: &str| -> BTreeSet<String> {
                response[field]
                    .as_object()
                    .unwrap()
                    .keys()
                    .cloned()
                    .collect()
            };
            assert_eq!(
                names("translationMap"),
                names("translationMapDefaults"),
                "{name}"
            );
            let contract = &action["contract"]["output"]["successSchema"]["properties"];
            let contract: BTreeSet<String> =
                contract.as_object().unwrap().keys().cloned().collect();
            assert_eq!(names("translationMap"), contract, "{name}");
        }
    }
}

#[test]
fn flows_have_the_form_that_archy_takes() {
    let schema = serde_json::from_str(include_str!("architect-flow.schema.json")).unwrap();
    for folder in exports() {
        for name in FLOWS {
            is_valid(&schema, &flow(folder.path(), name));
        }
    }
}

#[test]
fn flows_call_data_actions_that_there_are_with_what_they_take_and_give() {
    for folder in exports() {
        let actions = ACTIONS.map(|name| action(folder.path(), name));
        for name in FLOWS {
            let flow = flow(folder.path(), name);
            let called = all(&flow, "dataAction");
            assert!(!called.is_empty());
            for call in called {
                let (called, call) = call.as_object().unwrap().iter().next().unwrap();
                let action = actions.iter().find(|action| action["name"] == **called);
                let action = action.unwrap_or_else(|| panic!("{called}?"));
                let input = &action["contract"]["input"]["inputSchema"];
                for field in call["inputs"].as_object().unwrap().keys() {
                    assert!(
                        input["properties"].get(field).is_some(),
                        "{called}: {field}"
                    );
                }
                for field in input["required"].as_array().unwrap() {
                    assert!(
                        call["inputs"].get(field.as_str().unwrap()).is_some(),
                        "{called}: {field}"
                    );
                }
                let output = &action["contract"]["output"]["successSchema"]["properties"];
                let given = call.get("successOutputs").and_then(Value::as_object);
                for field in given.into_iter().flat_map(|fields| fields.keys()) {
                    assert!(output.get(field).is_some(), "{called}: {field}");
                }
            }
        }
    }
}

#[test]
fn flows_use_only_variables_that_they_have() {
    for folder in exports() {
        for name in FLOWS {
            let flow = flow(folder.path(), name);
            let declared = [all(&flow, "stringVariable"), all(&flow, "booleanVariable")].concat();
            let declared: BTreeSet<&str> = declared
                .iter()
                .map(|variable| variable["name"].as_str().unwrap())
                .collect();
            let used = [all(&flow, "var"), all(&flow, "exp")].concat();
            assert!(!used.is_empty());
            for text in used {
                let words = text
                    .as_str()
                    .unwrap()
                    .split(|char: char| !char.is_alphanumeric() && char != '.');
                for word in
                    words.filter(|word| word.starts_with("State.") || word.starts_with("Flow."))
                {
                    assert!(declared.contains(word), "{name}: {word}");
                }
            }
        }
    }
}

/// A flow that got no answer goes on with what its variables begin with.
#[test]
fn without_an_answer_nothing_is_sent() {
    for folder in exports() {
        let outbound = flow(folder.path(), "outbound-message");
        let begins = |flow: &Value, name: &str| {
            let all = [all(flow, "stringVariable"), all(flow, "booleanVariable")].concat();
            let found = all.into_iter().find(|variable| variable["name"] == name);
            found.unwrap()["initialValue"].clone()
        };
        assert_eq!(begins(&outbound, "Flow.allowed")["lit"], false);
        assert_eq!(begins(&outbound, "Flow.route")["lit"], "internal-alert");
        let inbound = flow(folder.path(), "inbound-message");
        assert_eq!(begins(&inbound, "State.route")["lit"], "agent");
        assert_eq!(begins(&inbound, "State.reply")["noValue"], true);
        assert_eq!(begins(&inbound, "State.review")["lit"], true);
    }
}

/// The message is judged before anything else happens with it, and an opt-out before every other way.
#[test]
fn the_decision_comes_first_and_the_opt_out_before_all() {
    for folder in exports() {
        let flow = flow(folder.path(), "inbound-message");
        let states = &flow["inboundShortMessage"]["states"][0]["state"]["actions"];
        let first = &states[0]["callData"]["category"]["Consentry"]["dataAction"];
        assert!(first.get("Classify Inbound").is_some(), "{first}");
        let switch = all(&flow, "firstTrue")[0];
        assert_eq!(
            switch["cases"][0]["case"]["value"]["exp"],
            "State.intent == \"opt-out\""
        );
        let mut priorities: Vec<i64> = all(&flow, "priority")
            .iter()
            .map(|priority| priority["lit"].as_i64().unwrap())
            .collect();
        priorities.sort_unstable();
        let opt_out = all(&switch["cases"][0], "priority")[0]["lit"].as_i64();
        assert_eq!(opt_out, priorities.last().copied());
    }
}

#[test]
fn the_rule_set_asks_before_contact_and_does_not_send_when_in_doubt() {
    for folder in exports() {
        let mut names = BTreeSet::new();
        for file in ["main", "digital-rule-set"] {
            let text = read(folder.path(), &format!("terraform/{file}.tf"));
            let body: hcl::Body = hcl::parse(&text).unwrap();
            for block in body.blocks() {
                let labels: Vec<&str> = block.labels().iter().map(|label| label.as_str()).collect();
                names.insert(format!("{} {}", block.identifier(), labels.join(" ")));
            }
        }
        for name in [
            "resource genesyscloud_outbound_digitalruleset consentry",
            "resource genesyscloud_integration_action consentry",
            "resource genesyscloud_flow inbound",
            "variable consentry_api_key",
        ] {
            assert!(names.contains(name), "{name} in {names:?}");
        }
        let text = read(folder.path(), "terraform/digital-rule-set.tf");
        let set: Value = hcl::from_str(&text).unwrap();
        let rules = all(&set, "rules");
        let rules = rules[0].as_array().unwrap();
        assert_eq!(rules.len(), 2);
        for rule in rules {
            assert_eq!(rule["category"], "PreContact");
            assert!(rule["actions"].get("do_not_send_action_settings").is_some());
            // Whatever is missing counts the way in which the message stays.
            let condition = &rule["conditions"];
            let settings = &condition["data_action_condition_settings"];
            let inverted = condition["inverted"].as_bool().unwrap();
            assert_eq!(settings["data_not_found_resolution"], !inverted);
            assert_eq!(
                settings["predicates"]["output_field_missing_resolution"],
                !inverted
            );
            let column = &settings["contact_column_to_data_action_field_mappings"];
            assert_eq!(column["contact_column_name"], "${var.phone_column}");
        }
    }
}

#[test]
fn no_file_has_a_placeholder_of_ours_or_a_key() {
    for folder in exports() {
        let files = ACTIONS
            .map(|name| format!("data-actions/{name}.json"))
            .into_iter()
            .chain(FLOWS.map(|name| format!("flows/{name}.yaml")))
            .chain(
                [
                    "README.md",
                    "terraform/main.tf",
                    "terraform/digital-rule-set.tf",
                ]
                .map(str::to_owned),
            );
        for file in files {
            let text = read(folder.path(), &file);
            assert!(!text.contains("<<") && !text.contains(">>"), "{file}");
        }
    }
}
