//! Reading and checking rules that people write.

use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::{NaiveDate, NaiveTime};
use consentry_policy::{
    Category, ConsentQuestion, Identity, Intent, Keyword, Reply, Routes, RuleSet, Sender, Timestamp,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::Spanned;

/// What is wrong with a rule set, and where.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum RulesError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Syntax {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{}:{line}: {entry}: {what}", path.display())]
    Entry {
        path: PathBuf,
        line: usize,
        entry: String,
        what: String,
    },
}

/// Reads a folder of rules: `policy.toml`, `keywords.toml`, `replies.toml` and `preflight.toml`.
pub fn load(folder: &Path) -> Result<RuleSet, RulesError> {
    let policy: PolicyFile = File::read(folder, "policy.toml")?.parse()?;
    let keywords = File::read(folder, "keywords.toml")?;
    let keywords_file: KeywordsFile = keywords.parse()?;
    let replies = File::read(folder, "replies.toml")?;
    let replies_file: RepliesFile = replies.parse()?;
    let preflight: PreflightFile = File::read(folder, "preflight.toml")?.parse()?;
    Ok(RuleSet {
        identity: policy.identity,
        sender: policy.sender,
        keywords: check_keywords(&keywords, keywords_file.keyword)?,
        courtesies: keywords_file.courtesies,
        consent_questions: keywords_file.consent_question,
        replies: check_replies(&replies, replies_file.reply)?,
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
struct KeywordsFile {
    courtesies: Vec<String>,
    keyword: Vec<Spanned<KeywordEntry>>,
    consent_question: Vec<ConsentQuestion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeywordEntry {
    id: String,
    intent: Intent,
    language: String,
    words: Vec<String>,
    #[serde(default)]
    selections: Vec<String>,
    from: Option<toml::value::Datetime>,
    until: Option<toml::value::Datetime>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepliesFile {
    reply: Vec<Spanned<Reply>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreflightFile {
    category: Vec<Category>,
    routes: Routes,
}

/// One file of the rule set, kept so that an error can name its line.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn read(folder: &Path, name: &str) -> Result<Self, RulesError> {
        let path = folder.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(source) => Err(RulesError::Read { path, source }),
        }
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, RulesError> {
        toml::from_str(&self.text).map_err(|source| RulesError::Syntax {
            path: self.path.clone(),
            source: Box::new(source),
        })
    }

    fn error<T>(&self, at: &Spanned<T>, entry: &str, what: impl Into<String>) -> RulesError {
        let before = self.text.as_bytes().iter().take(at.span().start);
        RulesError::Entry {
            path: self.path.clone(),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
            entry: entry.to_owned(),
            what: what.into(),
        }
    }
}

fn check_keywords(
    file: &File,
    entries: Vec<Spanned<KeywordEntry>>,
) -> Result<Vec<Keyword>, RulesError> {
    let mut keywords: Vec<Keyword> = Vec::new();
    for spanned in entries {
        let entry = spanned.get_ref();
        let fail = |what: String| Err(file.error(&spanned, &entry.id, what));
        if keywords.iter().any(|earlier| earlier.id == entry.id) {
            return fail("another entry has this id".to_owned());
        }
        if entry.source.trim().is_empty() {
            return fail("name the law, carrier rule or observation behind it in `source`".into());
        }
        if let Some(word) = entry
            .words
            .iter()
            .find(|word| !word.chars().any(char::is_alphanumeric))
        {
            return fail(format!(
                "the word {word:?} has no letter or digit and can never match"
            ));
        }
        let date = |field: &str, value: &Option<toml::value::Datetime>| {
            value
                .as_ref()
                .map(|date| start_of_day(date))
                .transpose()
                .map_err(|what| file.error(&spanned, &entry.id, format!("`{field}`: {what}")))
        };
        let (from, until) = (date("from", &entry.from)?, date("until", &entry.until)?);
        if let (Some(from), Some(until)) = (from, until)
            && until <= from
        {
            return fail("`until` is not after `from`, so the entry would never hold".into());
        }
        let entry = spanned.into_inner();
        keywords.push(Keyword {
            id: entry.id,
            intent: entry.intent,
            language: entry.language,
            words: entry.words,
            selections: entry.selections,
            from,
            until,
        });
    }
    Ok(keywords)
}

/// A date in TOML (`2027-01-31`) as its first moment in UTC.
fn start_of_day(date: &toml::value::Datetime) -> Result<Timestamp, String> {
    let wrong = || format!("{date} is not a date like 2027-01-31");
    let day = match (date.date, date.time) {
        (Some(day), None) => day,
        _ => return Err(wrong()),
    };
    let day = NaiveDate::from_ymd_opt(day.year.into(), day.month.into(), day.day.into());
    Ok(day
        .ok_or_else(wrong)?
        .and_time(NaiveTime::MIN)
        .and_utc()
        .timestamp_millis())
}

const PLACEHOLDERS: [&str; 4] = ["brand", "contact", "privacy_url", "channel"];

fn check_replies(file: &File, entries: Vec<Spanned<Reply>>) -> Result<Vec<Reply>, RulesError> {
    for spanned in &entries {
        let reply = spanned.get_ref();
        let name = format!("reply to {} in {}", reply.intent.as_str(), reply.language);
        for placeholder in placeholders(&reply.text) {
            if !PLACEHOLDERS.contains(&placeholder) {
                let known = PLACEHOLDERS.join("}, {");
                let what = format!("{{{placeholder}}} is unknown; there are {{{known}}}");
                return Err(file.error(spanned, &name, what));
            }
        }
    }
    Ok(entries.into_iter().map(Spanned::into_inner).collect())
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(text: &str) -> Result<Vec<Keyword>, String> {
        let file = File {
            path: "keywords.toml".into(),
            text: text.to_owned(),
        };
        let parsed: KeywordsFile = file.parse().map_err(|error| error.to_string())?;
        check_keywords(&file, parsed.keyword).map_err(|error| error.to_string())
    }

    fn entry(fields: &str) -> String {
        format!(
            "courtesies = []\nconsent_question = []\n\n[[keyword]]\nid = \"x\"\n\
             intent = \"opt-out\"\nlanguage = \"en\"\nsource = \"law\"\n{fields}\n"
        )
    }

    #[test]
    fn an_error_names_file_line_and_entry() {
        let error = keywords(&entry("words = [\"!!\"]")).unwrap_err();
        assert_eq!(
            error,
            "keywords.toml:4: x: the word \"!!\" has no letter or digit and can never match"
        );
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = keywords(&entry("words = []\nwurds = []")).unwrap_err();
        assert!(error.contains("unknown field `wurds`"), "{error}");
        assert!(error.contains("line 10"), "{error}");
    }

    #[test]
    fn an_entry_that_could_never_hold_is_refused() {
        let fields = "words = [\"stop\"]\nfrom = 2027-01-31\nuntil = 2027-01-31";
        let error = keywords(&entry(fields)).unwrap_err();
        assert!(error.contains("`until` is not after `from`"), "{error}");
    }

    #[test]
    fn dates_are_the_first_moment_of_a_day_in_utc() {
        let found = keywords(&entry("words = [\"stop\"]\nfrom = 2027-01-31")).unwrap();
        assert_eq!(found[0].from, Some(1_801_353_600_000));
        let error = keywords(&entry("words = []\nfrom = 2027-01-31T10:00:00Z")).unwrap_err();
        assert!(error.contains("is not a date like"), "{error}");
    }
}
