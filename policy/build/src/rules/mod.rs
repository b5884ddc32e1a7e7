//! Reading and checking rules that people write: a folder with `policy.toml`, `replies.toml`,
//! `conversation.toml`, `preflight.toml` and one file for each language in `languages/`.

mod conversation;
mod file;
mod language;
mod replies;
mod segments;
mod sending;
mod terms;
mod times;

use std::path::Path;

use consentry_policy::{Identity, RuleSet, Sender};
use serde::Deserialize;

use file::File;
pub use file::RulesError;

/// Reads a folder of rules.
pub fn load(folder: &Path) -> Result<RuleSet, RulesError> {
    let read = |name: &str| File::read(folder.join(name));
    let policy: PolicyFile = read("policy.toml")?.parse()?;
    let (held, sending) = sending::load(&read("preflight.toml")?)?;
    let languages = language::load(&folder.join("languages"), &sending.categories)?;
    let conversation = conversation::load(&read("conversation.toml")?, &sending)?;
    let replies = replies::load(&read("replies.toml")?, &policy.sender, &languages, &sending)?;
    let mut consent_questions = replies::scope_questions(&replies, &languages);
    consent_questions.extend(conversation.consent_questions);
    Ok(RuleSet {
        identity: policy.identity,
        sender: policy.sender,
        languages,
        echo: conversation.echo,
        consent_questions,
        bare_stops: conversation.bare_stops,
        replies,
        held,
        sending,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    identity: Identity,
    sender: Sender,
}

/// A rule set of one language, for tests.
#[cfg(test)]
pub(crate) fn one_language(text: &str) -> Result<consentry_policy::Language, String> {
    let file = File::of("en.toml", text);
    language::read(&file, &["marketing"], &mut terms::Ids::default())
        .map_err(|error| error.to_string())
}
