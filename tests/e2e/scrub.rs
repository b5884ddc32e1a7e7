//! A campaign's list, judged row by row against the store as it is.

use std::fs;

use serde_json::{Value, json};

use crate::support::{ANN, Gateway, NOON, consentry, ended};

const BOB: &str = "+442071838750";

/// Scrubs a list against a gateway's store: the summary, what was allowed, what was blocked.
fn scrub(gateway: &Gateway, list: &[u8], column: &str) -> (Value, String, String) {
    let path = |name: &str| gateway.folder().join(name).to_str().unwrap().to_owned();
    let (list_path, allowed, blocked) =
        (path("list.csv"), path("allowed.csv"), path("blocked.csv"));
    fs::write(&list_path, list).unwrap();
    let store = format!("sqlite:{}", gateway.store().display());
    let done = ended(&mut consentry(&[
        "scrub",
        &list_path,
        "--column",
        column,
        "--channel",
        "sms",
        "--category",
        "marketing",
        "--allowed",
        &allowed,
        "--blocked",
        &blocked,
        "--store",
        &store,
        "--at",
        NOON,
        "--json",
    ]));
    assert!(done.status.success(), "{done:?}");
    (
        serde_json::from_slice(&done.stdout).unwrap(),
        fs::read_to_string(allowed).unwrap(),
        String::from_utf8_lossy(&fs::read(blocked).unwrap()).into_owned(),
    )
}

fn opted_in(gateway: &Gateway, who: &str) {
    let query = "status=OPTIN&channel=sms&category=marketing";
    gateway
        .report(who, query, &json!({ "source": "web-form" }))
        .ok();
}

#[test]
fn a_stale_list_is_judged_by_what_holds_now() {
    let gateway = Gateway::start();
    opted_in(&gateway, ANN);
    opted_in(&gateway, BOB);
    let list = format!("Name,Phone\nAnn,{ANN}\nBob,{BOB}\n");
    let (summary, allowed, blocked) = scrub(&gateway, list.as_bytes(), "Phone");
    assert_eq!(summary["allowed"], 2);
    assert_eq!(allowed, list);
    assert_eq!(blocked, "Name,Phone,reason,retry_at,detail\n");
    gateway.text(ANN, "STOP");
    let (summary, allowed, blocked) = scrub(&gateway, list.as_bytes(), "Phone");
    assert_eq!(summary["reasons"], json!({ "allowed": 1, "opted_out": 1 }));
    assert_eq!(allowed, format!("Name,Phone\nBob,{BOB}\n"));
    assert!(
        blocked.contains(&format!("Ann,{ANN},opted_out,,\n")),
        "{blocked}"
    );
}

#[test]
fn no_row_is_lost_however_it_is_written() {
    let gateway = Gateway::start();
    opted_in(&gateway, BOB);
    let mut list = b"\xef\xbb\xbf\"Tel. no\",\"Name, first\"\r\n".to_vec();
    list.extend(format!("{BOB},\"two\nlines, \"\"quoted\"\"\"\r\n").as_bytes());
    list.extend(b"not a number,x\r\n+14155550123\r\n+14155550199,\xff\r\n,\r\n");
    let (summary, allowed, blocked) = scrub(&gateway, &list, "tel. no");
    assert_eq!(
        summary,
        json!({
            "rows": 5, "allowed": 1, "blocked": 4,
            "reasons": { "allowed": 1, "no_consent": 1, "invalid_row": 3 },
        })
    );
    let name = "\"two\nlines, \"\"quoted\"\"\"";
    assert_eq!(allowed, format!("Tel. no,\"Name, first\"\n{BOB},{name}\n"));
    assert!(
        blocked.contains("not a number,x,invalid_row,,"),
        "{blocked}"
    );
    assert!(
        blocked.contains("+14155550123,,invalid_row,,it has 1 fields instead of 2"),
        "{blocked}"
    );
}

#[test]
fn what_cannot_be_done_is_said_and_nothing_is_overwritten() {
    let gateway = Gateway::start();
    let list = gateway.folder().join("list.csv");
    fs::write(&list, format!("Phone\n{ANN}\n")).unwrap();
    let list = list.to_str().unwrap();
    let other = gateway.folder().join("other.csv");
    let other = other.to_str().unwrap();
    let scrub = |column: &str, allowed: &str| {
        ended(&mut consentry(&[
            "scrub",
            list,
            "--column",
            column,
            "--allowed",
            allowed,
            "--blocked",
            other,
        ]))
    };
    for (column, allowed, says) in [
        ("Mobile", "/dev/null", "its columns are Phone"),
        ("Phone", list, "would be overwritten"),
        ("Phone", other, "would be overwritten"),
    ] {
        let refused = scrub(column, allowed);
        assert_eq!(refused.status.code(), Some(2));
        let error = String::from_utf8(refused.stderr).unwrap();
        assert!(error.contains(says), "{error}");
    }
    assert_eq!(fs::read_to_string(list).unwrap(), format!("Phone\n{ANN}\n"));
}

#[test]
fn a_batch_of_any_length_is_answered_as_a_stream() {
    let gateway = Gateway::start();
    let question = |line: usize| {
        let to = format!("+1415555{:04}", line % 10_000);
        json!({ "channel": "sms", "to": to, "category": "billing", "dryRun": true }).to_string()
    };
    let lines: Vec<String> = (0..20_000).map(question).collect();
    let request = gateway.client().post(gateway.url("/v1/preflight/batch"));
    let answer = crate::support::send(request.body(lines.join("\n"))).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answers: Vec<&str> = answer.text.lines().collect();
    assert_eq!(answers.len(), lines.len());
    let last: Value = serde_json::from_str(answers[19_999]).unwrap();
    assert_eq!(
        (&last["line"], &last["allowed"]),
        (&json!(20_000), &json!(true))
    );
}

#[test]
fn a_batch_is_answered_line_by_line_and_a_bad_line_stops_nothing() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let questions = format!(
        "{}\n\n{}\nnonsense\n{}",
        json!({ "channel": "sms", "to": ANN, "category": "billing" }),
        json!({ "channel": "fax", "to": ANN }),
        json!({ "channel": "sms", "to": BOB, "category": "billing" }),
    );
    let answer = gateway
        .client()
        .post(gateway.url("/v1/preflight/batch"))
        .header("Content-Type", "application/x-ndjson")
        .body(questions)
        .send()
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    let text = answer.text().unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0]["reason"], "opted_out");
    assert_eq!(lines[1]["field"], "channel");
    assert_eq!(lines[1]["allowed"], false);
    assert_eq!(lines[2]["status"], 400);
    assert_eq!(lines[3]["allowed"], true);
    let numbers: Vec<&Value> = lines.iter().map(|line| &line["line"]).collect();
    assert_eq!(numbers, [1, 3, 4, 5]);
}
