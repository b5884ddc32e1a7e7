//! Connections: where the database is, how they are made and shared, and how long anything may take.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, RecyclingMethod};
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::super::StoreError;
use super::failure::Failure;
use super::tls;

/// How long anything may take before the answer is that the store is away.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// What holds for a connection from its beginning. What was acknowledged must be on disk, whatever the
/// server's settings say. Whoever is cut off in the middle must not keep others waiting for its locks. And
/// what is asked names the contacts that it is about, so it goes by their keys, whatever the server thinks of
/// tables that it has no statistics of.
const SESSION: &str = "
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off';
    SET idle_in_transaction_session_timeout = '10s';
    SET lock_timeout = '1s';
    SELECT set_config(name, 'off', false) FROM pg_settings
    WHERE name IN ('enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'jit')";

/// A connection that somebody has for the time being.
pub(super) type Connection = Arc<Object>;

/// Where a database is, and how to be sure of it.
#[derive(Clone)]
pub struct Address {
    config: Config,
    tls: tls::Tls,
}

impl Address {
    /// Reads a URL, `postgres://USER@HOST/DATABASE?sslmode=…`. What is wrong with it is said without its
    /// password.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let (url, mode) = tls::without_mode(url)?;
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            StoreError::Address(cause.unwrap_or_else(|| error.to_string()))
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(StoreError::Address("it names no host".to_owned()));
        }
        let tls = tls::Tls::new(mode)?;
        config.ssl_mode(match mode {
            tls::Mode::Disable => SslMode::Disable,
            tls::Mode::Prefer => SslMode::Prefer,
            tls::Mode::Require | tls::Mode::VerifyFull => SslMode::Require,
        });
        if config.get_application_name().is_none() {
            config.application_name("consentry");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        Ok(Self { config, tls })
    }
}

/// Connections that wait for their next use.
#[derive(Clone)]
pub(super) struct Pool(deadpool_postgres::Pool);

impl Pool {
    /// At most so many connections. They are made when they are needed.
    pub(super) fn new(address: &Address, size: usize) -> Result<Self, StoreError> {
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(
            address.config.clone(),
            address.tls.connector(),
            ManagerConfig { recycling_method },
        );
        let settings = Hook::async_fn(|connection, _| {
            Box::pin(async move {
                let set = connection.batch_execute(SESSION).await;
                set.map_err(HookError::Backend)
            })
        });
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(size)
            .post_create(settings)
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self(pool))
    }

    /// Does something with a connection, within some time. One that met an error, or was given up in the middle, is not used
    /// again: nobody knows what it is about.
    pub(super) async fn with<T, F>(
        &self,
        patience: Duration,
        work: impl FnOnce(Connection) -> F + Send,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let all = async {
            let lease = Lease(Some(Arc::new(self.0.get().await?)));
            let done = work(Arc::clone(lease.connection()?)).await?;
            lease.give_back();
            Ok(done)
        };
        let Ok(done) = timeout(patience, all).await else {
            return Err(Failure::away("it takes too long"));
        };
        done
    }

    /// A connection for as long as somebody needs it.
    pub(super) async fn lease(&self) -> Result<Lease, Failure> {
        let Ok(connection) = timeout(PATIENCE, self.0.get()).await else {
            return Err(Failure::away("it takes too long"));
        };
        Ok(Lease(Some(Arc::new(connection?))))
    }

    /// Does something in one transaction.
    pub(super) async fn transaction<T, F>(
        &self,
        patience: Duration,
        work: impl FnOnce(Connection) -> F + Send,
    ) -> Result<T, Failure>
    where
        T: Send,
        F: Future<Output = Result<T, Failure>> + Send,
    {
        self.with(patience, |connection| async move {
            // Each statement sees what was committed before it, so what is read after a lock was taken
            // is what the one before left.
            let begin = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE";
            connection.batch_execute(begin).await?;
            let done = work(Arc::clone(&connection)).await?;
            connection.batch_execute("COMMIT").await?;
            Ok(done)
        })
        .await
    }
}

/// A connection that is closed, unless it is given back.
pub(super) struct Lease(Option<Connection>);

impl Lease {
    pub(super) fn connection(&self) -> Result<&Connection, Failure> {
        let none = || Failure::away("it has no connection");
        self.0.as_ref().ok_or_else(none)
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take().and_then(Arc::into_inner) {
            drop(Object::take(connection));
        }
    }
}
