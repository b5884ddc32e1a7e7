//! A clock, the people who write, and what a gateway would do with each step.

use std::collections::BTreeMap;

use consentry_model::{
    Answers, Category, Channel, Classification, ConsentStatus, Contact, Decision, EventId, Inbound,
    Outbound, Place, Reported, Selection, Statement, Template, Timestamp, floor,
};
use serde_json::{Value, json};
use thiserror::Error;

use crate::person::{Answerable, Event, NewEvent, Person};
use crate::read::{check_short, check_text, duration, number, parse, parse_optional};
use crate::step::{Asking, ConsentQuestion, Reporting, Saying, Settings, Step};

/// How far in the past a message that counts may be sent, in milliseconds.
const LATE: i64 = 5 * 60 * 1000;
/// How far the clock of whoever took down an opt-in may be ahead, in milliseconds.
const CLOCKS_DIFFER: i64 = 5 * 60 * 1000;
/// The number of somebody of whom nothing is said.
const SOMEBODY: &str = "+14155550123";

/// A step that cannot be taken.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{field}: {what}")]
pub struct StepError {
    field: String,
    what: String,
}

impl StepError {
    pub(crate) fn new(field: &str, what: impl Into<String>) -> Self {
        Self {
            field: field.to_owned(),
            what: what.into(),
        }
    }
}

/// What comes of beginning a step.
#[derive(Debug)]
pub enum Begun {
    /// It is done, and this is the answer.
    Done(Value),
    /// A policy must say what a message means.
    Classify(Box<Heard>),
    /// A policy must say whether a message may go.
    Decide(Box<Asked>),
}

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

/// A message that somebody wants to send, before it is judged.
#[derive(Debug)]
pub struct Asked {
    /// What to ask the policy.
    pub message: Outbound,
    /// Of whom.
    pub contact: Contact,
    to: String,
    answers: Option<EventId>,
    dry_run: bool,
}

/// An answer, and who gave it.
#[derive(Clone, Debug)]
pub struct Given<T> {
    /// The answer.
    pub value: T,
    /// `policy`, `floor`, or `fault` where the floor answers for a policy that did not.
    pub decided_by: &'static str,
    /// Why the policy gave no answer.
    pub fault: Option<String>,
}

impl Given<Classification> {
    /// What counts of a policy's answer to a message, or of why there is none.
    pub fn classification(message: &Inbound, said: Result<Classification, String>) -> Self {
        let answer = said.map(|answer| floor::uphold(message, answer));
        Self::above_floor(answer, || floor::classify(message))
    }
}

impl Given<Decision> {
    /// What counts of a policy's answer about a message, or of why there is none.
    pub fn decision(contact: &Contact, message: &Outbound, said: Result<Decision, String>) -> Self {
        let answer = said.map(|answer| floor::uphold_decision(contact, message, answer));
        Self::above_floor(answer, floor::deny_without_policy)
    }
}

impl<T> Given<T> {
    fn above_floor(answer: Result<Result<T, T>, String>, without: impl FnOnce() -> T) -> Self {
        let (value, decided_by, fault) = match answer {
            Ok(Ok(own)) => (own, "policy", None),
            Ok(Err(floored)) => (floored, "floor", None),
            Err(fault) => (without(), "fault", Some(fault)),
        };
        Self {
            value,
            decided_by,
            fault,
        }
    }
}

/// Everybody, and what is on record of them.
#[derive(Clone, Debug)]
pub struct World {
    now: Timestamp,
    settings: Settings,
    people: BTreeMap<String, Person>,
    events: u64,
    decisions: u64,
}

impl World {
    /// A world in which nothing has been said, at a moment.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            settings: Settings::default(),
            people: BTreeMap::new(),
            events: 0,
            decisions: 0,
        }
    }

    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Begins a step. Nothing has changed when this is an error.
    pub fn begin(&mut self, step: &Step) -> Result<Begun, StepError> {
        let happens = [
            step.inbound.is_some(),
            step.preflight.is_some(),
            step.report.is_some(),
            step.consent.is_some(),
            step.contact.is_some(),
            step.wait.is_some(),
            step.at.is_some(),
        ];
        if happens.into_iter().filter(|happens| *happens).count() != 1 {
            let what = "exactly one of inbound, preflight, report, consent, contact, wait and at";
            return Err(StepError::new("(step)", what));
        }
        if let Some(saying) = &step.inbound {
            return self.hear(saying);
        }
        if let Some(asking) = &step.preflight {
            return self.ask(asking);
        }
        let done = if let Some(reporting) = &step.report {
            self.report(reporting)?
        } else if let Some(question) = &step.consent {
            self.consent(question)?
        } else if let Some(settings) = &step.contact {
            self.become_known(settings)?
        } else {
            self.pass(step)?
        };
        Ok(Begun::Done(done))
    }

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

    /// What is on record of a person, oldest first.
    pub fn history(&self, address: &str) -> Value {
        let events = self.people.get(address).map(|person| person.events.iter());
        events.into_iter().flatten().map(event).collect()
    }

    /// Until when a free-form message may go by WhatsApp, as far as the contact's last message says: the
    /// moments of that and of the last chat from an advertisement.
    pub fn last_inbound(&self, address: &str) -> Value {
        let contact = self.people.get(address).map(|person| &person.contact);
        json!({
            "inbound": contact.map(|contact| &contact.last_inbound),
            "adEntry": contact.map(|contact| &contact.last_ad_entry),
        })
    }

    fn pass(&mut self, step: &Step) -> Result<Value, StepError> {
        let to = match (&step.wait, step.at) {
            (Some(wait), _) => {
                let passed = self.now.millis().saturating_add(duration("wait", wait)?);
                let wrong = || StepError::new("wait", "that is beyond the year 9999");
                Timestamp::from_millis(passed).ok_or_else(wrong)?
            }
            (None, at) => at.unwrap_or(self.now),
        };
        self.now = to;
        Ok(json!({ "at": to }))
    }

    fn become_known(&mut self, settings: &Settings) -> Result<Value, StepError> {
        let phone_number = settings.phone_number.as_deref();
        let phone_number = phone_number
            .map(|text| number("contact.phoneNumber", text))
            .transpose()?;
        check_short("contact.language", settings.language.as_deref())?;
        check_short("contact.region", settings.region.as_deref())?;
        if let Some(zone) = settings.time_zone.as_deref() {
            let known = consentry_places::known(None, None, zone, self.now);
            known.map_err(|error| StepError::new("contact.timeZone", error.to_string()))?;
        }
        self.settings = Settings {
            country: country("contact.country", settings.country.as_deref())?,
            phone_number,
            ..settings.clone()
        };
        Ok(json!({ "phoneNumber": self.address() }))
    }

    /// The number of the contact.
    pub fn address(&self) -> &str {
        self.settings.phone_number.as_deref().unwrap_or(SOMEBODY)
    }

    fn addressed(&self, field: &str, named: Option<&str>) -> Result<String, StepError> {
        named.map_or(Ok(self.address().to_owned()), |text| number(field, text))
    }

    /// What is known of the contact, when that is the one.
    fn known_of(&self, address: &str) -> Option<&Settings> {
        Some(&self.settings).filter(|_| address == self.address())
    }

    fn country_of(&self, address: &str, named: Option<String>) -> Option<String> {
        let known = || self.known_of(address)?.country.clone();
        let by_number = || consentry_places::country(address).map(str::to_owned);
        named.or_else(known).or_else(by_number)
    }

    fn hear(&self, saying: &Saying) -> Result<Begun, StepError> {
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
            return Ok(Begun::Done(inbound_answer(first, true)));
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
        let mut answer = inbound_answer(event, false);
        answer["decidedBy"] = decided_by.into();
        answer["fault"] = fault.into();
        answer["question"] = question.into();
        answer["explanation"] = json!(explanation);
        answer
    }

    fn ask(&mut self, asking: &Asking) -> Result<Begun, StepError> {
        let channel: Channel = parse("preflight.channel", &asking.channel)?;
        let to = self.addressed("preflight.to", asking.to.as_deref())?;
        let template = match &asking.template {
            Some(template) => {
                check_short("preflight.template.name", Some(&template.name))?;
                Some(Template {
                    name: template.name.clone(),
                    category: parse("preflight.template.category", &template.category)?,
                })
            }
            None => None,
        };
        let category: Option<Category> =
            parse_optional("preflight.category", asking.category.as_deref())?;
        let category =
            category.unwrap_or_else(|| Outbound::default_category(channel, template.as_ref()));
        let at = asking.at.unwrap_or(self.now);
        if !asking.dry_run && at.millis() < self.now.millis() - LATE {
            let what = "it is in the past; to ask what would have been answered, set dryRun";
            return Err(StepError::new("preflight.at", what));
        }
        let named = country("preflight.country", asking.country.as_deref())?;
        let places = self.places(asking, &to, named, at)?;
        let person = self.people.get(&to).cloned().unwrap_or_default();
        let answers_event = match asking.in_reply_to.as_deref() {
            Some(named) => {
                let last = person.events.last().filter(|_| named == "last");
                let id = last.map(|event| event.event_id.clone());
                Some(id.unwrap_or_else(|| EventId(named.to_owned())))
            }
            None => None,
        };
        let answers = match answers_event.as_ref().map(|id| person.answerable(id)) {
            None => Answers::Nothing,
            Some(Answerable::Yes(answers)) => answers,
            Some(Answerable::No(reason)) => {
                let decision = floor::deny_answer(reason);
                let explain = asking.explain;
                let answer = self.preflight_answer(&decision, explain, "floor", None);
                return Ok(Begun::Done(answer));
            }
            Some(Answerable::Unknown) => {
                let what = "the contact has no event of this name that may be answered: one that \
                            opted out, or asked for help";
                return Err(StepError::new("preflight.inReplyTo", what));
            }
        };
        Ok(Begun::Decide(Box::new(Asked {
            message: Outbound {
                channel,
                category,
                template,
                at,
                places,
                answers,
                explain: asking.explain,
            },
            contact: person.contact,
            to,
            answers: answers_event,
            dry_run: asking.dry_run,
        })))
    }

    /// Every place where the contact may be.
    fn places(
        &self,
        asking: &Asking,
        to: &str,
        named: Option<String>,
        at: Timestamp,
    ) -> Result<Vec<Place>, StepError> {
        let known = self.known_of(to);
        let country = self.country_of(to, named);
        let zone = asking.time_zone.as_deref();
        let zone = zone.or_else(|| known?.time_zone.as_deref());
        let region = asking.region.as_deref();
        let region = region.or_else(|| known?.region.as_deref());
        if let Some(zone) = zone {
            let place = consentry_places::known(country.as_deref(), region, zone, at);
            let place =
                place.map_err(|error| StepError::new("preflight.timeZone", error.to_string()))?;
            return Ok(vec![place]);
        }
        let mut places = consentry_places::of(Some(to), country.as_deref(), at);
        if let Some(region) = region {
            for place in &mut places {
                place.region = Some(region.to_owned());
            }
        }
        Ok(places)
    }

    /// Takes in what is said about a message that somebody wants to send. What goes takes its place.
    pub fn decided(&mut self, asked: Asked, given: Given<Decision>) -> Value {
        let Given {
            value: mut decision,
            mut decided_by,
            fault,
        } = given;
        if decision.is_allowed() && !asked.dry_run {
            let takes_place =
                !decision.limits.is_empty() || asked.message.answers != Answers::Nothing;
            let person = self.people.entry(asked.to).or_default();
            if let Some((rule, until)) = person.full(&decision.limits, asked.message.at) {
                decision = floor::no_room(&decision, rule, until);
                decided_by = "floor";
            } else if takes_place {
                person.send(&asked.message, asked.answers);
            }
        }
        self.preflight_answer(&decision, asked.message.explain, decided_by, fault)
    }

    fn preflight_answer(
        &mut self,
        decision: &Decision,
        explain: bool,
        decided_by: &str,
        fault: Option<String>,
    ) -> Value {
        self.decisions += 1;
        let mut answer = json!({
            "allowed": decision.is_allowed(),
            "reason": decision.reason,
            "retryAt": decision.retry_at(),
            "route": decision.route,
            "decisionId": format!("decision-{:06}", self.decisions),
            "decidedBy": decided_by,
            "fault": fault,
        });
        if explain {
            answer["reasons"] = json!(decision.reasons);
            answer["trace"] = json!(decision.trace);
        }
        answer
    }

    fn report(&mut self, reporting: &Reporting) -> Result<Value, StepError> {
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
        let mut answer = self.holds(&address, reported.channel, reported.category.as_ref());
        answer["refused"] = refused.into();
        answer["recordedAs"] = json!(event_id);
        Ok(answer)
    }

    fn consent(&self, question: &ConsentQuestion) -> Result<Value, StepError> {
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

    fn next_event(&mut self) -> EventId {
        self.events += 1;
        EventId(format!("event-{:06}", self.events))
    }
}

/// Two letters of ISO 3166-1.
fn country(field: &str, text: Option<&str>) -> Result<Option<String>, StepError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(Some(text.to_ascii_uppercase()));
    }
    let what = "use the two letters of ISO 3166-1, like US";
    Err(StepError::new(field, what))
}

fn inbound_answer(event: &Event, duplicate: bool) -> Value {
    let mut answer = understood(event);
    answer["changes"] = json!(event.changes);
    answer["eventId"] = json!(event.event_id);
    answer["duplicate"] = duplicate.into();
    answer
}

/// An event, with what was understood of it.
fn event(event: &Event) -> Value {
    let mut shown = json!(event);
    if let (Value::Object(shown), Value::Object(found)) = (&mut shown, understood(event)) {
        shown.extend(found);
    }
    shown
}

fn understood(event: &Event) -> Value {
    let Some(found) = &event.understood else {
        return json!({});
    };
    json!({
        "intent": found.intent,
        "scope": found.scope,
        "review": found.review,
        "rule": found.rule,
        "matched": found.matched,
        "language": found.language,
        "reply": found.reply,
        "asks": found.asks,
        "route": found.route,
        "priority": found.priority,
    })
}
