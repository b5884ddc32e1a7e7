//! What the words of one language mean.

use std::collections::BTreeMap;
use std::path::Path;

use consentry_policy::pattern::Classes;
use consentry_policy::{
    Category, Channel, ChannelWords, Guard, GuardKind, Intent, Keyword, Language, Phrase,
};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::file::{self, File, RulesError};
use super::terms::{Dated, Entry, Ids};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguageFile {
    language: String,
    #[serde(default)]
    courtesies: Vec<String>,
    #[serde(default)]
    fillers: Vec<String>,
    #[serde(default)]
    real_words: Vec<String>,
    #[serde(default)]
    classes: Classes,
    topics: Option<Spanned<Classes>>,
    #[serde(default)]
    channels: BTreeMap<Channel, Vec<String>>,
    #[serde(default)]
    keyword: Vec<Spanned<KeywordEntry>>,
    #[serde(default)]
    phrase: Vec<Spanned<PhraseEntry>>,
    #[serde(default)]
    guard: Vec<Spanned<GuardEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeywordEntry {
    id: String,
    intent: Intent,
    words: Vec<String>,
    #[serde(default)]
    selections: Vec<String>,
    #[serde(default)]
    alone: bool,
    #[serde(default)]
    misspelt: bool,
    #[serde(default)]
    review: bool,
    from: Option<Datetime>,
    until: Option<Datetime>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhraseEntry {
    id: String,
    intent: Intent,
    patterns: Vec<String>,
    #[serde(default)]
    topic: bool,
    #[serde(default)]
    unguarded: bool,
    #[serde(default)]
    review: bool,
    from: Option<Datetime>,
    until: Option<Datetime>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardEntry {
    id: String,
    kind: GuardKind,
    channel: Option<Channel>,
    patterns: Vec<String>,
    from: Option<Datetime>,
    until: Option<Datetime>,
    source: String,
}

impl Dated for KeywordEntry {
    fn dates(&self) -> Entry<'_> {
        Entry::of(&self.id, &self.source, &self.from, &self.until)
    }
}

impl Dated for PhraseEntry {
    fn dates(&self) -> Entry<'_> {
        Entry::of(&self.id, &self.source, &self.from, &self.until)
    }
}

impl Dated for GuardEntry {
    fn dates(&self) -> Entry<'_> {
        Entry::of(&self.id, &self.source, &self.from, &self.until)
    }
}

/// Reads every language of a folder.
pub(super) fn load(folder: &Path, categories: &[Category]) -> Result<Vec<Language>, RulesError> {
    let names: Vec<&str> = categories
        .iter()
        .map(|category| category.name.as_str())
        .collect();
    let mut ids = Ids::default();
    let files = file::files(folder)?;
    files
        .iter()
        .map(|file| read(file, &names, &mut ids))
        .collect()
}

pub(super) fn read(
    file: &File,
    categories: &[&str],
    ids: &mut Ids,
) -> Result<Language, RulesError> {
    let parsed: LanguageFile = file.parse()?;
    if let Some(topics) = &parsed.topics
        && let Some(unknown) = topics
            .get_ref()
            .keys()
            .find(|topic| !categories.contains(&topic.as_str()))
    {
        let what = format!(
            "no category has this name; there are {}",
            categories.join(", ")
        );
        return Err(file.error(topics, unknown, what));
    }
    let mut starts = BTreeMap::new();
    let mut keywords = Vec::new();
    for spanned in parsed.keyword {
        let entry = spanned.get_ref();
        let term = ids.check(file, &spanned)?;
        if let Some(word) = entry
            .words
            .iter()
            .find(|word| !word.chars().any(char::is_alphanumeric))
        {
            let what = format!("the word {word:?} has no letter or digit and can never match");
            return Err(file.error_about(word, spanned.span().start, &entry.id, what));
        }
        if entry.words.is_empty() && entry.selections.is_empty() {
            return Err(file.error(&spanned, &entry.id, "it has neither words nor selections"));
        }
        let entry = spanned.into_inner();
        keywords.push(Keyword {
            id: entry.id,
            intent: entry.intent,
            words: entry.words,
            selections: entry.selections,
            alone: entry.alone,
            misspelt: entry.misspelt,
            review: entry.review,
            term,
        });
    }
    let mut phrases = Vec::new();
    for spanned in parsed.phrase {
        let entry = spanned.get_ref();
        let term = ids.check(file, &spanned)?;
        starts.insert(entry.id.clone(), spanned.span().start);
        let entry = spanned.into_inner();
        phrases.push(Phrase {
            id: entry.id,
            intent: entry.intent,
            patterns: entry.patterns,
            topic: entry.topic,
            unguarded: entry.unguarded,
            review: entry.review,
            term,
        });
    }
    let mut guards = Vec::new();
    for spanned in parsed.guard {
        let entry = spanned.get_ref();
        let term = ids.check(file, &spanned)?;
        if (entry.kind == GuardKind::Keep) != entry.channel.is_some() {
            let what = "`channel` goes with the kind keep, and with no other";
            return Err(file.error(&spanned, &entry.id, what));
        }
        starts.insert(entry.id.clone(), spanned.span().start);
        let entry = spanned.into_inner();
        guards.push(Guard {
            id: entry.id,
            kind: entry.kind,
            channel: entry.channel,
            patterns: entry.patterns,
            term,
        });
    }
    let channels = parsed.channels.into_iter();
    let language = Language {
        tag: parsed.language,
        courtesies: parsed.courtesies,
        fillers: parsed.fillers,
        real_words: parsed.real_words,
        classes: parsed.classes,
        topics: parsed.topics.map(Spanned::into_inner).unwrap_or_default(),
        channels: channels
            .map(|(channel, words)| ChannelWords { channel, words })
            .collect(),
        keywords,
        phrases,
        guards,
    };
    check_patterns(file, &language, &starts)?;
    Ok(language)
}

fn check_patterns(
    file: &File,
    language: &Language,
    starts: &BTreeMap<String, usize>,
) -> Result<(), RulesError> {
    let mut first = None;
    language.check_patterns(|id, pattern, error| {
        first.get_or_insert_with(|| {
            let from = starts.get(id).copied().unwrap_or(0);
            file.error_about(
                pattern,
                from,
                id,
                format!("the pattern {pattern:?}: {error}"),
            )
        });
    });
    first.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::super::one_language;

    fn entry(fields: &str) -> String {
        format!(
            "language = \"en\"\n\n[[keyword]]\nid = \"x\"\nintent = \"opt-out\"\nsource = \"law\"\n{fields}\n"
        )
    }

    #[test]
    fn a_good_entry_is_taken() {
        let language = one_language(&entry("words = [\"stop\"]\nfrom = 1970-01-02")).unwrap();
        assert_eq!(language.keywords[0].term.from, Some(86_400_000));
    }

    #[test]
    fn an_error_names_file_line_and_entry() {
        let message = one_language(&entry("words = [\"stop\",\n  \"!!\"]")).unwrap_err();
        assert!(
            message.starts_with("en.toml:8: x: the word \"!!\""),
            "{message}"
        );
        let phrase = "\n[[phrase]]\nid = \"p\"\nintent = \"opt-out\"\nsource = \"s\"\npatterns = [\n  \"stop it\",\n  \"stop @nothing\",\n]";
        let message = one_language(&entry(&format!("words = [\"stop\"]{phrase}"))).unwrap_err();
        assert!(
            message.starts_with("en.toml:14: p: the pattern \"stop @nothing\""),
            "{message}"
        );
        let message = one_language(&entry("word = []")).unwrap_err();
        assert!(
            message.contains("unknown field `word`") && message.contains("line 7"),
            "{message}"
        );
    }

    #[test]
    fn an_entry_that_could_never_hold_is_refused() {
        for fields in [
            "words = [\"a\"]\nfrom = 2027-01-31\nuntil = 2027-01-31",
            "words = [\"a\"]\nfrom = 2027-01-31T00:00:00Z",
            "words = []",
        ] {
            assert!(one_language(&entry(fields)).is_err(), "{fields}");
        }
    }

    #[test]
    fn two_entries_with_one_id_may_not_hold_at_the_same_time() {
        let two = |first: &str, second: &str| {
            let again = format!(
                "\n[[keyword]]\nid = \"x\"\nintent = \"help\"\nsource = \"law\"\nwords = [\"b\"]\n{second}"
            );
            one_language(&format!(
                "{}{again}",
                entry(&format!("words = [\"a\"]\n{first}"))
            ))
        };
        assert!(two("until = 2027-01-31", "from = 2027-01-31").is_ok());
        assert!(two("until = 2027-02-01", "from = 2027-01-31").is_err());
        assert!(two("", "from = 2027-01-31").is_err());
    }

    #[test]
    fn topics_are_categories() {
        let message = one_language("language = \"en\"\n[topics]\nadverts = [\"ads\"]").unwrap_err();
        assert!(message.contains("adverts"), "{message}");
    }

    #[test]
    fn a_bad_word_for_a_topic_or_a_channel_is_refused_where_it_stands() {
        for (table, entry) in [
            ("topics]\nmarketing", "marketing"),
            ("channels]\nsms", "SMS"),
        ] {
            let text = format!("language = \"en\"\n[{table} = [\"(ads\"]");
            let message = one_language(&text).unwrap_err();
            assert!(
                message.contains(&format!("en.toml:3: {entry}: ")),
                "{message}"
            );
        }
    }
}
