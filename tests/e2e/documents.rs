//! What the pages in `docs/` show is what there is.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::support::{ANN, Gateway};

fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    std::fs::read_to_string(docs.join(name)).unwrap()
}

#[test]
fn the_questions_in_sql_can_be_asked_and_find_something() {
    let gateway = Gateway::start();
    let question = "Would you like to receive order updates via WhatsApp?";
    let yes = json!({ "channel": "whatsapp", "from": ANN, "body": "Yes", "question": question });
    gateway.inbound(yes);
    let bob = "+442071838750";
    gateway.text(bob, "STOP");

    let store = Connection::open_with_flags(gateway.store(), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let store = store.unwrap();
    let page = page("store.md");
    let questions: Vec<&str> = page
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    let rows = |sql: &str| -> Vec<Vec<Option<String>>> {
        let mut statement = store.prepare(sql).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns)
                .map(|column| {
                    let value: rusqlite::types::Value = row.get(column)?;
                    Ok(match value {
                        rusqlite::types::Value::Text(text) => Some(text),
                        _ => None,
                    })
                })
                .collect()
        };
        statement
            .query_map((), row)
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    let [stopped, said, wording, waiting] = questions.try_into().unwrap();
    assert_eq!(rows(stopped)[0][0].as_deref(), Some(bob));
    assert_eq!(rows(said)[0][2].as_deref(), Some("Yes"));
    assert_eq!(rows(wording)[0][3].as_deref(), Some(question));
    assert!(rows(waiting).is_empty());
}

#[test]
fn every_call_that_there_is_has_its_place_in_the_api_page() {
    let gateway = Gateway::start();
    let page = page("api.md");
    let document = gateway.get("/openapi.json").ok();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            let heading = format!("\n## {} {path}\n", method.to_uppercase());
            assert!(page.contains(&heading), "{heading}");
            for parameter in call["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                assert!(page.contains(name), "{method} {path}: {name}");
            }
        }
    }
    for (schema, description) in document["components"]["schemas"].as_object().unwrap() {
        for (field, _) in description["properties"].as_object().into_iter().flatten() {
            assert!(page.contains(field), "{schema}: {field}");
        }
    }
}

#[test]
fn events_cannot_be_changed_or_deleted_even_by_somebody_with_the_file() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let store = Connection::open(gateway.store()).unwrap();
    for sql in ["UPDATE event SET body = 'START'", "DELETE FROM event"] {
        let error = store.execute(sql, ()).unwrap_err().to_string();
        assert!(error.contains("never"), "{error}");
    }
    assert_eq!(gateway.events(ANN)[0]["body"], "STOP");
}
