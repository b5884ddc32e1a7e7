//! `consentry consent import`: opt-outs and opt-ins from a list, with their evidence.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use consentry_model::{Category, Channel, ConsentStatus, Contact, Timestamp};
use csv::{ByteRecord, ReaderBuilder, Writer};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::list::{self, NAMED};
use super::{BadArgument, PolicyArgs, StoreArgs, output};
use crate::address::Address;
use crate::clock;
use crate::gateway::{Evidence, Gateway, Report, ReportError};

/// How many rows are looked at together, and how many are on their way to the store at a time.
const CHUNK: usize = 4096;
const AT_ONCE: usize = 256;

#[derive(Args)]
pub(super) struct Import {
    /// The list, CSV with a line of names
    list: PathBuf,
    /// The column that holds the contact
    #[arg(long)]
    column: String,
    /// What every row reports, OPTIN or OPTOUT
    #[arg(long, conflicts_with = "status_column")]
    status: Option<ConsentStatus>,
    /// The column that says which
    #[arg(long, required_unless_present = "status")]
    status_column: Option<String>,
    /// The channel of every row. Without one, an opt-out is for all and an opt-in for sms
    #[arg(long, conflicts_with = "channel_column")]
    channel: Option<Channel>,
    /// The column that says which channel
    #[arg(long)]
    channel_column: Option<String>,
    /// The category of every row; left out: every one
    #[arg(long, conflicts_with = "category_column")]
    category: Option<Category>,
    /// The column that says which category
    #[arg(long)]
    category_column: Option<String>,
    /// The column that says when it was said, RFC 3339. Left out: an opt-out counts from now on, and an
    /// opt-in from the beginning of the import
    #[arg(long)]
    time_column: Option<String>,
    /// Where the list comes from
    #[arg(long, default_value = "import")]
    source: String,
    /// The column that says where a row comes from
    #[arg(long)]
    source_column: Option<String>,
    /// Who imports it
    #[arg(long)]
    actor: Option<String>,
    /// For opt-ins: the column with the exact wording that the person agreed to
    #[arg(long)]
    evidence_text_column: Option<String>,
    /// For opt-ins: the column that says when the person agreed, RFC 3339
    #[arg(long, requires = "evidence_text_column")]
    evidence_time_column: Option<String>,
    /// Another column to keep as evidence; may be given many times
    #[arg(long = "evidence-column", value_name = "COLUMN")]
    evidence_columns: Vec<String>,
    /// The column that identifies a row, wherever it stands. Left out: the file and the line do
    #[arg(long)]
    id_column: Option<String>,
    /// The country of numbers without country code, ISO 3166-1 alpha-2
    #[arg(long)]
    country: Option<String>,
    /// What stands between two fields
    #[arg(long, default_value = ",")]
    delimiter: char,
    /// Where to write the rows that could not be imported, each with what is wrong. Left out: beside the
    /// list, with the ending .rejected.csv
    #[arg(long)]
    rejected: Option<PathBuf>,
    /// Only say what would come of it, row by row: what the rows of the list do to each other is not looked at
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    store: StoreArgs,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Import) -> anyhow::Result<()> {
    let delimiter = u8::try_from(args.delimiter)
        .map_err(|_| BadArgument("the delimiter is one character of ASCII".to_owned()))?;
    let named = || format!("the list {}", args.list.display());
    let digest = digest(&args.list).with_context(named)?;
    let read = || {
        let mut list = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_path(&args.list)?;
        let header = list::header(&mut list)?;
        Ok::<_, csv::Error>((list, header))
    };
    let (_, header) = read().with_context(named)?;
    let columns = Columns::find(&header, &args)?;
    let rejected = args.rejected.clone().unwrap_or_else(|| {
        let mut name = args.list.clone().into_os_string();
        name.push(".rejected.csv");
        name.into()
    });
    if list::same_file(&rejected, &args.list) {
        let problem = format!(
            "{} would be overwritten while it is read",
            rejected.display()
        );
        return Err(BadArgument(problem).into());
    }
    let gateway = args.store.gateway(&PolicyArgs::default()).await?;
    let mut import = Importing {
        gateway,
        started: clock::now(),
        columns,
        digest,
        width: header.len(),
        rejected: Rejected::new(rejected, delimiter, &header),
        counts: BTreeMap::new(),
        args: &args,
    };
    let progress = output::counter("rows");
    let mut rows = Vec::with_capacity(CHUNK);
    let mut record = ByteRecord::new();
    // The opt-outs first, so that no opt-in of the list comes before the opt-out that it must not lift.
    for opt_ins in [false, true] {
        let (mut list, _) = read().with_context(named)?;
        loop {
            let is_row = list.read_byte_record(&mut record).with_context(named)?;
            if is_row {
                rows.push(record.clone());
            }
            if rows.len() == CHUNK || !is_row {
                import.take(std::mem::take(&mut rows), opt_ins).await?;
                progress.set_position(import.counts.values().sum());
            }
            if !is_row {
                break;
            }
        }
    }
    progress.finish_and_clear();
    import.end()
}

/// What identifies a file.
fn digest(path: &std::path::Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    let digest = hasher.finalize();
    let short = digest.iter().take(16);
    Ok(short.map(|byte| format!("{byte:02x}")).collect())
}

/// Where in a row things stand.
struct Columns {
    contact: usize,
    status: Option<usize>,
    channel: Option<usize>,
    category: Option<usize>,
    time: Option<usize>,
    source: Option<usize>,
    evidence_text: Option<usize>,
    evidence_time: Option<usize>,
    evidence: Vec<(String, usize)>,
    id: Option<usize>,
}

impl Columns {
    fn find(header: &ByteRecord, args: &Import) -> anyhow::Result<Self> {
        let find = |name: &Option<String>| {
            let found = name.as_ref().map(|name| list::find(header, name));
            found.transpose()
        };
        let evidence = args.evidence_columns.iter();
        Ok(Self {
            contact: list::find(header, &args.column)?,
            status: find(&args.status_column)?,
            channel: find(&args.channel_column)?,
            category: find(&args.category_column)?,
            time: find(&args.time_column)?,
            source: find(&args.source_column)?,
            evidence_text: find(&args.evidence_text_column)?,
            evidence_time: find(&args.evidence_time_column)?,
            evidence: evidence
                .map(|name| Ok((name.clone(), list::find(header, name)?)))
                .collect::<anyhow::Result<_>>()?,
            id: find(&args.id_column)?,
        })
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    OptedOut,
    OptedIn,
    OptOutStands,
    Duplicate,
    Rejected,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::OptedIn => "opted_in",
            Self::OptOutStands => "opt_out_stands",
            Self::Duplicate => "duplicate",
            Self::Rejected => "rejected",
        }
    }
}

struct Importing<'i> {
    gateway: Gateway,
    started: Timestamp,
    columns: Columns,
    digest: String,
    width: usize,
    rejected: Rejected,
    counts: BTreeMap<Outcome, u64>,
    args: &'i Import,
}

impl Importing<'_> {
    /// Imports the opt-outs or the opt-ins of some rows. What is neither is rejected with the opt-outs.
    async fn take(&mut self, rows: Vec<ByteRecord>, opt_ins: bool) -> anyhow::Result<()> {
        let mut reports = Vec::with_capacity(rows.len());
        for row in rows {
            match self.report(&row) {
                Ok(report) if report.opt_in == opt_ins => reports.push((row, report)),
                Ok(_) => {}
                Err(_) if opt_ins => {}
                Err(what) => {
                    self.count(Outcome::Rejected);
                    self.rejected.add(row, self.width, &what)?;
                }
            }
        }
        let gateway = &self.gateway;
        let dry_run = self.args.dry_run;
        let done = stream::iter(reports)
            .map(|(row, report)| async move {
                let outcome = if dry_run {
                    would_be(gateway, report).await
                } else {
                    record(gateway, report).await
                };
                (row, outcome)
            })
            .buffered(AT_ONCE);
        let done: Vec<_> = done.collect().await;
        for (row, outcome) in done {
            let line = row.position().map_or(0, csv::Position::line);
            let outcome = outcome.with_context(|| {
                format!(
                    "line {line} was not imported, nor may have been what follows it; import the list \
                     again, and what was counts once"
                )
            })?;
            self.count(outcome);
        }
        Ok(())
    }

    fn count(&mut self, outcome: Outcome) {
        *self.counts.entry(outcome).or_insert(0) += 1;
    }

    /// What a row reports.
    fn report(&self, row: &ByteRecord) -> Result<Report, String> {
        if row.len() != self.width {
            return Err(format!(
                "it has {} fields instead of {}",
                row.len(),
                self.width
            ));
        }
        let text = |column: usize| {
            let bytes = row.get(column).unwrap_or_default();
            let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
            Ok::<_, String>(text.trim())
        };
        // Nothing where there is no such column, or nothing in it.
        let given = |column: Option<usize>| {
            let text = column.map(text).transpose()?;
            Ok::<_, String>(text.filter(|text| !text.is_empty()))
        };
        let moment = |column: Option<usize>| {
            let Some(text) = given(column)? else {
                return Ok(None);
            };
            let at: Timestamp = text.parse().map_err(said)?;
            if at > self.started {
                return Err(format!("{text} is yet to come"));
            }
            Ok(Some(at))
        };
        let (args, columns) = (self.args, &self.columns);
        let address =
            Address::parse(text(columns.contact)?, args.country.as_deref()).map_err(said)?;
        let status = match (args.status, given(columns.status)?) {
            (Some(status), _) => status,
            (None, Some(text)) => text.parse().map_err(said)?,
            (None, None) => return Err("it says neither OPTIN nor OPTOUT".to_owned()),
        };
        let opt_in = status == ConsentStatus::OptIn;
        let channel = match given(columns.channel)? {
            Some(text) => Some(text.parse().map_err(said)?),
            None => args.channel,
        };
        let category = match given(columns.category)? {
            Some(text) => Some(text.parse().map_err(said)?),
            None => args.category.clone(),
        };
        let at = moment(columns.time)?;
        let agreed = moment(columns.evidence_time)?.or(at);
        let wording = given(columns.evidence_text)?;
        let line = row.position().map_or(0, csv::Position::line);
        let mut document = json!({ "list": self.digest, "line": line });
        if let Some(document) = document.as_object_mut() {
            if let (true, Some(wording)) = (opt_in, wording) {
                document.insert("text".to_owned(), wording.into());
                document.insert("address".to_owned(), address.to_string().into());
                document.insert("timestamp".to_owned(), json!(agreed));
            }
            for (name, column) in &columns.evidence {
                document.insert(name.clone(), text(*column)?.into());
            }
        }
        let source = given(columns.source)?.unwrap_or(&args.source);
        Ok(Report {
            address,
            other_addresses: Vec::new(),
            opt_in,
            channel,
            category,
            source: Some(source.to_owned()),
            actor: args.actor.clone(),
            report_id: Some(match given(columns.id)? {
                Some(id) => format!("import:{source}:{id}"),
                None => format!("import:{}:{line}", self.digest),
            }),
            // An opt-in of which nobody knows when it was said is older than any stop from now on.
            at: at.or_else(|| opt_in.then_some(self.started)),
            evidence: Some(Evidence {
                timestamp: agreed,
                has_wording: wording.is_some(),
                document,
            }),
        })
    }

    /// Says what came of it.
    fn end(self) -> anyhow::Result<()> {
        let rejected = self.rejected.end(&self.args.list)?;
        let total: u64 = self.counts.values().sum();
        if self.args.json {
            let counts: BTreeMap<&str, u64> = self
                .counts
                .iter()
                .map(|(outcome, count)| (outcome.name(), *count))
                .collect();
            return output::json(&json!({
                "rows": total,
                "dryRun": self.args.dry_run,
                "outcomes": counts,
                "rejected": rejected.map(|path| path.display().to_string()),
            }));
        }
        let would = if self.args.dry_run {
            ", and nothing was recorded"
        } else {
            ""
        };
        let mut text = format!("{total} rows{would}");
        for (outcome, count) in &self.counts {
            text.push_str(&format!("\n{count:>10} {}", outcome.name()));
        }
        if let Some(path) = rejected {
            text.push_str(&format!("\nwhat was rejected is in {}", path.display()));
        }
        output::text(&text)
    }
}

fn said(error: impl ToString) -> String {
    error.to_string()
}

/// Whether something that is reported without proof is up against an opt-out. What nobody can prove lifts
/// none, not even one that was reported.
fn opt_out_stands(report: &Report, contact: &Contact) -> bool {
    let proof = report.evidence.as_ref();
    let is_proven = proof.is_some_and(|proof| proof.has_wording && proof.timestamp.is_some());
    report.opt_in && !is_proven && is_opted_out(report, contact)
}

fn is_opted_out(report: &Report, contact: &Contact) -> bool {
    let channel = report.channel.unwrap_or(Channel::Sms);
    contact.status_of(channel, report.category.as_ref()) == ConsentStatus::OptOut
}

async fn record(gateway: &Gateway, report: Report) -> anyhow::Result<Outcome> {
    let known = gateway.store().contact(&report.address).await?;
    let opt_in = report.opt_in;
    let recorded = if opt_out_stands(&report, &known.contact) {
        gateway.report_without_effect(report).await
    } else {
        gateway.report(report).await
    };
    match recorded {
        Ok(recorded) if recorded.duplicate => Ok(Outcome::Duplicate),
        Ok(_) if opt_in => Ok(Outcome::OptedIn),
        Ok(_) => Ok(Outcome::OptedOut),
        Err(ReportError::OptOutStands { .. }) => Ok(Outcome::OptOutStands),
        Err(ReportError::Store(error)) => Err(error.into()),
    }
}

/// What recording would come to.
async fn would_be(gateway: &Gateway, report: Report) -> anyhow::Result<Outcome> {
    let channel = report.channel.unwrap_or(Channel::Sms);
    let id = report.report_id.clone().unwrap_or_default();
    let first = gateway.store().delivered(&report.address, channel, &id);
    if first.await?.is_some() {
        return Ok(Outcome::Duplicate);
    }
    if !report.opt_in {
        return Ok(Outcome::OptedOut);
    }
    let mut contact = gateway.store().contact(&report.address).await?.contact;
    if opt_out_stands(&report, &contact) {
        return Ok(Outcome::OptOutStands);
    }
    report.apply_to(&mut contact);
    Ok(if is_opted_out(&report, &contact) {
        Outcome::OptOutStands
    } else {
        Outcome::OptedIn
    })
}

/// The rows that could not be imported: in a file, which is made when there is one.
struct Rejected {
    path: PathBuf,
    delimiter: u8,
    header: ByteRecord,
    file: Option<Writer<File>>,
    /// The first of them, by line.
    named: Vec<(u64, String)>,
}

impl Rejected {
    fn new(path: PathBuf, delimiter: u8, header: &ByteRecord) -> Self {
        let mut header = header.clone();
        header.push_field(b"rejected_because");
        Self {
            path,
            delimiter,
            header,
            file: None,
            named: Vec::new(),
        }
    }

    fn add(&mut self, mut row: ByteRecord, width: usize, what: &str) -> anyhow::Result<()> {
        if self.named.len() < NAMED {
            let line = row.position().map_or(0, csv::Position::line);
            self.named.push((line, what.to_owned()));
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = list::writer(&self.path, self.delimiter)?;
                file.write_byte_record(&self.header)?;
                none.insert(file)
            }
        };
        // So that the reason stands in its column, whatever the row holds.
        while row.len() < width {
            row.push_field(b"");
        }
        row.push_field(what.as_bytes());
        Ok(file.write_byte_record(&row)?)
    }

    /// Names the first ones; gives the file, if there is one.
    fn end(self, list: &std::path::Path) -> anyhow::Result<Option<PathBuf>> {
        for (line, what) in &self.named {
            eprintln!("{}:{line}: {what}", list.display());
        }
        let Some(mut file) = self.file else {
            return Ok(None);
        };
        file.flush()?;
        Ok(Some(self.path))
    }
}
