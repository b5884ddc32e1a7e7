//! `consentry policy new`.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;

use super::{BadArgument, output};

const CONTRACT: &str = include_str!("../../../../wit/policy.wit");

/// What a policy is written in.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Language {
    /// Rules in TOML; building them needs no compiler
    Rules,
    /// Rust
    Rust,
    /// JavaScript, with Node.js
    Js,
}

macro_rules! template {
    ($($name:literal: $file:literal,)*) => {
        &[$(($name, include_str!(concat!("../../../../policy/templates/", $file)))),*]
    };
}

type Files = &'static [(&'static str, &'static str)];

const RULES: Files = template! {
    "README.md": "rules/README.md",
};
const RUST: Files = template! {
    ".cargo/config.toml": "rust/config.toml",
    ".gitignore": "rust/gitignore",
    "Cargo.toml": "rust/Cargo.toml",
    "README.md": "rust/README.md",
    "src/lib.rs": "rust/src/lib.rs",
};
const JS: Files = template! {
    ".gitignore": "js/gitignore",
    "README.md": "js/README.md",
    "build.js": "js/build.js",
    "package.json": "js/package.json",
    "package-lock.json": "js/package-lock.json",
    "policy.js": "js/policy.js",
};

pub(super) fn run(folder: &Path, language: Language) -> anyhow::Result<()> {
    refuse_what_is_there(folder)?;
    let (template, more): (Files, Files) = match language {
        Language::Rules => (RULES, consentry_default_policy::RULES),
        Language::Rust => (RUST, &[("wit/policy.wit", CONTRACT)]),
        Language::Js => (JS, &[("wit/policy.wit", CONTRACT)]),
    };
    for (name, text) in template.iter().chain(more) {
        let path = folder.join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        written
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    output::text(&format!(
        "{} is ready; {} says how to build it",
        folder.display(),
        folder.join("README.md").display()
    ))
}

/// Somebody's work is never written over.
fn refuse_what_is_there(folder: &Path) -> anyhow::Result<()> {
    let is_empty = fs::read_dir(folder).map(|mut entries| entries.next().is_none());
    match is_empty {
        Ok(true) => Ok(()),
        Ok(false) => {
            let problem = format!("{} is not empty; name a new folder", folder.display());
            Err(BadArgument(problem).into())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("the folder {}", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_javascript_asks_for_the_contract_that_comes_with_it() {
        let package = CONTRACT.split_once("package consentry:policy@").unwrap().1;
        let version = package.split_once(';').unwrap().0;
        let (_, policy) = JS.iter().find(|(name, _)| *name == "policy.js").unwrap();
        assert!(policy.contains(&format!("consent-lookup@{version}'")));
    }
}
