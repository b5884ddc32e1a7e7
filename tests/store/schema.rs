//! Schemas and their versions.

use consentry::store::StoreError;

use crate::postgres::Schema;
use crate::support::*;

on_both_stores! {
    many_who_start_at_once_make_one_schema,
    a_store_of_a_newer_version_is_refused_and_left_as_it_is,
    events_and_changes_of_the_policy_are_never_changed,
}

async fn many_who_start_at_once_make_one_schema(place: Place) {
    let gateways = place.open_together(8).await;
    for (number, gateway) in gateways.iter().enumerate() {
        gateway.record(stop(&person(number))).await.unwrap();
        assert_eq!(status(&gateways[0], &person(number)).await, Out);
    }
}

async fn a_store_of_a_newer_version_is_refused_and_left_as_it_is(place: Place) {
    let store = place.open().await;
    store.record(stop(ANN)).await.unwrap();
    drop(store);
    place.execute(match place {
        Place::Sqlite(_) => "PRAGMA user_version = 99",
        Place::Postgres(_) => "UPDATE schema_version SET version = 99",
    });
    let refused = place.try_open().await.map(drop).unwrap_err();
    assert!(
        matches!(refused, StoreError::Newer { found: 99, .. }),
        "{refused}"
    );
    let again = place.try_open().await.map(drop).unwrap_err();
    assert_eq!(again, refused);
}

async fn events_and_changes_of_the_policy_are_never_changed(place: Place) {
    let store = place.open().await;
    store.record(stop(ANN)).await.unwrap();
    for sql in [
        "UPDATE event SET body = 'START'",
        "DELETE FROM event",
        "DELETE FROM policy_change",
    ] {
        match &place {
            // A trigger for each row has nothing to say where there is none.
            Place::Sqlite(_) if sql.contains("policy_change") => {}
            Place::Sqlite(folder) => {
                let file = rusqlite::Connection::open(folder.path().join("s.db")).unwrap();
                let refused = file.execute(sql, ()).unwrap_err().to_string();
                assert!(refused.contains("never"), "{refused}");
            }
            Place::Postgres(schema) => {
                let refused = schema.refused(sql);
                assert!(refused.contains("never"), "{refused}");
            }
        }
    }
    assert_eq!(events(&store, ANN).await[0].body.as_deref(), Some("STOP"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_make_no_tables_serves_with_those_that_are_there() {
    let schema = Schema::new();
    drop(open_postgres(&schema.url()).await.unwrap());
    let versions: Vec<i64> = schema.column("SELECT version FROM schema_version");
    assert_eq!(versions, [2]);
    // A lock that keeps everybody from writing the version.
    schema.execute("CREATE RULE fixed AS ON UPDATE TO schema_version DO INSTEAD SELECT 1 / 0");
    let store = open_postgres(&schema.url()).await.unwrap();
    store.record(stop(ANN)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_path_that_leads_nowhere_is_named() {
    let schema = Schema::new();
    let url = schema.url().replace(schema.name(), "no_such_schema");
    let refused = open_postgres(&url).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("search_path"), "{refused}");
}
