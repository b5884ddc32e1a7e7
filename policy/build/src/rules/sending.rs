//! `preflight.toml`: what may be sent, when and how often, read and checked.

use std::collections::BTreeMap;

use chrono::Weekday;
use consentry_policy::{
    Area, Category, Channel, FrequencyCap, Holidays, Need, QuietHours, Reach, Routes, Sending,
    TemplatePause, Term, Windows,
};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::file::{File, RulesError};
use super::terms::{Dated, Entry, Ids, sourced};
use super::times::{duration, holiday, times_of_day};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreflightFile {
    held: Spanned<String>,
    category: Vec<Spanned<CategoryEntry>>,
    whatsapp: Spanned<WhatsappEntry>,
    confirmation: Spanned<ConfirmationEntry>,
    routes: Routes,
    #[serde(default)]
    template_pause: Vec<Spanned<PauseEntry>>,
    #[serde(default)]
    quiet_hours: Vec<Spanned<QuietEntry>>,
    #[serde(default)]
    holidays: Vec<Spanned<HolidaysEntry>>,
    #[serde(default)]
    frequency_cap: Vec<Spanned<CapEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryEntry {
    name: String,
    parent: Option<String>,
    needs: NeedsEntry,
    implied_for: Option<String>,
    #[serde(default)]
    double_opt_in: bool,
    source: String,
}

/// One need for every channel, or one for each.
#[derive(Deserialize)]
#[serde(untagged)]
enum NeedsEntry {
    One(Need),
    ByChannel(BTreeMap<Channel, Need>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhatsappEntry {
    service_window: String,
    ad_entry_window: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfirmationEntry {
    within: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PauseEntry {
    id: String,
    template: String,
    country: Option<String>,
    from: Option<Datetime>,
    until: Option<Datetime>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuietEntry {
    id: String,
    country: Option<String>,
    region: Option<String>,
    categories: Vec<String>,
    #[serde(default)]
    channels: Vec<Channel>,
    allowed: AllowedEntry,
    holidays: Option<String>,
    from: Option<Datetime>,
    until: Option<Datetime>,
    source: String,
}

/// One time for every day, or `default` and days that differ.
#[derive(Deserialize)]
#[serde(untagged)]
enum AllowedEntry {
    One(String),
    ByDay(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidaysEntry {
    id: String,
    days: Vec<String>,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapEntry {
    id: String,
    country: Option<String>,
    region: Option<String>,
    categories: Vec<String>,
    #[serde(default)]
    channels: Vec<Channel>,
    count: u32,
    window: String,
    from: Option<Datetime>,
    until: Option<Datetime>,
    source: String,
}

impl Dated for PauseEntry {
    fn dates(&self) -> Entry<'_> {
        Entry::of(&self.id, &self.source, &self.from, &self.until)
    }
}

impl Dated for QuietEntry {
    fn dates(&self) -> Entry<'_> {
        Entry::of(&self.id, &self.source, &self.from, &self.until)
    }
}

impl Dated for CapEntry {
    fn dates(&self) -> Entry<'_> {
        Entry::of(&self.id, &self.source, &self.from, &self.until)
    }
}

/// The category that is held, and everything else.
pub(super) fn load(file: &File) -> Result<(String, Sending), RulesError> {
    let parsed: PreflightFile = file.parse()?;
    let mut sending = Sending {
        routes: parsed.routes,
        ..Sending::default()
    };
    for entry in &parsed.category {
        let category = category(entry.get_ref(), &sending.categories)
            .map_err(|what| file.error(entry, &entry.get_ref().name, what))?;
        sending.categories.push(category);
    }
    let held = parsed.held.get_ref();
    known(&sending, std::slice::from_ref(held))
        .map_err(|what| file.error(&parsed.held, "held", what))?;
    let whatsapp = parsed.whatsapp.get_ref();
    sending.windows =
        windows(whatsapp).map_err(|what| file.error(&parsed.whatsapp, "whatsapp", what))?;
    let confirmation = parsed.confirmation.get_ref();
    sending.confirmation = sourced(&confirmation.source)
        .and_then(|()| duration(&confirmation.within))
        .map_err(|what| file.error(&parsed.confirmation, "confirmation", what))?;
    for spanned in &parsed.holidays {
        let entry = spanned.get_ref();
        let days = sourced(&entry.source)
            .and_then(
                |()| match sending.holidays.iter().any(|other| other.id == entry.id) {
                    true => Err("other holidays have this id".into()),
                    false => entry.days.iter().map(|day| holiday(day)).collect(),
                },
            )
            .map_err(|what| file.error(spanned, &entry.id, what))?;
        sending.holidays.push(Holidays {
            id: entry.id.clone(),
            days,
        });
    }
    let mut ids = Ids::default();
    sending.template_pauses = ids.each(file, &parsed.template_pause, template_pause)?;
    let rule = |entry: &QuietEntry, term| quiet_hours(entry, term, &sending);
    sending.quiet_hours = ids.each(file, &parsed.quiet_hours, rule)?;
    let rule = |entry: &CapEntry, term| frequency_cap(entry, term, &sending);
    sending.frequency_caps = ids.each(file, &parsed.frequency_cap, rule)?;
    Ok((held.clone(), sending))
}

fn category(entry: &CategoryEntry, before: &[Category]) -> Result<Category, String> {
    sourced(&entry.source)?;
    if before.iter().any(|other| other.name == entry.name) {
        return Err("another category has this name".into());
    }
    let parent =
        match &entry.parent {
            Some(name) => Some(before.iter().find(|other| other.name == *name).ok_or_else(
                || format!("`parent`: no category before this one has the name {name:?}"),
            )?),
            None => None,
        };
    let needs = Channel::ALL.map(|channel| match &entry.needs {
        NeedsEntry::One(need) => Some(*need),
        NeedsEntry::ByChannel(needs) => needs.get(&channel).copied(),
    });
    let [Some(sms), Some(whatsapp), Some(voice), Some(email)] = needs else {
        return Err("`needs` is one word, or names all of sms, whatsapp, voice and email".into());
    };
    let needs = [sms, whatsapp, voice, email];
    for (need, channel) in needs.into_iter().zip(Channel::ALL) {
        if parent.is_some_and(|parent| need < parent.needs(channel)) {
            return Err(format!(
                "on {} it needs less than {:?}, the category above it",
                channel.display_name(),
                entry.parent.as_deref().unwrap_or_default()
            ));
        }
        if entry.double_opt_in && need < Need::Express {
            return Err("`double_opt_in` says nothing where no express opt-in is needed".into());
        }
    }
    let implied_for = match &entry.implied_for {
        Some(time) => duration(time)?,
        None if needs.contains(&Need::Implied) => {
            return Err("`implied_for` is missing: implied consent ends some time".into());
        }
        None => 0,
    };
    Ok(Category {
        name: entry.name.clone(),
        parent: entry.parent.clone(),
        needs,
        implied_for,
        double_opt_in: entry.double_opt_in,
    })
}

fn template_pause(entry: &PauseEntry, term: Term) -> Result<TemplatePause, String> {
    Ok(TemplatePause {
        id: entry.id.clone(),
        template: entry.template.clone(),
        area: area(&entry.country, &None)?,
        term,
    })
}

fn windows(entry: &WhatsappEntry) -> Result<Windows, String> {
    sourced(&entry.source)?;
    Ok(Windows {
        service: duration(&entry.service_window)?,
        ad_entry: duration(&entry.ad_entry_window)?,
    })
}

fn quiet_hours(entry: &QuietEntry, term: Term, sending: &Sending) -> Result<QuietHours, String> {
    known(sending, &entry.categories)?;
    if let Some(id) = &entry.holidays
        && !sending.holidays.iter().any(|known| known.id == *id)
    {
        return Err(format!("`holidays`: there are none with the id {id:?}"));
    }
    let allowed = match &entry.allowed {
        AllowedEntry::One(times) => [times_of_day(times)?; 7],
        AllowedEntry::ByDay(days) => {
            let default = days
                .get("default")
                .ok_or("`allowed` names days, so it needs `default` for the others")?;
            let mut allowed = [times_of_day(default)?; 7];
            for (day, times) in days.iter().filter(|(day, _)| *day != "default") {
                let weekday: Weekday = day
                    .parse()
                    .map_err(|_| format!("`allowed`: {day:?} is no day of the week"))?;
                let at = weekday.num_days_from_monday() as usize;
                if let Some(slot) = allowed.get_mut(at) {
                    *slot = times_of_day(times)?;
                }
            }
            allowed
        }
    };
    if allowed.iter().all(Option::is_none) {
        return Err("`allowed`: it never allows anything".into());
    }
    Ok(QuietHours {
        id: entry.id.clone(),
        reach: Reach {
            area: area(&entry.country, &entry.region)?,
            categories: entry.categories.clone(),
            channels: or_all(&entry.channels),
        },
        allowed,
        holidays: entry.holidays.clone(),
        term,
    })
}

fn frequency_cap(entry: &CapEntry, term: Term, sending: &Sending) -> Result<FrequencyCap, String> {
    known(sending, &entry.categories)?;
    if entry.count == 0 {
        return Err("`count`: with 0 nothing could ever be sent".into());
    }
    Ok(FrequencyCap {
        id: entry.id.clone(),
        reach: Reach {
            area: area(&entry.country, &entry.region)?,
            categories: entry.categories.clone(),
            channels: or_all(&entry.channels),
        },
        count: entry.count,
        window: duration(&entry.window)?,
        term,
    })
}

pub(super) fn known(sending: &Sending, categories: &[String]) -> Result<(), String> {
    let is_known = |name: &String| sending.categories.iter().any(|known| known.name == *name);
    match categories.iter().find(|name| !is_known(name)) {
        Some(name) => Err(format!("no category has the name {name:?}")),
        None if categories.is_empty() => Err("it names no category".into()),
        None => Ok(()),
    }
}

/// No channel named means every one.
fn or_all(channels: &[Channel]) -> Vec<Channel> {
    if channels.is_empty() {
        Channel::ALL.to_vec()
    } else {
        channels.to_vec()
    }
}

pub(super) fn area(country: &Option<String>, region: &Option<String>) -> Result<Area, String> {
    let is_code =
        |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if let Some(code) = country.as_deref().filter(|code| !is_code(code)) {
        return Err(format!(
            "`country`: {code:?} is not written as in ISO 3166-1, like \"US\""
        ));
    }
    if let Some(code) = region {
        let prefix = country.as_ref().map(|country| format!("{country}-"));
        if !prefix.is_some_and(|prefix| code.starts_with(&prefix)) {
            return Err(format!(
                "`region`: {code:?} is not of the country; write it as in ISO 3166-2, like \"US-FL\""
            ));
        }
    }
    Ok(Area {
        country: country.clone(),
        region: region.clone(),
    })
}

#[cfg(test)]
mod tests {
    use consentry_policy::Holiday;

    use super::*;

    const BASE: &str = r#"
held = "marketing"
whatsapp = { service_window = "24h", ad_entry_window = "72h", source = "Meta" }
confirmation = { within = "5m", source = "law" }
routes = { opted_out = "silent-failure", otherwise = "internal-alert" }

[[category]]
name = "marketing"
needs = "express"
source = "law"
"#;

    fn load_with(entry: &str) -> Result<Sending, String> {
        let file = File::of("preflight.toml", &format!("{BASE}\n{entry}"));
        let loaded = load(&file).map_err(|error| error.to_string());
        loaded.map(|(_, sending)| sending)
    }

    #[test]
    fn good_rules_are_taken() {
        let sending = load_with(
            r#"
[[holidays]]
id = "us"
days = ["07-04 observed", "nov thu 4", "may mon last", "easter-2", "easter"]
source = "5 U.S.C. 6103"

[[quiet_hours]]
id = "quiet.tx"
country = "US"
region = "US-TX"
categories = ["marketing"]
allowed = { default = "09:00-21:00", sun = "12:00-21:00", sat = "never" }
holidays = "us"
source = "law"
"#,
        )
        .unwrap();
        let rule = sending.quiet_hours.first().unwrap();
        assert_eq!(rule.allowed[0], Some((540, 1260)));
        assert_eq!(rule.allowed[5], None);
        assert_eq!(rule.allowed[6], Some((720, 1260)));
        assert_eq!(
            sending.holidays.first().unwrap().days,
            [
                Holiday::Date {
                    month: 7,
                    day: 4,
                    observed: true
                },
                Holiday::Weekday {
                    month: 11,
                    weekday: 3,
                    nth: 4
                },
                Holiday::Weekday {
                    month: 5,
                    weekday: 0,
                    nth: 0
                },
                Holiday::Easter { days: -2 },
                Holiday::Easter { days: 0 },
            ]
        );
    }

    #[test]
    fn a_mistake_is_named_with_its_line_and_entry() {
        let category =
            |fields: &str| format!("[[category]]\nname = \"x\"\nsource = \"s\"\n{fields}");
        let quiet = |fields: &str| {
            format!(
                "[[quiet_hours]]\nid = \"q\"\nsource = \"s\"\ncategories = [\"marketing\"]\n{fields}"
            )
        };
        for (entry, says) in [
            (
                category("needs = \"express\"\nparent = \"y\""),
                "no category before",
            ),
            (
                category("needs = \"none\"\nparent = \"marketing\""),
                "needs less",
            ),
            (category("needs = { sms = \"none\" }"), "names all of"),
            (category("needs = \"implied\""), "`implied_for` is missing"),
            (
                category("needs = \"none\"\ndouble_opt_in = true"),
                "`double_opt_in`",
            ),
            (
                category("needs = \"express\"").replace("\"x\"", "\"marketing\""),
                "another category",
            ),
            (quiet("allowed = \"21:00-08:00\""), "is not a time of day"),
            (quiet("allowed = \"never\""), "never allows"),
            (quiet("allowed = { sun = \"never\" }"), "needs `default`"),
            (
                quiet("allowed = { default = \"08:00-21:00\", someday = \"never\" }"),
                "no day",
            ),
            (
                quiet("allowed = \"08:00-21:00\"\nholidays = \"us\""),
                "there are none",
            ),
            (
                quiet("allowed = \"08:00-21:00\"\nregion = \"US-FL\""),
                "not of the country",
            ),
            (
                quiet("allowed = \"08:00-21:00\"\ncountry = \"usa\""),
                "ISO 3166-1",
            ),
            (
                quiet("allowed = \"08:00-21:00\"").replace("marketing", "ads"),
                "no category has the name",
            ),
        ] {
            let message = load_with(&entry).unwrap_err();
            assert!(message.starts_with("preflight.toml:12: "), "{message}");
            assert!(message.contains(says), "{entry}\n{message}");
        }
    }
}
