//! The Consentry gateway: a store, an HTTP API and a command line around a sandboxed policy.

pub mod address;
pub mod alerts;
pub mod cli;
mod clock;
pub mod cloud_api;
pub mod decisions;
mod delivery;
pub mod evidence;
pub mod gateway;
mod http;
pub mod jws;
mod keys;
mod loopback;
pub mod offer;
pub mod platform;
pub mod policies;
pub mod preflight;
pub mod receipt;
mod reply;
mod review;
pub mod store;
mod telemetry;
