//! Connections: how many there may be, and how long one may say nothing.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How many connections may be open; whoever comes later waits. With the files that the store opens
/// for their requests, they are fewer than the 1,024 that many systems allow.
const CONNECTIONS: usize = 512;
/// How long the headers of a request may take. A connection that waits for its next request so long
/// is closed, too.
const HEADERS: Duration = Duration::from_secs(10);
/// How long open requests have to end when the gateway is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `stop` is done, then lets open requests end.
pub(crate) async fn serve(mut listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            // axum's way of accepting goes on after an error.
            let (stream, _) = Listener::accept(&mut listener).await;
            (place, stream)
        };
        let (place, stream) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(app.clone());
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Whoever hangs up or talks nonsense is told so by hyper.
            drop(connection.await);
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, open.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}
