//! Answers, and who gave them.

use consentry_model::{Classification, Contact, Decision, Inbound, Outbound, floor};

/// An answer, and who gave it.
#[derive(Clone, Debug)]
pub struct Given<T> {
    /// The answer.
    pub value: T,
    /// `policy`, `floor`, or `fault` where the floor answers for a policy that did not.
    pub decided_by: &'static str,
    /// Why the policy gave no answer.
    pub fault: Option<String>,
}

impl Given<Classification> {
    /// What counts of a policy's answer to a message, or of why there is none.
    pub fn classification(message: &Inbound, said: Result<Classification, String>) -> Self {
        match said {
            Ok(own) => {
                let instead = floor::instead(message, &own);
                Self::above_floor(own, instead)
            }
            Err(fault) => Self::without_policy(floor::classify(message), fault),
        }
    }
}

impl Given<Decision> {
    /// What counts of a policy's answer about a message, or of why there is none.
    pub fn decision(contact: &Contact, message: &Outbound, said: Result<Decision, String>) -> Self {
        match said {
            Ok(own) => {
                let instead = floor::instead_of_decision(contact, message, &own);
                Self::above_floor(own, instead)
            }
            Err(fault) => Self::without_policy(floor::deny_without_policy(), fault),
        }
    }
}

impl<T> Given<T> {
    fn above_floor(own: T, instead: Option<T>) -> Self {
        let decided_by = if instead.is_some() { "floor" } else { "policy" };
        Self {
            value: instead.unwrap_or(own),
            decided_by,
            fault: None,
        }
    }

    fn without_policy(value: T, fault: String) -> Self {
        Self {
            value,
            decided_by: "fault",
            fault: Some(fault),
        }
    }
}
