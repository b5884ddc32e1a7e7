//! API keys. Only their hashes are kept: a key has 256 random bits, so one round of SHA-256 is
//! enough, and comparing takes the same time for every key.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// Reading consent, history and metrics.
    Read,
    /// Asking whether a message may go.
    Preflight,
    /// Inbound messages and consent changes.
    Write,
    /// Everything.
    Admin,
}

impl Scope {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Preflight => "preflight",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// The keys that are known.
#[derive(Debug)]
pub(crate) struct KeyRing {
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    name: String,
    hash: [u8; 32],
    scopes: Vec<Scope>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    scopes: Vec<Scope>,
}

impl KeyRing {
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("the API keys in {}", path.display());
        let text = std::fs::read_to_string(path).with_context(named)?;
        Self::parse(&text).with_context(named)
    }

    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        anyhow::ensure!(
            !file.key.is_empty(),
            "there is none; `consentry key NAME --scope write` makes one"
        );
        let keys = file.key.into_iter().map(|entry| {
            let hash = from_hex(&entry.sha256).with_context(|| {
                format!(
                    "the key {:?}: sha256 must be 64 hexadecimal digits",
                    entry.name
                )
            })?;
            Ok(Key {
                name: entry.name,
                hash,
                scopes: entry.scopes,
            })
        });
        Ok(Self {
            keys: keys.collect::<anyhow::Result<_>>()?,
        })
    }

    /// The name and the scopes of a key; nothing when it is not known.
    pub(crate) fn find(&self, key: &str) -> Option<(&str, &[Scope])> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = None;
        for known in &self.keys {
            if bool::from(known.hash.ct_eq(&hash)) {
                found = Some((known.name.as_str(), known.scopes.as_slice()));
            }
        }
        found
    }
}

/// A new key, and the entry for the file of keys.
pub(crate) fn make(name: &str, scopes: &[Scope]) -> anyhow::Result<(String, String)> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system gives no random numbers")?;
    let key = format!("cy_{}", to_hex(&random));
    let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let scopes: Vec<String> = scopes
        .iter()
        .map(|scope| format!("{:?}", scope.as_str()))
        .collect();
    let entry = format!(
        "[[key]]\nname = {}\nsha256 = \"{}\"\nscopes = [{}]\n",
        serde_json::Value::from(name),
        to_hex(&hash),
        scopes.join(", ")
    );
    Ok((key, entry))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_is_known_and_no_other() {
        let (key, entry) = make("desk \"one\"", &[Scope::Read, Scope::Preflight]).unwrap();
        let ring = KeyRing::parse(&entry).unwrap();
        let scopes = [Scope::Read, Scope::Preflight].as_slice();
        assert_eq!(ring.find(&key), Some(("desk \"one\"", scopes)));
        assert_eq!(ring.find(&format!("{key}0")), None);
        assert_eq!(ring.find(""), None);
    }

    #[test]
    fn a_file_that_protects_nothing_is_refused() {
        for text in ["", "[[key]]\nname = \"x\"\nsha256 = \"12\"\nscopes = []"] {
            assert!(KeyRing::parse(text).is_err(), "{text}");
        }
    }
}
