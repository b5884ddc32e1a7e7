//! The arguments about messaging providers.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use reqwest::Url;

use crate::http::webhooks::secrets::SecretFile;
use crate::http::webhooks::{Providers, Settings};

#[derive(Args)]
pub(super) struct WebhookArgs {
    /// Where providers reach this gateway, such as https://sms.example.com; Twilio signs it
    #[arg(long, env = "CONSENTRY_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// A file of secrets that providers sign with, each as [[secret]] with provider, value and until
    #[arg(long, env = "CONSENTRY_WEBHOOK_SECRETS", value_name = "FILE")]
    webhook_secrets: Option<PathBuf>,
    /// Twilio's auth token; while it changes, the old and the new one with a comma between, as with the
    /// other secrets
    #[arg(
        long,
        env = "CONSENTRY_TWILIO_SECRET",
        value_name = "TOKEN",
        value_delimiter = ',',
        hide_env_values = true
    )]
    twilio_secret: Vec<String>,
    /// The secret of the app at Meta
    #[arg(
        long,
        env = "CONSENTRY_META_SECRET",
        value_name = "SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    meta_secret: Vec<String>,
    /// What Meta shows when the webhook is set up
    #[arg(
        long,
        env = "CONSENTRY_META_VERIFY_TOKEN",
        value_name = "TOKEN",
        value_delimiter = ',',
        hide_env_values = true
    )]
    meta_verify_token: Vec<String>,
    /// The secret of the generic webhook, as Standard Webhooks have it: whsec_ and base64
    #[arg(
        long,
        env = "CONSENTRY_GENERIC_SECRET",
        value_name = "SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    generic_secret: Vec<String>,
    /// The secret of the Open Messaging integration of Genesys Cloud
    #[arg(
        long,
        env = "CONSENTRY_GENESYS_SECRET",
        value_name = "SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    genesys_secret: Vec<String>,
}

impl WebhookArgs {
    pub(super) fn providers(self) -> anyhow::Result<Providers> {
        if let Some(url) = &self.public_url {
            let named = || format!("--public-url {url}");
            let read: Url = url.parse().with_context(named)?;
            let fits = matches!(read.scheme(), "http" | "https") && read.query().is_none();
            anyhow::ensure!(fits, "{}: write it like https://sms.example.com", named());
        }
        let file = self.webhook_secrets.as_deref().map(SecretFile::load);
        Providers::new(Settings {
            file: file.transpose()?.unwrap_or_default(),
            public_url: self.public_url,
            twilio: self.twilio_secret,
            meta: self.meta_secret,
            meta_verify_token: self.meta_verify_token,
            generic: self.generic_secret,
            genesys: self.genesys_secret,
        })
    }
}
