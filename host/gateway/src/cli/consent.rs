//! `consentry consent`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use consentry_model::{Category, Channel, ConsentStatus, Timestamp};
use serde_json::{Value, json};

use super::{BadArgument, PolicyArgs, StoreArgs, output};
use crate::address::Address;
use crate::evidence::past;
use crate::gateway::{Evidence, Report};
use crate::http::consent::{answer, consent_rows};
use crate::store::{Erasure, Event};

#[derive(Subcommand)]
pub(super) enum ConsentCommand {
    /// Show what holds for a contact
    Get(About),
    /// Record a change that somebody reports
    Set(Set),
    /// Ask for an opt-in, with a list on WhatsApp: record the question, and print or send it
    Ask(Box<super::ask::Ask>),
    /// Show what was said, by and about a contact
    History(History),
    /// Find every row that was changed, moved or taken away behind Consentry's back
    Verify(super::verify::VerifyArgs),
    /// Write one person's file, or a table of all
    Export(super::export::Export),
    /// Record the opt-outs and opt-ins of a list. An opt-in that is older than an opt-out, or that nothing
    /// proves, lifts none. A list that is imported again changes nothing
    Import(Box<super::import::Import>),
    /// Forget a person. Nobody writes to any of the addresses again, until the person opts in anew
    Erase(Erase),
    /// Print the newest checkpoint, signed: keep it elsewhere, and give it to "consent verify" later
    Checkpoint {
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Args)]
pub(super) struct About {
    /// A telephone number with country code, an e-mail address or a WhatsApp user id
    address: String,
    /// Left out: the strictest of all channels
    #[arg(long)]
    channel: Option<Channel>,
    /// Left out: what was said in general
    #[arg(long)]
    category: Option<Category>,
    #[command(flatten)]
    store: StoreArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Set {
    #[command(flatten)]
    about: About,
    /// OPTIN or OPTOUT
    #[arg(long)]
    status: ConsentStatus,
    /// Where the report comes from, such as web-form
    #[arg(long)]
    source: Option<String>,
    /// Who enters it
    #[arg(long)]
    actor: Option<String>,
    /// For an opt-in: when the person agreed, RFC 3339
    #[arg(long, requires = "evidence_text")]
    evidence_timestamp: Option<Timestamp>,
    /// For an opt-in: the exact wording the person agreed to
    #[arg(long, requires = "evidence_timestamp")]
    evidence_text: Option<String>,
}

#[derive(Args)]
pub(super) struct Erase {
    /// A telephone number with country code, an e-mail address or a WhatsApp user id
    address: String,
    /// Why, without a word that names the person: it stays on record
    #[arg(long)]
    reason: Option<String>,
    /// Who erases
    #[arg(long)]
    actor: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct History {
    /// A telephone number with country code, an e-mail address or a WhatsApp user id
    address: String,
    #[command(flatten)]
    store: StoreArgs,
    /// A moment, RFC 3339: show what was known then, and what held by it
    #[arg(long)]
    as_of: Option<Timestamp>,
    /// Print JSON, one event a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: ConsentCommand) -> anyhow::Result<()> {
    match command {
        ConsentCommand::Get(about) => get(about).await,
        ConsentCommand::Set(set) => self::set(set).await,
        ConsentCommand::Ask(args) => super::ask::run(*args).await,
        ConsentCommand::History(args) => history(args).await,
        ConsentCommand::Verify(args) => super::verify::run(args).await,
        ConsentCommand::Erase(args) => erase(args).await,
        ConsentCommand::Export(args) => super::export::run(args).await,
        ConsentCommand::Import(args) => super::import::run(*args).await,
        ConsentCommand::Checkpoint { store } => checkpoint(&store).await,
    }
}

async fn erase(args: Erase) -> anyhow::Result<()> {
    let address = address(&args.address)?;
    let erasure = Erasure {
        actor: args.actor,
        reason: args.reason,
    };
    let erased = args.store.open().await?.erase(&address, erasure).await?;
    let erased = erased.context("nobody with this address is known")?;
    if args.json {
        return output::json(&erased);
    }
    output::text(&format!(
        "{} events erased; {} addresses stay suppressed",
        erased.events, erased.addresses
    ))
}

async fn checkpoint(store: &StoreArgs) -> anyhow::Result<()> {
    let newest = store.open().await?.last_checkpoint().await?;
    let newest = newest.context("there is no checkpoint yet: \"consentry serve\" makes them")?;
    output::text(&newest.token)
}

pub(super) fn address(text: &str) -> anyhow::Result<Address> {
    Address::parse(text, None)
        .map_err(|error| BadArgument(error.to_string()))
        .with_context(|| text.to_owned())
}

async fn get(about: About) -> anyhow::Result<()> {
    let address = address(&about.address)?;
    let gateway = about.store.gateway(&PolicyArgs::default()).await?;
    let file = gateway
        .consent(&address, about.channel, about.category.as_ref())
        .await?;
    if about.json {
        return output::json(&answer(file, about.channel, about.category));
    }
    let since = file
        .consent
        .because
        .map_or(String::new(), |mark| format!(" since {}", mark.at));
    output::text(&format!("{}{since}", file.consent.status))
}

async fn set(set: Set) -> anyhow::Result<()> {
    let about = set.about;
    let address = address(&about.address)?;
    let gateway = about.store.gateway(&PolicyArgs::default()).await?;
    let evidence = set.evidence_timestamp.map(|timestamp| Evidence {
        timestamp: Some(timestamp),
        has_wording: set.evidence_text.is_some(),
        document: json!({
            "timestamp": timestamp,
            "text": set.evidence_text,
            "address": address.to_string(),
        }),
    });
    gateway
        .report(Report {
            address,
            other_addresses: Vec::new(),
            opt_in: set.status == ConsentStatus::OptIn,
            channel: about.channel,
            category: about.category.clone(),
            source: set.source.or_else(|| Some("command-line".to_owned())),
            actor: set.actor,
            report_id: None,
            at: None,
            evidence,
        })
        .await?;
    get(about).await
}

async fn history(args: History) -> anyhow::Result<()> {
    let address = address(&args.address)?;
    let store = args.store.open().await?;
    let mut after = 0;
    loop {
        let mut page = store.history(&address, after, 1000).await?;
        if let (Some(page), Some(as_of)) = (&mut page, args.as_of) {
            past::cut(page, as_of);
        }
        let Some(page) = page.filter(|page| !page.events.is_empty()) else {
            break;
        };
        for event in page.events {
            after = event.seq;
            let line = if args.json {
                serde_json::to_string(&event)?
            } else {
                describe(&event)
            };
            output::text(&line)?;
        }
    }
    let Some(as_of) = args.as_of else {
        return Ok(());
    };
    let contact = past::consent_at(store.as_ref(), &address, as_of).await?;
    let consents = consent_rows(&contact);
    if args.json {
        let held = json!({ "asOf": as_of, "consents": consents });
        return output::text(&held.to_string());
    }
    for (channel, category) in contact.marks.keys() {
        let status = contact.status_of(*channel, category.as_ref());
        let category = category.as_ref().map_or("*", Category::as_str);
        output::text(&format!("{as_of} {channel} {category} {status}"))?;
    }
    Ok(())
}

fn describe(event: &Event) -> String {
    let what = match (&event.body, &event.intent) {
        (Some(body), Some(intent)) => format!("{body:?} -> {intent}"),
        _ => format!(
            "reported by {}",
            event.source.as_deref().unwrap_or("somebody")
        ),
    };
    let changes = event
        .changes
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let changes = changes.iter().map(|change| {
        let part = |name: &str| {
            change
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or("*")
                .to_owned()
        };
        format!(
            "{} {} {}",
            part("channel"),
            part("category"),
            part("status")
        )
    });
    let changes: Vec<String> = changes.collect();
    format!(
        "{} {what} [{}] {}",
        event.said_at,
        changes.join(", "),
        event.event_id.0
    )
}
