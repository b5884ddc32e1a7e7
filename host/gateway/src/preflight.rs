//! May this message go? What a gateway asks its policy, what it adds from the store, and the answer.

use std::sync::Arc;

use consentry_host::{Answer, DecidedBy, Digest, Policy};
use consentry_model::{
    Answers, Category, Channel, Decision, EventId, Outbound, Place, SendRoute, Template, Timestamp,
    floor,
};
use consentry_places::BadZone;
use thiserror::Error;
use tokio::task;
use uuid::Uuid;

use crate::address::Address;
use crate::decisions::{Decided, What};
use crate::gateway::Gateway;
use crate::jws::Kind;
use crate::receipt::{self, Receipt};
use crate::store::{self, Answerable, Outgoing, StoreError};
use crate::{clock, policies, telemetry};

/// A message that somebody wants to send.
#[derive(Clone, Debug)]
pub struct Question {
    /// To whom.
    pub to: Address,
    /// The sender's own address.
    pub from: Option<String>,
    /// How.
    pub channel: Channel,
    /// What kind of message it is.
    pub category: Category,
    /// The template it uses; nothing: free-form.
    pub template: Option<Template>,
    /// When it shall be sent.
    pub at: Timestamp,
    /// The contact's country, ISO 3166-1 alpha-2; nothing: the number's.
    pub country: Option<String>,
    /// The contact's part of the country, ISO 3166-2.
    pub region: Option<String>,
    /// The contact's time zone, of the IANA database.
    pub time_zone: Option<String>,
    /// The event that it answers.
    pub in_reply_to: Option<EventId>,
    /// Whether to try every rule and give all reasons.
    pub explain: bool,
    /// Whether only to ask: no place is taken, and no receipt given.
    pub dry_run: bool,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The decision.
    pub decision: Decision,
    /// What identifies it.
    pub decision_id: String,
    /// The policy that was asked.
    pub policy: Digest,
    /// The signed receipt; none for a question that only asks, or without keys.
    pub receipt: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum PreflightError {
    /// The store has too much to do.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The time zone is none.
    #[error(transparent)]
    Zone(#[from] BadZone),
    /// The event asks for no answer.
    #[error(
        "the contact has no event of this name that may be answered: one that opted out, or asked \
         for help"
    )]
    NothingToAnswer,
}

impl Question {
    fn message(&self, places: Vec<Place>, answers: Answers) -> Outbound {
        Outbound {
            channel: self.channel,
            category: self.category.clone(),
            template: self.template.clone(),
            at: self.at,
            places,
            answers,
            explain: self.explain,
        }
    }

    /// Every place where the contact may be.
    fn places(&self) -> Result<Vec<Place>, BadZone> {
        let country = self.country.clone().or_else(|| self.to.country());
        if let Some(zone) = &self.time_zone {
            let region = self.region.as_deref();
            let place = consentry_places::known(country.as_deref(), region, zone, self.at)?;
            return Ok(vec![place]);
        }
        let number = self.to.phone_number();
        let mut places = consentry_places::of(number, country.as_deref(), self.at);
        if let Some(region) = &self.region {
            for place in &mut places {
                place.region = Some(region.clone());
            }
        }
        Ok(places)
    }
}

impl Gateway {
    /// Says whether a message may go, by what the store knows at this moment. When it does not
    /// answer, nothing may.
    pub async fn preflight(&self, question: &Question) -> Result<Answered, PreflightError> {
        let places = question.places()?;
        let decision_id = Uuid::now_v7().to_string();
        // The one that is active now decides, and is named, whatever becomes active meanwhile.
        let policy = self.policy();
        let decided = self.decide(&policy, question, places, &decision_id).await;
        let (answer, consent_event) = match decided {
            Ok(decided) => decided,
            Err(PreflightError::Store(StoreError::Busy)) => return Err(StoreError::Busy.into()),
            Err(PreflightError::Store(error)) => {
                telemetry::store_away(&error);
                (floored(floor::deny_without_store()), None)
            }
            Err(error) => return Err(error),
        };
        telemetry::decided(&answer);
        if answer.value.route == SendRoute::InternalAlert && !question.dry_run {
            let reason = &answer.value.reason;
            let alerts = self.alerts();
            alerts.note(reason, question.channel, &question.category, &decision_id);
        }
        let keys = self.receipts().filter(|_| !question.dry_run);
        let receipt = keys.map(|keys| {
            let receipt = Receipt {
                decision_id: &decision_id,
                question: receipt::Asked::of(question),
                policy: policy.digest().to_string(),
                consent_event,
                answer: receipt::Said::of(&answer.value),
                decided_at: clock::now(),
            };
            keys.sign(Kind::Receipt, &receipt)
        });
        Ok(Answered {
            decision: answer.value,
            decision_id,
            policy: policy.digest(),
            receipt,
        })
    }

    /// Says for each of many messages whether it may go, by what the store knows at one moment. It
    /// only asks: no place is taken, and what answers something is not among them.
    pub async fn scrub(&self, questions: &[Question]) -> Result<Vec<Decision>, PreflightError> {
        let addresses = questions.iter().map(|question| question.to.clone());
        let known = self.store().contacts(addresses.collect()).await?;
        task::block_in_place(|| {
            let policy = self.policy();
            let mut bulk = policy.bulk();
            let decide = |(question, known): (&Question, store::Known)| {
                let message = question.message(question.places()?, Answers::Nothing);
                let answer = bulk.preflight(&message, &Arc::new(known.contact));
                telemetry::decided(&answer);
                Ok(answer.value)
            };
            questions.iter().zip(known).map(decide).collect()
        })
    }

    async fn decide(
        &self,
        policy: &Policy,
        question: &Question,
        places: Vec<Place>,
        decision_id: &str,
    ) -> Result<(Answer<Decision>, Option<EventId>), PreflightError> {
        let answers = match &question.in_reply_to {
            None => Answers::Nothing,
            Some(event) => match self.store().answerable(&question.to, &event.0).await? {
                Answerable::Yes(answers) => answers,
                Answerable::Answered => return Ok((refused("already_answered"), None)),
                Answerable::NotNewest => return Ok((refused("not_newest_opt_out"), None)),
                Answerable::Unknown => return Err(PreflightError::NothingToAnswer),
            },
        };
        let contact = Arc::new(self.store().contact(&question.to).await?.contact);
        let message = question.message(places, answers);
        let mut answer = task::block_in_place(|| policy.preflight(&message, &contact));
        policies::note(self, policy.digest(), &answer.decided_by);
        if !question.dry_run {
            self.decisions().note(|| Decided {
                id: decision_id.to_owned(),
                policy: policy.digest().to_string(),
                contact: Arc::clone(&contact),
                what: What::Outbound(Box::new((message, answer.value.clone()))),
            });
        }
        let relied_on = answer
            .value
            .relied_on
            .as_ref()
            .unwrap_or(&question.category);
        let because = contact.consent(question.channel, relied_on).because;
        let takes_place = !answer.value.limits.is_empty() || answers != Answers::Nothing;
        if answer.value.is_allowed() && takes_place && !question.dry_run {
            self.take_place(question, decision_id, &mut answer).await?;
        }
        Ok((answer, because.map(|mark| mark.event)))
    }

    /// Takes a place for a message that was allowed, or takes the permission back.
    async fn take_place(
        &self,
        question: &Question,
        decision_id: &str,
        answer: &mut Answer<Decision>,
    ) -> Result<(), StoreError> {
        let outgoing = Outgoing {
            address: question.to.clone(),
            channel: question.channel,
            category: question.category.clone(),
            at: question.at,
            decision_id: decision_id.to_owned(),
            answers: question.in_reply_to.clone(),
            limits: answer.value.limits.clone(),
        };
        match self.store().take_place(outgoing).await? {
            store::Place::Taken => {}
            store::Place::Full { rule, until } => {
                answer.value = floor::no_room(&answer.value, rule, until);
            }
            store::Place::Answered => *answer = refused("already_answered"),
        }
        Ok(())
    }
}

fn refused(reason: &str) -> Answer<Decision> {
    floored(floor::deny_answer(reason))
}

fn floored(value: Decision) -> Answer<Decision> {
    Answer {
        value,
        decided_by: DecidedBy::Floor,
    }
}
