//! What every store must do: each test runs on SQLite and on PostgreSQL.
//!
//! PostgreSQL is looked for where the variable `CONSENTRY_TEST_POSTGRES` says, or else on this machine;
//! without one these tests fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected shall fail"
)]

/// Runs tests on both stores. Each is a function that is given where its store shall be.
macro_rules! on_both_stores {
    ($($test:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::support::Place::sqlite()).await;
            })*
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::support::Place::postgres()).await;
            })*
        }
    };
}

mod addresses;
mod alerts;
mod answers;
mod at_once;
mod decisions;
mod erase;
mod events;
mod evidence;
mod faults;
mod hot;
mod order;
mod places;
mod policies;
#[path = "../postgres.rs"]
mod postgres;
#[path = "../proxy.rs"]
mod proxy;
mod schema;
mod support;
mod tls;
