//! What is asked at the same time is done together: while one group is under way the next one gathers.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use super::super::StoreError;
use super::connect::PATIENCE;

/// How much may wait. More is overload, and said so.
const QUEUE: usize = 4096;
/// How much one group may hold.
const GROUP: usize = 256;

type Asked<A, R> = (A, oneshot::Sender<Result<R, StoreError>>);

/// A place to ask one thing, which is done together with what others ask.
pub(super) struct Gather<A, R> {
    waiting: mpsc::Sender<Asked<A, R>>,
}

impl<A: Send + 'static, R: Send + 'static> Gather<A, R> {
    /// Has up to so many groups under way at a time. `work` gives one answer for each that is asked, in
    /// their order.
    pub(super) fn start<W, F>(at_a_time: usize, work: W) -> Self
    where
        W: Fn(Vec<A>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Vec<Result<R, StoreError>>> + Send + 'static,
    {
        let (waiting, taken) = mpsc::channel(QUEUE);
        let taken = Arc::new(Mutex::new(taken));
        for _ in 0..at_a_time {
            tokio::spawn(run(Arc::clone(&taken), work.clone()));
        }
        Self { waiting }
    }

    /// Asks, and waits for the answer, but not for long.
    pub(super) async fn ask(&self, asked: A) -> Result<R, StoreError> {
        let (reply, answered) = oneshot::channel();
        self.waiting
            .try_send((asked, reply))
            .map_err(|error| match error {
                TrySendError::Full(_) => StoreError::Busy,
                TrySendError::Closed(_) => stopped(),
            })?;
        match timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Err(StoreError::Unavailable("it takes too long".to_owned())),
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("whoever asks it has stopped".to_owned())
}

async fn run<A, R, W, F>(taken: Arc<Mutex<mpsc::Receiver<Asked<A, R>>>>, work: W)
where
    W: Fn(Vec<A>) -> F,
    F: Future<Output = Vec<Result<R, StoreError>>>,
{
    loop {
        let mut group = Vec::new();
        if taken.lock().await.recv_many(&mut group, GROUP).await == 0 {
            return;
        }
        // Whoever has been told that there is no answer must not be answered by what is done later.
        group.retain(|(_, reply)| !reply.is_closed());
        if group.is_empty() {
            continue;
        }
        let (asked, replies): (Vec<A>, Vec<_>) = group.into_iter().unzip();
        let answers = work(asked).await;
        for (reply, answer) in replies.into_iter().zip(answers) {
            drop(reply.send(answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn what_gathers_while_one_is_under_way_is_done_together() {
        let gather = Gather::start(1, |numbers: Vec<usize>| async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let size = numbers.len();
            numbers
                .into_iter()
                .map(|number| Ok((number, size)))
                .collect()
        });
        let first = gather.ask(0);
        let others = async {
            tokio::task::yield_now().await;
            join_all((1..10).map(|number| gather.ask(number))).await
        };
        let (first, others) = tokio::join!(first, others);
        assert_eq!(first, Ok((0, 1)));
        let expected: Vec<_> = (1..10).map(|number| Ok((number, 9))).collect();
        assert_eq!(others, expected);
    }

    #[tokio::test]
    async fn one_that_fails_fails_alone() {
        let gather = Gather::start(1, |numbers: Vec<u32>| async move {
            let answer = |number| match number {
                2 => Err(StoreError::AddressTaken),
                _ => Ok(number),
            };
            numbers.into_iter().map(answer).collect()
        });
        let answers = join_all((1..4).map(|number| gather.ask(number))).await;
        assert_eq!(answers, [Ok(1), Err(StoreError::AddressTaken), Ok(3)]);
    }

    #[tokio::test]
    async fn more_than_can_wait_is_refused_at_once() {
        let gather = Gather::start(1, |asked: Vec<()>| async move {
            std::future::pending::<()>().await;
            asked.into_iter().map(Ok).collect()
        });
        let asking =
            (0..QUEUE + GROUP + 1).map(|_| timeout(Duration::from_millis(1), gather.ask(())));
        let answers = join_all(asking).await;
        assert!(answers.contains(&Ok(Err(StoreError::Busy))));
    }
}
