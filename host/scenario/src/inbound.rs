//! A message that comes in: reading it, and recording what it means.

use consentry_model::{Channel, Classification, Contact, Inbound, Selection, Statement, Timestamp};
use serde_json::{Value, json};

use crate::answers;
use crate::given::Given;
use crate::person::NewEvent;
use crate::read::{check_short, check_text, country, parse, parse_optional};
use crate::step::Saying;
use crate::world::{Begun, StepError, World};

/// A message that came in, before it is understood.
#[derive(Debug)]
pub struct Heard {
    /// What to ask the policy.
    pub message: Inbound,
    /// Of whom.
    pub contact: Contact,
    from: String,
    message_id: Option<String>,
    sent_at: Option<Timestamp>,
    ad_entry: bool,
}

impl World {
    pub(crate) fn hear(&self, saying: &Saying) -> Result<Begun, StepError> {
        let channel: Channel = parse("inbound.channel", &saying.channel)?;
        let from = self.addressed("inbound.from", saying.from.as_deref())?;
        let tapped = saying.selection.as_ref();
        let tapped = tapped
            .filter(|tapped| !(tapped.id.trim().is_empty() && tapped.title.trim().is_empty()));
        if saying.body.trim().is_empty() && tapped.is_none() {
            let what = "the message is empty and nothing was tapped";
            return Err(StepError::new("inbound.body", what));
        }
        check_text("inbound.body", Some(&saying.body))?;
        check_text("inbound.footer", saying.footer.as_deref())?;
        check_text("inbound.question", saying.question.as_deref())?;
        check_short("inbound.language", saying.language.as_deref())?;
        check_short("inbound.messageId", saying.message_id.as_deref())?;
        if let Some(tapped) = tapped {
            check_short("inbound.selection.id", Some(&tapped.id))?;
            check_short("inbound.selection.title", Some(&tapped.title))?;
        }
        let last_category = saying.last_category.as_deref();
        let last_category = parse_optional("inbound.lastCategory", last_category)?;
        let named = country("inbound.country", saying.country.as_deref())?;

        let person = self.people.get(&from).cloned().unwrap_or_default();
        let message_id = saying.message_id.clone().filter(|id| !id.is_empty());
        if let Some(first) = person.delivered(channel, message_id.as_deref()) {
            return Ok(Begun::Done(answers::inbound(first, true)));
        }
        let at = saying.sent_at.map_or(self.now, |at| at.min(self.now));
        let asked = saying.question.clone();
        let asked = asked.filter(|question| !question.trim().is_empty());
        let since = Timestamp::from_millis(at.millis() - Inbound::QUESTION_OPEN).unwrap_or(at);
        let known = self.known_of(&from);
        let message = Inbound {
            channel,
            body: saying.body.clone(),
            at,
            selection: tapped.map(|tapped| Selection {
                id: tapped.id.clone(),
                title: tapped.title.clone(),
            }),
            footer: saying.footer.clone(),
            question: asked.or_else(|| person.open_question(channel, since)),
            last_category,
            country: self.country_of(&from, named),
            language: saying
                .language
                .clone()
                .or_else(|| known.and_then(|known| known.language.clone())),
            answered: saying.answered,
            explain: true,
        };
        Ok(Begun::Classify(Box::new(Heard {
            message,
            contact: person.contact,
            from,
            message_id,
            sent_at: saying.sent_at,
            ad_entry: saying.ad_entry,
        })))
    }

    /// Takes in what is said of a message, and records it.
    pub fn understood(&mut self, heard: Heard, given: Given<Classification>) -> Value {
        let Given {
            value: found,
            decided_by,
            fault,
        } = given;
        let explanation = found.explanation.clone();
        let question = heard.message.question;
        let new = NewEvent {
            event_id: self.next_event(),
            channel: Some(heard.message.channel),
            message_id: heard.message_id,
            body: Some(heard.message.body),
            source: None,
            evidence: None,
            changes: found.changes.clone(),
            statement: Statement::Own,
            said_at: heard.sent_at,
            ad_entry: heard.ad_entry,
            understood: Some(found),
        };
        let person = self.people.entry(heard.from).or_default();
        let event = person.record(new, self.now);
        // Whatever comes next comes later.
        self.now = self.now.max(event.recorded_at);
        let more = json!({
            "decidedBy": decided_by,
            "fault": fault,
            "question": question,
            "explanation": explanation,
        });
        answers::joined(answers::inbound(event, false), more)
    }
}
