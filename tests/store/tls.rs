//! `sslmode`, against the server that the tests use.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use consentry::store::StoreError;
use consentry::store::postgres::DatabaseAddress;

use crate::postgres::Schema;
use crate::support::*;

fn is_encrypted(schema: &Schema) -> Vec<bool> {
    schema.column(&format!(
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
         WHERE application_name = '{}'",
        schema.name()
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_is_as_sure_as_it_was_asked_to_be() {
    let schema = Schema::new();
    let settings: Vec<String> = schema.column("SELECT current_setting('ssl')");
    assert_eq!(
        settings,
        ["on"],
        "this test needs a PostgreSQL that offers TLS"
    );
    for (mode, encrypted) in [("disable", false), ("prefer", true), ("require", true)] {
        let url = format!("{}&sslmode={mode}", schema.url());
        let store = open_postgres(&url).await.unwrap();
        store.record(stop(ANN)).await.unwrap();
        assert_eq!(is_encrypted(&schema), [encrypted], "{mode}");
        drop(store);
        // The server takes a moment to see that they are gone.
        while !is_encrypted(&schema).is_empty() {
            tokio::task::yield_now().await;
        }
    }
    // Nobody has vouched for the certificate of a test server.
    let url = format!("{}&sslmode=verify-full", schema.url());
    let refused = open_postgres(&url).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_in_the_open_to_a_server_without_tls_that_must_have_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut asked = [0; 8];
        client.read_exact(&mut asked).unwrap();
        client.write_all(b"N").unwrap();
        let mut more = Vec::new();
        let _ = client.read_to_end(&mut more);
        more
    });
    let url = format!("postgres://kim:secret@127.0.0.1:{port}/d?sslmode=require");
    let refused = open_postgres(&url).await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("TLS"), "{refused}");
    assert!(!refused.contains("secret"), "{refused}");
    assert_eq!(server.join().unwrap(), b"");
}

#[test]
fn what_is_wrong_with_an_address_is_said_without_its_password() {
    for url in [
        "postgres://kim:secret@host:port/d",
        "postgres://kim:secret@host/d?sslmode=verify-ca",
        "postgres://kim:secret@host/d?sslmode=secret-mode&x=secret",
        "postgres://kim:secret@host/d?nonsense=secret",
        "postgres://kim:secret@/d",
        "postgres://",
    ] {
        let Err(StoreError::Address(why)) = DatabaseAddress::parse(url).map(drop) else {
            panic!("{url}")
        };
        assert!(
            !why.is_empty() && !why.contains("kim") && !why.contains(":secret"),
            "{why}"
        );
    }
}
