//! One file of a rule set, and errors that name its lines.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::Spanned;

/// What is wrong with a rule set, and where.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum RulesError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Syntax {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{}:{line}: {entry}: {what}", path.display())]
    Entry {
        path: PathBuf,
        line: usize,
        entry: String,
        what: String,
    },
}

/// A file, kept so that an error can name its line.
pub(super) struct File {
    path: PathBuf,
    text: String,
}

impl File {
    pub(super) fn read(path: PathBuf) -> Result<Self, RulesError> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(source) => Err(RulesError::Read { path, source }),
        }
    }

    #[cfg(test)]
    pub(super) fn of(name: &str, text: &str) -> Self {
        Self {
            path: name.into(),
            text: text.to_owned(),
        }
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, RulesError> {
        toml::from_str(&self.text).map_err(|source| RulesError::Syntax {
            path: self.path.clone(),
            source: Box::new(source),
        })
    }

    pub(super) fn error<T>(
        &self,
        at: &Spanned<T>,
        entry: &str,
        what: impl Into<String>,
    ) -> RulesError {
        self.error_at(at.span().start, entry, what)
    }

    /// An error about a text that stands in the file, as near to it as can be found.
    pub(super) fn error_about(
        &self,
        text: &str,
        from: usize,
        entry: &str,
        what: impl Into<String>,
    ) -> RulesError {
        let rest = self.text.get(from..).unwrap_or("");
        let at = rest.find(text).map_or(from, |offset| from + offset);
        self.error_at(at, entry, what)
    }

    fn error_at(&self, at: usize, entry: &str, what: impl Into<String>) -> RulesError {
        let before = self.text.as_bytes().iter().take(at);
        RulesError::Entry {
            path: self.path.clone(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
            entry: entry.to_owned(),
            what: what.into(),
        }
    }
}

/// The TOML files of a folder, in the order of their names.
pub(super) fn files(folder: &Path) -> Result<Vec<File>, RulesError> {
    let fail = |source| RulesError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    paths.into_iter().map(File::read).collect()
}
