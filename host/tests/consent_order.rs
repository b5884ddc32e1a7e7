//! Whoever says what in which order, and however it arrives: the default policy in its sandbox, on
//! top of a contact's state, answers as a small model does that plays what was said in the order in
//! which it was said.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected shall fail"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use consentry_host::{Host, Limits, Policy};
use consentry_model::{
    Answers, Change, ChangeKind, Channel, Contact, EventId, Mark, Outbound, Place, Statement,
    Timestamp,
};
use proptest::prelude::*;

use ChangeKind::{OptIn, OptOut, Release};
use Statement::{Own, Proven, Reported};

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let host = Host::new(Limits::default()).unwrap();
    host.load(consentry_default_policy::POLICY).unwrap()
});

/// A category, what is above it, and whether it needs an opt-in: as the default rules have them.
const CATEGORIES: [(&str, Option<&str>, bool); 4] = [
    ("marketing", None, true),
    ("promotions", Some("marketing"), true),
    ("newsletter", Some("marketing"), true),
    ("billing", None, false),
];
const CHANNELS: [Channel; 2] = [Channel::Sms, Channel::Voice];

/// Something said: on a channel, for a category (nothing: in general), by whom.
type Said = (Channel, Option<&'static str>, ChangeKind, Statement);

/// What the model knows of one category on one channel.
#[derive(Clone, Default)]
struct State {
    /// The newest stop of each kind that stands: of the category alone, or of everything.
    own: [Option<i64>; 2],
    reported: [Option<i64>; 2],
    /// Whether the person has ever said stop.
    has_stopped: bool,
    /// Whether the consent that holds has proof.
    consent: Option<bool>,
    /// When the person last asked for this very category, with proof.
    named: Option<i64>,
}

const ONE: usize = 0;
const ALL: usize = 1;

impl State {
    /// The newest stop that stands.
    fn stop(&self) -> Option<i64> {
        self.own
            .iter()
            .chain(&self.reported)
            .flatten()
            .max()
            .copied()
    }

    fn take(&mut self, at: i64, reach: usize, kind: ChangeKind, by: Statement) {
        match (kind, by) {
            (OptOut, Own) => {
                self.own[reach] = Some(at);
                self.has_stopped = true;
                (self.consent, self.named) = (None, None);
            }
            (OptOut, _) => {
                self.reported[reach] = Some(at);
                (self.consent, self.named) = (None, None);
            }
            (OptIn, Own | Proven) => {
                // A general opt-in lifts no stop of one category.
                for reach in reach..=ALL {
                    self.own[reach] = None;
                    self.reported[reach] = None;
                }
                self.consent = Some(true);
                if reach == ONE {
                    self.named = Some(at);
                }
            }
            (OptIn, _) => {
                for reach in reach..=ALL {
                    self.reported[reach] = None;
                }
                let own_stop_stands = self.own.iter().any(Option::is_some);
                if !own_stop_stands && self.consent.is_none() {
                    self.consent = Some(false);
                }
            }
            (Release, _) => {
                self.own[ALL] = None;
                self.reported[ALL] = None;
                // What was reported does not outlive the person's next word.
                if self.has_stopped && self.consent == Some(false) {
                    self.consent = None;
                }
            }
        }
    }
}

/// What the model answers.
fn expected(said: &[(i64, Said)], channel: Channel, category: &str) -> &'static str {
    let mut in_order = said.to_vec();
    in_order.sort_by_key(|(at, _)| *at);
    let mut states: BTreeMap<&str, State> = BTreeMap::new();
    for (name, _, _) in CATEGORIES {
        let state = states.entry(name).or_default();
        for (at, (on, about, kind, by)) in &in_order {
            let reach = if about.is_some() { ONE } else { ALL };
            if *on == channel && about.is_none_or(|about| about == name) {
                state.take(*at, reach, *kind, *by);
            }
        }
    }
    let (_, parent, needs) = CATEGORIES
        .into_iter()
        .find(|(name, ..)| *name == category)
        .unwrap();
    let own = &states[category];
    let above = parent.map(|parent| &states[parent]);
    let above_stop = above.and_then(State::stop);
    let asked_since = |stop: i64| own.named.is_some_and(|named| named > stop);
    if own.stop().is_some() || above_stop.is_some_and(|stop| !asked_since(stop)) {
        return "opted_out";
    }
    let above_consent = above
        .filter(|_| above_stop.is_none())
        .and_then(|above| above.consent);
    if needs && own.consent.or(above_consent).is_none() {
        return "no_consent";
    }
    "allowed"
}

fn contact(arrived: &[(i64, Said)]) -> Contact {
    let mut contact = Contact::default();
    for (at, (channel, category, kind, statement)) in arrived {
        let change = Change {
            channel: *channel,
            category: category.map(|name| name.parse().unwrap()),
            kind: *kind,
        };
        let mark = Mark {
            at: Timestamp::from_millis(*at).unwrap(),
            event: EventId(format!("event-{at:03}")),
        };
        contact.apply(&change, *statement, mark);
    }
    contact
}

/// What the policy answers, on a Wednesday at noon in New York.
fn answer(contact: &Arc<Contact>, channel: Channel, category: &str) -> String {
    let at = Timestamp::from_millis(1_781_107_200_000).unwrap();
    let message = Outbound {
        channel,
        category: category.parse().unwrap(),
        template: None,
        at,
        places: vec![Place {
            country: "US".to_owned(),
            region: Some("US-NY".to_owned()),
            offset: -240,
            change: None,
        }],
        answers: Answers::Nothing,
        explain: false,
    };
    POLICY.preflight(&message, contact).value.reason
}

fn check(arrived: &[(i64, Said)]) {
    let contact = Arc::new(contact(arrived));
    for channel in CHANNELS {
        for (category, ..) in CATEGORIES {
            let expected = expected(arrived, channel, category);
            let answer = answer(&contact, channel, category);
            assert_eq!(
                answer, expected,
                "{category} on {channel:?} after {arrived:?}"
            );
        }
    }
}

const STOP: [Said; 2] = [
    (Channel::Sms, None, OptOut, Own),
    (Channel::Voice, None, OptOut, Own),
];
/// START by text: texts are wanted, calls are no longer stopped.
const START: [Said; 2] = [
    (Channel::Sms, None, OptIn, Own),
    (Channel::Voice, None, Release, Own),
];

/// One number for everything: what is sent after what was said, for marketing, promotions and billing
/// by text, and for billing by telephone.
#[test]
fn a_number_with_two_purposes() {
    let ads_off = [(Channel::Sms, Some("marketing"), OptOut, Own)];
    let ads_on = [(Channel::Sms, Some("marketing"), OptIn, Own)];
    let promotions_on = [(Channel::Sms, Some("promotions"), OptIn, Own)];
    let imported = [(Channel::Sms, Some("promotions"), OptIn, Reported)];
    let texts_off = [(Channel::Sms, None, OptOut, Own)];
    let (yes, out, no) = ("allowed", "opted_out", "no_consent");
    let table: &[(&[&[Said]], [&str; 4])] = &[
        (&[], [no, no, yes, yes]),
        (&[&ads_on], [yes, yes, yes, yes]),
        (&[&ads_on, &ads_off], [out, out, yes, yes]),
        (&[&ads_on, &ads_off, &START], [out, out, yes, yes]),
        (&[&ads_on, &ads_off, &ads_on], [yes, yes, yes, yes]),
        (&[&ads_on, &STOP], [out, out, out, out]),
        (&[&ads_on, &STOP, &START], [yes, yes, yes, yes]),
        (&[&STOP, &ads_on], [yes, out, out, out]),
        (&[&ads_off, &promotions_on], [out, yes, yes, yes]),
        (&[&ads_off, &imported], [out, out, yes, yes]),
        (&[&promotions_on, &ads_off], [out, out, yes, yes]),
        (&[&ads_on, &texts_off], [out, out, out, yes]),
        (&[&texts_off, &START], [yes, yes, yes, yes]),
    ];
    for (said, answers) in table {
        let said = said.iter().flat_map(|words| words.iter().copied());
        let timed: Vec<(i64, Said)> = (1..).zip(said).collect();
        let contact = Arc::new(contact(&timed));
        let asked = [
            (Channel::Sms, "marketing"),
            (Channel::Sms, "promotions"),
            (Channel::Sms, "billing"),
            (Channel::Voice, "billing"),
        ];
        let given = asked.map(|(channel, category)| answer(&contact, channel, category));
        assert_eq!(given, *answers, "{timed:?}");
        check(&timed);
    }
}

fn said() -> impl Strategy<Value = Said> {
    let about = prop_oneof![
        2 => Just(None),
        3 => prop::sample::select(CATEGORIES.map(|(name, ..)| Some(name)).to_vec()),
    ];
    let one = (
        prop::sample::select(CHANNELS.to_vec()),
        about,
        prop::sample::select(vec![OptOut, OptIn, Release]),
        prop::sample::select(vec![Own, Proven, Reported]),
    );
    // Only START lifts without giving, in the person's own words and for everything.
    one.prop_map(|(channel, about, kind, by)| match kind {
        Release => (channel, None, Release, Own),
        _ => (channel, about, kind, by),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn in_every_order_of_arrival_the_answer_is_that_of_the_order_in_which_it_was_said(
        arrived in prop::collection::vec(said(), 0..9)
            .prop_map(|said| (1..).zip(said).collect::<Vec<(i64, Said)>>())
            .prop_shuffle()
    ) {
        check(&arrived);
    }
}
