//! Comparing an answer with what must come of a step.

use serde_json::{Map, Value};

/// What is expected and not so, each as a line for people. Only what is named is compared; lists must be
/// equal in length, and their parts are compared in order.
pub fn differences(expected: &Map<String, Value>, answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, expected) in expected {
        compare(expected, answer.get(name), name, &mut found);
    }
    found
}

fn compare(expected: &Value, answer: Option<&Value>, path: &str, found: &mut Vec<String>) {
    match (expected, answer.unwrap_or(&Value::Null)) {
        (Value::Object(expected), Value::Object(answer)) => {
            for (name, expected) in expected {
                let path = format!("{path}.{name}");
                compare(expected, answer.get(name), &path, found);
            }
        }
        (Value::Array(expected), Value::Array(answer)) if expected.len() == answer.len() => {
            for (index, (expected, answer)) in expected.iter().zip(answer).enumerate() {
                compare(expected, Some(answer), &format!("{path}[{index}]"), found);
            }
        }
        (expected, answer) if expected == answer => {}
        (expected, answer) => found.push(format!("{path} must be {expected}; it was {answer}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_named_is_compared() {
        let answer =
            json!({ "intent": "opt-out", "changes": [{ "channel": "sms", "status": "OPTOUT" }] });
        let expected = |value: Value| value.as_object().unwrap().clone();
        let same = expected(json!({ "intent": "opt-out", "changes": [{ "channel": "sms" }] }));
        assert!(differences(&same, &answer).is_empty());
        let other = expected(json!({ "intent": "help", "reply": "words", "changes": [] }));
        let found = differences(&other, &answer);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found
                .iter()
                .any(|line| line == r#"intent must be "help"; it was "opt-out""#)
        );
    }
}
