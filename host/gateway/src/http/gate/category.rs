//! What kind of message a request wants to send. The send APIs have no word for it that means the same
//! with all of them, so it is settled here; what nothing is known of is marketing, which needs the most.

use std::collections::BTreeMap;

use anyhow::Context as _;
use axum::http::HeaderMap;
use consentry_model::{Category, Channel, Outbound, Template};

use super::provider::Message;
use crate::http::extract::parse;
use crate::http::problem::Problem;

/// The header that names the category of a message.
pub(super) const HEADER: &str = "x-consentry-category";

/// The categories that were configured.
#[derive(Debug, Default)]
pub(crate) struct Categories {
    /// By template or sender.
    named: BTreeMap<String, Category>,
    /// For everything else.
    default: Option<Category>,
}

impl Categories {
    /// Reads settings such as `order_update=utility`, `+18335550100=billing`, or `utility` for whatever
    /// is not named.
    pub(crate) fn new(settings: &[String]) -> anyhow::Result<Self> {
        let mut categories = Self::default();
        for setting in settings {
            let (name, category) = match setting.rsplit_once('=') {
                Some((name, category)) => (Some(name.trim()), category),
                None => (None, setting.as_str()),
            };
            let category = category.trim().parse::<Category>();
            let category = category.with_context(|| format!("the category in {setting:?}"))?;
            let before = match name {
                Some(name) => categories.named.insert(name.to_owned(), category),
                None => categories.default.replace(category),
            };
            anyhow::ensure!(before.is_none(), "{setting:?}: its category is set twice");
        }
        Ok(categories)
    }

    /// The category of a message, and its template.
    pub(super) fn of(
        &self,
        message: &Message,
        headers: &HeaderMap,
    ) -> Result<(Category, Option<Template>), Problem> {
        let named = |name: &Option<String>| self.named.get(name.as_ref()?).cloned();
        let stated = super::check::text(headers, HEADER)?.or(message.category.as_deref());
        let stated: Option<Category> = stated.map(|text| parse(HEADER, text)).transpose()?;
        let of_template = named(&message.template);
        let known = stated
            .or_else(|| of_template.clone())
            .or_else(|| named(&message.from))
            .or_else(|| message.kind.and_then(|kind| kind.parse().ok()));
        let is_template = message.template.is_some() && message.channel == Channel::Whatsapp;
        let category = known.unwrap_or_else(|| match &self.default {
            // A free-form message on WhatsApp can only be an answer.
            None if !is_template => Outbound::default_category(message.channel, None),
            None => Category::marketing(),
            Some(default) => default.clone(),
        });
        let template = message.template.clone().filter(|_| is_template);
        let template = template.map(|name| Template {
            name,
            category: as_approved(of_template.unwrap_or_else(|| category.clone())),
        });
        Ok((category, template))
    }
}

/// The category that the platform has approved a template in.
fn as_approved(category: Category) -> Category {
    match category.as_str() {
        "utility" | "authentication" => category,
        _ => Category::marketing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(channel: Channel) -> Message {
        Message::new(channel, "+14155550123".parse().unwrap())
    }

    fn of(categories: &[&str], message: &Message) -> (String, Option<String>) {
        let settings: Vec<String> = categories.iter().map(ToString::to_string).collect();
        let categories = Categories::new(&settings).unwrap();
        let (category, template) = categories.of(message, &HeaderMap::new()).unwrap();
        let template = template.map(|template| template.category.to_string());
        (category.to_string(), template)
    }

    #[test]
    fn what_nothing_is_known_of_is_marketing() {
        let text = message(Channel::Sms);
        assert_eq!(of(&[], &text).0, "marketing");
        assert_eq!(of(&["utility"], &text).0, "utility");
        let answer = message(Channel::Whatsapp);
        assert_eq!(of(&[], &answer), ("service".to_owned(), None));
        let mut template = message(Channel::Whatsapp);
        template.template = Some("order_update".to_owned());
        let unknown = ("marketing".to_owned(), Some("marketing".to_owned()));
        assert_eq!(of(&[], &template), unknown);
        let known = ("utility".to_owned(), Some("utility".to_owned()));
        assert_eq!(of(&["order_update=utility"], &template), known);
        assert_eq!(of(&["utility"], &template), known);
    }

    #[test]
    fn the_request_comes_before_the_template_before_the_sender_before_the_providers_word() {
        let mut asked = message(Channel::Sms);
        asked.kind = Some("utility");
        assert_eq!(of(&["billing"], &asked).0, "utility");
        asked.from = Some("+18335550100".to_owned());
        let settings = ["+18335550100=billing", "HX1=authentication"];
        assert_eq!(of(&settings, &asked).0, "billing");
        asked.template = Some("HX1".to_owned());
        assert_eq!(of(&settings, &asked).0, "authentication");
        asked.category = Some("newsletter".to_owned());
        assert_eq!(of(&settings, &asked).0, "newsletter");
        asked.category = Some("No such!".to_owned());
        let none = Categories::default();
        assert!(none.of(&asked, &HeaderMap::new()).is_err());
    }

    /// What the request says does not make a marketing template another one.
    #[test]
    fn a_template_keeps_the_category_it_was_approved_in() {
        let mut asked = message(Channel::Whatsapp);
        asked.template = Some("sale".to_owned());
        asked.category = Some("utility".to_owned());
        let (category, template) = of(&["sale=marketing"], &asked);
        assert_eq!(
            (&*category, template.as_deref()),
            ("utility", Some("marketing"))
        );
    }

    #[test]
    fn settings_that_say_nothing_or_two_things_are_refused() {
        for wrong in [
            vec!["a="],
            vec!["a=b c!"],
            vec!["a=b", "a=c"],
            vec!["b", "c"],
        ] {
            let wrong: Vec<String> = wrong.into_iter().map(str::to_owned).collect();
            assert!(Categories::new(&wrong).is_err(), "{wrong:?}");
        }
    }
}
