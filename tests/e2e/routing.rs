//! Where messages go that are no opt-out.

use serde_json::json;

use crate::support::{ANN, Gateway, changes};

#[test]
fn help_is_answered_and_is_never_an_opt_out() {
    let gateway = Gateway::start();
    for words in ["HELP", "help!", "Info"] {
        let answer = gateway.text(ANN, words);
        assert_eq!(answer["intent"], "help", "{words}");
        assert!(changes(&answer).is_empty(), "{words}");
        let reply = answer["reply"].as_str().unwrap();
        // Who to ask, and how to stop.
        assert!(reply.contains('@') || reply.contains("http"), "{reply}");
        assert!(reply.contains("STOP"), "{reply}");
    }
    assert_eq!(gateway.consent(ANN, ""), "NONE");
}

#[test]
fn help_is_answered_even_after_a_stop_and_lifts_nothing() {
    let gateway = Gateway::start();
    gateway.text(ANN, "STOP");
    let answer = gateway.text(ANN, "HELP");
    assert_eq!(answer["intent"], "help");
    assert!(answer["reply"].is_string());
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn a_question_goes_on_to_the_bot_or_an_agent() {
    let gateway = Gateway::start();
    for words in [
        "Is my parcel on its way?",
        "what time does the bus stop here",
        "please don't stop sending me these",
        "the end of the month is fine",
    ] {
        let answer = gateway.text(ANN, words);
        let route = answer["route"].as_str().unwrap();
        assert!(["bot", "agent"].contains(&route), "{words}: {route}");
        assert_eq!(answer["intent"], "other", "{words}");
        assert_eq!(answer["reply"], json!(null), "{words}");
        assert!(changes(&answer).is_empty(), "{words}");
    }
    assert_eq!(gateway.consent(ANN, ""), "NONE");
}

#[test]
fn whoever_asks_for_a_person_goes_to_a_person() {
    let gateway = Gateway::start();
    let answer = gateway.text(ANN, "let me talk to a person");
    assert_eq!(answer["intent"], "person");
    let route = answer["route"].as_str().unwrap();
    assert!(["agent", "priority-agent"].contains(&route), "{route}");
}

#[test]
fn yes_means_something_only_while_a_question_is_open() {
    let gateway = Gateway::start();
    let yes = json!({ "channel": "sms", "from": ANN, "body": "yes" });
    assert_eq!(gateway.inbound(yes.clone())["intent"], "other");
    let mut asked = yes;
    asked["question"] = json!("Shall we call you back?");
    let answer = gateway.inbound(asked);
    assert_eq!(answer["intent"], "answer-yes");
    // Yes to a call-back is no consent to anything else.
    assert!(changes(&answer).is_empty());
}

#[test]
fn a_tapped_button_decides_by_its_identifier() {
    let gateway = Gateway::start();
    let tapped = json!({
        "channel": "whatsapp", "from": ANN, "body": "No more of these",
        "selection": { "id": "stop", "title": "No more of these" },
    });
    assert_eq!(gateway.inbound(tapped)["intent"], "opt-out");
    assert_eq!(gateway.consent(ANN, "channel=sms"), "OPTOUT");
}

/// Flow designers cannot always leave a field away, and then it comes empty.
#[test]
fn an_empty_selection_is_none_and_hides_no_stop() {
    let gateway = Gateway::start();
    let message = json!({
        "channel": "sms", "from": ANN, "body": "STOP", "selection": { "id": "", "title": "" },
        "footer": "", "question": "", "language": "", "country": "", "messageId": "", "sentAt": "",
    });
    assert_eq!(gateway.inbound(message)["intent"], "opt-out");
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}
