//! `consentry demo`: a day of messages, through a real gateway, over HTTP.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use consentry_host::{Host, Limits};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::{output, serve};
use crate::gateway::Gateway;
use crate::http::gate::Upstreams;
use crate::http::webhooks::Providers;
use crate::jws::SigningKeys;
use crate::policies::Policies;
use crate::store::sqlite::SqliteStore;

/// One thing that happens on that day.
enum Scene {
    /// A heading.
    Title(&'static str),
    /// A contact writes. The words are shown; the rest of the request is added to them.
    Writes {
        by: &'static str,
        from: &'static str,
        words: &'static str,
        more: Value,
    },
    /// Somebody asks whether a message may go.
    Asks { what: &'static str, question: Value },
    /// Somebody records consent.
    Records {
        what: &'static str,
        path: &'static str,
        body: Value,
    },
    /// Somebody reads consent.
    Reads { path: &'static str },
}

const ANN: &str = "+14155550123";
const BOB: &str = "+442071838750";
const CLEO: &str = "+5511961234567";

pub(super) async fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("demo.db"))?;
    let host = Host::new(Limits::default())?;
    let gateway = Gateway::new(Policies::start(None, None, host)?, Arc::new(store))
        .with_receipts(Arc::new(SigningKeys::ephemeral()?));
    let policy = gateway.policy();
    let manifest = policy.manifest();
    output::text(&format!(
        "A gateway on a temporary store, deciding with the policy {} {}\n{}\n",
        manifest.name,
        manifest.version,
        policy.digest(),
    ))?;
    let (listener, address) = serve::local().await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve::serve(
        listener,
        gateway,
        None,
        Providers::default(),
        Upstreams::default(),
        async {
            drop(stopped.await);
        },
    ));
    let played = play(&format!("http://{address}")).await;
    // Whether it still listens does not matter.
    let _ = stop.send(());
    server.await??;
    played?;
    output::text(
        "\nThat was the day. Now start it for good:  consentry serve\n\
         and try a message of your own:            consentry classify \"quit it please\"",
    )
}

async fn play(base: &str) -> anyhow::Result<()> {
    let client = Client::new();
    for scene in the_day() {
        match scene {
            Scene::Title(title) => output::text(&format!("\n== {title}"))?,
            Scene::Writes {
                by,
                from,
                words,
                more,
            } => {
                let mut message = json!({ "from": from, "body": words });
                merge(&mut message, more);
                let answer = call(
                    &client,
                    Method::POST,
                    &format!("{base}/v1/inbound"),
                    &message,
                )
                .await?;
                output::text(&format!(
                    "\n  {by} writes {words:?}\n{}",
                    understood(&answer)
                ))?;
            }
            Scene::Asks { what, question } => {
                let answer = call(
                    &client,
                    Method::POST,
                    &format!("{base}/v1/preflight"),
                    &question,
                )
                .await?;
                output::text(&format!("\n  {what}?\n{}", decided(&answer)))?;
            }
            Scene::Records { what, path, body } => {
                let answer = call(&client, Method::POST, &format!("{base}{path}"), &body).await?;
                output::text(&format!("\n  {what}\n     {}", status(&answer)))?;
            }
            Scene::Reads { path } => {
                let answer =
                    call(&client, Method::GET, &format!("{base}{path}"), &Value::Null).await?;
                output::text(&format!("\n  GET {path}\n     {}", status(&answer)))?;
            }
        }
    }
    Ok(())
}

async fn call(client: &Client, method: Method, url: &str, body: &Value) -> anyhow::Result<Value> {
    let mut request = client.request(method, url);
    if !body.is_null() {
        request = request.json(body);
    }
    let response = request.send().await?;
    let status = response.status();
    let answer: Value = response
        .json()
        .await
        .with_context(|| format!("{url}: {status}"))?;
    if !status.is_success() {
        bail!("{url}: {status}: {answer}");
    }
    Ok(answer)
}

fn merge(message: &mut Value, more: Value) {
    if let (Value::Object(message), Value::Object(more)) = (message, more) {
        message.extend(more);
    }
}

fn text<'v>(answer: &'v Value, name: &str) -> &'v str {
    answer.get(name).and_then(Value::as_str).unwrap_or("-")
}

fn understood(answer: &Value) -> String {
    let mut lines = format!(
        "     {} -> {}  (rule {})",
        text(answer, "intent"),
        text(answer, "route"),
        text(answer, "rule")
    );
    let changes = answer.get("changes").and_then(Value::as_array);
    let changes: Vec<String> = changes
        .into_iter()
        .flatten()
        .map(|change| format!("{} {}", text(change, "channel"), text(change, "status")))
        .collect();
    if !changes.is_empty() {
        lines.push_str(&format!("\n     recorded: {}", changes.join(", ")));
    }
    if let Some(reply) = answer.get("reply").and_then(Value::as_str) {
        lines.push_str(&format!("\n     answer: {reply}"));
    }
    lines
}

fn decided(answer: &Value) -> String {
    let allowed = answer.get("allowed").and_then(Value::as_bool) == Some(true);
    let verdict = if allowed { "YES" } else { "NO" };
    let mut line = format!(
        "     {verdict}: {} -> {}",
        text(answer, "reason"),
        text(answer, "route")
    );
    let trace = answer.get("trace").and_then(Value::as_array);
    let rules: Vec<String> = trace
        .into_iter()
        .flatten()
        .map(|step| format!("{} {}", text(step, "rule"), text(step, "outcome")))
        .collect();
    line.push_str(&format!("  ({})", rules.join(", ")));
    line
}

fn status(answer: &Value) -> String {
    format!(
        "{} since {}",
        text(answer, "consentStatus"),
        text(answer, "updatedAt")
    )
}

fn sms() -> Value {
    json!({ "channel": "sms", "to": "+18335550100" })
}

fn ask(channel: &str, to: &str, more: Value) -> Value {
    let mut question = json!({ "channel": channel, "to": to, "explain": true });
    merge(&mut question, more);
    question
}

fn the_day() -> Vec<Scene> {
    let writes = |by, from, words| Scene::Writes {
        by,
        from,
        words,
        more: sms(),
    };
    let whatsapp = |by, from, words, more: Value| {
        let mut all = json!({ "channel": "whatsapp" });
        merge(&mut all, more);
        Scene::Writes {
            by,
            from,
            words,
            more: all,
        }
    };
    let updates = json!({ "name": "order_update", "category": "utility" });
    vec![
        Scene::Title("Somebody opts in, then has had enough"),
        Scene::Records {
            what: "A web form records that Ann opted in to marketing texts",
            path: "/consent/+14155550123?status=OPTIN&channel=sms&category=marketing",
            body: json!({ "source": "web-form", "evidence": {
                "timestamp": "2025-11-02T16:20:00Z", "address": ANN,
                "text": "Yes, text me offers from Example Inc. Reply STOP to end.",
            }}),
        },
        Scene::Asks {
            what: "May the November offer go to Ann tomorrow at midday",
            question: ask(
                "sms",
                ANN,
                json!({ "category": "marketing", "at": tomorrow("20:00:00") }),
            ),
        },
        Scene::Asks {
            what: "And at three in the morning, in California",
            question: ask(
                "sms",
                ANN,
                json!({ "category": "marketing", "at": tomorrow("11:00:00") }),
            ),
        },
        writes("Ann", ANN, "STOP!! 🛑"),
        Scene::Asks {
            what: "A stale campaign list still has Ann on it; may it go",
            question: ask("sms", ANN, json!({ "category": "marketing" })),
        },
        Scene::Asks {
            what: "By WhatsApp, then",
            question: ask("whatsapp", ANN, json!({ "template": updates })),
        },
        Scene::Asks {
            what: "A bill, then",
            question: ask("email", ANN, json!({ "category": "billing" })),
        },
        Scene::Title("She comes back"),
        writes("Ann", ANN, "START"),
        Scene::Asks {
            what: "May the offer go to Ann again, tomorrow at midday",
            question: ask(
                "sms",
                ANN,
                json!({ "category": "marketing", "at": tomorrow("20:00:00") }),
            ),
        },
        Scene::Title("Help is no opt-out, a question goes to the bot, a person to a person"),
        writes("Bob", BOB, "HELP"),
        writes("Bob", BOB, "Is my parcel on its way?"),
        writes("Bob", BOB, "let me talk to a person"),
        Scene::Title("One number for two purposes"),
        Scene::Records {
            what: "Bob takes marketing",
            path: "/consent/+442071838750?status=OPTIN&channel=sms&category=Marketing",
            body: json!({ "source": "preference-centre" }),
        },
        Scene::Records {
            what: "and no bills",
            path: "/consent/+442071838750?status=OPTOUT&channel=sms&category=Billing",
            body: json!({ "source": "preference-centre" }),
        },
        Scene::Reads {
            path: "/consent/+442071838750?category=Marketing",
        },
        Scene::Reads {
            path: "/consent/+442071838750?category=Billing",
        },
        writes("Bob", BOB, "Please unsubscribe, thanks"),
        Scene::Reads {
            path: "/consent/+442071838750?category=Marketing",
        },
        Scene::Title("WhatsApp: a window, and an opt-in with the exact wording"),
        whatsapp("Cleo", CLEO, "Hi, do you ship to Brazil?", json!({})),
        Scene::Asks {
            what: "May an agent answer freely within 24 hours",
            question: ask("whatsapp", CLEO, json!({})),
        },
        Scene::Asks {
            what: "And in two days",
            question: ask("whatsapp", CLEO, json!({ "at": in_two_days() })),
        },
        Scene::Asks {
            what: "May the order template go",
            question: ask("whatsapp", CLEO, json!({ "template": updates })),
        },
        whatsapp(
            "Cleo, tapping \"Yes\" in a list,",
            CLEO,
            "Yes",
            json!({
                "selection": { "id": "yes", "title": "Yes" },
                "question": "Would you like to receive order updates via WhatsApp?",
            }),
        ),
        Scene::Asks {
            what: "May the order template go now",
            question: ask("whatsapp", CLEO, json!({ "template": updates })),
        },
    ]
}

/// Tomorrow at a time of UTC.
fn tomorrow(time: &str) -> String {
    let day = chrono::Utc::now().date_naive() + chrono::Days::new(1);
    format!("{day}T{time}Z")
}

fn in_two_days() -> String {
    (chrono::Utc::now() + chrono::Days::new(2)).to_rfc3339()
}
