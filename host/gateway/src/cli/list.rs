//! Lists that people bring: CSV with a line of names.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use csv::{ByteRecord, Reader, Writer, WriterBuilder};

use super::BadArgument;

/// How many bad rows are named; the rest are in a file like these.
pub(super) const NAMED: usize = 20;

/// The names of the columns, without the mark that some programs put at the beginning of a file.
pub(super) fn header(list: &mut Reader<File>) -> csv::Result<ByteRecord> {
    let header = list.byte_headers()?;
    let without = |(at, name): (usize, &[u8])| {
        let mark = if at == 0 {
            name.strip_prefix(b"\xef\xbb\xbf")
        } else {
            None
        };
        mark.unwrap_or(name).to_vec()
    };
    Ok(header.iter().enumerate().map(without).collect())
}

pub(super) fn find(header: &ByteRecord, name: &str) -> anyhow::Result<usize> {
    let names = header.iter().map(String::from_utf8_lossy);
    let found = names.clone().position(|there| there == name).or_else(|| {
        names
            .clone()
            .position(|there| there.trim().eq_ignore_ascii_case(name.trim()))
    });
    found.ok_or_else(|| {
        let names: Vec<_> = names.collect();
        BadArgument(format!(
            "the list has no column {name:?}; its columns are {}",
            names.join(", ")
        ))
        .into()
    })
}

pub(super) fn writer(path: &Path, delimiter: u8) -> anyhow::Result<Writer<File>> {
    WriterBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_path(path)
        .with_context(|| path.display().to_string())
}

pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
