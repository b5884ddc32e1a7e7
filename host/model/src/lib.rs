//! A contact's consent: its state, how an event changes it, and the floor that no policy goes
//! under. Pure, and shared by the gateway and the browser simulator.

pub mod check;
mod contact;
pub mod contract;
pub mod floor;
mod inbound;
mod outbound;
mod pairs;
mod report;
mod time;
mod vocabulary;

pub use contact::{BadStatement, Consent, Contact, EventId, Mark, Marks, Proof, Sent, Statement};
pub use inbound::{
    Change, ChangeKind, Classification, Explanation, Inbound, Intent, Priority, Rejection, Route,
    Scope, Selection,
};
pub use outbound::{
    Answers, ClockChange, Decision, Limit, Outbound, Outcome, Place, SendRoute, Step, Template,
    Verdict,
};
pub use report::Reported;
pub use time::{BadTimestamp, Timestamp};
pub use vocabulary::{BadCategory, BadChannel, BadStatus, Category, Channel, ConsentStatus};
