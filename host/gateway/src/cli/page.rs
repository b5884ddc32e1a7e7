//! One person's file as a page: it needs nothing else, runs nothing, and prints well.

use std::io::{self, Write};

use serde_json::Value;

use super::export::PersonFile;
use crate::store::Event;

const STYLE: &str = "
body { font: 11pt/1.45 Georgia, 'Times New Roman', serif; max-width: 48em; margin: 2em auto; padding: 0 1em; color: #111; }
h1 { font-size: 1.5em; margin-bottom: 0.2em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: 0.25em 0.8em 0.25em 0; vertical-align: top; border-bottom: 1px solid #ccc; }
article { border: 1px solid #bbb; border-radius: 4px; padding: 0.4em 1em 0.8em; margin: 1em 0; break-inside: avoid; }
blockquote { margin: 0.5em 0; padding-left: 0.8em; border-left: 3px solid #999; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1em 1em; margin: 0.4em 0; } dt { color: #555; } dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.hash { font: 8pt/1.3 monospace; color: #555; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } }";

pub(super) fn write(file: &PersonFile, out: &mut impl Write) -> io::Result<()> {
    let PersonFile {
        contact_id,
        addresses,
        exported_at,
        consents,
        events,
    } = file;
    let who = escaped(&addresses.join(", "));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Consent of {who}</title><style>{STYLE}</style></head><body>\n\
         <h1>Consent of {who}</h1>\n<p>Contact {}, as on record on {exported_at}.</p>\n",
        escaped(contact_id),
    )?;
    writeln!(
        out,
        "<h2>What holds</h2>\n<table><tr><th>Channel<th>Category<th>Status<th>Since<th>By event</tr>"
    )?;
    for consent in consents {
        let part = |name: &str| match consent.get(name) {
            Some(Value::String(text)) => escaped(text),
            _ if name == "category" => "in general".to_owned(),
            _ => String::new(),
        };
        writeln!(
            out,
            "<tr><td>{}<td>{}<td>{}<td>{}<td class=\"hash\">{}</tr>",
            part("channelType"),
            part("category"),
            part("consentStatus"),
            part("updatedAt"),
            part("eventId"),
        )?;
    }
    writeln!(out, "</table>\n<h2>What was said and recorded</h2>")?;
    for one in events {
        event(one, out)?;
    }
    writeln!(
        out,
        "<p>Each event is hashed together with the one before it; \u{201c}consentry consent verify\u{201d} \
         checks that none was changed.</p>\n</body></html>"
    )
}

fn event(event: &Event, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "<article><h3>{}. {}</h3>",
        event.seq,
        escaped(&event.said_at.to_string())
    )?;
    if let Some(body) = &event.body {
        writeln!(out, "<blockquote>{}</blockquote>", escaped(body))?;
    }
    writeln!(out, "<dl>")?;
    // The columns of the record, whatever they are, but for those that stand elsewhere.
    let Ok(Value::Object(fields)) = serde_json::to_value(event) else {
        return Err(io::Error::other("an event cannot be written"));
    };
    for (name, value) in &fields {
        if ["seq", "saidAt", "body", "hash"].contains(&name.as_str()) {
            continue;
        }
        let text = match value {
            Value::Null | Value::Bool(false) => continue,
            Value::Array(values) if values.is_empty() => continue,
            Value::Bool(true) => "yes".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", label(name), escaped(&text))?;
    }
    writeln!(
        out,
        "</dl><div class=\"hash\">{}</div></article>",
        escaped(&event.hash)
    )
}

/// The name of a field, in words.
fn label(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(char.to_ascii_lowercase());
    }
    words
}

/// A text that stands for itself in HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Characters that HTML has no place for, and those that turn the direction of what follows.
            '\u{0}'..='\u{8}'
            | '\u{b}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => safe.push_str(&format!("[U+{:04X}]", u32::from(char))),
            char => safe.push(char),
        }
    }
    safe
}
