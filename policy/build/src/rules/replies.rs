//! What is answered, checked for what it must hold.

use consentry_policy::{
    Channel, ConsentQuestion, Intent, Language, Reply, ScopeQuestion, Sender, Sending,
};
use serde::Deserialize;
use toml::Spanned;

use super::file::{File, RulesError};
use super::segments::{self, segments};
use super::sending;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepliesFile {
    reply: Vec<Spanned<Reply>>,
}

const PLACEHOLDERS: [&str; 4] = ["brand", "contact", "privacy_url", "channel"];

/// One answer is one message. The GSM alphabet says in one segment what other alphabets need more
/// for.
const MAX_SEGMENTS: usize = 1;
const MAX_SEGMENTS_WITH_QUESTION: usize = 2;
const MAX_SEGMENTS_UNICODE: usize = 3;

pub(super) fn load(
    file: &File,
    sender: &Sender,
    languages: &[Language],
    sending: &Sending,
) -> Result<Vec<Reply>, RulesError> {
    let parsed: RepliesFile = file.parse()?;
    let mut seen: Vec<&Reply> = Vec::new();
    for spanned in &parsed.reply {
        let reply = spanned.get_ref();
        let name = format!("reply to {} in {}", reply.intent.as_str(), reply.language);
        let same = |other: &&Reply| {
            (other.intent, &other.language, other.channel, &other.country)
                == (reply.intent, &reply.language, reply.channel, &reply.country)
        };
        let problem = problem(reply, sender, languages, sending).or_else(|| {
            seen.iter()
                .any(same)
                .then(|| "there is another for the same channel and country".to_owned())
        });
        if let Some(what) = problem {
            return Err(file.error(spanned, &name, what));
        }
        seen.push(reply);
    }
    Ok(parsed.reply.into_iter().map(Spanned::into_inner).collect())
}

/// What is wrong with a reply.
fn problem(
    reply: &Reply,
    sender: &Sender,
    languages: &[Language],
    sending: &Sending,
) -> Option<String> {
    if let Some(unknown) = placeholders(&reply.text).find(|name| !PLACEHOLDERS.contains(name)) {
        let known = PLACEHOLDERS.join("}, {");
        return Some(format!("{{{unknown}}} is unknown; there are {{{known}}}"));
    }
    // CTIA and CWTA: who it is from, and where a person gets help.
    let needed: &[&str] = match reply.intent {
        Intent::OptOut | Intent::Help => &["brand", "contact"],
        Intent::OptIn => &["brand", "privacy_url"],
        _ => &[],
    };
    if let Some(missing) = needed
        .iter()
        .find(|name| placeholders(&reply.text).all(|there| there != **name))
    {
        return Some(format!("{{{missing}}} is missing"));
    }
    if reply.intent == Intent::OptOut {
        // 47 CFR 64.1200(a)(12): the confirmation carries no marketing.
        let filled = reply.filled(sender, Channel::Sms);
        if let Some(word) = marketing(&filled, languages) {
            return Some(format!(
                "{word:?} has no place in a confirmation: it may hold no marketing"
            ));
        }
        if reply.text.contains("://") || reply.text.contains("{privacy_url}") {
            return Some("a confirmation holds no link".to_owned());
        }
    }
    if let Some(question) = &reply.scope_question
        && let Some(what) = scope_problem(reply, question, languages, sending)
    {
        return Some(format!("`scope_question`: {what}"));
    }
    if matches!(reply.channel, None | Some(Channel::Sms)) {
        let filled = reply.filled(sender, Channel::Sms);
        let limit = match (segments::is_gsm(&filled), &reply.scope_question) {
            (false, _) => MAX_SEGMENTS_UNICODE,
            (true, Some(_)) => MAX_SEGMENTS_WITH_QUESTION,
            (true, None) => MAX_SEGMENTS,
        };
        let count = segments(&filled);
        if count > limit {
            return Some(format!(
                "with your brand and contact it takes {count} SMS segments; at most {limit} are sent"
            ));
        }
    }
    None
}

/// What is wrong with a scope question.
fn scope_problem(
    reply: &Reply,
    question: &ScopeQuestion,
    languages: &[Language],
    sending: &Sending,
) -> Option<String> {
    if reply.intent != Intent::OptOut {
        return Some("only the confirmation of an opt-out asks one".into());
    }
    if let Err(what) = sending::known(sending, std::slice::from_ref(&question.category)) {
        return Some(what);
    }
    if question.category == "marketing" {
        return Some("a confirmation may not ask for marketing".into());
    }
    named_answers(question, &reply.language, languages)
        .is_empty()
        .then(|| "it names no word that the language has for yes".into())
}

/// The words for yes that a scope question names.
fn named_answers(question: &ScopeQuestion, language: &str, languages: &[Language]) -> Vec<String> {
    let text = question.text.to_lowercase();
    let own = languages.iter().filter(|known| known.tag == language);
    let answers = own
        .flat_map(|language| &language.keywords)
        .filter(|keyword| keyword.intent == Intent::AnswerYes)
        .flat_map(|keyword| &keyword.words);
    let named = answers.filter(|word| words(&text).any(|there| there == word.to_lowercase()));
    named.cloned().collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric())
}

/// What the scope questions ask consent for. "Ok" and "thanks" are what people say to any
/// confirmation, so only the word that was asked for counts.
pub(super) fn scope_questions(replies: &[Reply], languages: &[Language]) -> Vec<ConsentQuestion> {
    let asked = |reply: &Reply| {
        let question = reply.scope_question.as_ref()?;
        Some(ConsentQuestion {
            asks: vec![question.text.clone()],
            about: Vec::new(),
            category: Some(question.category.clone()),
            words: named_answers(question, &reply.language, languages),
        })
    };
    replies.iter().filter_map(asked).collect()
}

fn marketing<'l>(text: &str, languages: &'l [Language]) -> Option<&'l str> {
    let text = text.to_lowercase();
    let mut topics = languages
        .iter()
        .filter_map(|language| language.topics.get("marketing"))
        .flatten();
    let is_there = |word: &str| match word.strip_suffix('*') {
        Some(stem) => words(&text).any(|there| there.starts_with(stem)),
        None => words(&text).any(|there| there == word),
    };
    topics.find(|word| is_there(word)).map(String::as_str)
}

fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_one(intent: &str, text: &str) -> Result<Vec<Reply>, String> {
        let sender = Sender {
            brand: "Example Inc".into(),
            contact: "help@example.com".into(),
            privacy_url: "https://example.com/privacy".into(),
        };
        let languages =
            [
                super::super::one_language("language = \"en\"\n[topics]\nmarketing = [\"offer*\"]")
                    .unwrap(),
            ];
        let file = File::of(
            "replies.toml",
            &format!("[[reply]]\nintent = \"{intent}\"\nlanguage = \"en\"\ntext = {text:?}"),
        );
        load(&file, &sender, &languages, &Sending::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_reply_has_its_mandatory_parts_and_nothing_that_is_forbidden() {
        let good = "{brand}: You have been unsubscribed. Help: {contact}";
        assert!(load_one("opt-out", good).is_ok());
        for (text, says) in [
            (
                "You have been unsubscribed. Help: {contact}",
                "{brand} is missing",
            ),
            (
                "{brand}: You have been unsubscribed.",
                "{contact} is missing",
            ),
            ("{brand} {contact}: one last offer for you", "no marketing"),
            ("{brand} {contact} https://example.com", "no link"),
            ("{brand} {contact} {url}", "{url} is unknown"),
        ] {
            let message = load_one("opt-out", text).unwrap_err();
            assert!(
                message.starts_with("replies.toml:1: reply to opt-out in en:"),
                "{message}"
            );
            assert!(message.contains(says), "{message}");
        }
        let message = load_one(
            "help",
            &format!("{{brand}} {{contact}} {}", "x".repeat(150)),
        )
        .unwrap_err();
        assert!(message.contains("2 SMS segments"), "{message}");
    }
}
