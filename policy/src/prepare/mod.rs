//! From a rule set to tables that are read in place. This happens once, where a policy is built.
//!
//! The source begins with the buckets of the texts, which are the words, keywords and courtesies. Then
//! come the patterns, and last a record for each word: the sets it is of, and the patterns that may
//! begin with it.

mod language;
mod patterns;
mod texts;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::candidates::Kind;
use crate::lexicon::Lexicon;
use crate::pattern::PatternError;
use crate::rules::RuleSet;
use crate::tables::{Head, Name};
use language::{Owner, number_of};
use patterns::Patterns;
use texts::Texts;

/// A rule set with its tables.
#[derive(Debug)]
pub struct Prepared {
    /// What an instance holds in its memory, in the form that [`crate::Engine::prepared`] reads.
    pub head: Vec<u8>,
    /// What it reads in place: see [`crate::Source`].
    pub tables: Vec<u8>,
}

/// Why a rule set could not be prepared.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum PrepareError {
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error(
        "there are more words, lists of words, patterns that begin with one word, or entries for one \
         text than can be numbered (at most 65,534, and 255 entries for a text)"
    )]
    TooMany,
    #[error("what was prepared was damaged, or was made for another version of the engine: {0}")]
    Form(#[from] postcard::Error),
}

/// The rules that decide, without the words that the tables hold, and the head of those.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InMemory {
    pub(crate) rules: RuleSet,
    pub(crate) head: Head,
}

impl Prepared {
    /// Prepares a rule set.
    pub fn new(rules: &RuleSet) -> Result<Self, PrepareError> {
        let (head, tables) = tables(rules)?;
        let mut rules = rules.clone();
        rules.forget_sources();
        rules.prepare_replies();
        rules.prepare_stops();
        let head = postcard::to_allocvec(&InMemory { rules, head })?;
        Ok(Self { head, tables })
    }
}

fn tables(rules: &RuleSet) -> Result<(Head, Vec<u8>), PrepareError> {
    let mut lexicon = Lexicon::default();
    let mut texts = Texts::default();
    let mut head = Head::default();
    let mut read = Vec::new();
    for (number, language) in rules.languages.iter().enumerate() {
        texts.add_language(number, language, &mut lexicon, &mut head);
        for (owner, parsed) in language::patterns(number, language)? {
            parsed.number(&mut lexicon);
            read.push((number, owner, parsed));
        }
    }
    texts::add_echoes(rules, &mut lexicon, &mut head);
    let mut patterns = Patterns::new(&lexicon);
    for (number, owner, parsed) in &read {
        let (kind, rule) = match *owner {
            Owner::Phrase(at) => (Kind::Phrase, number_of(&mut head.phrase_at, at)),
            Owner::Guard(at) => (Kind::Guard, number_of(&mut head.guard_at, at)),
            Owner::Topic(category) => {
                let name = (*number, Name::Category(category.to_owned()));
                (Kind::Name, number_of(&mut head.names, name))
            }
            Owner::Channel(channel) => {
                let name = (*number, Name::Channel(channel));
                (Kind::Name, number_of(&mut head.names, name))
            }
        };
        patterns.add(parsed, kind, rule)?;
    }
    head.stems = lexicon.stems();
    if lexicon.is_full() || patterns.is_full() {
        return Err(PrepareError::TooMany);
    }
    let mut source = texts.write(&lexicon, &mut head)?;
    patterns.write(&texts.courtesies(&lexicon), &mut source, &mut head)?;
    Ok((head, source))
}

/// A number in the size in which it is written, or an error when it does not fit.
fn fit<T: TryFrom<usize>>(number: usize) -> Result<T, PrepareError> {
    T::try_from(number).map_err(|_| PrepareError::TooMany)
}
