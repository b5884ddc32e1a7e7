//! `conversation.toml`: how messages answer those of the sender, read and checked.

use consentry_policy::{BareStop, ConsentQuestion, Echo, Ends, Sending, Term};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::file::{File, RulesError};
use super::sending;
use super::terms::{Dated, Entry, Ids};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConversationFile {
    echo: Echo,
    consent_question: Vec<ConsentQuestion>,
    #[serde(default)]
    bare_stop: Vec<Spanned<BareStopEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BareStopEntry {
    id: String,
    country: Option<String>,
    #[serde(default)]
    answers: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
    ends: Ends,
    /// Checked, and then left out of the rule set.
    #[serde(default)]
    off: bool,
    from: Option<Datetime>,
    until: Option<Datetime>,
    source: String,
}

impl Dated for BareStopEntry {
    fn dates(&self) -> Entry<'_> {
        Entry::of(&self.id, &self.source, &self.from, &self.until)
    }
}

/// What the file says, but for what is off.
pub(super) struct Conversation {
    pub(super) echo: Echo,
    pub(super) consent_questions: Vec<ConsentQuestion>,
    pub(super) bare_stops: Vec<BareStop>,
}

pub(super) fn load(file: &File, sending: &Sending) -> Result<Conversation, RulesError> {
    let parsed: ConversationFile = file.parse()?;
    let rule = |entry: &BareStopEntry, term| bare_stop(entry, term, sending);
    let bare_stops = Ids::default().each(file, &parsed.bare_stop, rule)?;
    let on = bare_stops.into_iter().zip(&parsed.bare_stop);
    let on = on.filter(|(_, entry)| !entry.get_ref().off);
    Ok(Conversation {
        echo: parsed.echo,
        consent_questions: parsed.consent_question,
        bare_stops: on.map(|(rule, _)| rule).collect(),
    })
}

fn bare_stop(entry: &BareStopEntry, term: Term, sending: &Sending) -> Result<BareStop, String> {
    if !entry.answers.is_empty() {
        sending::known(sending, &entry.answers)?;
    }
    if entry.ends == Ends::Category && entry.words.is_empty() {
        return Err(
            "`words` is missing: only words that say nothing more may end less than everything"
                .into(),
        );
    }
    let area = sending::area(&entry.country, &None)?;
    Ok(BareStop {
        id: entry.id.clone(),
        country: area.country,
        answers: entry.answers.clone(),
        words: entry.words.clone(),
        ends: entry.ends,
        term,
    })
}
