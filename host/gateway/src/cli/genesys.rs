//! `consentry genesys export`: data actions, flows and a rule set for Genesys Cloud, as files that import.
//!
//! The templates are in `genesys/`. They hold Genesys Cloud's own placeholders too, so that ours are
//! written `<<name>>`.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use consentry_model::{Category, Channel};
use reqwest::Url;
use serde_json::{Value, json};

use super::{BadArgument, output};
use crate::address::Address;
use crate::loopback::is_loopback;

#[derive(Subcommand)]
pub(super) enum GenesysCommand {
    /// Write data actions, Architect flows and a campaign's rule set, made for one gateway
    Export(ExportArgs),
}

#[derive(Args)]
pub(super) struct ExportArgs {
    /// Where Genesys Cloud reaches this gateway; https, but for trying on loopback
    #[arg(long)]
    url: GatewayUrl,
    /// The folder to write
    #[arg(long, default_value = "genesys")]
    out: PathBuf,
    /// The channel of messages that do not name one
    #[arg(long, default_value = "sms")]
    channel: Channel,
    /// The category of messages that do not name one
    #[arg(long, default_value = "marketing")]
    category: Category,
    /// The queue that agents take messages from
    #[arg(long, default_value = "Messages")]
    queue: Name,
    /// The bot flow that ordinary messages go to before an agent; left out: to an agent at once
    #[arg(long)]
    bot: Option<Name>,
    /// The number that is told when the outbound flow could not ask or could not send, once for each
    /// message; left out: nobody
    #[arg(long)]
    alert_to: Option<String>,
    /// The integration of the data actions that ask this gateway
    #[arg(long, default_value = "Consentry")]
    integration: Name,
    /// The integration of the data action that sends through Genesys Cloud
    #[arg(long, default_value = "Consentry Sending")]
    sending_integration: Name,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An address under which a gateway is reached, without a slash at its end.
#[derive(Clone)]
struct GatewayUrl(String);

impl FromStr for GatewayUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| "write it like https://consentry.example.com")?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url.host_str().unwrap_or_default()) => {}
            _ => return Err("Genesys Cloud calls https only; http is for trying on loopback"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("leave user and password away; the key goes into the integration");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("leave what begins with ? or # away");
        }
        // It becomes part of a Velocity template.
        if url.as_str().contains('$') {
            return Err("it must not contain $");
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

/// What something is called in Genesys Cloud.
#[derive(Clone)]
struct Name(String);

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 256 {
            return Err("a name has 1 to 256 characters");
        }
        if text.chars().any(char::is_control) {
            return Err("a name has no control characters");
        }
        // Archy would replace it.
        if text.contains("{{") || text.contains("<<") {
            return Err("a name contains neither {{ nor <<");
        }
        Ok(Self(text.to_owned()))
    }
}

macro_rules! templates {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("../../genesys/", $name)))),*] };
}

const TEMPLATES: [(&str, &str); 10] = templates! {
    "README.md"
    "data-actions/classify-inbound.json"
    "data-actions/get-consent.json"
    "data-actions/pre-flight.json"
    "data-actions/send-message.json"
    "data-actions/update-consent.json"
    "flows/inbound-message.yaml"
    "flows/outbound-message.yaml"
    "terraform/digital-rule-set.tf"
    "terraform/main.tf"
};

/// The step of the inbound flow that asks a bot.
const CALL_BOT: &str = include_str!("../../genesys/flows/call-bot.yaml");

pub(super) fn run(command: GenesysCommand) -> anyhow::Result<()> {
    let GenesysCommand::Export(args) = command;
    let files = render(&args)?;
    if !args.force {
        let there = files.iter().find(|(name, _)| args.out.join(name).exists());
        if let Some((name, _)) = there {
            let path = args.out.join(name);
            let what = format!(
                "{} is there already; --force writes over it",
                path.display()
            );
            return Err(BadArgument(what).into());
        }
    }
    for (name, text) in &files {
        let path = args.out.join(name);
        write(&path, text, args.force).with_context(|| path.display().to_string())?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    if args.json {
        return output::json(&json!({ "folder": args.out, "files": names }));
    }
    let folder = args.out.display();
    let lines: Vec<String> = names
        .iter()
        .map(|name| format!("{folder}/{name}"))
        .collect();
    output::text(&format!(
        "{}\n\nThe steps are in {folder}/README.md",
        lines.join("\n")
    ))
}

fn write(path: &Path, text: &str, force: bool) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path)?.write_all(text.as_bytes())
}

fn render(args: &ExportArgs) -> anyhow::Result<Vec<(&'static str, String)>> {
    let alert_to = args.alert_to.as_deref();
    let alert_to = alert_to
        .map(|text| Address::parse(text, None))
        .transpose()
        .map_err(|error| BadArgument(format!("--alert-to: {error}")))?;
    // What is there or not, in the format of the one file that has it.
    let pieces = [
        (
            "bot-too",
            args.bot
                .as_ref()
                .map(|bot| format!(", and the bot flow **{}**", bot.0)),
        ),
        (
            "alerted",
            alert_to
                .as_ref()
                .map(|address| format!(", and {address} is told")),
        ),
        (
            "alert-to",
            Some(match &alert_to {
                Some(address) => format!("lit: \"{}\"", in_quotes(&address.to_string())),
                None => "noValue: true".to_owned(),
            }),
        ),
    ];
    let mut values = vec![
        ("url", args.url.0.clone()),
        ("channel", args.channel.to_string()),
        ("category", args.category.to_string()),
        ("queue", args.queue.0.clone()),
        ("integration", args.integration.0.clone()),
        ("sending-integration", args.sending_integration.0.clone()),
        ("inbound-flow", format!("{} Inbound", args.integration.0)),
        ("outbound-flow", format!("{} Outbound", args.integration.0)),
    ];
    values.extend(args.bot.iter().map(|bot| ("bot", bot.0.clone())));
    let render = |(file, template): (&'static str, &str)| {
        let mut text = insert_bot(template, args.bot.is_some());
        for (name, piece) in &pieces {
            text = text.replace(&format!("<<{name}>>"), piece.as_deref().unwrap_or_default());
        }
        for (name, value) in &values {
            let value = match Path::new(file).extension().and_then(OsStr::to_str) {
                Some("md") => value.clone(),
                Some("tf") => in_quotes(value).replace("${", "$${").replace("%{", "%%{"),
                _ => in_quotes(value),
            };
            text = text.replace(&format!("<<{name}>>"), &value);
        }
        (file, text)
    };
    Ok(TEMPLATES.into_iter().map(render).collect())
}

/// A text as it stands between double quotes, in JSON and likewise in YAML and HCL.
fn in_quotes(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// Puts the step that asks a bot in the place kept for it, or nothing.
fn insert_bot(template: &str, with_bot: bool) -> String {
    let mut text = String::with_capacity(template.len());
    for line in template.lines() {
        match line.strip_suffix("<<call-bot>>") {
            None => text.extend([line, "\n"]),
            Some(indent) if with_bot => {
                for step in CALL_BOT.lines() {
                    text.extend([indent, step, "\n"]);
                }
            }
            Some(_) => {}
        }
    }
    text
}
