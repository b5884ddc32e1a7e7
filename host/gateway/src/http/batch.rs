//! `POST /v1/preflight/batch`: many questions, one a line, each answered as soon as it is read.

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::extract;
use super::preflight::{PreflightAnswer, PreflightRequest, respond};
use super::problem::Problem;
use crate::gateway::Gateway;

/// The longest line, in bytes.
const MAX_LINE: usize = 64 << 10;
/// How many lines, of all batches, are worked on at the same time: few, so that single questions and
/// opt-outs go before.
static TURNS: Semaphore = Semaphore::const_new(4);
const NDJSON: &str = "application/x-ndjson";

/// An answer, and the line of the question, from 1.
#[derive(Serialize)]
struct Line<T> {
    line: u64,
    #[serde(flatten)]
    answer: T,
}

/// What a line is answered that asks nothing answerable: nothing may be sent because of it.
#[derive(Serialize)]
struct Refused {
    allowed: bool,
    #[serde(flatten)]
    problem: Problem,
}

/// Says for each line whether its message may go.
#[utoipa::path(
    post, path = "/v1/preflight/batch",
    request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = "4XX", body = Problem))
)]
pub(crate) async fn batch(State(gateway): State<Gateway>, request: Request<Body>) -> Response {
    let questions = Questions {
        body: Some(request.into_body().into_data_stream()),
        buffer: BytesMut::new(),
        line: 0,
    };
    let answers = stream::unfold(
        (questions, gateway),
        |(mut questions, gateway)| async move {
            loop {
                let read = questions.next().await?;
                let (line, text) = match read {
                    Ok(read) => read,
                    Err(lost) => return Some((Err(lost), (questions, gateway))),
                };
                if text.trim_ascii().is_empty() {
                    continue;
                }
                let answer = written(line, answered(&gateway, &text).await);
                return Some((Ok(answer), (questions, gateway)));
            }
        },
    );
    ([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(answers)).into_response()
}

async fn answered(gateway: &Gateway, text: &[u8]) -> Result<PreflightAnswer, Problem> {
    if text.len() > MAX_LINE {
        return Err(Problem::too_long("(line)", MAX_LINE));
    }
    let request: PreflightRequest = extract::read(text)?;
    let _turn = TURNS.acquire().await.map_err(|_| Problem::overloaded())?;
    respond(gateway, request).await
}

fn written(line: u64, answer: Result<PreflightAnswer, Problem>) -> Bytes {
    let text = match answer {
        Ok(answer) => serde_json::to_string(&Line { line, answer }),
        Err(problem) => serde_json::to_string(&Line {
            line,
            answer: Refused {
                allowed: false,
                problem,
            },
        }),
    };
    let fallback = || json!({ "line": line, "allowed": false }).to_string();
    let mut text = text.unwrap_or_else(|_| fallback());
    text.push('\n');
    text.into()
}

/// The lines of a body as they come in.
struct Questions {
    /// Nothing when it has ended.
    body: Option<BodyDataStream>,
    /// What has come and is not answered yet.
    buffer: BytesMut,
    line: u64,
}

impl Questions {
    /// The next line with its number; nothing when there is no more.
    async fn next(&mut self) -> Option<Result<(u64, BytesMut), axum::Error>> {
        loop {
            let end = self.buffer.iter().position(|byte| *byte == b'\n');
            // A line that does not end is not gathered for ever.
            let is_long = end.is_none() && self.buffer.len() > MAX_LINE;
            let size = match (end, &self.body) {
                (Some(end), _) => end + 1,
                (None, None) if self.buffer.is_empty() => return None,
                (None, None) => self.buffer.len(),
                (None, Some(_)) if is_long => return Some(Err(too_long())),
                (None, Some(_)) => {
                    match self.body.as_mut()?.next().await {
                        Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                        Some(Err(error)) => return Some(Err(error)),
                        None => self.body = None,
                    }
                    continue;
                }
            };
            self.line += 1;
            return Some(Ok((self.line, self.buffer.split_to(size))));
        }
    }
}

fn too_long() -> axum::Error {
    axum::Error::new(std::io::Error::other("a line is longer than 64 KiB"))
}
