//! Groups, written in one transaction; and what is tried again when others were in the way.

use std::future::Future;
use std::time::{Duration, Instant};

use super::super::StoreError;
use super::connect::{Connection, PATIENCE, Pool};
use super::failure::Failure;

/// The first pause before something is tried again that others were in the way of. It doubles.
const PAUSE: Duration = Duration::from_millis(2);

/// Writes a group in one transaction. When one of it is not taken, each is written by itself, so that it
/// fails alone.
pub(super) async fn together<A, R, F>(
    pool: Pool,
    group: Vec<A>,
    write: impl Fn(Connection, Vec<A>) -> F + Send + Sync,
) -> Vec<Result<R, StoreError>>
where
    A: Clone + Send + Sync,
    R: Send,
    F: Future<Output = Result<Vec<Result<R, StoreError>>, Failure>> + Send,
{
    let (size, started) = (group.len(), Instant::now());
    let whole = || pool.transaction(PATIENCE, |connection| write(connection, group.clone()));
    match again(whole).await {
        Ok(answers) => answers,
        Err(Failure::Refused(_) | Failure::Again(_)) if size > 1 => {
            let mut answers = Vec::with_capacity(size);
            for one in &group {
                if started.elapsed() > PATIENCE {
                    break;
                }
                let alone = || {
                    let one = vec![one.clone()];
                    pool.transaction(PATIENCE, |connection| write(connection, one))
                };
                match again(alone).await {
                    Ok(answer) => answers.extend(answer),
                    Err(failure) => answers.push(Err(failure.into())),
                }
            }
            // Nobody waits any longer for what is left.
            answers.extend(all(
                size - answers.len(),
                Failure::away("it takes too long"),
            ));
            answers
        }
        Err(failure) => all(size, failure),
    }
}

/// The same failure for everybody.
pub(super) fn all<R>(size: usize, failure: Failure) -> Vec<Result<R, StoreError>> {
    let error = StoreError::from(failure);
    (0..size).map(|_| Err(error.clone())).collect()
}

/// Does something again when others were in the way.
pub(super) async fn again<T, F>(mut work: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let started = Instant::now();
    let mut pause = PAUSE;
    loop {
        match work().await {
            Err(Failure::Again(_)) if started.elapsed() < PATIENCE => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
}
