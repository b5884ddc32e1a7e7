//! What Twilio's forms hold.
//! <https://www.twilio.com/docs/messaging/guides/webhook-request>

use consentry_model::{Channel, floor};
use serde_json::json;

use super::provider::Told;
use crate::address::Address;
use crate::gateway::InboundMessage;
use crate::platform::{Effect, Notice, Said};
use crate::store::Selection;

const SOURCE: &str = "twilio";

/// What Twilio says. Fields that are not known are passed over.
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, value)| field == name && !value.is_empty())?;
        Some(found.1.as_str())
    }

    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    fn message_id(&self) -> Option<String> {
        self.first(&["MessageSid", "SmsMessageSid", "SmsSid"])
            .map(str::to_owned)
    }

    pub(super) fn told(&self) -> Told {
        let status = self.first(&["MessageStatus", "SmsStatus"]);
        match status {
            None | Some("received" | "receiving") => self.message(),
            Some(_) => self.notice(),
        }
    }

    fn message(&self) -> Told {
        let Some(from) = self.get("From") else {
            return Told::Nothing("no-sender");
        };
        let Some((channel, address)) = channel_of(from) else {
            return Told::Nothing("other-channel");
        };
        let Ok(from) = Address::parse(address, None) else {
            return Told::Nothing("no-address");
        };
        let selection = self.tapped();
        let body = self.get("Body").unwrap_or_default();
        let taken_for = match self.get("OptOutType") {
            Some("STOP") => Some("STOP"),
            Some("START") => Some("START"),
            Some("HELP") => Some("HELP"),
            _ => None,
        };
        // No list of the sender's makes another word of a stop.
        let keyword = taken_for.filter(|word| *word == "STOP" || !floor::is_stop_word(body));
        let to = self.get("To").map(|to| {
            let (_, to) = to.split_once(':').unwrap_or(("", to));
            to.to_owned()
        });
        let referral = ["ReferralSourceId", "ReferralSourceUrl", "ReferralCtwaClid"];
        Told::Message(Box::new(InboundMessage {
            to,
            message_id: self.message_id(),
            stands_alone: selection.is_some(),
            selection,
            // With Advanced Opt-Out, Twilio has answered such a message before it came here.
            answered: taken_for.is_some(),
            keyword,
            ad_entry: self.first(&referral).is_some(),
            ..InboundMessage::text(channel, from, body)
        }))
    }

    fn tapped(&self) -> Option<Selection> {
        let of = |id, title| {
            let (id, title) = (self.get(id), self.get(title));
            id.or(title)?;
            Some(Selection {
                id: id.unwrap_or_default().to_owned(),
                title: title.unwrap_or_default().to_owned(),
            })
        };
        of("ListId", "ListTitle").or_else(|| of("ButtonPayload", "ButtonText"))
    }

    /// What became of a message that was sent.
    fn notice(&self) -> Told {
        let code = self.get("ErrorCode").and_then(|code| code.parse().ok());
        let Some(code) = code.filter(|code: &u32| *code != 0) else {
            return Told::Nothing("status");
        };
        let said = Said::Error(code);
        if said.effect() == Effect::None {
            return Told::Nothing("error");
        }
        let Some((channel, address)) = self.get("To").and_then(channel_of) else {
            return Told::Nothing("no-address");
        };
        let Ok(address) = Address::parse(address, None) else {
            return Told::Nothing("no-address");
        };
        let status = self.first(&["MessageStatus", "SmsStatus"]);
        Told::Notice(Box::new(Notice {
            address,
            other_addresses: Vec::new(),
            channel,
            said,
            at: None,
            // Not that of a message that came in.
            message_id: self.message_id().map(|id| format!("{id}/{code}")),
            source: SOURCE.to_owned(),
            document: json!({
                "status": status, "code": code, "messageId": self.message_id(),
                "sender": self.get("From"),
            }),
        }))
    }
}

/// The channel that an address is on, and the address without its prefix. Stops over RCS and over text
/// messages are one.
fn channel_of(address: &str) -> Option<(Channel, &str)> {
    match address.split_once(':') {
        None => Some((Channel::Sms, address)),
        Some(("whatsapp", address)) => Some((Channel::Whatsapp, address)),
        Some(("rcs", address)) => Some((Channel::Sms, address)),
        Some(_) => None,
    }
}
