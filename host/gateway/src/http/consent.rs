//! `GET` and `POST /consent/{phoneNumber}`: what holds, and recording a change.

use axum::Json;
use axum::extract::State;
use consentry_model::{Category, Channel, ConsentStatus, Contact, EventId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::extract::{
    AddressInPath, MAX_SHORT, MAX_TEXT, OptionalBody, Params, check_length, parse, parse_optional,
};
use super::problem::Problem;
use crate::address::Address;
use crate::clock;
use crate::gateway::{ConsentFile, Evidence, Gateway, Report, ReportError};

/// How far the clock of whoever took down an opt-in may be ahead of ours, in milliseconds. Proof from
/// further ahead would be newer than every stop.
const CLOCKS_DIFFER: i64 = 5 * 60 * 1000;

/// What is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConsentQuery {
    /// `sms`, `whatsapp`, `voice` or `email`; left out: the strictest of all.
    channel: Option<String>,
    /// Such as `marketing`; left out: what was said in general.
    category: Option<String>,
}

/// What changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// `OPTIN` or `OPTOUT`.
    status: Option<String>,
    /// `sms`, `whatsapp`, `voice` or `email`; left out: an opt-out is for all, an opt-in for `sms`.
    channel: Option<String>,
    /// Such as `marketing`; left out: every one.
    category: Option<String>,
}

/// Where a change comes from, and its proof.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRequest {
    /// Such as `web-form`, `agent`, `import`.
    source: Option<String>,
    /// Who enters it.
    actor: Option<String>,
    /// When the change was made, RFC 3339; now when left out.
    at: Option<String>,
    /// The proof of an opt-in: `timestamp` (RFC 3339), `text` (the exact wording the person agreed
    /// to), `address`, and whatever else you keep; all of it is recorded as it is.
    #[schema(value_type = Option<Object>)]
    evidence: Option<Value>,
    /// Other addresses of the same person. An opt-out on any of them counts for all.
    #[serde(default)]
    addresses: Vec<String>,
}

/// What holds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsentAnswer {
    /// The contact; null when nobody with this address is known.
    contact_id: Option<String>,
    /// The channel asked about.
    #[schema(value_type = Option<String>)]
    channel_type: Option<Channel>,
    /// The category asked about.
    #[schema(value_type = Option<String>)]
    category: Option<Category>,
    /// `OPTIN`, `OPTOUT` or `NONE`.
    #[schema(value_type = String)]
    consent_status: ConsentStatus,
    /// When the statement that decides was made.
    #[schema(value_type = Option<String>)]
    updated_at: Option<Timestamp>,
    /// The event that records it.
    #[schema(value_type = Option<String>)]
    event_id: Option<EventId>,
    /// Every row known; only when neither channel nor category was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    consents: Option<Vec<ConsentRow>>,
}

/// What holds on one channel, for one category or (`null`) in general.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsentRow {
    #[schema(value_type = String)]
    channel_type: Channel,
    #[schema(value_type = Option<String>)]
    category: Option<Category>,
    #[schema(value_type = String)]
    consent_status: ConsentStatus,
}

/// Says what holds for a contact.
#[utoipa::path(
    get, path = "/consent/{phoneNumber}", params(ConsentQuery, ("phoneNumber" = String, Path)),
    responses((status = 200, body = ConsentAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    AddressInPath(address): AddressInPath,
    Params(query): Params<ConsentQuery>,
) -> Result<Json<ConsentAnswer>, Problem> {
    let channel = parse_optional("channel", query.channel.as_deref())?;
    let category = parse_optional("category", query.category.as_deref())?;
    let file = gateway
        .consent(&address, channel, category.as_ref())
        .await?;
    Ok(Json(answer(file, channel, category)))
}

/// Records a change of consent that somebody reports, and says what holds then.
///
/// An opt-in does not lift the person's own opt-out, unless it carries evidence of an opt-in given
/// after it; then the answer is 409, and the report is on record.
#[utoipa::path(
    post, path = "/consent/{phoneNumber}", params(ChangeQuery, ("phoneNumber" = String, Path)),
    request_body = Option<ChangeRequest>,
    responses((status = 200, body = ConsentAnswer), (status = "4XX", body = Problem), (status = 503, body = Problem))
)]
pub(crate) async fn post(
    State(gateway): State<Gateway>,
    AddressInPath(address): AddressInPath,
    Params(query): Params<ChangeQuery>,
    OptionalBody(request): OptionalBody<ChangeRequest>,
) -> Result<Json<ConsentAnswer>, Problem> {
    let report = report(address, query, request)?;
    let (channel, category) = (report.channel, report.category.clone());
    let recorded = gateway.report(report).await.map_err(|error| match error {
        ReportError::Store(error) => error.into(),
        ReportError::OptOutStands { ref event_id } => {
            let conflict = axum::http::StatusCode::CONFLICT;
            Problem::new(conflict, "opt-out-stands", error.to_string())
                .at("evidence")
                .recorded_as(event_id.clone())
        }
    })?;
    let file = ConsentFile {
        contact_id: Some(recorded.contact_id),
        consent: recorded.contact.summary(channel, category.as_ref()),
        contact: recorded.contact,
    };
    Ok(Json(answer(file, channel, category)))
}

fn report(address: Address, query: ChangeQuery, request: ChangeRequest) -> Result<Report, Problem> {
    check_length("source", request.source.as_deref(), MAX_SHORT)?;
    check_length("actor", request.actor.as_deref(), MAX_SHORT)?;
    let status = query
        .status
        .ok_or_else(|| Problem::field("status", "say OPTIN or OPTOUT"))?;
    let status: ConsentStatus = parse("status", &status)?;
    let others = request.addresses.iter().enumerate().map(|(index, text)| {
        Address::parse(text, None)
            .map_err(|error| Problem::field(&format!("addresses[{index}]"), error))
    });
    Ok(Report {
        other_addresses: others.collect::<Result<_, _>>()?,
        evidence: request
            .evidence
            .map(|document| evidence(document, &address))
            .transpose()?,
        address,
        opt_in: status == ConsentStatus::OptIn,
        channel: parse_optional("channel", query.channel.as_deref())?,
        category: parse_optional("category", query.category.as_deref())?,
        report_id: None,
        source: request.source,
        actor: request.actor,
        at: parse_optional("at", request.at.as_deref())?,
    })
}

fn evidence(document: Value, about: &Address) -> Result<Evidence, Problem> {
    if !document.is_object() {
        return Err(Problem::field(
            "evidence",
            "an object with timestamp, text and address",
        ));
    }
    let text = |name: &str| {
        let field = format!("evidence.{name}");
        match document.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => {
                check_length(&field, Some(text), MAX_TEXT)?;
                Ok(Some(text.as_str()))
            }
            Some(_) => Err(Problem::field(&field, "must be a string")),
        }
    };
    if let Some(address) = text("address")? {
        let address = Address::parse(address, None)
            .map_err(|error| Problem::field("evidence.address", error))?;
        if address != *about {
            return Err(Problem::field(
                "evidence.address",
                "it is not the address in the path",
            ));
        }
    }
    let timestamp = parse_optional("evidence.timestamp", text("timestamp")?)?;
    if timestamp.is_some_and(|at: Timestamp| at.millis() > clock::now().millis() + CLOCKS_DIFFER) {
        return Err(Problem::field(
            "evidence.timestamp",
            "this moment is yet to come",
        ));
    }
    Ok(Evidence {
        timestamp,
        has_wording: text("text")?.is_some_and(|wording| !wording.trim().is_empty()),
        document,
    })
}

/// What holds, as a document: for the API and for the command line.
pub(crate) fn answer(
    file: ConsentFile,
    channel: Option<Channel>,
    category: Option<Category>,
) -> ConsentAnswer {
    let everything = channel.is_none() && category.is_none();
    let because = file.consent.because;
    ConsentAnswer {
        contact_id: file.contact_id,
        channel_type: channel,
        category,
        consent_status: file.consent.status,
        updated_at: because.as_ref().map(|mark| mark.at),
        event_id: because.map(|mark| mark.event),
        consents: everything.then(|| consent_rows(&file.contact)),
    }
}

pub(crate) fn consent_rows(contact: &Contact) -> Vec<ConsentRow> {
    let rows = contact.marks.keys().map(|(channel, category)| ConsentRow {
        channel_type: *channel,
        category: category.clone(),
        consent_status: contact.status_of(*channel, category.as_ref()),
    });
    rows.collect()
}
