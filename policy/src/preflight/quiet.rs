//! Quiet hours, by the clock of every place where the contact may be.

use super::calendar::{self, Local};
use super::{Finding, Question};
use crate::rules::{Area, QuietHours, Sending};
use crate::types::{Lookup, Place, Timestamp};

/// How often the next moment is looked for: each time one rule's next opening is tried on the others.
const MAX_STEPS: usize = 200;

impl<L: Lookup> Question<'_, L> {
    pub(super) fn quiet_hours(&mut self) {
        let sending = self.sending;
        let message = self.message;
        let applying: Vec<&QuietHours> = sending
            .quiet_hours
            .iter()
            .filter(|rule| self.is_reached_by(&rule.reach))
            .collect();
        let clocks = Clocks {
            sending,
            rules: &applying,
            places: &message.places,
        };
        for rule in &applying {
            let finding = if !rule.term.holds(message.at) {
                Finding::Skip
            } else if clocks.opens(rule, message.at) <= message.at {
                Finding::Pass
            } else {
                match clocks.next(message.at) {
                    Some(open) => Finding::Wait("quiet_hours", open),
                    None => Finding::Block("quiet_hours"),
                }
            };
            let is_against = !matches!(finding, Finding::Pass | Finding::Skip);
            self.note(&rule.id, finding);
            if is_against {
                return;
            }
        }
    }
}

/// The rules that hold, and the clocks they are read on.
struct Clocks<'q> {
    sending: &'q Sending,
    rules: &'q [&'q QuietHours],
    places: &'q [Place],
}

impl Clocks<'_> {
    /// The first moment from one on at which no rule is against it in any place.
    fn next(&self, from: Timestamp) -> Option<Timestamp> {
        let mut at = from;
        for _ in 0..MAX_STEPS {
            let holding = self.rules.iter().filter(|rule| rule.term.holds(at));
            let open = holding.map(|rule| self.opens(rule, at)).max();
            match open {
                Some(later) if later > at => at = later,
                _ => return Some(at),
            }
        }
        None
    }

    /// The first moment from one on at which a rule is not against it in the place that opens last.
    fn opens(&self, rule: &QuietHours, at: Timestamp) -> Timestamp {
        let places = self
            .places
            .iter()
            .filter(|place| rule.reach.area.holds(place));
        let opens = places.map(|place| self.opens_in(rule, place, at));
        opens.max().unwrap_or(at)
    }

    fn opens_in(&self, rule: &QuietHours, place: &Place, at: Timestamp) -> Timestamp {
        let local = Local::of(place, at);
        let minute = local.minute();
        match self.window(rule, local.day) {
            Some((from, _)) if minute < i64::from(from) => local.at_minute(from.into()),
            Some((_, to)) if minute < i64::from(to) => at,
            // Tomorrow from its first minute, looked at when that has come.
            _ => local.at_minute(calendar::MINUTES),
        }
    }

    /// From which minute up to which messages may go on a day.
    fn window(&self, rule: &QuietHours, day: i64) -> Option<(u16, u16)> {
        let holidays = rule.holidays.as_deref().and_then(|id| {
            let known = self.sending.holidays.iter();
            known.clone().find(|holidays| holidays.id == id)
        });
        let is_holiday = holidays.is_some_and(|holidays| calendar::is_one_of(&holidays.days, day));
        let weekday = usize::from(calendar::weekday(day));
        let window = rule.allowed.get(weekday).copied().flatten();
        window.filter(|_| !is_holiday)
    }
}

impl Area {
    /// Whether a place lies in it. Of a place whose region is not known, every region's rules hold.
    pub(super) fn holds(&self, place: &Place) -> bool {
        let country = self.country.as_deref();
        let region = self.region.as_deref();
        country.is_none_or(|country| country == place.country)
            && (region.is_none() || place.region.is_none() || region == place.region.as_deref())
    }
}
