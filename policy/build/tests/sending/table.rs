//! The table: rows, and the questions they begin with.

use consentry_policy::{Answers, Channel, Outbound, Place, Proof};

use crate::known::{Known, at, opted_in};

/// One row: the rule it is about, its source, the question, what is known, and the answer.
pub(crate) struct Row {
    pub(crate) rule: &'static str,
    pub(crate) source: &'static str,
    pub(crate) message: Outbound,
    pub(crate) known: Known,
    pub(crate) answer: String,
}

pub(crate) const HOUR: i64 = 3_600_000;

/// A message that nothing is against: noon in New York on a Wednesday, to somebody opted in.
pub(crate) fn message(channel: Channel, category: &str) -> Outbound {
    Outbound {
        channel,
        category: category.to_owned(),
        template: None,
        at: at("2026-06-10T16:00:00Z"),
        places: vec![place("US", Some("US-NY"), -240)],
        answers: Answers::Nothing,
        explain: false,
    }
}

pub(crate) fn place(country: &str, region: Option<&str>, offset: i32) -> Place {
    Place {
        country: country.to_owned(),
        region: region.map(str::to_owned),
        offset,
        change: None,
    }
}

#[derive(Default)]
pub(crate) struct Table(pub(crate) Vec<Row>);

impl Table {
    pub(crate) fn row(
        &mut self,
        rule: &'static str,
        source: &'static str,
        message: Outbound,
        known: &Known,
        answer: &str,
    ) {
        self.0.push(Row {
            rule,
            source,
            message,
            known: known.clone(),
            answer: answer.to_owned(),
        });
    }

    /// Marketing by SMS in a place: at each local time, and when it may go if not then.
    pub(crate) fn quiet(
        &mut self,
        rule: &'static str,
        source: &'static str,
        place: &Place,
        times: &[(&str, &str)],
    ) {
        let known = opted_in(Channel::Sms, "marketing", Proof::OwnWords);
        for (time, answer) in times {
            let mut message = message(Channel::Sms, "marketing");
            message.places = vec![place.clone()];
            message.at = at(time);
            self.row(rule, source, message, &known, answer);
        }
    }
}
