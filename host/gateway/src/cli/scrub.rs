//! `consentry scrub`: a campaign's list, judged row by row against the store.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use consentry_model::{Decision, Timestamp};
use csv::{ByteRecord, ReaderBuilder, Writer};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::list::{NAMED, find, header, same_file, writer};
use super::message::MessageArgs;
use super::{BadArgument, PolicyArgs, StoreArgs, output};
use crate::address::Address;
use crate::gateway::Gateway;
use crate::preflight::Question;

/// How many rows are judged together.
const CHUNK: usize = 16384;
/// Why a row is blocked that cannot be judged.
const INVALID: &str = "invalid_row";

#[derive(Args)]
pub(super) struct ScrubArgs {
    /// The list, CSV with a line of names
    list: PathBuf,
    /// The column that holds the contact
    #[arg(long)]
    column: String,
    #[command(flatten)]
    message: MessageArgs,
    /// Where to write the rows that may be sent to
    #[arg(long)]
    allowed: PathBuf,
    /// Where to write the others, each with its reason and when to ask again
    #[arg(long)]
    blocked: PathBuf,
    /// What stands between two fields
    #[arg(long, default_value = ",")]
    delimiter: char,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: ScrubArgs) -> anyhow::Result<()> {
    let delimiter = u8::try_from(args.delimiter)
        .map_err(|_| BadArgument("the delimiter is one character of ASCII".to_owned()))?;
    let named = || format!("the list {}", args.list.display());
    let size = std::fs::metadata(&args.list).with_context(named)?.len();
    let mut list = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_path(&args.list)
        .with_context(named)?;
    let header = header(&mut list).with_context(named)?;
    let column = find(&header, &args.column)?;
    for other in [&args.allowed, &args.blocked] {
        if same_file(other, &args.list) || args.allowed == args.blocked {
            let problem = format!("{} would be overwritten while it is read", other.display());
            return Err(BadArgument(problem).into());
        }
    }
    let gateway = args.store.gateway(&args.policy).await?;
    let mut scrub = Scrub {
        allowed: writer(&args.allowed, delimiter)?,
        blocked: writer(&args.blocked, delimiter)?,
        columns: header.len(),
        column,
        counts: BTreeMap::new(),
        bad: Vec::new(),
    };
    scrub.begin(&header)?;
    let progress = progress(size);
    let at = args.message.at();
    let mut rows = Vec::with_capacity(CHUNK);
    let mut record = ByteRecord::new();
    loop {
        let is_row = list.read_byte_record(&mut record).with_context(named)?;
        if is_row {
            rows.push(record.clone());
        }
        if rows.len() == CHUNK || !is_row {
            scrub.judge(&gateway, &args.message, at, &mut rows).await?;
            progress.set_position(list.position().byte());
        }
        if !is_row {
            break;
        }
    }
    progress.finish_and_clear();
    scrub.end(&args)
}

struct Scrub {
    allowed: Writer<File>,
    blocked: Writer<File>,
    columns: usize,
    column: usize,
    /// By reason, how many rows.
    counts: BTreeMap<String, u64>,
    /// The first rows that could not be judged, by line.
    bad: Vec<(u64, String)>,
}

impl Scrub {
    fn begin(&mut self, header: &ByteRecord) -> anyhow::Result<()> {
        self.allowed.write_byte_record(header)?;
        let mut blocked = header.clone();
        for name in ["reason", "retry_at", "detail"] {
            blocked.push_field(name.as_bytes());
        }
        Ok(self.blocked.write_byte_record(&blocked)?)
    }

    /// Judges some rows and writes each to one of the files, in the order of the list.
    async fn judge(
        &mut self,
        gateway: &Gateway,
        message: &MessageArgs,
        at: Timestamp,
        rows: &mut Vec<ByteRecord>,
    ) -> anyhow::Result<()> {
        let read: Vec<Result<Question, String>> = rows
            .iter()
            .map(|row| self.question(row, message, at))
            .collect();
        let questions: Vec<Question> = read.iter().flatten().cloned().collect();
        let mut decisions = gateway.scrub(&questions).await?.into_iter();
        for (row, read) in rows.drain(..).zip(read) {
            match read {
                Ok(_) => {
                    let decision = decisions.next().context("a row without an answer")?;
                    self.decided(&row, &decision)?;
                }
                Err(what) => self.invalid(row, &what)?,
            }
        }
        Ok(())
    }

    fn question(
        &self,
        row: &ByteRecord,
        message: &MessageArgs,
        at: Timestamp,
    ) -> Result<Question, String> {
        if row.len() != self.columns {
            return Err(format!(
                "it has {} fields instead of {}",
                row.len(),
                self.columns
            ));
        }
        let contact = row.get(self.column).unwrap_or_default();
        let contact = std::str::from_utf8(contact).map_err(|_| "it is not UTF-8".to_owned())?;
        let to = Address::parse(contact.trim(), message.country.as_deref())
            .map_err(|error| error.to_string())?;
        Ok(message.question(to, at))
    }

    fn count(&mut self, reason: &str) {
        match self.counts.get_mut(reason) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(reason.to_owned(), 1)),
        }
    }

    fn decided(&mut self, row: &ByteRecord, decision: &Decision) -> anyhow::Result<()> {
        self.count(&decision.reason);
        if decision.is_allowed() {
            return Ok(self.allowed.write_byte_record(row)?);
        }
        let retry_at = decision
            .retry_at()
            .map_or(String::new(), |at| at.to_string());
        self.block(row, &decision.reason, &retry_at, "")
    }

    fn invalid(&mut self, mut row: ByteRecord, what: &str) -> anyhow::Result<()> {
        self.count(INVALID);
        if self.bad.len() < NAMED {
            let line = row.position().map_or(0, csv::Position::line);
            self.bad.push((line, what.to_owned()));
        }
        // So that the reason stands in its column, whatever the row holds.
        while row.len() < self.columns {
            row.push_field(b"");
        }
        self.block(&row, INVALID, "", what)
    }

    fn block(
        &mut self,
        row: &ByteRecord,
        reason: &str,
        retry_at: &str,
        detail: &str,
    ) -> anyhow::Result<()> {
        let mut row = row.clone();
        for field in [reason, retry_at, detail] {
            row.push_field(field.as_bytes());
        }
        Ok(self.blocked.write_byte_record(&row)?)
    }

    /// Says what came of it.
    fn end(mut self, args: &ScrubArgs) -> anyhow::Result<()> {
        self.allowed.flush()?;
        self.blocked.flush()?;
        for (line, what) in &self.bad {
            eprintln!("{}:{line}: {what}", args.list.display());
        }
        let total: u64 = self.counts.values().sum();
        let allowed = self.counts.get("allowed").copied().unwrap_or(0);
        if args.json {
            return output::json(&json!({
                "rows": total,
                "allowed": allowed,
                "blocked": total - allowed,
                "reasons": self.counts,
            }));
        }
        let mut text = format!(
            "{total} rows: {allowed} allowed, {} blocked",
            total - allowed
        );
        for (reason, count) in self
            .counts
            .iter()
            .filter(|(reason, _)| *reason != "allowed")
        {
            text.push_str(&format!("\n{count:>10} {reason}"));
        }
        output::text(&text)
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(size: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} % {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(size);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
