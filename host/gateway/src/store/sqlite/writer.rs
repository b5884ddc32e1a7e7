//! The writer: one thread that takes what is waiting, writes it in one transaction, and answers
//! when that is on disk. So a durable opt-out does not cost an fsync of its own.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::super::StoreError;

/// How many jobs may wait. More is overload, and said so.
const QUEUE: usize = 4096;
/// How many jobs one commit may hold.
const GROUP: usize = 256;

/// Something to do within a transaction; or, when there is none, to be refused.
type Job = Box<dyn FnOnce(Result<&mut Transaction<'_>, StoreError>) -> Reply + Send>;

/// Answers whoever asked, when it is known whether what was done is on disk.
type Reply = Box<dyn FnOnce(Result<(), StoreError>)>;

pub(super) struct Writer {
    /// Taken away on drop, which tells the thread to finish.
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, &waiting))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Does something, or leaves everything as it was. The answer comes when it is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Box::new(move |transaction| {
            let done = transaction.and_then(|transaction| within(transaction, work));
            // Whoever asked may have gone; what was done is recorded all the same.
            Box::new(move |committed| drop(answer.send(committed.and(done))))
        }))?;
        answered.await.map_err(|_| stopped())?
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => stopped(),
        })
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("its writer has stopped".to_owned())
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // What is waiting is written before the thread ends.
            drop(thread.join());
        }
    }
}

fn run(mut connection: Connection, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        // All are taken up before anything can fail, so that each gets its answer.
        let jobs: Vec<Job> = std::iter::once(first)
            .chain(waiting.try_iter().take(GROUP - 1))
            .collect();
        let (replies, committed) = commit(&mut connection, jobs);
        for reply in replies {
            reply(committed.clone());
        }
    }
}

/// Writes a group. What cannot be written leaves the others as they are; a commit that fails leaves
/// none. A group of nothing needs the lock for writing all the same.
fn commit(connection: &mut Connection, jobs: Vec<Job>) -> (Vec<Reply>, Result<(), StoreError>) {
    match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(mut transaction) => {
            let replies = jobs.into_iter().map(|job| job(Ok(&mut transaction)));
            let replies = replies.collect();
            (replies, transaction.commit().map_err(StoreError::from))
        }
        Err(error) => {
            let error = StoreError::from(error);
            let replies = jobs.into_iter().map(|job| job(Err(error.clone())));
            (replies.collect(), Err(error))
        }
    }
}

/// Does something, or leaves everything as it was.
fn within<T>(
    transaction: &mut Transaction<'_>,
    work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let savepoint = transaction.savepoint()?;
    let done = work(&savepoint);
    match done {
        Ok(_) => savepoint.commit()?,
        Err(_) => savepoint.finish()?,
    }
    done
}
