//! Reading and checking rules that people write: a folder with `policy.toml`, `replies.toml`,
//! `conversation.toml`, `preflight.toml` and one file for each language in `languages/`.

mod file;
mod language;
mod replies;
mod segments;

use std::path::Path;

use consentry_policy::{Category, ConsentQuestion, Echo, Identity, Routes, RuleSet, Sender};
use serde::Deserialize;
use toml::Spanned;

use file::File;
pub use file::RulesError;

/// Reads a folder of rules.
pub fn load(folder: &Path) -> Result<RuleSet, RulesError> {
    let read = |name: &str| File::read(folder.join(name));
    let policy: PolicyFile = read("policy.toml")?.parse()?;
    let conversation: ConversationFile = read("conversation.toml")?.parse()?;
    let preflight_file = read("preflight.toml")?;
    let preflight: PreflightFile = preflight_file.parse()?;
    let held = check_held(&preflight_file, &preflight)?;
    let languages = language::load(&folder.join("languages"), &preflight.category)?;
    let replies = replies::load(&read("replies.toml")?, &policy.sender, &languages)?;
    Ok(RuleSet {
        identity: policy.identity,
        sender: policy.sender,
        languages,
        echo: conversation.echo,
        consent_questions: conversation.consent_question,
        replies,
        held,
        categories: preflight.category,
        routes: preflight.routes,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    identity: Identity,
    sender: Sender,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConversationFile {
    echo: Echo,
    consent_question: Vec<ConsentQuestion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreflightFile {
    held: Spanned<String>,
    category: Vec<Category>,
    routes: Routes,
}

fn check_held(file: &File, preflight: &PreflightFile) -> Result<String, RulesError> {
    let held = preflight.held.get_ref();
    if preflight
        .category
        .iter()
        .any(|category| category.name == *held)
    {
        Ok(held.clone())
    } else {
        let what = format!("no category has the name {held:?}");
        Err(file.error(&preflight.held, "held", what))
    }
}

/// A rule set of one language, for tests.
#[cfg(test)]
pub(crate) fn one_language(text: &str) -> Result<consentry_policy::Language, String> {
    let file = File::of("en.toml", text);
    language::read(&file, &["marketing"], &mut language::Ids::default())
        .map_err(|error| error.to_string())
}
