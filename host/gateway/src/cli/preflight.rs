//! `consentry preflight`.

use anyhow::Context as _;
use clap::Args;
use consentry_model::{Category, Channel, Outbound, Template, Timestamp, Verdict};
use serde_json::json;

use super::{BadArgument, PolicyArgs, StoreArgs, output};
use crate::address::Address;
use crate::clock;
use crate::preflight::{PreflightError, Question};

#[derive(Args)]
pub(super) struct PreflightArgs {
    /// The contact
    to: String,
    /// How
    #[arg(long, default_value = "sms")]
    channel: Channel,
    /// What kind of message it is
    #[arg(long)]
    category: Option<Category>,
    /// The template it uses, as NAME:CATEGORY
    #[arg(long, value_parser = template)]
    template: Option<Template>,
    /// When it shall be sent, RFC 3339; now when left out. This only asks: the moment may be in the
    /// past, and no place under a frequency cap is taken
    #[arg(long)]
    at: Option<Timestamp>,
    /// The contact's country, ISO 3166-1 alpha-2, instead of the number's
    #[arg(long)]
    country: Option<String>,
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

pub(super) fn template(text: &str) -> Result<Template, String> {
    let (name, category) = text.rsplit_once(':').ok_or("write it NAME:CATEGORY")?;
    let category = category.parse().map_err(|error| format!("{error}"))?;
    Ok(Template {
        name: name.to_owned(),
        category,
    })
}

pub(super) async fn run(args: PreflightArgs) -> anyhow::Result<()> {
    let to = Address::parse(&args.to, None)
        .map_err(|error| BadArgument(error.to_string()))
        .context(args.to)?;
    let gateway = args.store.gateway(&args.policy)?;
    let category = args
        .category
        .unwrap_or_else(|| Outbound::default_category(args.channel, args.template.as_ref()));
    let question = Question {
        to,
        from: None,
        channel: args.channel,
        category,
        template: args.template,
        at: args.at.unwrap_or_else(clock::now),
        country: args.country,
        region: args.region,
        time_zone: args.time_zone,
        in_reply_to: None,
        explain: true,
        dry_run: true,
    };
    let answered = gateway.preflight(&question).await;
    if let Err(PreflightError::Zone(error)) = &answered {
        return Err(BadArgument(error.to_string()).into());
    }
    let decision = answered?.decision;
    let allowed = decision.verdict == Verdict::Allow;
    if args.json {
        return output::json(&json!({
            "allowed": allowed,
            "reason": decision.reason,
            "reasons": decision.reasons,
            "retryAt": match decision.verdict { Verdict::DeferUntil(at) => Some(at), _ => None },
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
