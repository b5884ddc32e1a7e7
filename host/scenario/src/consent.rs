//! Consent: what somebody reports of it, and what holds.

use consentry_model::{Category, Channel, ConsentStatus, Contact, Reported, Timestamp};
use serde_json::{Value, json};

use crate::answers;
use crate::person::NewEvent;
use crate::read::{check_short, check_text, parse, parse_optional};
use crate::step::{ConsentQuestion, Reporting};
use crate::world::{StepError, World};

/// How far the clock of whoever took down an opt-in may be ahead, in milliseconds.
const CLOCKS_DIFFER: i64 = 5 * 60 * 1000;

impl World {
    /// The rows of a person's consent: `channelType`, `category`, `consentStatus`, since when and by which event.
    pub fn rows(&self, address: &str) -> Value {
        let Some(person) = self.people.get(address) else {
            return json!([]);
        };
        let contact = &person.contact;
        let rows = contact.marks.keys().map(|(channel, category)| {
            let because = match category {
                Some(category) => contact.consent(*channel, category).because,
                None => contact.summary(Some(*channel), None).because,
            };
            json!({
                "channelType": channel,
                "category": category,
                "consentStatus": contact.status_of(*channel, category.as_ref()),
                "updatedAt": because.as_ref().map(|mark| mark.at),
                "eventId": because.map(|mark| mark.event),
            })
        });
        rows.collect()
    }

    pub(crate) fn report(&mut self, reporting: &Reporting) -> Result<Value, StepError> {
        let address = self.addressed("report.address", reporting.address.as_deref())?;
        let status: ConsentStatus = parse("report.status", &reporting.status)?;
        let evidence = reporting.evidence.as_ref();
        let text = |name: &str| evidence.and_then(|kept| kept.get(name)?.as_str());
        check_text("report.evidence.text", text("text"))?;
        check_short("report.source", reporting.source.as_deref())?;
        let timestamp: Option<Timestamp> =
            parse_optional("report.evidence.timestamp", text("timestamp"))?;
        if timestamp.is_some_and(|at| at.millis() > self.now.millis() + CLOCKS_DIFFER) {
            let what = "this moment is yet to come";
            return Err(StepError::new("report.evidence.timestamp", what));
        }
        let worded = text("text").is_some_and(|text| !text.trim().is_empty());
        let reported = Reported {
            opt_in: status == ConsentStatus::OptIn,
            channel: parse_optional("report.channel", reporting.channel.as_deref())?,
            category: parse_optional("report.category", reporting.category.as_deref())?,
            proven_at: timestamp.filter(|_| worded),
            at: reporting.at,
        };
        let new = NewEvent {
            event_id: self.next_event(),
            channel: reported.channel,
            message_id: None,
            body: None,
            source: reporting.source.clone(),
            evidence: evidence.map(|kept| Value::Object(kept.clone())),
            changes: reported.changes(),
            statement: reported.statement(),
            said_at: reported.said_at(),
            ad_entry: false,
            understood: None,
        };
        let person = self.people.entry(address.clone()).or_default();
        let event = person.record(new, self.now);
        self.now = self.now.max(event.recorded_at);
        let event_id = event.event_id.clone();
        let refused = reported.is_refused(&person.contact);
        let holds = self.holds(&address, reported.channel, reported.category.as_ref());
        let more = json!({ "refused": refused, "recordedAs": event_id });
        Ok(answers::joined(holds, more))
    }

    pub(crate) fn consent(&self, question: &ConsentQuestion) -> Result<Value, StepError> {
        let address = self.addressed("consent.address", question.address.as_deref())?;
        let channel = parse_optional("consent.channel", question.channel.as_deref())?;
        let category = parse_optional("consent.category", question.category.as_deref())?;
        Ok(self.holds(&address, channel, category.as_ref()))
    }

    fn holds(&self, address: &str, channel: Option<Channel>, category: Option<&Category>) -> Value {
        let nobody = Contact::default();
        let contact = self.people.get(address).map(|person| &person.contact);
        let consent = contact.unwrap_or(&nobody).summary(channel, category);
        json!({
            "channelType": channel,
            "category": category,
            "consentStatus": consent.status,
            "updatedAt": consent.because.as_ref().map(|mark| mark.at),
            "eventId": consent.because.map(|mark| mark.event),
        })
    }
}
