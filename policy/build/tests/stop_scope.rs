//! How much a bare stop ends as the law changes, and what its confirmation asks.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets something unexpected shall fail"
)]

use std::fs;
use std::path::Path;

use chrono::DateTime;
use consentry_policy::{
    Change, ChangeKind, Channel, Classification, Engine, Inbound, Intent, RuleSet, Scope,
};
use consentry_policy_build::rules;

/// The default rules with what is off put in force as `with` says: an entry's id, and the line that
/// takes the place of `off = true`.
fn engine(with: &[(&str, &str)]) -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    fs::create_dir(folder.path().join("languages")).unwrap();
    let files = ["policy.toml", "preflight.toml", "replies.toml"].map(|name| default.join(name));
    let languages = fs::read_dir(default.join("languages")).unwrap();
    for from in files
        .into_iter()
        .chain(languages.map(|entry| entry.unwrap().path()))
    {
        let to = folder.path().join(from.strip_prefix(&default).unwrap());
        fs::copy(&from, to).unwrap();
    }
    let conversation = fs::read_to_string(default.join("conversation.toml")).unwrap();
    let entries = conversation.split("[[bare_stop]]").map(|entry| {
        let switched = with
            .iter()
            .find(|(id, _)| entry.contains(&format!("id = \"{id}\"")));
        match switched {
            Some((_, line)) => entry.replace("off = true\n", line),
            None => entry.to_owned(),
        }
    });
    let conversation = entries.collect::<Vec<_>>().join("[[bare_stop]]");
    fs::write(folder.path().join("conversation.toml"), conversation).unwrap();
    let mut rules: RuleSet = rules::load(folder.path()).unwrap();
    // One language is enough here, and quicker to prepare.
    rules.languages.retain(|language| language.tag == "en");
    Engine::new(&rules).unwrap()
}

/// What an American's message means in answer to a message of some category.
fn read(engine: &Engine, body: &str, answers: &str, at: &str) -> Classification {
    let at = DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis();
    engine.classify(&Inbound {
        country: Some("US".to_owned()),
        last_category: Some(answers.to_owned()),
        explain: true,
        ..Inbound::text(body, at)
    })
}

/// The categories that it ends on every channel, or nothing where it ends all.
fn ended(found: &Classification) -> Option<Vec<&str>> {
    let on = |channel| {
        let changes = found.changes.iter();
        let here = changes.filter(move |change| change.channel == channel);
        here.map(|change| {
            assert_eq!(change.kind, ChangeKind::OptOut);
            change.category.as_deref()
        })
    };
    for channel in Channel::ALL {
        assert!(on(channel).eq(on(Channel::Sms)), "{:?}", found.changes);
    }
    on(Channel::Sms).collect()
}

fn ends_by(found: &Classification) -> Option<&str> {
    found
        .explanation
        .as_ref()
        .and_then(|read| read.ends.as_deref())
}

const BEFORE: &str = "2027-01-30T23:59:59Z";
const AFTER: &str = "2027-01-31T00:00:00Z";

#[test]
fn by_default_a_stop_ends_everything_before_and_after_the_law_asks_for_it() {
    let engine = engine(&[]);
    for (at, by) in [(BEFORE, None), (AFTER, Some("stop.us-revoke-all"))] {
        for answers in ["marketing", "promotions", "billing", "nothing-known"] {
            let found = read(&engine, "STOP", answers, at);
            assert_eq!(ended(&found), None, "{answers} at {at}");
            assert_eq!(found.scope, Some(Scope::All));
            assert_eq!(ends_by(&found), by);
        }
    }
}

#[test]
fn the_narrow_reading_of_fcc_24_24_ends_by_itself_on_31_january_2027() {
    let engine = engine(&[("stop.us-fcc-24-24", "")]);
    let found = read(&engine, "Stop!!", "promotions", BEFORE);
    assert_eq!(ended(&found), Some(vec!["promotions", "marketing"]));
    assert_eq!(found.scope, Some(Scope::Category("marketing".into())));
    assert_eq!(ends_by(&found), Some("stop.us-fcc-24-24"));
    for (body, answers, at) in [
        ("Stop!!", "promotions", AFTER),
        // A stop to information, words that say more, and a stop to nobody knows what.
        ("Stop!!", "billing", BEFORE),
        ("stop all", "promotions", BEFORE),
        ("stop texting me", "promotions", BEFORE),
        ("stop2end", "promotions", BEFORE),
        ("Stop!!", "nothing-known", BEFORE),
    ] {
        let found = read(&engine, body, answers, at);
        assert_eq!(ended(&found), None, "{body} to {answers} at {at}");
    }
}

#[test]
fn fcc_26_67_holds_from_the_day_that_it_is_given() {
    let engine = engine(&[("stop.us-fcc-26-67", "from = 2027-03-01\n")]);
    for (answers, ends) in [
        ("billing", vec!["billing"]),
        ("promotions", vec!["promotions", "marketing"]),
    ] {
        let found = read(&engine, "unsubscribe", answers, "2027-02-28T23:59:59Z");
        assert_eq!(ended(&found), None);
        let found = read(&engine, "unsubscribe", answers, "2027-03-01T00:00:00Z");
        assert_eq!(ended(&found), Some(ends));
        assert_eq!(ends_by(&found), Some("stop.us-fcc-26-67"));
    }
}

#[test]
fn a_confirmation_asks_what_may_go_on_and_only_a_yes_changes_anything() {
    let engine = engine(&[]);
    let stopped = read(&engine, "STOP", "billing", BEFORE);
    let asked = stopped.reply.unwrap();
    assert!(
        asked.ends_with(" To keep order updates only, reply YES."),
        "{asked}"
    );
    let answer = |body: &str| {
        engine.classify(&Inbound {
            question: Some(asked.clone()),
            ..Inbound::text(body, 0)
        })
    };
    let yes = answer("Yes please");
    assert_eq!(yes.intent, Intent::AnswerYes);
    let utility = Change {
        channel: Channel::Sms,
        category: Some("utility".to_owned()),
        kind: ChangeKind::OptIn,
    };
    assert_eq!(yes.changes, [utility]);
    assert_eq!(yes.reply, None, "one confirmation, and then silence");
    for body in ["no", "what?", "who is this", "ok", "thanks", "👍"] {
        let mut changes = answer(body).changes.into_iter();
        assert!(
            changes.all(|change| change.kind == ChangeKind::OptOut),
            "{body}"
        );
    }
    // Where not everything has ended, there is nothing to ask.
    let one = read(&engine, "stop ads", "billing", BEFORE);
    assert!(!one.reply.unwrap().contains("YES"));
}
