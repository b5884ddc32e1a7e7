//! `consentry consent verify`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{BadArgument, ReceiptArgs, StoreArgs, output};
use crate::evidence::{Problem, Verified, Verifier};
use crate::jws::{Kind, PublicKeys};
use crate::store::Row;

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Only this contact: a telephone number with country code, an e-mail address, a WhatsApp user id or
    /// the contact's identifier. Left out: everything
    address: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    receipts: ReceiptArgs,
    /// The public keys that checkpoints are signed with, as the gateway serves them at
    /// /.well-known/jwks.json. Without it, the gateway's own file
    #[arg(long, conflicts_with = "receipt_keys")]
    keys: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere, or a file that holds it: it must still be there
    #[arg(long, conflicts_with = "address")]
    checkpoint: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Something is not as it was written.
#[derive(Debug, thiserror::Error)]
#[error("the evidence does not hold: {0} found")]
pub(super) struct Wrong(String);

pub(super) async fn run(args: VerifyArgs) -> anyhow::Result<()> {
    let keys = args.public_keys()?;
    let kept = args.kept(keys.as_ref())?;
    let store = args.store.open().await?;
    let of = match &args.address {
        Some(text) => Some(args.contact(store.as_ref(), text).await?),
        None => None,
    };
    let progress = output::counter("events");
    let mut problems = Vec::new();
    let tell = |problem: &Problem| {
        if args.json {
            problems.push(problem.clone());
        } else {
            // What goes away, as `head` does, has seen enough.
            progress.suspend(|| drop(output::text(&describe(problem))));
        }
    };
    let snapshot = store.snapshot().await?;
    let verifier = Verifier::new(snapshot, of.as_deref(), keys.as_ref(), tell);
    let verified = match of {
        Some(_) => verifier.one().await?,
        None => {
            let count = |events| progress.set_position(events);
            verifier.all(kept.as_ref(), count).await?
        }
    };
    progress.finish_and_clear();
    if args.json {
        let mut answer = json!({ "verified": verified });
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("problems".to_owned(), serde_json::to_value(problems)?);
        }
        output::json(&answer)?;
    } else {
        output::text(&summary(&verified, args.address.is_some(), keys.is_some()))?;
    }
    match verified.problems {
        0 => Ok(()),
        1 => Err(Wrong("1 problem".to_owned()).into()),
        count => Err(Wrong(format!("{count} problems")).into()),
    }
}

impl VerifyArgs {
    /// The keys that are named, or those of the gateway's own file if it is there.
    fn public_keys(&self) -> anyhow::Result<Option<PublicKeys>> {
        let path = match &self.keys {
            Some(path) => path.clone(),
            None => self.receipts.path(&self.store),
        };
        let is_named = self.keys.is_some() || self.receipts.receipt_keys.is_some();
        if !is_named && !path.exists() {
            return Ok(None);
        }
        let named = || format!("the keys {}", path.display());
        let bytes = fs::read(&path).with_context(named)?;
        let keys = PublicKeys::read(&bytes).map_err(|error| {
            BadArgument(format!(
                "{} is no JSON Web Key Set: {error}",
                path.display()
            ))
        })?;
        Ok(Some(keys))
    }

    /// What the checkpoint says that was kept elsewhere.
    fn kept(&self, keys: Option<&PublicKeys>) -> anyhow::Result<Option<Row>> {
        let Some(kept) = &self.checkpoint else {
            return Ok(None);
        };
        let token = fs::read_to_string(kept).unwrap_or_else(|_| kept.clone());
        let keys = keys.ok_or_else(|| {
            BadArgument("--checkpoint needs the keys that it was signed with: --keys".to_owned())
        })?;
        match keys.verify(Kind::Checkpoint, &token) {
            Ok(Value::Object(said)) => Ok(Some(said)),
            Ok(_) => Err(BadArgument("--checkpoint: it says nothing".to_owned()).into()),
            Err(error) => Err(BadArgument(format!("--checkpoint: {error}")).into()),
        }
    }

    /// The contact's identifier.
    async fn contact(&self, store: &dyn crate::store::Store, text: &str) -> anyhow::Result<String> {
        if uuid::Uuid::parse_str(text).is_ok() {
            return Ok(text.to_owned());
        }
        let known = store.contact(&super::consent::address(text)?).await?;
        known.id.context("nobody with this address is known")
    }
}

fn describe(problem: &Problem) -> String {
    let Problem {
        contact_id,
        seq,
        checkpoint,
        what,
    } = problem;
    match (contact_id, seq, checkpoint) {
        (Some(contact), Some(seq), _) => format!("contact {contact}, event {seq}: {what}"),
        (Some(contact), None, _) => format!("contact {contact}: {what}"),
        (None, _, Some(checkpoint)) => format!("checkpoint {checkpoint}: {what}"),
        (None, _, None) => what.clone(),
    }
}

fn summary(verified: &Verified, is_one: bool, with_keys: bool) -> String {
    let Verified {
        contacts,
        events,
        checkpoints,
        erased,
        unsealed,
        problems,
        ..
    } = verified;
    let mut text =
        format!("{contacts} contacts with {events} events verified: {problems} problems");
    if *erased > 0 {
        text.push_str(&format!(
            "\n{erased} of the events were erased; their hashes are left"
        ));
    }
    if *unsealed > 0 {
        text.push_str(&format!("\n{unsealed} events are under no checkpoint yet"));
    }
    if is_one {
        return text;
    }
    text.push_str(&format!("\n{checkpoints} checkpoints verified"));
    if !with_keys && *checkpoints > 0 {
        text.push_str(", without their signatures: name the keys with --keys");
    }
    text
}
