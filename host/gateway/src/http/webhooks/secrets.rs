//! The secrets that providers sign with. An old one and a new one hold side by side while they change.

use std::path::Path;

use anyhow::Context as _;
use consentry_model::Timestamp;
use hmac::Mac;
use hmac::digest::KeyInit;
use serde::Deserialize;

use crate::clock;

/// What one provider may have signed with. They are never shown: there is no `Debug`.
pub(crate) struct Secrets<K = Vec<u8>>(Vec<(K, Option<Timestamp>)>);

impl<K> Secrets<K> {
    /// Whether a secret that holds at this moment is the right one. All are tried, so that the time it
    /// takes does not tell which.
    pub(crate) fn any(&self, is_right: impl Fn(&K) -> bool) -> bool {
        let now = clock::now();
        let hold = |until: &Option<Timestamp>| until.is_none_or(|until| now < until);
        let each = self.0.iter().filter(|(_, until)| hold(until));
        each.fold(false, |found, (secret, _)| is_right(secret) || found)
    }

    /// The secrets in another form, if each has it.
    pub(crate) fn in_form<T>(self, form: impl Fn(K) -> Option<T>) -> Option<Secrets<T>> {
        let each = self.0.into_iter();
        let each = each.map(|(secret, until)| Some((form(secret)?, until)));
        each.collect::<Option<_>>().map(Secrets)
    }
}

impl Secrets {
    /// Whether a message authentication code is that of some bytes. Comparing takes the same time for
    /// every code.
    pub(crate) fn signed<M: Mac + KeyInit>(&self, bytes: &[u8], code: &[u8]) -> bool {
        self.any(|secret| {
            <M as Mac>::new_from_slice(secret)
                .is_ok_and(|mac| mac.chain_update(bytes).verify_slice(code).is_ok())
        })
    }
}

/// The secrets of all providers.
#[derive(Default)]
pub(crate) struct SecretFile(Vec<Entry>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    secret: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Whose: `twilio`, `meta`, `meta-verify-token`, `genesys`, `generic`.
    provider: String,
    value: String,
    until: Option<toml::value::Datetime>,
}

impl SecretFile {
    /// Reads a file of `[[secret]]` entries.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let named = || format!("the secrets in {}", path.display());
        let text = std::fs::read_to_string(path).with_context(named)?;
        Self::parse(&text).with_context(named)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        // Where it is wrong, not how: that would repeat what stands there.
        let file: File = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            anyhow::anyhow!(
                "line {line}: write each as [[secret]] with provider = \"…\", value = \"…\" and, if it \
                 ends, until = 2026-12-01T00:00:00Z"
            )
        })?;
        Ok(Self(file.secret))
    }

    /// Takes what is for one provider, with what is given elsewhere.
    pub(crate) fn take(
        &mut self,
        provider: &str,
        more: Vec<String>,
    ) -> anyhow::Result<Option<Secrets>> {
        let (own, rest) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|entry| entry.provider == provider);
        self.0 = rest;
        let mut secrets: Vec<(Vec<u8>, Option<Timestamp>)> = Vec::new();
        for value in more {
            secrets.push((value.trim().as_bytes().to_vec(), None));
        }
        for entry in own {
            let until = entry.until.map(|until| {
                let moment = until.to_string().parse::<Timestamp>();
                moment.with_context(|| format!("the secret for {provider}: until"))
            });
            secrets.push((entry.value.trim().as_bytes().to_vec(), until.transpose()?));
        }
        anyhow::ensure!(
            secrets.iter().all(|(secret, _)| !secret.is_empty()),
            "a secret for {provider} is empty"
        );
        Ok((!secrets.is_empty()).then_some(Secrets(secrets)))
    }

    /// Refuses what no provider has taken.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(entry) => anyhow::bail!("there is no provider {:?}", entry.provider),
        }
    }
}

#[cfg(test)]
mod tests {
    use hmac::Hmac;
    use sha2::Sha256;

    use super::*;

    fn code(secret: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mac: Hmac<Sha256> = Mac::new_from_slice(secret).unwrap();
        mac.chain_update(bytes).finalize().into_bytes().to_vec()
    }

    #[test]
    fn the_old_secret_holds_beside_the_new_one_until_its_time_is_over() {
        let mut file = SecretFile::parse(
            "[[secret]]\nprovider = \"meta\"\nvalue = \"old\"\nuntil = 2999-01-01T00:00:00Z\n\
             [[secret]]\nprovider = \"meta\"\nvalue = \"older\"\nuntil = 2020-01-01T00:00:00Z\n",
        )
        .unwrap();
        let secrets = file.take("meta", vec!["new".to_owned()]).unwrap().unwrap();
        let signed = |by: &[u8]| secrets.signed::<Hmac<Sha256>>(b"words", &code(by, b"words"));
        assert!(signed(b"new"));
        assert!(signed(b"old"));
        assert!(!signed(b"older"));
        assert!(!signed(b"other"));
        assert!(!signed(b""));
        assert!(file.take("meta", Vec::new()).unwrap().is_none());
        file.finish().unwrap();
    }

    #[test]
    fn a_code_that_is_cut_short_is_none() {
        let mut file = SecretFile::default();
        let secrets = file.take("meta", vec!["new".to_owned()]).unwrap().unwrap();
        let whole = code(b"new", b"words");
        for length in 0..whole.len() {
            assert!(!secrets.signed::<Hmac<Sha256>>(b"words", &whole[..length]));
        }
        assert!(secrets.signed::<Hmac<Sha256>>(b"words", &whole));
    }

    #[test]
    fn what_protects_nothing_or_nobody_is_refused_and_no_secret_is_repeated() {
        let mut file = SecretFile::default();
        assert!(file.take("meta", vec![" ".to_owned()]).is_err());
        let file = "[[secret]]\nprovider = \"fax\"\nvalue = \"x\"";
        let error = SecretFile::parse(file).unwrap().finish().unwrap_err();
        assert!(error.to_string().contains("fax"));
        for wrong in [
            "[[secret]]\nprovider = \"meta\"\nvalue = \"hush\"\nfrom = 1",
            "[[secret]]\nprovider = \"meta\"\nvalue = \"hush\"\nuntil = \"hush\"",
            "secret = \"hush\"",
        ] {
            let error = SecretFile::parse(wrong).err().unwrap();
            let said = format!("{error:#}");
            assert!(said.contains("line "), "{said}");
            assert!(!said.contains("hush"), "{said}");
        }
    }
}
