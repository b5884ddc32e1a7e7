//! An edge gateway takes its policy from another gateway, the centre. What came from there last is kept in
//! a file, so that it decides on, after a start too, while the centre is away.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use consentry_model::Timestamp;
use metrics::gauge;
use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{Client, StatusCode, Url, redirect};
use tempfile::NamedTempFile;

use super::gate::signature_of;
use super::{Admitted, Gate, Policies};
use crate::clock;

/// How long the centre may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The header with a policy's signature.
pub(crate) const SIGNATURE: &str = "consentry-signature";

/// The other gateway.
#[derive(Debug)]
pub(crate) struct Centre {
    url: Url,
    key: Option<String>,
    client: Client,
    /// Where what came from there last is kept.
    file: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the centre last said that its policy is the one that decides here.
    confirmed_at: Option<Timestamp>,
    /// The digest of a policy that did not pass the gate here. It is not asked for again.
    refused: Option<String>,
    /// Whether the centre was away when it was last asked.
    is_away: bool,
}

impl Centre {
    /// A gateway at an address, asked with an API key.
    pub(crate) fn new(url: &Url, key: Option<String>, file: PathBuf) -> anyhow::Result<Self> {
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .build()?;
        let mut url = url.clone();
        let path = format!("{}/v1/policies/active", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self {
            url,
            key,
            client,
            file,
            state: Mutex::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        self.url.as_str()
    }

    /// When the centre last said that its policy is the one that decides here.
    pub(crate) fn confirmed_at(&self) -> Option<Timestamp> {
        self.lock().confirmed_at
    }

    /// What came from there last, if it still passes the gate.
    pub(super) fn last_known(&self, gate: &Gate) -> Option<Admitted> {
        if !self.file.exists() {
            return None;
        }
        gate.read(&self.file)
            .inspect_err(|error| {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the last known policy is not taken"
                );
            })
            .ok()
    }

    /// The centre's policy, when it is another one than decides here.
    pub(super) async fn newer(&self, policies: &Policies) -> Option<Admitted> {
        match self.ask(policies).await {
            Ok(newer) => {
                self.lock().is_away = false;
                newer
            }
            Err(error) => {
                let was_away = std::mem::replace(&mut self.lock().is_away, true);
                if !was_away {
                    let error = format!("{error:#}");
                    tracing::error!(
                        error,
                        "the centre gives no policy; the last known one decides on"
                    );
                }
                self.show_age();
                None
            }
        }
    }

    async fn ask(&self, policies: &Policies) -> anyhow::Result<Option<Admitted>> {
        let known = policies.active().digest().to_string();
        let known = self.lock().refused.clone().unwrap_or(known);
        let mut request = self.client.get(self.url.clone());
        request = request.header(IF_NONE_MATCH, format!("{known:?}"));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            if self.lock().refused.is_none() {
                self.confirm();
            }
            return Ok(None);
        }
        anyhow::ensure!(
            answer.status().is_success(),
            "it answered {}",
            answer.status()
        );
        let text = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let digest = text(ETAG.as_str()).unwrap_or_default();
        let signature = text(SIGNATURE);
        let largest = policies.gate().largest() as u64;
        let size = answer.content_length().unwrap_or(u64::MAX);
        anyhow::ensure!(size <= largest, "its policy has {size} bytes");
        let component = answer.bytes().await?;
        let admit = || policies.gate().admit(component.clone(), signature.clone());
        match tokio::task::block_in_place(admit) {
            Ok(admitted) => {
                self.keep(&admitted).context("keeping it for later")?;
                self.lock().refused = None;
                self.confirm();
                Ok(Some(admitted))
            }
            Err(refusal) => {
                self.lock().refused = Some(digest.trim_matches('"').to_owned());
                tracing::error!(%refusal, "the centre's policy was not taken; the old one decides on");
                Ok(None)
            }
        }
    }

    fn confirm(&self) {
        self.lock().confirmed_at = Some(clock::now());
        self.show_age();
    }

    fn show_age(&self) {
        if let Some(at) = self.confirmed_at() {
            let age = clock::now().millis() - at.millis();
            gauge!("consentry_policy_age_seconds").set(age as f64 / 1000.0);
        }
    }

    /// The signature first: a policy is never there without the one that it needs.
    fn keep(&self, admitted: &Admitted) -> anyhow::Result<()> {
        let signature = signature_of(&self.file);
        match &admitted.signature {
            Some(text) => replace(&signature, text.as_bytes())?,
            None if signature.exists() => std::fs::remove_file(&signature)?,
            None => {}
        }
        replace(&self.file, &admitted.component)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a file in the place of another, whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
