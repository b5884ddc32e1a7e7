//! A schema of its own in the PostgreSQL database that is there for tests; it is dropped afterwards.

use std::thread;

use tokio_postgres::types::FromSqlOwned;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// The variable that says where PostgreSQL is, and where it is without.
const VARIABLE: &str = "CONSENTRY_TEST_POSTGRES";
const DEFAULT: &str = "postgres://postgres@127.0.0.1:5432/test";

/// A schema that nobody else uses.
pub(crate) struct Schema {
    name: String,
}

impl Schema {
    pub(crate) fn new() -> Self {
        let name = format!("consentry_test_{}", Uuid::now_v7().simple());
        run(format!("CREATE SCHEMA {name}"), execute);
        Self { name }
    }

    /// What a store in it is named.
    pub(crate) fn url(&self) -> String {
        self.with(&database())
    }

    /// The same, reached by another host and port.
    pub(crate) fn url_by(&self, host: &str) -> String {
        let url = database();
        let (before, rest) = url.split_once('@').unwrap();
        let (_, path) = rest.split_once('/').unwrap();
        self.with(&format!("{before}@{host}/{path}"))
    }

    fn with(&self, url: &str) -> String {
        let joint = if url.contains('?') { '&' } else { '?' };
        let name = &self.name;
        format!("{url}{joint}application_name={name}&options=-c%20search_path%3D{name}")
    }

    /// Runs statements in it.
    pub(crate) fn execute(&self, sql: &str) {
        run(self.here(sql), execute);
    }

    /// Runs statements in it that must fail, and says how they did.
    pub(crate) fn refused(&self, sql: &str) -> String {
        run(self.here(sql), async |client: Client, sql: String| {
            let error = client.batch_execute(&sql).await.unwrap_err();
            error.as_db_error().unwrap().message().to_owned()
        })
    }

    /// The first column of every row.
    pub(crate) fn column<T: FromSqlOwned + Send + 'static>(&self, sql: &str) -> Vec<T> {
        let (path, sql) = (self.here(""), sql.to_owned());
        run(path, async move |client: Client, path: String| {
            client.batch_execute(&path).await.unwrap();
            let rows = client.query(sql.as_str(), &[]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        })
    }

    /// What its connections are called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn here(&self, sql: &str) -> String {
        format!("SET search_path = {}; {sql}", self.name)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!(
            "SET client_min_messages = warning; SET lock_timeout = '20s'; DROP SCHEMA {} CASCADE",
            self.name
        );
        run(drop, execute);
    }
}

/// `host:port` of the database.
pub(crate) fn host() -> String {
    let url = database();
    let rest = url.split_once('@').unwrap().1;
    rest.split_once('/').unwrap().0.to_owned()
}

fn database() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| DEFAULT.to_owned())
}

async fn execute(client: Client, sql: String) {
    client.batch_execute(&sql).await.unwrap();
}

/// Does something with a connection, on a thread that is no runtime's.
fn run<T: Send + 'static>(
    sql: String,
    work: impl AsyncFnOnce(Client, String) -> T + Send + 'static,
) -> T {
    let url = database();
    let done = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let connected = tokio_postgres::connect(&url, NoTls).await;
            let (client, connection) = connected.unwrap_or_else(|error| {
                panic!(
                    "these tests need PostgreSQL, and there is none at {url}: {error}. Start one, or \
                     say in {VARIABLE} where it is"
                )
            });
            let connection = tokio::spawn(connection);
            let done = work(client, sql).await;
            drop(connection.await);
            done
        })
    });
    done.join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
