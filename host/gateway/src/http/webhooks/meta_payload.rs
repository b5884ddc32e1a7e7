//! What the Cloud API's webhooks hold. It is read field by field, so that one that is new or odd costs
//! nothing but itself.
//! <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages>

use consentry_model::{Channel, Timestamp};
use serde_json::{Value, json};

use super::provider::Told;
use crate::address::Address;
use crate::gateway::InboundMessage;
use crate::platform::{Effect, Moved, Notice, Said};
use crate::store::Selection;

const SOURCE: &str = "meta";

/// Everything that a delivery tells.
pub(super) fn told(document: &Value) -> Vec<Told> {
    if text(document, "/object") != Some("whatsapp_business_account") {
        return vec![Told::Nothing("other-object")];
    }
    let entries = list(document, "/entry");
    let changes = entries.flat_map(|entry| list(entry, "/changes"));
    changes.flat_map(of_change).collect()
}

fn of_change(change: &Value) -> Vec<Told> {
    let value = change.get("value").unwrap_or(&Value::Null);
    match text(change, "/field") {
        Some("messages") => {
            let messages = list(value, "/messages").map(|message| of_message(message, value));
            messages
                .chain(list(value, "/statuses").flat_map(of_status))
                .collect()
        }
        Some("user_preferences") => list(value, "/user_preferences")
            .map(|preference| of_preference(preference, value))
            .collect(),
        _ => vec![Told::Nothing("other-field")],
    }
}

fn of_message(message: &Value, value: &Value) -> Told {
    if message.get("group_id").is_some() {
        return Told::Nothing("group");
    }
    let names = ["/from", "/from_user_id"];
    let Some((from, other_addresses)) = addresses(message, names, value) else {
        return Told::Nothing("no-address");
    };
    let message_id = text(message, "/id").map(str::to_owned);
    let sent_at = moment(message, "/timestamp");
    let content = match text(message, "/type").unwrap_or_default() {
        "system" => {
            return moved(message, from, message_id, sent_at).unwrap_or(Told::Nothing("system"));
        }
        "reaction" => return Told::Nothing("reaction"),
        "revoke" => return Told::Nothing("deleted"),
        // What it says now.
        "edit" => match message.pointer("/edit/message") {
            Some(edited) => content(edited),
            None => None,
        },
        _ => content(message),
    };
    let Some(Content { body, selection }) = content else {
        return Told::Nothing("other-type");
    };
    Told::Message(Box::new(InboundMessage {
        other_addresses,
        to: text(value, "/metadata/display_phone_number").map(str::to_owned),
        reply_from: number_id(value),
        message_id,
        sent_at,
        // A row or a button answers the message that it is on.
        stands_alone: selection.is_some(),
        selection,
        ad_entry: message.get("referral").is_some_and(Value::is_object),
        ..InboundMessage::text(Channel::Whatsapp, from, body)
    }))
}

struct Content {
    body: String,
    selection: Option<Selection>,
}

/// What somebody wrote or tapped. Pictures and the like have no words, or a caption; they open the window
/// all the same.
fn content(message: &Value) -> Option<Content> {
    let words = |body: &str| Content {
        body: body.to_owned(),
        selection: None,
    };
    let tapped = |id: Option<&str>, title: Option<&str>| Content {
        body: title.unwrap_or_default().to_owned(),
        selection: Some(Selection {
            id: id.or(title).unwrap_or_default().to_owned(),
            title: title.unwrap_or_default().to_owned(),
        }),
    };
    let at = |pointer| text(message, pointer);
    Some(match at("/type")? {
        "text" => words(at("/text/body")?),
        "button" => tapped(at("/button/payload"), at("/button/text")),
        "interactive" => match at("/interactive/type").unwrap_or_default() {
            "button_reply" => tapped(
                at("/interactive/button_reply/id"),
                at("/interactive/button_reply/title"),
            ),
            "list_reply" => tapped(
                at("/interactive/list_reply/id"),
                at("/interactive/list_reply/title"),
            ),
            "call_permission_reply" => return None,
            _ => words(at("/interactive/nfm_reply/body").unwrap_or_default()),
        },
        "image" => words(at("/image/caption").unwrap_or_default()),
        "video" => words(at("/video/caption").unwrap_or_default()),
        "document" => words(at("/document/caption").unwrap_or_default()),
        "order" => words(at("/order/text").unwrap_or_default()),
        "audio" | "contacts" | "location" | "sticker" | "unsupported" => words(""),
        _ => return None,
    })
}

/// Somebody has another number, and with it another user id.
fn moved(
    message: &Value,
    from: Address,
    message_id: Option<String>,
    at: Option<Timestamp>,
) -> Option<Told> {
    let kind = text(message, "/system/type")?;
    if !kind.starts_with("user_changed") {
        return None;
    }
    let to = phone(message, "/system/wa_id").or_else(|| user(message, "/system/user_id"))?;
    Some(Told::Moved(Box::new(Moved {
        from,
        to,
        channel: Channel::Whatsapp,
        at,
        message_id,
        source: SOURCE.to_owned(),
        document: message.get("system").cloned().unwrap_or_default(),
    })))
}

/// Why a message that was sent did not arrive.
fn of_status(status: &Value) -> Vec<Told> {
    if text(status, "/recipient_type") == Some("group") {
        return vec![Told::Nothing("group")];
    }
    let errors: Vec<Told> = list(status, "/errors")
        .map(|error| of_error(error, status))
        .collect();
    if errors.is_empty() {
        return vec![Told::Nothing("status")];
    }
    errors
}

fn of_error(error: &Value, status: &Value) -> Told {
    let code = error.get("code").and_then(Value::as_u64);
    let Some(code) = code.and_then(|code| u32::try_from(code).ok()) else {
        return Told::Nothing("status");
    };
    let said = Said::Error(code);
    if said.effect() == Effect::None {
        return Told::Nothing("error");
    }
    let names = ["/recipient_id", "/recipient_user_id"];
    let Some((address, other_addresses)) = addresses(status, names, &Value::Null) else {
        return Told::Nothing("no-address");
    };
    let message_id = text(status, "/id");
    Told::Notice(Box::new(Notice {
        address,
        other_addresses,
        channel: Channel::Whatsapp,
        said,
        at: moment(status, "/timestamp"),
        // The message itself has this identifier, too, and may fail for several reasons.
        message_id: message_id.map(|id| format!("{id}/{code}")),
        source: SOURCE.to_owned(),
        document: json!({ "messageId": message_id, "code": code, "title": error.get("title") }),
    }))
}

fn of_preference(preference: &Value, value: &Value) -> Told {
    let said = match (text(preference, "/category"), text(preference, "/value")) {
        (Some("marketing_messages"), Some("stop")) => Said::Stop,
        (Some("marketing_messages"), Some("resume")) => Said::Resume,
        _ => return Told::Nothing("other-preference"),
    };
    let names = ["/wa_id", "/user_id"];
    let Some((address, other_addresses)) = addresses(preference, names, value) else {
        return Told::Nothing("no-address");
    };
    let at = moment(preference, "/timestamp");
    Told::Notice(Box::new(Notice {
        address,
        other_addresses,
        channel: Channel::Whatsapp,
        said,
        at,
        message_id: at.map(|at| format!("user_preferences/{said:?}/{at}")),
        source: SOURCE.to_owned(),
        document: json!({
            "sender": text(value, "/metadata/display_phone_number"), "preference": preference,
        }),
    }))
}

/// The addresses of whom something is about: the number, where it is known, before the user ids. `names`
/// are where the number and the user id stand; the contacts beside it may know more.
fn addresses(
    about: &Value,
    [number, user_id]: [&str; 2],
    value: &Value,
) -> Option<(Address, Vec<Address>)> {
    let (wa_id, named) = (text(about, number), text(about, user_id));
    let mut contacts = list(value, "/contacts");
    let same = |contact: &&Value| {
        let is = |name, known: Option<&str>| known.is_some() && text(contact, name) == known;
        is("/wa_id", wa_id) || is("/user_id", named)
    };
    let contact = if wa_id.is_none() && named.is_none() {
        contacts.next().filter(|_| contacts.next().is_none())
    } else {
        contacts.find(same)
    };
    let contact = contact.unwrap_or(&Value::Null);
    let mut found: Vec<Address> = Vec::new();
    let each = [
        phone(about, number),
        phone(contact, "/wa_id"),
        text(about, number).and_then(other_form),
        user(about, user_id),
        user(contact, "/user_id"),
        user(contact, "/parent_user_id"),
    ];
    for address in each.into_iter().flatten() {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    let mut found = found.into_iter();
    Some((found.next()?, found.collect()))
}

/// What Meta calls the number that was written to.
fn number_id(value: &Value) -> Option<String> {
    let id = text(value, "/metadata/phone_number_id")?;
    let is_id = id.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then(|| id.to_owned())
}

/// A number, which comes without its `+`.
fn phone(value: &Value, pointer: &str) -> Option<Address> {
    let digits = text(value, pointer)?.trim_start_matches('+');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Address::parse(&format!("+{digits}"), None).ok()
}

/// The number as texts and calls reach it, where WhatsApp keeps an older form: without the ninth digit of
/// Brazilian mobile numbers, and with the 1 that Mexican ones had.
pub(in crate::http) fn other_form(wa_id: &str) -> Option<Address> {
    let brazilian = || {
        let (area, number) = wa_id.strip_prefix("55")?.split_at_checked(2)?;
        let fits = number.len() == 8 && number.starts_with(['6', '7', '8', '9']);
        fits.then(|| format!("+55{area}9{number}"))
    };
    let mexican = || {
        let number = wa_id.strip_prefix("521")?;
        (number.len() == 10).then(|| format!("+52{number}"))
    };
    Address::parse(&brazilian().or_else(mexican)?, None).ok()
}

fn user(value: &Value, pointer: &str) -> Option<Address> {
    Address::parse(text(value, pointer)?, None).ok()
}

/// Seconds since 1970, as a text or a number.
fn moment(value: &Value, pointer: &str) -> Option<Timestamp> {
    let seconds = match value.pointer(pointer)? {
        Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    Timestamp::from_millis(seconds.checked_mul(1000)?)
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    let text = value.pointer(pointer)?.as_str();
    text.filter(|text| !text.is_empty())
}

fn list<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}
