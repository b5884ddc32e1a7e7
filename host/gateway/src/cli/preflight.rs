//! `consentry preflight`.

use anyhow::Context as _;
use clap::Args;
use consentry_model::Verdict;
use serde_json::json;

use super::message::MessageArgs;
use super::{BadArgument, PolicyArgs, StoreArgs, output};
use crate::address::Address;
use crate::preflight::{PreflightError, Question};

#[derive(Args)]
pub(super) struct PreflightArgs {
    /// The contact
    to: String,
    #[command(flatten)]
    message: MessageArgs,
    /// The contact's part of the country, ISO 3166-2, such as US-FL
    #[arg(long)]
    region: Option<String>,
    /// The contact's time zone, such as America/New_York, instead of those of the number
    #[arg(long)]
    time_zone: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: PreflightArgs) -> anyhow::Result<()> {
    let to = Address::parse(&args.to, None)
        .map_err(|error| BadArgument(error.to_string()))
        .context(args.to)?;
    let gateway = args.store.gateway(&args.policy).await?;
    let question = Question {
        region: args.region,
        time_zone: args.time_zone,
        explain: true,
        ..args.message.question(to, args.message.at())
    };
    let answered = gateway.preflight(&question).await;
    if let Err(PreflightError::Zone(error)) = &answered {
        return Err(BadArgument(error.to_string()).into());
    }
    let decision = answered?.decision;
    if args.json {
        return output::json(&json!({
            "allowed": decision.is_allowed(),
            "reason": decision.reason,
            "reasons": decision.reasons,
            "retryAt": decision.retry_at(),
            "route": decision.route,
            "policy": gateway.policy().digest().to_string(),
            "trace": decision.trace,
        }));
    }
    let mut text = match decision.verdict {
        Verdict::Allow => "allowed".to_owned(),
        Verdict::Deny => format!("denied: {}", decision.reason),
        Verdict::DeferUntil(at) => format!("not before {at}: {}", decision.reason),
    };
    for step in decision.trace {
        text.push_str(&format!("\n  {:?} {}", step.outcome, step.rule).to_lowercase());
    }
    output::text(&text)
}
