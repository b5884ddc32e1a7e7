//! End-to-end tests: the real binary, a real store, over HTTP and on the command line.
//!
//! Each test starts a gateway of its own on a free port and a temporary store. A test is named for
//! what it proves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets something unexpected shall fail"
)]

mod alerts;
mod ask;
mod bad_input;
mod categories;
mod clients;
mod command_line;
mod crash;
mod decisions;
mod documents;
mod duplicates;
mod durability;
mod edge;
mod edge_gateway;
mod elsewhere;
mod evidence;
mod gate;
mod gate_aws;
mod gate_faults;
mod generic_webhook;
mod genesys;
mod keys;
mod languages;
mod many_gateways;
mod meta;
mod opt_in;
mod opt_out;
mod order;
mod overload;
mod policies;
#[path = "../postgres.rs"]
#[allow(dead_code, reason = "the tests of stores use more of it")]
mod postgres;
mod postgres_store;
mod preflight;
#[path = "../proxy.rs"]
mod proxy;
mod readme;
mod reviews;
mod rollout;
mod routing;
mod scrub;
mod service;
mod simulator;
mod support;
mod swaps;
mod twilio;
mod webhooks;
mod whatsapp;
