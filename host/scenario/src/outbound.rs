//! A message that somebody wants to send: asking whether it may go, and sending it.

use consentry_model::{
    Answers, Category, Channel, Contact, Decision, EventId, Outbound, Place, Template, Timestamp,
    floor,
};
use serde_json::{Value, json};

use crate::answers;
use crate::given::Given;
use crate::person::Answerable;
use crate::read::{check_short, country, parse, parse_optional};
use crate::step::Asking;
use crate::world::{Begun, StepError, World};

/// How far in the past a message that counts may be sent, in milliseconds.
const LATE: i64 = 5 * 60 * 1000;

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

impl World {
    pub(crate) fn ask(&mut self, asking: &Asking) -> Result<Begun, StepError> {
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
        let answer = json!({
            "allowed": decision.is_allowed(),
            "reason": decision.reason,
            "retryAt": decision.retry_at(),
            "route": decision.route,
            "decisionId": self.next_decision(),
            "decidedBy": decided_by,
            "fault": fault,
        });
        if !explain {
            return answer;
        }
        let more = json!({ "reasons": decision.reasons, "trace": decision.trace });
        answers::joined(answer, more)
    }
}
