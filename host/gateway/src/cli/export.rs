//! `consentry consent export`: one person's file, or everything.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use consentry_model::Timestamp;
use csv::Writer;
use serde_json::{Value, json};

use super::{BadArgument, StoreArgs, output, page};
use crate::clock;
use crate::evidence::rows::Rows;
use crate::store::{Event, Row, Store, Table};

#[derive(Args)]
pub(super) struct Export {
    /// One contact's file: a telephone number with country code, an e-mail address or a WhatsApp user id
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    address: Option<String>,
    /// Also write the file as a page that people can read and print
    #[arg(long, conflicts_with = "all")]
    html: Option<PathBuf>,
    /// A table, whole
    #[arg(long, requires = "format")]
    all: bool,
    /// How to write a table
    #[arg(long, requires = "all")]
    format: Option<Format>,
    /// Which table
    #[arg(long, default_value = "events")]
    table: Which,
    /// Where to write; left out: standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// With a line of names; moments as RFC 3339
    Csv,
    /// One JSON object a line, with the columns as they are hashed
    Ndjson,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// What was said, and what followed
    Events,
    /// What holds
    Consents,
    /// Whose addresses are whose
    Addresses,
    /// Checkpoints, signed
    Checkpoints,
}

pub(super) async fn run(args: Export) -> anyhow::Result<()> {
    let store = args.store.open().await?;
    match (&args.address, args.format) {
        (Some(address), _) => person(&args, store.as_ref(), address).await,
        (None, Some(format)) => table(&args, store.as_ref(), format).await,
        (None, None) => Err(BadArgument("say how: --format csv or ndjson".to_owned()).into()),
    }
}

/// All that is on record of one person.
pub(super) struct PersonFile {
    pub(super) contact_id: String,
    pub(super) addresses: Vec<String>,
    pub(super) exported_at: Timestamp,
    /// What holds: channel, category, status, since when, by which event.
    pub(super) consents: Vec<Value>,
    pub(super) events: Vec<Event>,
}

async fn person(args: &Export, store: &dyn Store, address: &str) -> anyhow::Result<()> {
    let address = super::consent::address(address)?;
    let known = store.contact(&address).await?;
    let mut file = PersonFile {
        contact_id: known.id.context("nobody with this address is known")?,
        addresses: Vec::new(),
        exported_at: clock::now(),
        consents: Vec::new(),
        events: Vec::new(),
    };
    while let Some(page) = {
        let after = file.events.last().map_or(0, |event| event.seq);
        store.history(&address, after, 1000).await?
    } {
        file.addresses = page.addresses;
        if page.events.is_empty() {
            break;
        }
        file.events.extend(page.events);
    }
    for (channel, category) in known.contact.marks.keys() {
        let consent = match category {
            Some(category) => known.contact.consent(*channel, category),
            None => known.contact.stated_in_general(*channel),
        };
        let because = consent.because;
        file.consents.push(json!({
            "channelType": channel,
            "category": category,
            "consentStatus": consent.status,
            "updatedAt": because.as_ref().map(|mark| mark.at),
            "eventId": because.map(|mark| mark.event),
        }));
    }
    if let Some(path) = &args.html {
        let named = || path.display().to_string();
        let mut page = BufWriter::new(File::create(path).with_context(named)?);
        page::write(&file, &mut page).with_context(named)?;
        page.flush().with_context(named)?;
    }
    let document = json!({
        "contactId": file.contact_id,
        "addresses": file.addresses,
        "exportedAt": file.exported_at,
        "consents": file.consents,
        "events": file.events,
    });
    match &args.output {
        None => output::json(&document),
        Some(path) => std::fs::write(path, serde_json::to_vec_pretty(&document)?)
            .with_context(|| path.display().to_string()),
    }
}

async fn table(args: &Export, store: &dyn Store, format: Format) -> anyhow::Result<()> {
    let table = match args.table {
        Which::Events => Table::Event,
        Which::Consents => Table::Consent,
        Which::Addresses => Table::Address,
        Which::Checkpoints => Table::Checkpoint,
    };
    let out: Box<dyn Write> = match &args.output {
        None => Box::new(io::stdout()),
        Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
    };
    let progress = output::counter("rows");
    let mut snapshot = store.snapshot().await?;
    let mut rows = Rows::of(table, None);
    let mut written = Written::new(table, format, BufWriter::new(out))?;
    while let Some(row) = rows.next(snapshot.as_mut()).await? {
        written.row(row)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    written.end()
}

/// Rows, on their way out.
enum Written<W: Write> {
    Csv(&'static [&'static str], Box<Writer<W>>),
    Ndjson(W),
}

impl<W: Write> Written<W> {
    fn new(table: Table, format: Format, out: W) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Csv => {
                let mut csv = Writer::from_writer(out);
                csv.write_record(table.columns()).map_err(unwritten)?;
                Self::Csv(table.columns(), Box::new(csv))
            }
            Format::Ndjson => Self::Ndjson(out),
        })
    }

    fn row(&mut self, row: Row) -> anyhow::Result<()> {
        match self {
            Self::Csv(columns, csv) => {
                let fields = columns.iter().map(|column| field(column, row.get(*column)));
                csv.write_record(fields).map_err(unwritten)
            }
            Self::Ndjson(out) => {
                let mut line = serde_json::to_vec(&row)?;
                line.push(b'\n');
                Ok(out.write_all(&line)?)
            }
        }
    }

    fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Csv(_, mut csv) => Ok(csv.flush()?),
            Self::Ndjson(mut out) => Ok(out.flush()?),
        }
    }
}

/// A reader that goes away must be known as one.
fn unwritten(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        other => anyhow::anyhow!("{other:?}"),
    }
}

fn field(column: &str, value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => {
            let moment = (column == "at" || column.ends_with("_at"))
                .then(|| value.as_i64().and_then(Timestamp::from_millis))
                .flatten();
            moment.map_or_else(|| value.to_string(), |at| at.to_string())
        }
    }
}
