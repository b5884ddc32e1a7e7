//! A gateway to test, and short ways to ask it things.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Whoever writes, in tests that need only one person.
pub(crate) const ANN: &str = "+14155550123";

/// How long something that must happen may take. Only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The program, untouched by settings of whoever runs the tests.
pub(crate) fn consentry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    for name in [
        "ALERTS_SECRET",
        "ALERTS_TO",
        "CHECKPOINT_EVERY",
        "DECISIONS_KEPT",
        "GATE",
        "GATE_CATEGORY",
        "GENERIC_SECRET",
        "GENESYS_SECRET",
        "KEYS",
        "LOG",
        "META_SECRET",
        "META_VERIFY_TOKEN",
        "POLICY",
        "POLICY_CACHE",
        "POLICY_FROM",
        "POLICY_FROM_KEY",
        "POLICY_MEMORY",
        "POLICY_SIZE",
        "PUBLIC_URL",
        "ROLLBACK_AFTER",
        "STORE",
        "SUPPRESSION_KEY",
        "TRUSTED_KEYS",
        "TWILIO_SECRET",
        "WEBHOOK_SECRETS",
        "WHATSAPP_TOKEN",
        "WHATSAPP_URL",
    ] {
        command.env_remove(format!("CONSENTRY_{name}"));
    }
    command.args(arguments);
    command
}

/// Noon in California, a moment at which no quiet hours are against a message to [`ANN`].
pub(crate) const NOON: &str = "2026-06-10T19:00:00Z";

/// A running gateway. It is killed when it goes out of scope.
pub(crate) struct Gateway {
    child: Child,
    address: String,
    client: Client,
    log: Log,
    /// Keeps the log; ends with the process.
    reader: Option<JoinHandle<()>>,
    setup: Setup,
}

/// How a gateway is started.
#[derive(Clone)]
struct Setup {
    folder: Arc<TempDir>,
    /// Where its store is; nothing: a file in the folder.
    store: Option<String>,
    arguments: Vec<String>,
    log_level: &'static str,
}

type Log = Arc<Mutex<String>>;

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Gateway {
    /// A gateway on a new store.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// A gateway on a new store, with more arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        Self::start_as(Setup {
            folder: Arc::new(TempDir::new().unwrap()),
            store: None,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            log_level: "info",
        })
    }

    /// A gateway that logs everything it can.
    pub(crate) fn start_talkative(arguments: &[&str]) -> Self {
        Self::start_as(Setup {
            folder: Arc::new(TempDir::new().unwrap()),
            store: None,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            log_level: "trace",
        })
    }

    /// Several gateways, started at the same moment on one new store.
    pub(crate) fn start_together(count: usize) -> Vec<Self> {
        let setup = Setup {
            folder: Arc::new(TempDir::new().unwrap()),
            store: None,
            arguments: Vec::new(),
            log_level: "info",
        };
        std::thread::scope(|scope| {
            let start = |_| scope.spawn(|| Self::start_as(setup.clone()));
            let starting: Vec<_> = (0..count).map(start).collect();
            starting
                .into_iter()
                .map(|one| one.join().unwrap())
                .collect()
        })
    }

    /// A gateway on a database.
    pub(crate) fn start_on(store: &str) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let keys = folder.path().join("receipt-keys.json");
        Self::start_as(Setup {
            store: Some(store.to_owned()),
            arguments: vec!["--receipt-keys".to_owned(), keys.display().to_string()],
            log_level: "info",
            folder,
        })
    }

    fn start_as(setup: Setup) -> Self {
        // It is there once for all tests.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        let file = setup.folder.path().join("consentry.db");
        let in_file = || format!("sqlite:{}", file.display());
        let store = setup.store.clone().unwrap_or_else(in_file);
        let mut child = consentry(&["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(["--store", &store])
            .args(&setup.arguments)
            .env("CONSENTRY_LOG", setup.log_level)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Log::default();
        let (address, reader) = read_log(child.stderr.take().unwrap(), &log);
        let gateway = Self {
            child,
            address,
            client,
            log,
            reader: Some(reader),
            setup,
        };
        eventually("the gateway is ready", || {
            gateway.get("/readyz").status == 200
        });
        gateway
    }

    /// A second process on the same store.
    pub(crate) fn another(&self) -> Self {
        Self::start_as(self.setup.clone())
    }

    /// Ends the process without a warning, and starts another on the same store.
    pub(crate) fn kill_and_restart(mut self) -> Self {
        self.kill();
        self.another()
    }

    /// The same with more arguments.
    pub(crate) fn kill_and_restart_with(mut self, arguments: &[&str]) -> Self {
        self.kill();
        let more = arguments.iter().map(ToString::to_string);
        self.setup.arguments.extend(more);
        self.another()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end.
    pub(crate) fn terminate(&self) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the process has ended and its log is complete.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the gateway ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status.unwrap()
    }

    /// The number of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder().join("consentry.db")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.setup.folder.path()
    }

    /// What the gateway has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        send(self.client.get(self.url(path))).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).unwrap()
    }

    /// As [`Self::post`], when the gateway may be gone.
    pub(crate) fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<Answer> {
        send(self.client.post(self.url(path)).json(body))
    }

    /// Posts bytes that need not be JSON, as JSON.
    pub(crate) fn post_bytes(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        let request = self.client.post(self.url(path)).body(body.into());
        send(request.header("content-type", "application/json")).unwrap()
    }

    /// A text message comes in. Gives what was answered.
    pub(crate) fn text(&self, from: &str, body: &str) -> Value {
        self.inbound(json!({ "channel": "sms", "from": from, "body": body }))
    }

    /// A message comes in. Gives what was answered.
    pub(crate) fn inbound(&self, message: Value) -> Value {
        self.post("/v1/inbound", &message).ok()
    }

    /// Asks whether a message may go.
    pub(crate) fn preflight(&self, question: Value) -> Value {
        self.post("/v1/preflight", &question).ok()
    }

    /// Only asks, at a moment that may be in the past.
    pub(crate) fn ask(&self, mut question: Value) -> Value {
        question["dryRun"] = true.into();
        self.preflight(question)
    }

    /// Records that somebody reported a change. `query` is such as `status=OPTIN&channel=sms`.
    pub(crate) fn report(&self, to: &str, query: &str, body: &Value) -> Answer {
        self.post(&format!("/consent/{to}?{query}"), body)
    }

    /// OPTIN, OPTOUT or NONE. `query` is such as `channel=sms&category=marketing`.
    pub(crate) fn consent(&self, of: &str, query: &str) -> String {
        let answer = self.get(&format!("/consent/{of}?{query}")).ok();
        answer["consentStatus"].as_str().unwrap().to_owned()
    }

    /// What is on record about a contact.
    pub(crate) fn events(&self, of: &str) -> Vec<Value> {
        let answer = self.get(&format!("/v1/contacts/{of}/history"));
        if answer.status == 404 {
            return Vec::new();
        }
        answer.ok()["events"].as_array().unwrap().clone()
    }

    /// Sends bytes as they are, and gives everything that comes back. For requests that no HTTP
    /// client would make.
    pub(crate) fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // A gateway that refuses early may close while there is still something to send.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    /// The document, when all went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json
    }

    /// Checks that this is a problem document about one field.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, field: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{}",
            self.text
        );
        assert_eq!(self.json["status"], status, "{}", self.text);
        assert_eq!(self.json["field"], field, "{}", self.text);
        for name in ["type", "title", "detail"] {
            assert!(self.json[name].is_string(), "{name}: {}", self.text);
        }
    }
}

pub(crate) fn send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response: Response = request.send()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text()?;
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer {
        status,
        headers,
        json,
        text,
    })
}

/// Runs a command that must end by itself, and gives what it said and how it ended.
#[track_caller]
pub(crate) fn ended(command: &mut Command) -> Output {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = piped.spawn().unwrap();
    let pid = child.id().to_string();
    let (tell, told) = std::sync::mpsc::channel();
    // What it says is read while it runs: a full pipe would hold it up.
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    told.recv_timeout(PATIENCE).map_or_else(
        |_| {
            drop(Command::new("kill").args(["-9", &pid]).status());
            panic!("it did not end: {:?}", told.recv())
        },
        |output| output.unwrap(),
    )
}

/// Asks again and again until something is so.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::yield_now();
    }
}

/// The changes of an inbound answer, as `sms * OPTOUT`, in order.
pub(crate) fn changes(answer: &Value) -> Vec<String> {
    let changes = answer["changes"].as_array().unwrap().iter();
    let mut changes: Vec<String> = changes
        .map(|change| {
            format!(
                "{} {} {}",
                change["channel"].as_str().unwrap(),
                change["category"].as_str().unwrap_or("*"),
                change["status"].as_str().unwrap()
            )
        })
        .collect();
    changes.sort();
    changes
}

/// Reads the log until it says where the gateway listens; the rest is kept by a thread.
fn read_log(stderr: ChildStderr, log: &Log) -> (String, JoinHandle<()>) {
    let mut lines = BufReader::new(stderr).lines();
    let kept = Arc::clone(log);
    let keep = move |line: &str| {
        let mut log = kept.lock().unwrap();
        log.push_str(line);
        log.push('\n');
    };
    let address = loop {
        let Some(Ok(line)) = lines.next() else {
            panic!("the gateway did not start:\n{}", log.lock().unwrap());
        };
        keep(&line);
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(address) = entry["fields"]["address"].as_str() {
            break address.to_owned();
        }
    };
    let rest = move || lines.map_while(Result::ok).for_each(|line| keep(&line));
    (address, std::thread::spawn(rest))
}
