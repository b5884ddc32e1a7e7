//! `consentry consent ask`.

use clap::Args;
use consentry_model::Category;
use reqwest::Url;

use super::{BadArgument, PolicyArgs, StoreArgs, output};
use crate::cloud_api::CloudApi;
use crate::gateway::Gateway;
use crate::http::ask::answer;
use crate::offer::{AskError, Labels};
use crate::{address::Address, offer};

#[derive(Args)]
pub(super) struct Ask {
    /// A telephone number with country code, or a WhatsApp user id
    address: String,
    /// The messages that the person would agree to, such as utility
    #[arg(long)]
    category: Category,
    /// The exact words of the question
    #[arg(long)]
    text: String,
    /// What this wording is called with you; left out: twelve digits made from its words
    #[arg(long)]
    wording_version: Option<String>,
    /// The words on the row that agrees
    #[arg(long, default_value_t = Labels::default().yes)]
    yes: String,
    /// The words on the row that does not
    #[arg(long, default_value_t = Labels::default().no)]
    no: String,
    /// The words on the button that opens the list
    #[arg(long, default_value_t = Labels::default().button)]
    button: String,
    /// Your own address
    #[arg(long)]
    from: Option<String>,
    /// Send it, too
    #[arg(long, requires = "url")]
    send: bool,
    #[command(flatten)]
    number: NumberArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Print JSON about the offer, and not the message alone
    #[arg(long)]
    json: bool,
}

/// The number that WhatsApp messages are sent from.
#[derive(Args)]
pub(super) struct NumberArgs {
    /// Your number at Meta, such as https://graph.facebook.com/v23.0/106540352242922
    #[arg(
        id = "url",
        long = "whatsapp-url",
        env = "CONSENTRY_WHATSAPP_URL",
        value_name = "URL",
        requires = "token"
    )]
    url: Option<Url>,
    /// The access token that allows to send from it
    #[arg(
        id = "token",
        long = "whatsapp-token",
        env = "CONSENTRY_WHATSAPP_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
}

impl NumberArgs {
    pub(super) fn put_into(self, gateway: Gateway) -> anyhow::Result<Gateway> {
        match (self.url, self.token) {
            (Some(url), Some(token)) => Ok(gateway.with_cloud_api(CloudApi::new(&url, token)?)),
            _ => Ok(gateway),
        }
    }
}

pub(super) async fn run(args: Ask) -> anyhow::Result<()> {
    let to = Address::parse(&args.address, None)
        .map_err(|error| BadArgument(format!("{}: {error}", args.address)))?;
    let gateway = args
        .number
        .put_into(args.store.gateway(&args.policy).await?)?;
    let ask = offer::Ask {
        to,
        from: args.from,
        category: args.category,
        text: args.text,
        wording_version: args.wording_version,
        labels: Labels {
            button: args.button,
            yes: args.yes,
            no: args.no,
        },
        actor: Some("command-line".to_owned()),
    };
    let asked = gateway.ask(ask).await.map_err(|error| match error {
        AskError::Bad(bad) => anyhow::Error::new(BadArgument(bad.to_string())),
        error => error.into(),
    })?;
    let message = asked.message.clone();
    let answer = answer(&gateway, asked, args.send).await;
    let answer = answer.map_err(|problem| anyhow::anyhow!("{}", problem.detail()))?;
    if args.json {
        output::json(&answer)
    } else {
        output::json(&message)
    }
}
