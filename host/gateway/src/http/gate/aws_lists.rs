//! The opt-out list of AWS, served from the store. There is one, whatever it is called: an opt-out counts
//! for every sender.
//!
//! What `PutOptedOutNumber` puts on it stands beside what the person said, as other stops do that are set
//! with a platform, and `DeleteOptedOutNumber` takes back that and nothing else.

use axum::http::StatusCode;
use consentry_model::{Change, ChangeKind, Channel, ConsentStatus, Contact, Statement, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::Access;
use super::aws::destination;
use crate::address::Address;
use crate::gateway::Gateway;
use crate::http::extract::{MAX_SHORT, check_length, read};
use crate::http::problem::Problem;
use crate::keys::Scope;
use crate::store::{EventKind, NewEvent};

/// As a refusal has it: the number is not on the list.
pub(super) const NOT_LISTED: &str = "not_listed";
/// As a refusal has it: the person's own stop, or another that was reported, stands.
pub(super) const STANDS: &str = "opt_out_stands";
/// How many numbers one question may name.
const MOST_NAMED: usize = 5;
/// How many numbers a page has, when nobody says.
const PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct One {
    opt_out_list_name: String,
    opted_out_number: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Many {
    opt_out_list_name: String,
    #[serde(default)]
    opted_out_numbers: Vec<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    name: String,
    values: Vec<String>,
}

/// A stop that stands for every text message.
struct Listed {
    since: Timestamp,
    /// Whether it is more than an entry on this list.
    by_person: bool,
}

pub(super) async fn put(
    gateway: &Gateway,
    access: &Access<'_>,
    body: &[u8],
) -> Result<Value, Problem> {
    let actor = access.check(Scope::Write)?;
    let (list, number) = one(body)?;
    let known = gateway.store().contact(&number).await?;
    let listed = match listed(&known.contact) {
        Some(listed) => Some(listed),
        None => change(gateway, actor, &list, &number, ChangeKind::OptOut).await?,
    };
    Ok(entry(&list, &number, listed.as_ref()))
}

pub(super) async fn delete(
    gateway: &Gateway,
    access: &Access<'_>,
    body: &[u8],
) -> Result<Value, Problem> {
    let actor = access.check(Scope::Write)?;
    let (list, number) = one(body)?;
    let refused =
        |kind, detail| Problem::new(StatusCode::BAD_REQUEST, kind, detail).at("OptedOutNumber");
    let stands = || {
        refused(
            "opt-out-stands",
            "the person's own opt-out, or one that somebody else reported, is no entry on this list; it \
             yields only to the person, or to evidence of an opt-in given after it",
        )
    };
    let known = gateway.store().contact(&number).await?;
    let Some(before) = listed(&known.contact) else {
        return Err(refused("not-listed", "this number is not on the list"));
    };
    if before.by_person {
        return Err(stands());
    }
    match change(gateway, actor, &list, &number, ChangeKind::Release).await? {
        // A stop that has come meanwhile.
        Some(_) => Err(stands()),
        None => Ok(entry(&list, &number, Some(&before))),
    }
}

pub(super) async fn describe(
    gateway: &Gateway,
    access: &Access<'_>,
    body: &[u8],
) -> Result<Value, Problem> {
    access.check(Scope::Read)?;
    let asked: Many = read(body)?;
    check_length("OptOutListName", Some(&asked.opt_out_list_name), MAX_SHORT)?;
    check_length("NextToken", asked.next_token.as_deref(), MAX_SHORT)?;
    let limit = asked.max_results.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(Problem::field("MaxResults", format!("from 1 to {PAGE}")));
    }
    if asked.opted_out_numbers.len() > MOST_NAMED {
        return Err(Problem::field(
            "OptedOutNumbers",
            format!("at most {MOST_NAMED}"),
        ));
    }
    let wanted = filter(&asked.filters)?;
    let named = asked.opted_out_numbers.iter();
    let named = named.map(|text| destination("OptedOutNumbers", text));
    let named: Vec<Address> = named.collect::<Result<_, _>>()?;
    let store = gateway.store();
    let (numbers, next) = if named.is_empty() {
        let page = store
            .opted_out(Channel::Sms, asked.next_token, limit)
            .await?;
        // A whole page may have another behind it.
        let is_whole = usize::try_from(limit) == Ok(page.len());
        let next = page.last().filter(|_| is_whole).map(Address::to_string);
        (page, next)
    } else {
        (named, None)
    };
    let known = store.contacts(numbers.clone()).await?;
    let each = numbers.iter().zip(&known);
    let listed = each.filter_map(|(number, known)| Some((number, listed(&known.contact)?)));
    let listed =
        listed.filter(|(_, listed)| wanted.is_none_or(|wanted| wanted == listed.by_person));
    let entries: Vec<Value> = listed
        .map(|(number, listed)| information(number, &listed))
        .collect();
    let mut answer = Map::new();
    answer.insert("OptOutListName".to_owned(), asked.opt_out_list_name.into());
    answer.insert("OptedOutNumbers".to_owned(), entries.into());
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), next.into());
    }
    Ok(Value::Object(answer))
}

fn one(body: &[u8]) -> Result<(String, Address), Problem> {
    let asked: One = read(body)?;
    check_length("OptOutListName", Some(&asked.opt_out_list_name), MAX_SHORT)?;
    let number = destination("OptedOutNumber", &asked.opted_out_number)?;
    Ok((asked.opt_out_list_name, number))
}

/// Whether only the person's own stops are wanted, or only the others.
fn filter(filters: &[Filter]) -> Result<Option<bool>, Problem> {
    let Some(filter) = filters.first() else {
        return Ok(None);
    };
    let values: Vec<&str> = filter.values.iter().map(String::as_str).collect();
    match (&*filter.name, &*values) {
        ("end-user-opted-out", ["true"]) if filters.len() == 1 => Ok(Some(true)),
        ("end-user-opted-out", ["false"]) if filters.len() == 1 => Ok(Some(false)),
        _ => Err(Problem::field(
            "Filters",
            "end-user-opted-out, with true or false",
        )),
    }
}

/// Records a change of the list, and gives what holds then.
async fn change(
    gateway: &Gateway,
    actor: &str,
    list: &str,
    number: &Address,
    kind: ChangeKind,
) -> Result<Option<Listed>, Problem> {
    let change = Change {
        channel: Channel::Sms,
        category: None,
        kind,
    };
    let event = NewEvent {
        channel: Some(Channel::Sms),
        source: Some("aws".to_owned()),
        actor: Some(actor.to_owned()),
        evidence: Some(json!({ "optOutList": list, "listed": kind == ChangeKind::OptOut })),
        changes: vec![change],
        ..NewEvent::new(EventKind::Reported, number.clone(), Statement::Platform)
    };
    let recorded = gateway.store().record(event).await?;
    Ok(listed(&recorded.contact))
}

/// The stop for every text message that stands, if one does.
fn listed(contact: &Contact) -> Option<Listed> {
    let stopped = |contact: &Contact| {
        let in_general = contact.status_of(Channel::Sms, None);
        in_general == ConsentStatus::OptOut
    };
    if !stopped(contact) {
        return None;
    }
    let because = contact.summary(Some(Channel::Sms), None).because?;
    let mut without_entry = contact.clone();
    let marks = without_entry.marks.get_mut(&(Channel::Sms, None))?;
    marks.platform_stop = None;
    Some(Listed {
        since: because.at,
        by_person: stopped(&without_entry),
    })
}

fn information(number: &Address, listed: &Listed) -> Value {
    #[allow(
        clippy::cast_precision_loss,
        reason = "milliseconds fit for 285,000 years"
    )]
    let since = listed.since.millis() as f64 / 1000.0;
    json!({
        "OptedOutNumber": number.to_string(),
        "OptedOutTimestamp": since,
        "EndUserOptedOut": listed.by_person,
    })
}

fn entry(list: &str, number: &Address, listed: Option<&Listed>) -> Value {
    let listed = listed.map(|listed| information(number, listed));
    let mut entry = match listed {
        Some(Value::Object(entry)) => entry,
        _ => Map::new(),
    };
    entry.insert("OptOutListName".to_owned(), list.into());
    Value::Object(entry)
}
