//! What a gateway does with a message, whoever asks: the HTTP API and the command line alike.

use std::sync::Arc;

use consentry_host::{DecidedBy, Policy};
use consentry_model::{
    Category, Change, Channel, Consent, Contact, EventId, Inbound, Mark, Reported, Statement,
    Timestamp,
};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task;

use crate::address::Address;
use crate::alerts::Noted;
use crate::cloud_api::CloudApi;
use crate::decisions::{Decided, Recorder, What};
use crate::jws::SigningKeys;
use crate::offer::Tapped;
use crate::policies::{self, Policies};
use crate::store::{EventKind, NewEvent, Recorded, Selection, Store, StoreError, Understood};
use crate::{clock, telemetry};

/// Where the evidence of a message has the keyword that the provider took it for.
pub(crate) const KEYWORD: &str = "providerKeyword";

/// A policy and a store, put together.
#[derive(Clone)]
pub struct Gateway {
    policies: Arc<Policies>,
    store: Arc<dyn Store>,
    receipts: Option<Arc<SigningKeys>>,
    alerts: Arc<Noted>,
    cloud_api: Option<Arc<CloudApi>>,
    decisions: Arc<Recorder>,
    /// Becomes true when it is told to stop.
    closing: Arc<watch::Sender<bool>>,
}

/// A message that came in, with what surrounds it.
#[derive(Clone, Debug)]
pub struct InboundMessage {
    /// How it came.
    pub channel: Channel,
    /// Whose it is.
    pub from: Address,
    /// Other addresses of the same person.
    pub other_addresses: Vec<Address>,
    /// The sender's own address.
    pub to: Option<String>,
    /// What the platform calls the sender's number, where an answer has to be sent by itself.
    pub reply_from: Option<String>,
    /// What was said, verbatim.
    pub body: String,
    /// The provider's identifier of the message.
    pub message_id: Option<String>,
    /// When it was said; nothing: now.
    pub sent_at: Option<Timestamp>,
    /// The button or row tapped.
    pub selection: Option<Selection>,
    /// The footer the contact had been shown.
    pub footer: Option<String>,
    /// The contact's country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The contact's language, BCP 47.
    pub language: Option<String>,
    /// The open question; nothing: what Consentry's own answer asked last.
    pub question: Option<String>,
    /// Whether it can only answer the message that it was tapped on, and no open question.
    pub stands_alone: bool,
    /// The category of the sender's last message to the contact.
    pub last_category: Option<Category>,
    /// Whether the provider has answered the message already.
    pub answered: bool,
    /// The keyword that the provider took the message for, by lists of its own.
    pub keyword: Option<&'static str>,
    /// Whether the chat began with an advertisement.
    pub ad_entry: bool,
}

impl InboundMessage {
    /// A text of which nothing more is known yet.
    pub fn text(channel: Channel, from: Address, body: impl Into<String>) -> Self {
        Self {
            channel,
            from,
            other_addresses: Vec::new(),
            to: None,
            reply_from: None,
            body: body.into(),
            message_id: None,
            sent_at: None,
            selection: None,
            footer: None,
            country: None,
            language: None,
            question: None,
            stands_alone: false,
            last_category: None,
            answered: false,
            keyword: None,
            ad_entry: false,
        }
    }
}

/// A change of consent that somebody reports.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose consent.
    pub address: Address,
    /// Other addresses of the same contact.
    pub other_addresses: Vec<Address>,
    /// What is reported: an opt-in or an opt-out.
    pub opt_in: bool,
    /// On which channel. Nothing: an opt-out is for all, an opt-in for SMS alone, as nobody has
    /// consented to a channel that was not named.
    pub channel: Option<Channel>,
    /// For which category; nothing: every one.
    pub category: Option<Category>,
    /// Where the report comes from.
    pub source: Option<String>,
    /// Who reports.
    pub actor: Option<String>,
    /// What identifies the report where it comes from: the same one again changes nothing.
    pub report_id: Option<String>,
    /// When the change was made; nothing: now.
    pub at: Option<Timestamp>,
    /// The proof of an opt-in.
    pub evidence: Option<Evidence>,
}

/// The proof of an opt-in, as it was handed in.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// When the person agreed, if that was handed in.
    pub timestamp: Option<Timestamp>,
    /// Whether the exact wording was handed in.
    pub has_wording: bool,
    /// All of it.
    pub document: Value,
}

impl Evidence {
    /// When the person agreed, if the proof is whole: when, and the exact wording. The address is
    /// the one that the report is about.
    fn proven_at(&self) -> Option<Timestamp> {
        self.timestamp.filter(|_| self.has_wording)
    }
}

/// What is known of a contact's consent.
#[derive(Clone, Debug)]
pub struct ConsentFile {
    /// The contact; nothing when the address was never seen.
    pub contact_id: Option<String>,
    /// What holds for what was asked.
    pub consent: Consent,
    /// All that is known of the contact.
    pub contact: Contact,
}

/// Why a report changed nothing that holds.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The opt-out that it would lift stands. The report is on record.
    #[error(
        "an opt-out stands, and this opt-in does not lift it: the person's own opt-out yields only \
         to the person, or to evidence of an opt-in given after it"
    )]
    OptOutStands {
        /// The event that records the report.
        event_id: String,
    },
}

impl Gateway {
    /// Puts policies and a store together. It gives no receipts.
    pub fn new(policies: Policies, store: Arc<dyn Store>) -> Self {
        Self {
            policies: Arc::new(policies),
            store,
            receipts: None,
            alerts: Arc::default(),
            cloud_api: None,
            decisions: Arc::new(Recorder::new(0)),
            closing: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Signs receipts with these keys from now on.
    pub fn with_receipts(mut self, keys: Arc<SigningKeys>) -> Self {
        self.receipts = Some(keys);
        self
    }

    /// Keeps the newest decisions from now on, so many of them.
    pub fn with_decisions_kept(mut self, keep: u64) -> Self {
        self.decisions = Arc::new(Recorder::new(keep));
        self
    }

    /// Tells those who listen for long that there will be nothing more.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Waits until that is told.
    pub(crate) async fn closing(&self) {
        drop(self.closing.subscribe().wait_for(|closing| *closing).await);
    }

    /// Where decisions go when they are made.
    pub(crate) fn decisions(&self) -> &Recorder {
        &self.decisions
    }

    /// The keys that receipts are signed with.
    pub fn receipts(&self) -> Option<&SigningKeys> {
        self.receipts.as_deref()
    }

    /// Sends WhatsApp messages from this number from now on.
    pub fn with_cloud_api(mut self, cloud_api: CloudApi) -> Self {
        self.cloud_api = Some(Arc::new(cloud_api));
        self
    }

    /// The number that WhatsApp messages are sent from.
    pub(crate) fn cloud_api(&self) -> Option<&CloudApi> {
        self.cloud_api.as_deref()
    }

    /// What somebody should look at.
    pub(crate) fn alerts(&self) -> &Noted {
        &self.alerts
    }

    /// The policy that decides at this moment.
    pub fn policy(&self) -> Policy {
        self.policies.active()
    }

    /// The policies that there are.
    pub fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Where everything is kept.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Understands a message and records it. When this returns, it is on disk.
    pub async fn inbound(&self, mut message: InboundMessage) -> Result<Recorded, StoreError> {
        if let Some(first) = self.first_answer(&message).await? {
            telemetry::duplicate();
            return Ok(first);
        }
        let known = self.store.contact(&message.from).await?;
        let at = said_at(message.sent_at);
        let tapped = self.tapped(&message).await?;
        tapped.put_into(&mut message);
        if message.question.is_none() && !message.stands_alone {
            let since = Timestamp::from_millis(at.millis() - Inbound::QUESTION_OPEN).unwrap_or(at);
            let open = self
                .store
                .open_question(&message.from, message.channel, since);
            message.question = open.await?;
        }
        message.country = message.country.or_else(|| message.from.country());
        let asked = Inbound {
            channel: message.channel,
            body: message.keyword.map_or(message.body.clone(), str::to_owned),
            at,
            selection: message
                .selection
                .as_ref()
                .map(|tapped| consentry_model::Selection {
                    id: tapped.id.clone(),
                    title: tapped.title.clone(),
                }),
            footer: message.footer.clone(),
            question: message.question.clone(),
            last_category: message.last_category.clone(),
            country: message.country.clone(),
            language: message.language.clone(),
            answered: message.answered,
            explain: false,
        };
        let contact = Arc::new(known.contact);
        let policy = self.policy();
        let mut answer = task::block_in_place(|| policy.classify(&asked, &contact));
        telemetry::classified(&answer);
        policies::note(self, policy.digest(), &answer.decided_by);
        tapped.bind(message.channel, &mut answer.value);
        let evidence = evidence(&message, &tapped, at);
        let event = inbound_event(message, evidence, answer.value.clone(), &policy);
        let recorded = self.record(event).await?;
        if recorded.duplicate {
            telemetry::duplicate();
        } else {
            self.decisions.note(|| Decided {
                id: recorded.event.event_id.0.clone(),
                policy: policy.digest().to_string(),
                contact,
                what: What::Inbound(Box::new((asked, answer.value))),
            });
        }
        Ok(recorded)
    }

    /// Records an event. What it gives to somebody, while one of the other addresses belongs to another
    /// contact, is recorded for the address alone that it came from.
    pub(crate) async fn record(&self, event: NewEvent) -> Result<Recorded, StoreError> {
        if event.other_addresses.is_empty() {
            return self.store.record(event).await;
        }
        match self.store.record(event.clone()).await {
            Err(StoreError::AddressTaken) => {
                let other_addresses = Vec::new();
                let alone = NewEvent {
                    other_addresses,
                    ..event
                };
                self.store.record(alone).await
            }
            recorded => recorded,
        }
    }

    /// What was answered when a provider's message came the first time.
    async fn first_answer(&self, message: &InboundMessage) -> Result<Option<Recorded>, StoreError> {
        let Some(message_id) = &message.message_id else {
            return Ok(None);
        };
        let first = self
            .store
            .delivered(&message.from, message.channel, message_id)
            .await?;
        let Some(event) = first else { return Ok(None) };
        let known = self.store.contact(&message.from).await?;
        Ok(Some(Recorded {
            contact_id: known.id.unwrap_or_default(),
            event,
            contact: known.contact,
            duplicate: true,
        }))
    }

    /// What holds for an address.
    pub async fn consent(
        &self,
        address: &Address,
        channel: Option<Channel>,
        category: Option<&Category>,
    ) -> Result<ConsentFile, StoreError> {
        let known = self.store.contact(address).await?;
        Ok(ConsentFile {
            contact_id: known.id,
            consent: known.contact.summary(channel, category),
            contact: known.contact,
        })
    }

    /// Records what somebody reports about a contact's consent.
    pub async fn report(&self, report: Report) -> Result<Recorded, ReportError> {
        let reported = report.reported();
        let recorded = self.store.record(report.event(reported.changes())).await?;
        if !recorded.duplicate && reported.is_refused(&recorded.contact) {
            return Err(ReportError::OptOutStands {
                event_id: recorded.event.event_id.0,
            });
        }
        Ok(recorded)
    }

    /// Records an opt-in that must not lift the opt-out that stands: it is on record, and nothing follows.
    pub(crate) async fn report_without_effect(
        &self,
        report: Report,
    ) -> Result<Recorded, ReportError> {
        let recorded = self.store.record(report.event(Vec::new())).await?;
        if recorded.duplicate {
            return Ok(recorded);
        }
        Err(ReportError::OptOutStands {
            event_id: recorded.event.event_id.0,
        })
    }
}

impl Report {
    /// What it says of consent.
    fn reported(&self) -> Reported {
        Reported {
            opt_in: self.opt_in,
            channel: self.channel,
            category: self.category.clone(),
            proven_at: self.evidence.as_ref().and_then(Evidence::proven_at),
            at: self.at,
        }
    }

    /// Takes it into what is known of a contact, as recording it would.
    pub(crate) fn apply_to(&self, contact: &mut Contact) {
        let reported = self.reported();
        for change in reported.changes() {
            let mark = Mark {
                at: reported.said_at().unwrap_or_else(clock::now),
                event: EventId(String::new()),
            };
            contact.apply(&change, reported.statement(), mark);
        }
    }

    fn event(self, changes: Vec<Change>) -> NewEvent {
        let reported = self.reported();
        let statement = reported.statement();
        NewEvent {
            said_at: reported.said_at(),
            other_addresses: self.other_addresses,
            // What identifies something does so on a channel.
            channel: self
                .channel
                .or_else(|| self.report_id.as_ref().map(|_| Channel::Sms)),
            message_id: self.report_id,
            source: self.source,
            actor: self.actor,
            evidence: self.evidence.map(|evidence| evidence.document),
            changes,
            ..NewEvent::new(EventKind::Reported, self.address, statement)
        }
    }
}

/// When a message was said: now, unless it was earlier. A moment that is yet to come counts as now.
fn said_at(sent_at: Option<Timestamp>) -> Timestamp {
    let now = clock::now();
    sent_at.map_or(now, |at| at.min(now))
}

/// What is kept beside the words: what was tapped on, what the provider made of them, an advertisement.
fn evidence(message: &InboundMessage, tapped: &Tapped, at: Timestamp) -> Option<Value> {
    let mut evidence = tapped.evidence(&message.from, at);
    if let Some(keyword) = message.keyword {
        evidence.insert(KEYWORD.to_owned(), keyword.into());
    }
    if message.ad_entry {
        evidence.insert("adEntry".to_owned(), true.into());
    }
    (!evidence.is_empty()).then_some(Value::Object(evidence))
}

fn inbound_event(
    message: InboundMessage,
    evidence: Option<Value>,
    classification: consentry_model::Classification,
    policy: &Policy,
) -> NewEvent {
    NewEvent {
        other_addresses: message.other_addresses,
        channel: Some(message.channel),
        business_address: message.to,
        message_id: message.message_id,
        body: Some(message.body),
        selection: message.selection,
        footer: message.footer,
        question: message.question,
        last_category: message.last_category,
        country: message.country,
        contact_language: message.language,
        answered: message.answered,
        evidence,
        ad_entry: message.ad_entry,
        said_at: message.sent_at,
        changes: classification.changes.clone(),
        understood: Some(Understood {
            classification,
            policy: policy.digest().to_string(),
        }),
        ..NewEvent::new(EventKind::Inbound, message.from, Statement::Own)
    }
}

/// Whether the floor decided, for an operator to see.
pub fn decided_by(answer: &DecidedBy) -> &'static str {
    match answer {
        DecidedBy::Policy => "policy",
        DecidedBy::Floor => "floor",
        DecidedBy::Fault(_) => "fault",
    }
}
