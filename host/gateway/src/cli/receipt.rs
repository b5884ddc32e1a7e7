//! `consentry receipt`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use super::{BadArgument, ReceiptArgs, StoreArgs, output};
use crate::jws::{Kind, PublicKeys, SigningKeys};

#[derive(Subcommand)]
pub(super) enum ReceiptCommand {
    /// Say what a receipt says, if it was signed by one of some keys and not changed since. It needs
    /// no network and no store
    Verify {
        /// The receipt, or a file that holds it
        receipt: String,
        /// The public keys: what the gateway serves at /.well-known/jwks.json, or its own file
        #[arg(long)]
        keys: PathBuf,
    },
    /// Add a new key, with which receipts are signed when the gateway is next started. Receipts
    /// signed before stay good
    Rotate {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        receipts: ReceiptArgs,
    },
    /// Print the public keys
    Keys {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        receipts: ReceiptArgs,
    },
}

pub(super) fn run(command: ReceiptCommand) -> anyhow::Result<()> {
    match command {
        ReceiptCommand::Verify { receipt, keys } => {
            let named = || format!("the keys {}", keys.display());
            let keys = fs::read(&keys).with_context(named)?;
            let token = fs::read_to_string(&receipt).unwrap_or(receipt);
            let keys = PublicKeys::read(&keys).map_err(|error| {
                BadArgument(format!("the keys are no JSON Web Key Set: {error}"))
            })?;
            let said = keys.verify(Kind::Receipt, &token);
            output::json(&said.context("the receipt is not good")?)
        }
        ReceiptCommand::Rotate { store, receipts } => {
            let path = receipts.path(&store);
            let named = || format!("the keys for receipts, {}", path.display());
            let kid = SigningKeys::rotate(&path).with_context(named)?;
            output::text(&format!(
                "{kid} signs from the next start on; those before it still verify"
            ))
        }
        ReceiptCommand::Keys { store, receipts } => output::json(&receipts.load(&store)?.public()),
    }
}
