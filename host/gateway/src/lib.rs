//! The Consentry gateway: a store, an HTTP API and a command line around a sandboxed policy.

pub mod address;
pub mod alerts;
pub mod cli;
mod clock;
mod delivery;
pub mod gateway;
mod http;
mod keys;
pub mod platform;
pub mod preflight;
pub mod receipt;
pub mod store;
mod telemetry;
