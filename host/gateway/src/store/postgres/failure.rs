//! What can go wrong with a database, by what to do about it.

use deadpool_postgres::PoolError;
use tokio_postgres::error::{DbError, SqlState};

use super::super::StoreError;

/// Why a database did not do what it was asked.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Somebody else was in the way; the same may go well the next time.
    Again(String),
    /// It does not take this, or somebody has had it locked for long. It may take something else.
    Refused(String),
    /// It is away, or cannot be used.
    Store(StoreError),
}

impl Failure {
    pub(super) fn away(why: impl ToString) -> Self {
        Self::Store(StoreError::Unavailable(why.to_string()))
    }

    /// Something is in the tables that nobody wrote there.
    pub(super) fn unreadable(what: impl ToString) -> Self {
        Self::away(format!("a row cannot be read: {}", what.to_string()))
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Again(why) | Failure::Refused(why) => Self::Unavailable(why),
            Failure::Store(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            error => Self::away(error),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            let cause = std::error::Error::source(&error);
            return Self::away(match cause {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            });
        };
        let said = said(told);
        let raced = [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
            &SqlState::UNIQUE_VIOLATION,
            // Two that make the first table.
            &SqlState::DUPLICATE_TABLE,
        ];
        if raced.contains(&told.code()) {
            Self::Again(said)
        } else if is_about_data(told) || *told.code() == SqlState::LOCK_NOT_AVAILABLE {
            Self::Refused(said)
        } else {
            Self::away(said)
        }
    }
}

/// The classes "data exception", "integrity constraint violation" and "program limit exceeded".
fn is_about_data(told: &DbError) -> bool {
    ["22", "23", "54"].contains(&told.code().code().get(..2).unwrap_or_default())
}

/// What the database said. The details, and what it says about data, may repeat a telephone number or a
/// message.
fn said(told: &DbError) -> String {
    let code = told.code().code();
    if is_about_data(told) {
        format!("it does not take this (SQLSTATE {code})")
    } else {
        format!("{} (SQLSTATE {code})", told.message())
    }
}
