//! On to the provider, and back. A request goes there as it came, with the caller's own credentials, once,
//! and nowhere else: no redirect is followed and nothing is repeated.

use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use reqwest::{Client, Url, redirect};
use serde_json::Value;

use super::access::KEY_HEADER;
use crate::http::problem::Problem;
use crate::loopback::is_loopback;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the provider may take until it begins to answer, and may pause then. Less than a request may
/// take here, so that the caller gets an answer in the provider's form.
const ANSWER: Duration = Duration::from_secs(25);
/// How much of an error is read to find out what it tells. All of it goes to the caller.
const LARGEST_ERROR: usize = 64 << 10;

/// What is about one connection, and not about the message.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// A provider's send API.
pub(super) struct Upstream {
    base: Url,
    client: Client,
}

impl Upstream {
    pub(super) fn new(base: Url) -> anyhow::Result<Self> {
        let host = base.host_str().unwrap_or_default();
        let is_safe = base.scheme() == "https" || (base.scheme() == "http" && is_loopback(host));
        anyhow::ensure!(
            is_safe,
            "credentials go there: use https://, or http:// on a loopback address"
        );
        let is_plain = base.query().is_none() && base.fragment().is_none();
        let is_open = base.username().is_empty() && base.password().is_none();
        anyhow::ensure!(is_plain && is_open, "write it like https://api.example.com");
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(ANSWER)
            .build()
            .context("no client for it")?;
        Ok(Self { base, client })
    }

    /// The name and the port, as a `Host` has them.
    pub(super) fn authority(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Sends a request on. `is_signed`: its signature may cover every header.
    pub(super) async fn send(
        &self,
        parts: &Parts,
        path: &str,
        body: Bytes,
        is_signed: bool,
    ) -> Result<reqwest::Response, Problem> {
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url.set_query(parts.uri.query());
        let mut headers = end_to_end(&parts.headers);
        for name in [KEY_HEADER, "content-length", "expect"] {
            headers.remove(name);
        }
        if !is_signed {
            headers.remove(header::HOST);
            // What the answer tells must be readable here, too.
            headers.insert(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static("identity"),
            );
        }
        let request = self.client.post(url).headers(headers).body(body);
        let sent = tokio::time::timeout(ANSWER, request.send()).await;
        match sent {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() => Err(Problem::new(
                StatusCode::BAD_GATEWAY,
                "upstream-unreachable",
                "the provider cannot be reached; the message was not sent",
            )),
            Ok(Err(error)) if !error.is_timeout() => Err(Problem::new(
                StatusCode::BAD_GATEWAY,
                "upstream-failed",
                "the provider broke the connection; whether the message was sent is not known",
            )),
            Ok(Err(_)) | Err(_) => Err(Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream-slow",
                "the provider did not answer in time; whether the message was sent is not known",
            )),
        }
    }
}

/// The provider's answer for the caller, as it comes; and its document, when it is an error.
pub(super) async fn answer(upstream: reqwest::Response) -> (Response, Option<Value>) {
    let status = upstream.status();
    let headers = end_to_end(upstream.headers());
    let is_error = status.is_client_error() || status.is_server_error();
    let mut rest = upstream.bytes_stream().boxed();
    let (mut read, mut length) = (Vec::new(), 0);
    while is_error && length <= LARGEST_ERROR {
        let Some(chunk) = rest.next().await else {
            break;
        };
        length += chunk.as_ref().map_or(0, Bytes::len);
        let is_broken = chunk.is_err();
        read.push(chunk);
        if is_broken {
            break;
        }
    }
    let whole: Vec<u8> = read.iter().flatten().flatten().copied().collect();
    let document = serde_json::from_slice(&whole).ok().filter(|_| is_error);
    let body = Body::from_stream(stream::iter(read).chain(rest));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    (response, document)
}

/// The headers that are not about the connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named = headers.get_all(header::CONNECTION).iter();
    let named = named.filter_map(|value| value.to_str().ok());
    let named: Vec<String> = named
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut kept = headers.clone();
    for name in HOP_BY_HOP {
        kept.remove(name);
    }
    for name in named {
        kept.remove(&*name);
    }
    kept
}
