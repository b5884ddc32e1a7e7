//! What is to be sent, as `preflight` and `scrub` are told it.

use clap::Args;
use consentry_model::{Category, Channel, Outbound, Template, Timestamp};

use crate::address::Address;
use crate::clock;
use crate::preflight::Question;

#[derive(Args)]
pub(super) struct MessageArgs {
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
    pub(super) country: Option<String>,
}

fn template(text: &str) -> Result<Template, String> {
    let (name, category) = text.rsplit_once(':').ok_or("write it NAME:CATEGORY")?;
    let category = category.parse().map_err(|error| format!("{error}"))?;
    Ok(Template {
        name: name.to_owned(),
        category,
    })
}

impl MessageArgs {
    /// When it shall be sent.
    pub(super) fn at(&self) -> Timestamp {
        self.at.unwrap_or_else(clock::now)
    }

    /// Whether it may go to somebody at a moment. This only asks.
    pub(super) fn question(&self, to: Address, at: Timestamp) -> Question {
        let template = self.template.clone();
        let default = || Outbound::default_category(self.channel, template.as_ref());
        Question {
            to,
            from: None,
            channel: self.channel,
            category: self.category.clone().unwrap_or_else(default),
            template,
            at,
            country: self.country.clone(),
            region: None,
            time_zone: None,
            in_reply_to: None,
            explain: false,
            dry_run: true,
        }
    }
}
