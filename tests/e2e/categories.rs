//! One number for several purposes.

use serde_json::json;

use crate::support::{ANN, Gateway, NOON};

fn marketing_yes_billing_no() -> Gateway {
    let gateway = Gateway::start();
    let form = json!({ "source": "preference-centre" });
    let marketing = "status=OPTIN&channel=sms&category=Marketing";
    gateway.report(ANN, marketing, &form).ok();
    let billing = "status=OPTOUT&channel=sms&category=Billing";
    gateway.report(ANN, billing, &form).ok();
    gateway
}

#[test]
fn opted_in_to_marketing_and_out_of_billing_on_one_number() {
    let gateway = marketing_yes_billing_no();
    assert_eq!(gateway.consent(ANN, "category=Marketing"), "OPTIN");
    assert_eq!(gateway.consent(ANN, "category=Billing"), "OPTOUT");
    let ask = |category| {
        gateway.ask(json!({ "channel": "sms", "to": ANN, "category": category, "at": NOON }))
    };
    assert_eq!(ask("Marketing")["allowed"], true);
    assert_eq!(ask("Billing")["reason"], "opted_out");
}

#[test]
fn a_bare_stop_later_ends_both() {
    let gateway = marketing_yes_billing_no();
    gateway.text(ANN, "STOP");
    assert_eq!(gateway.consent(ANN, "category=Marketing"), "OPTOUT");
    assert_eq!(gateway.consent(ANN, "category=Billing"), "OPTOUT");
    assert_eq!(gateway.consent(ANN, ""), "OPTOUT");
}

#[test]
fn a_general_start_does_not_lift_an_opt_out_from_one_category() {
    let gateway = marketing_yes_billing_no();
    gateway.text(ANN, "STOP");
    gateway.text(ANN, "START");
    assert_eq!(gateway.consent(ANN, "category=Marketing"), "OPTIN");
    assert_eq!(gateway.consent(ANN, "category=Billing"), "OPTOUT");
}

#[test]
fn the_case_of_a_category_does_not_count() {
    let gateway = marketing_yes_billing_no();
    for category in ["marketing", "MARKETING", "Marketing"] {
        assert_eq!(
            gateway.consent(ANN, &format!("category={category}")),
            "OPTIN"
        );
    }
}

#[test]
fn without_channel_and_category_every_row_is_listed() {
    let gateway = marketing_yes_billing_no();
    let answer = gateway.get(&format!("/consent/{ANN}")).ok();
    assert_eq!(
        answer["consents"],
        json!([
            { "channelType": "sms", "category": "billing", "consentStatus": "OPTOUT" },
            { "channelType": "sms", "category": "marketing", "consentStatus": "OPTIN" },
        ])
    );
    let answer = gateway.get(&format!("/consent/{ANN}?channel=sms")).ok();
    assert_eq!(answer.get("consents"), None);
    assert_eq!(answer["channelType"], "sms");
}

#[test]
fn a_category_that_nobody_defined_is_refused_whatever_was_agreed() {
    let gateway = Gateway::start();
    let ask = json!({ "channel": "sms", "to": ANN, "category": "brand-new" });
    for _ in 0..2 {
        let answer = gateway.preflight(ask.clone());
        assert_eq!(answer["reason"], "unknown_category");
        assert_eq!(answer["route"], "internal-alert");
        let query = "status=OPTIN&channel=sms&category=brand-new";
        gateway.report(ANN, query, &json!({})).ok();
    }
}
