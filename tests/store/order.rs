//! However deliveries arrive, late, twice, reordered, in batches, at one gateway or another: what holds in
//! the end is what was said, in the order in which it was said.

use std::sync::atomic::{AtomicUsize, Ordering};

use consentry::store::NewEvent;
use consentry_model::{
    Category, ChangeKind, Channel, ConsentStatus, Contact, Statement, Timestamp,
};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle;

use crate::support::*;

on_both_stores! {
    whatever_way_deliveries_take_the_end_is_that_of_the_true_order,
}

const CASES: u32 = 40;

/// Something said: on a channel, for a category, by whom.
type Said = (Channel, Option<&'static str>, ChangeKind, Statement);

fn said() -> impl Strategy<Value = Said> {
    (
        prop::sample::select(vec![Channel::Sms, Channel::Whatsapp]),
        prop::sample::select(vec![None, Some("marketing"), Some("billing")]),
        prop::sample::select(vec![OptOut, OptIn, ChangeKind::Release]),
        prop::sample::select(vec![Statement::Own, Statement::Proven, Statement::Reported]),
    )
}

/// What is said, and the batches in which it is delivered: each delivery is the number of something said.
fn deliveries() -> impl Strategy<Value = (Vec<Said>, Vec<Vec<usize>>)> {
    prop::collection::vec(said(), 1..12).prop_flat_map(|said| {
        let count = said.len();
        let once: Vec<usize> = (0..count).collect();
        let again = prop::collection::vec(0..count, 0..count);
        let shuffled = again
            .prop_map(move |again| [once.clone(), again].concat())
            .prop_shuffle();
        let batched = (shuffled, 1..6_usize).prop_map(|(all, size)| {
            let batches = all.chunks(size).map(<[usize]>::to_vec);
            batches.collect::<Vec<_>>()
        });
        (Just(said), batched)
    })
}

fn event(who: &str, number: usize, said: Said) -> NewEvent {
    let (channel, category, kind, statement) = said;
    NewEvent {
        statement,
        channel: Some(channel),
        message_id: Some(format!("M{number}")),
        said_at: Some(at(1000 + i64::try_from(number).unwrap())),
        changes: vec![change(channel, category, kind)],
        ..stop(who)
    }
}

/// All that holds, without the names of the events, which differ.
type Holds = Vec<(
    Channel,
    Option<Category>,
    ConsentStatus,
    Vec<Option<Timestamp>>,
)>;

fn holds(contact: &Contact) -> (Holds, Vec<(Channel, Timestamp)>) {
    let marks = contact.marks.iter().map(|((channel, category), marks)| {
        let times = [
            &marks.own_opt_out,
            &marks.reported_opt_out,
            &marks.own_opt_in,
            &marks.proven_opt_in,
            &marks.reported_opt_in,
            &marks.release,
        ];
        let times = times.map(|mark| mark.as_ref().map(|mark| mark.at)).to_vec();
        let status = contact.status_of(*channel, category.as_ref());
        (*channel, category.clone(), status, times)
    });
    let last = contact
        .last_inbound
        .iter()
        .map(|(channel, at)| (*channel, *at));
    (marks.collect(), last.collect())
}

async fn whatever_way_deliveries_take_the_end_is_that_of_the_true_order(place: Place) {
    let gateways = place.open_together(2).await;
    let people = AtomicUsize::new(0);
    let somebody = || person(people.fetch_add(1, Ordering::Relaxed));
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let play = async |said: &[Said], batches: &[Vec<usize>]| {
        let who = somebody();
        let mut turn = 0;
        for batch in batches {
            let together = batch.iter().map(|number| {
                turn += 1;
                gateways[turn % 2].record(event(&who, *number, said[*number]))
            });
            for recorded in join_all(together).await {
                recorded.unwrap();
            }
        }
        assert_eq!(events(&gateways[0], &who).await.len(), said.len());
        holds(&contact(&gateways[1], &who).await)
    };
    let result = tokio::task::block_in_place(|| {
        runner.run(&deliveries(), |(said, batches)| {
            let in_order: Vec<Vec<usize>> = (0..said.len()).map(|number| vec![number]).collect();
            let (expected, found) = Handle::current()
                .block_on(async { (play(&said, &in_order).await, play(&said, &batches).await) });
            if expected == found {
                Ok(())
            } else {
                Err(TestCaseError::fail(format!("{expected:?}\n{found:?}")))
            }
        })
    });
    result.unwrap();
}
