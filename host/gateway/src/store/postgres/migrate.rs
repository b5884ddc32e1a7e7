//! The schema, in steps that were taken one after the other. Each is applied once, whoever starts first.

use super::super::StoreError;
use super::connect::Connection;
use super::failure::Failure;

/// The step to version 1, to version 2, and so on. What was released is not changed; a change of the
/// schema is another step.
const STEPS: [&str; 2] = [include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// Applies the steps that the schema lacks, within the transaction of the connection.
pub(super) async fn migrate(connection: Connection) -> Result<(), Failure> {
    // Who may not make tables can serve with those that are there.
    let known = "SELECT to_regclass('schema_version') IS NOT NULL";
    if !connection.query_one(known, &[]).await?.try_get(0)? {
        connection
            .batch_execute(
                "CREATE TABLE IF NOT EXISTS schema_version (
                    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
                    version  bigint NOT NULL
                );
                INSERT INTO schema_version (version) VALUES (0) ON CONFLICT DO NOTHING",
            )
            .await?;
    }
    if missing(version(&connection, "").await?)?.is_empty() {
        return Ok(());
    }
    // Of many that start at the same moment one goes on; the others wait here, and find it done.
    connection
        .batch_execute("SET LOCAL lock_timeout = 0")
        .await?;
    let locked = version(&connection, "FOR UPDATE").await?;
    for step in missing(locked)? {
        connection.batch_execute(step).await?;
    }
    let newest = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    connection
        .execute("UPDATE schema_version SET version = $1", &[&newest])
        .await?;
    Ok(())
}

async fn version(connection: &Connection, lock: &str) -> Result<i64, Failure> {
    let query = format!("SELECT version FROM schema_version {lock}");
    Ok(connection.query_one(&query, &[]).await?.try_get(0)?)
}

fn missing(found: i64) -> Result<&'static [&'static str], StoreError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    usize::try_from(found)
        .ok()
        .and_then(|taken| STEPS.get(taken..))
        .ok_or(StoreError::Newer { found, known })
}
