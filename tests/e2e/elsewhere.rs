//! A provider, as the gate forwards to it: it keeps what arrives, and answers as it is told.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use futures_util::{StreamExt as _, stream};
use hmac::{Hmac, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::PATIENCE;

/// A request that has arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Arrived {
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).expect(name).to_str().unwrap()
    }

    /// Whether it carries the signature that AWS would find to be right: version 4, with this secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let part = |name: &str| {
            let (_, rest) = self.header("authorization").split_once(name).unwrap();
            rest.split(',').next().unwrap().trim().to_owned()
        };
        let names = part("SignedHeaders=");
        let headers = names
            .split(';')
            .map(|name| format!("{name}:{}\n", self.header(name)));
        let request = format!(
            "POST\n{}\n\n{}\n{names}\n{}",
            self.path,
            headers.collect::<String>(),
            hex(&Sha256::digest(&self.body)),
        );
        let credential = part("Credential=");
        let (_, scope) = credential.split_once('/').unwrap();
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.header("x-amz-date"),
            hex(&Sha256::digest(request)),
        );
        let first = format!("AWS4{secret}").into_bytes();
        let key = scope.split('/').fold(first, |key, part| mac(&key, part));
        hex(&mac(&key, &text)) == part("Signature=")
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mac: Hmac<Sha256> = Hmac::new_from_slice(key).unwrap();
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What it answers.
#[derive(Clone)]
pub(crate) enum Says {
    /// A document.
    Json(u16, Value),
    /// Bytes in two parts, the second when it is told to go on.
    InParts(&'static str, Arc<Mutex<Receiver<()>>>, &'static str),
    /// The same as an error.
    Refusing(&'static str, Arc<Mutex<Receiver<()>>>, &'static str),
    /// Nothing, ever.
    Nothing,
}

pub(crate) struct Elsewhere {
    pub(crate) url: String,
    arrived: Receiver<Arrived>,
    says: Arc<Mutex<Says>>,
}

impl Elsewhere {
    pub(crate) fn saying(status: u16, document: Value) -> Self {
        let says = Arc::new(Mutex::new(Says::Json(status, document)));
        let (sender, arrived) = channel();
        let (listening, listens) = channel();
        let answers = Arc::clone(&says);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                listening.send(listener.local_addr().unwrap()).unwrap();
                let app = axum::Router::new().fallback(move |request: Request<Body>| {
                    let (sender, says) = (sender.clone(), answers.lock().unwrap().clone());
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                        // A test that is over wants to know nothing more.
                        let _ = sender.send(Arrived {
                            path: parts.uri.to_string(),
                            headers: parts.headers,
                            body: String::from_utf8(body.to_vec()).unwrap(),
                        });
                        answer(says).await
                    }
                });
                axum::serve(listener, app).await.unwrap();
            });
        });
        let address = listens.recv_timeout(PATIENCE).unwrap();
        Self {
            url: format!("http://{address}"),
            arrived,
            says,
        }
    }

    pub(crate) fn now_says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// The next request.
    #[track_caller]
    pub(crate) fn next(&self) -> Arrived {
        self.arrived.recv_timeout(PATIENCE).unwrap()
    }

    /// Nothing has arrived, and nothing is on its way: what is refused is answered after it would have
    /// arrived.
    #[track_caller]
    pub(crate) fn got_nothing(&self) {
        let got = self.arrived.try_recv();
        assert!(got.is_err(), "{got:?}");
    }
}

async fn answer(says: Says) -> Response<Body> {
    match says {
        Says::Json(status, document) => {
            let mut response = Response::new(Body::from(document.to_string()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let headers = response.headers_mut();
            headers.insert("content-type", "application/json".parse().unwrap());
            headers.insert("x-of-the-provider", "yes".parse().unwrap());
            headers.insert("keep-alive", "timeout=5".parse().unwrap());
            response
        }
        Says::InParts(first, go_on, second) => in_parts(first, go_on, second),
        Says::Refusing(first, go_on, second) => {
            let mut response = in_parts(first, go_on, second);
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
        Says::Nothing => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Response::new(Body::empty())
        }
    }
}

fn in_parts(
    first: &'static str,
    go_on: Arc<Mutex<Receiver<()>>>,
    second: &'static str,
) -> Response<Body> {
    let rest = async move {
        let waited = tokio::task::spawn_blocking(move || {
            go_on.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        });
        waited.await.unwrap();
        Ok::<_, std::io::Error>(Bytes::from(second))
    };
    let first = stream::iter([Ok(Bytes::from(first))]);
    Response::new(Body::from_stream(first.chain(stream::once(rest))))
}
