//! What holds after what was said: a table of cases, and that the order of arrival does not matter.
#![allow(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected shall fail"
)]

use consentry_model::{
    Change, ChangeKind, Channel, ConsentStatus, Contact, EventId, Mark, Statement, Timestamp,
};
use proptest::prelude::*;

const SMS: Channel = Channel::Sms;
const WHATSAPP: Channel = Channel::Whatsapp;

/// Something said: on a channel, for a category ("*": in general), by whom.
type Said = (Channel, &'static str, ChangeKind, Statement);

fn contact(said: &[(i64, Said)]) -> Contact {
    let mut contact = Contact::default();
    for (at, (channel, category, kind, statement)) in said {
        let category = (*category != "*").then(|| category.parse().unwrap());
        let change = Change {
            channel: *channel,
            category,
            kind: *kind,
        };
        let at = Timestamp::from_millis(*at).unwrap();
        contact.apply(
            &change,
            *statement,
            Mark {
                at,
                event: EventId(format!("event-{at}")),
            },
        );
    }
    contact
}

/// What holds after statements made one after the other.
fn holds(said: &[Said], channel: Channel, category: &str) -> ConsentStatus {
    let timed: Vec<(i64, Said)> = (1..).zip(said.iter().copied()).collect();
    contact(&timed)
        .consent(channel, &category.parse().unwrap())
        .status
}

const fn own(channel: Channel, category: &'static str, kind: ChangeKind) -> Said {
    (channel, category, kind, Statement::Own)
}

use ChangeKind::{OptIn, OptOut, Release};
use ConsentStatus::{None as Nothing, OptIn as In, OptOut as Out};
use Statement::{Proven, Reported};

const STOP: Said = own(SMS, "*", OptOut);
const START: Said = own(SMS, "*", OptIn);

#[test]
fn a_bare_stop_ends_every_category_and_start_begins_again() {
    let marketing = own(SMS, "marketing", OptIn);
    assert_eq!(holds(&[], SMS, "marketing"), Nothing);
    assert_eq!(holds(&[marketing], SMS, "marketing"), In);
    assert_eq!(holds(&[marketing, STOP], SMS, "marketing"), Out);
    assert_eq!(holds(&[marketing, STOP], SMS, "billing"), Out);
    assert_eq!(holds(&[marketing, STOP, START], SMS, "marketing"), In);
    assert_eq!(holds(&[STOP, START, STOP], SMS, "marketing"), Out);
}

#[test]
fn one_category_can_be_stopped_while_another_goes_on() {
    let said = [own(SMS, "marketing", OptIn), own(SMS, "billing", OptOut)];
    assert_eq!(holds(&said, SMS, "marketing"), In);
    assert_eq!(holds(&said, SMS, "billing"), Out);
}

#[test]
fn a_general_start_does_not_lift_the_stop_of_one_category() {
    let said = [own(SMS, "ads", OptOut), STOP, START];
    assert_eq!(holds(&said, SMS, "ads"), Out);
    assert_eq!(holds(&said, SMS, "billing"), In);
}

#[test]
fn an_opt_in_to_one_category_after_a_stop_opens_that_category_only() {
    let said = [STOP, own(SMS, "orders", OptIn)];
    assert_eq!(holds(&said, SMS, "orders"), In);
    assert_eq!(holds(&said, SMS, "marketing"), Out);
}

#[test]
fn a_release_lifts_the_stop_but_revives_no_older_consent() {
    let said = [
        own(WHATSAPP, "*", OptIn),
        own(WHATSAPP, "*", OptOut),
        own(WHATSAPP, "*", Release),
    ];
    assert_eq!(holds(&said, WHATSAPP, "marketing"), Nothing);
    let without_stop = [own(WHATSAPP, "*", OptIn), own(WHATSAPP, "*", Release)];
    assert_eq!(holds(&without_stop, WHATSAPP, "marketing"), In);
}

#[test]
fn a_reported_opt_in_never_lifts_the_persons_own_stop() {
    let reported = (SMS, "*", OptIn, Reported);
    let proven = (SMS, "*", OptIn, Proven);
    assert_eq!(holds(&[STOP, reported], SMS, "marketing"), Out);
    assert_eq!(holds(&[STOP, proven], SMS, "marketing"), In);
    assert_eq!(
        holds(&[(SMS, "*", OptOut, Reported), reported], SMS, "marketing"),
        In
    );
    // Not even later, when the person lifts the stop without giving consent.
    assert_eq!(
        holds(&[STOP, reported, own(SMS, "*", Release)], SMS, "marketing"),
        Nothing
    );
}

#[test]
fn a_stop_and_a_start_of_the_same_moment_are_a_stop() {
    let contact = contact(&[(5, STOP), (5, START)]);
    assert_eq!(
        contact.consent(SMS, &"marketing".parse().unwrap()).status,
        Out
    );
}

#[test]
fn without_a_category_the_general_statement_counts_then_what_is_known() {
    let at = |said: &[Said]| {
        let timed: Vec<(i64, Said)> = (1..).zip(said.iter().copied()).collect();
        contact(&timed).summary(Some(SMS), None).status
    };
    assert_eq!(at(&[]), Nothing);
    assert_eq!(
        at(&[own(SMS, "marketing", OptIn), own(SMS, "billing", OptOut)]),
        In
    );
    assert_eq!(at(&[own(SMS, "billing", OptOut)]), Out);
    assert_eq!(at(&[own(SMS, "marketing", OptIn), STOP]), Out);
}

#[test]
fn without_a_channel_the_strictest_counts() {
    let said = [(1, own(SMS, "*", OptIn)), (2, own(WHATSAPP, "*", OptOut))];
    assert_eq!(contact(&said).summary(None, None).status, Out);
}

fn said() -> impl Strategy<Value = Said> {
    (
        prop::sample::select(vec![SMS, WHATSAPP]),
        prop::sample::select(vec!["*", "marketing", "billing"]),
        prop::sample::select(vec![OptOut, OptIn, Release]),
        prop::sample::select(vec![Statement::Own, Proven, Reported]),
    )
}

proptest! {
    #[test]
    fn the_order_of_arrival_does_not_matter(
        (in_order, shuffled) in prop::collection::vec((0..20_i64, said()), 0..12)
            .prop_flat_map(|said| (Just(said.clone()), Just(said).prop_shuffle()))
    ) {
        prop_assert_eq!(contact(&in_order), contact(&shuffled));
    }

    #[test]
    fn after_the_persons_own_stop_only_own_words_or_proof_bring_messages_back(
        before in prop::collection::vec((0..20_i64, said()), 0..12),
        reports in prop::collection::vec((21..40_i64, said()), 0..6),
    ) {
        let reports = reports.into_iter().map(|(at, (channel, category, kind, _))| {
            let kind = if kind == Release { OptIn } else { kind };
            (at, (channel, category, kind, Reported))
        });
        let all: Vec<(i64, Said)> = before.into_iter().chain([(20, STOP)]).chain(reports).collect();
        for category in ["marketing", "billing", "other"] {
            prop_assert_eq!(contact(&all).consent(SMS, &category.parse().unwrap()).status, Out);
        }
    }
}
