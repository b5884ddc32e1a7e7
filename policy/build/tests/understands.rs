//! What the default rules make of what people write, by kind.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets something unexpected shall fail"
)]

mod default_rules;

use consentry_policy::{
    Change, ChangeKind, Channel, Classification, Inbound, Intent, Route, Scope, Selection,
};
use default_rules::{ENGINE, read, text};

#[track_caller]
fn all_are(intent: Intent, messages: &[&str]) {
    for message in messages {
        let found = read(message);
        assert_eq!(found.intent, intent, "{message:?}: {found:?}");
    }
}

fn with(body: &str, change: impl FnOnce(&mut Inbound)) -> Classification {
    let mut message = text(body);
    change(&mut message);
    ENGINE.classify(&message)
}

fn ends_everything(found: &Classification) -> bool {
    Channel::ALL.into_iter().all(|channel| {
        let general = Change {
            channel,
            category: None,
            kind: ChangeKind::OptOut,
        };
        found.changes.contains(&general)
    })
}

#[test]
fn a_bare_word_ends_everything_whatever_is_around_it() {
    for message in [
        "STOP",
        "stop!!",
        "Stop please",
        "Quit",
        "CANCEL.",
        "Opt-Out",
        "ＳＴＯＰ",
        "S.T.O.P",
        "\u{405}\u{422}\u{41e}\u{420}",
        "ok stop now",
        "STOP\nBob",
    ] {
        let found = read(message);
        assert!(
            found.intent == Intent::OptOut && ends_everything(&found),
            "{message:?}: {found:?}"
        );
        assert_eq!(
            (found.scope, found.route),
            (Some(Scope::All), Route::Disconnect)
        );
    }
}

#[test]
fn an_echo_of_the_footer_is_an_opt_out() {
    all_are(
        Intent::OptOut,
        &[
            "STOP2END",
            "Quit to end",
            "Stop 2 End",
            "stop=quit",
            "quit2quit",
            "end2",
            "STOP STOP STOP",
        ],
    );
    let footer = |body: &str| {
        with(body, |message| {
            message.footer = Some("Txt BYE2LEAVE to leave us".into())
        })
    };
    assert_eq!(footer("bye2leave").intent, Intent::OptOut);
    assert_eq!(footer("Bye2leabe").intent, Intent::OptOut);
    assert_eq!(read("bye2leave").intent, Intent::Other);
    assert_eq!(footer("leave").intent, Intent::Other);
}

#[test]
fn a_slip_of_the_thumb_is_forgiven_and_another_word_is_not() {
    all_are(
        Intent::OptOut,
        &[
            "srop",
            "stpo",
            "stoppp",
            "sto",
            "unsuscribe",
            "wuit2end",
            "quir2end",
            "optoit",
            "qyit",
            "st0p",
        ],
    );
    all_are(
        Intent::Other,
        &[
            "shop", "step", "spot", "quiet", "and", "cancer", "top", "the end",
        ],
    );
    all_are(Intent::OptIn, &["start", "unstop", "sstart", "unstopp"]);
}

#[test]
fn plain_words_are_an_opt_out() {
    all_are(
        Intent::OptOut,
        &[
            "Kindly take my number off of your calling list",
            "I never agreed to get these messages",
            "please quit texting this number",
            "Please take my late mum off your list, she passed away",
            "do not contact me again",
            "I no longer wish to receive your texts",
            "You fucking idiots, stop texting me",
            "if you don't stop messaging me I will call the police",
            "I already asked you twice to remove me",
            "Stop texting me. My mom needs this phone",
        ],
    );
}

#[test]
fn an_everyday_word_counts_beside_a_refusal() {
    all_are(
        Intent::OptOut,
        &[
            "Not interested. Cancel",
            "Delete. Wrong number",
            "Wrong person.\nRemove it, please",
        ],
    );
    all_are(
        Intent::Other,
        &[
            "See you at six. Cancel",
            "Not interested. The movie was bad",
            "Not interested. I'd like it to end well",
        ],
    );
}

#[test]
fn what_is_negated_reported_quoted_or_taken_back_is_none() {
    all_are(
        Intent::Other,
        &[
            "please don't stop texting me",
            "She said stop texting me",
            "why did you stop texting me?",
            "My boss wrote \"stop texting me\" on the wall",
            "Stop texting me. Just kidding",
            "Stop texting me. Actually, don't",
            "Liked \u{201c}Reply STOP to unsubscribe\u{201d}",
            "I'm driving right now. Text STOP to end these replies",
            "I stopped at the bus stop",
            "stop by at 5",
        ],
    );
    all_are(
        Intent::OptOut,
        &[
            "\"STOP\"",
            "\u{201c}Stop texting me\u{201d}",
            "I said stop texting me",
        ],
    );
}

#[test]
fn a_negation_reaches_to_the_next_comma_and_no_farther() {
    all_are(
        Intent::OptOut,
        &[
            "No, dejen de escribirme",
            "No puedo, no me llamen más",
            "Não, parem de me mandar mensagens",
            "No, smettete di scrivermi",
        ],
    );
    all_are(
        Intent::Other,
        &[
            "no dejen de escribirme",
            "please don't ever stop texting me",
            "She said: stop texting me",
        ],
    );
}

#[test]
fn letters_that_are_drawn_out_count_once() {
    all_are(
        Intent::OptOut,
        &[
            "STOOOOOOP",
            "pleeeease stop",
            "stop texting meeee",
            "quiiiit",
        ],
    );
}

#[test]
fn a_word_of_another_script_is_not_read_as_a_latin_one() {
    all_are(Intent::Other, &["карат", "кома"]);
    all_are(Intent::OptOut, &["ѕтор", "stоp", "СТОП"]);
}

#[test]
fn everyday_words_near_a_keyword_are_no_misspelling_of_it() {
    all_are(
        Intent::Other,
        &[
            "extend", "entienda", "dancer", "output", "stolen", "Aberdeen", "bestehen", "endroit",
            "wandel", "ends",
        ],
    );
}

#[test]
fn a_topic_ends_that_category_and_an_unknown_one_is_held() {
    let ads = read("STOP ads");
    assert_eq!(
        (ads.intent, ads.scope),
        (Intent::OptOut, Some(Scope::Category("marketing".into())))
    );
    assert!(
        ads.changes
            .iter()
            .all(|change| change.category.as_deref() == Some("marketing"))
    );
    let kept = read("no promos, but yes to reminders");
    assert_eq!(kept.scope, Some(Scope::Category("marketing".into())));
    let code = read("STOP 12345");
    assert_eq!(
        (code.scope, code.review),
        (Some(Scope::Topic("12345".into())), true)
    );
    assert!(
        code.changes
            .iter()
            .all(|change| change.category.as_deref() == Some("marketing"))
    );
}

#[test]
fn a_channel_that_is_still_wanted_stays() {
    let email = read("call me, but take me off the e-mail list");
    assert_eq!(
        (email.intent, email.scope),
        (Intent::OptOut, Some(Scope::Channel(Channel::Email)))
    );
    assert_eq!(read("don't call or text me").scope, Some(Scope::All));
    assert_eq!(
        read("stop emailing me").scope,
        Some(Scope::Channel(Channel::Email))
    );
}

#[test]
fn yes_and_no_answer_an_open_question_and_nothing_else() {
    let asked = |body: &str| {
        with(body, |message| {
            message.question = Some("Would you like to receive offers by SMS?".into())
        })
    };
    let yes = asked("Yes please");
    let marketing = Change {
        channel: Channel::Sms,
        category: Some("marketing".into()),
        kind: ChangeKind::OptIn,
    };
    assert_eq!(
        (yes.intent, yes.changes),
        (Intent::AnswerYes, vec![marketing])
    );
    assert_eq!(asked("no").intent, Intent::AnswerNo);
    assert_eq!(asked("stop").intent, Intent::OptOut);
    assert_eq!(
        (read("yes").intent, read("yes").changes),
        (Intent::Other, Vec::new())
    );
}

#[test]
fn what_is_unclear_is_held_and_a_person_decides() {
    for message in ["no", "S", "wrong number"] {
        let found = read(message);
        assert!(
            found.review && !found.changes.is_empty(),
            "{message}: {found:?}"
        );
        assert!(
            found
                .changes
                .iter()
                .all(|change| change.category.as_deref() == Some("marketing"))
        );
    }
    assert_eq!(read("wrong number").intent, Intent::WrongNumber);
}

#[test]
fn a_tapped_button_decides_by_its_identifier() {
    let tapped = |id: &str, title: &str| {
        with("Yes", |message| {
            message.selection = Some(Selection {
                id: id.into(),
                title: title.into(),
            })
        })
    };
    assert_eq!(
        tapped("STOP_PROMO", "Keep me posted").intent,
        Intent::OptOut
    );
    assert_eq!(tapped("row-7", "Unsubscribe").intent, Intent::OptOut);
    assert_eq!(tapped("row-7", "Show me shoes").intent, Intent::Other);
}

#[test]
fn a_person_comes_first_and_a_stop_is_still_honoured() {
    let found = read("I want to kill myself. Stop texting me");
    assert_eq!(
        (found.intent, found.route),
        (Intent::Person, Route::PriorityAgent)
    );
    assert!(ends_everything(&found));
    all_are(
        Intent::Person,
        &[
            "let me talk to a person",
            "ich will mit einem Menschen sprechen",
            "quiero suicidarme",
            "我想自杀",
        ],
    );
}

#[test]
fn sixteen_languages_say_stop() {
    for (language, message) in [
        ("en", "take me off your list"),
        ("es", "darme de baja"),
        ("fr", "désabonnez-moi"),
        ("pt", "não quero mais receber mensagens"),
        ("de", "bitte keine Nachrichten mehr"),
        ("it", "cancellatemi dalla lista"),
        ("nl", "stuur me geen berichten meer"),
        ("pl", "proszę nie wysyłać mi więcej wiadomości"),
        ("tr", "bana bir daha mesaj atmayın"),
        ("ar", "لا ترسلوا لي رسائل"),
        ("hi", "मुझे मैसेज मत भेजो"),
        ("zh", "不要再给我发短信了"),
        ("ja", "配信停止してください"),
        ("id", "jangan kirim pesan lagi"),
        ("vi", "đừng nhắn tin cho tôi nữa"),
        ("ru", "не пишите мне больше"),
    ] {
        let found = read(message);
        assert_eq!(
            found.intent,
            Intent::OptOut,
            "{language} {message}: {found:?}"
        );
        assert_eq!(found.language.as_deref(), Some(language), "{message}");
    }
    // Composed and decomposed Unicode are the same words.
    all_are(
        Intent::OptOut,
        &[
            "de\u{301}sabonnez-moi",
            "na\u{303}o quero mais receber mensagens",
        ],
    );
}

#[test]
fn words_that_look_like_stop_are_ordinary_ones() {
    all_are(
        Intent::Other,
        &[
            "para quando é?",
            "Guardei para você, obrigada!",
            "estoy de baja hasta el lunes",
            "quiero cancelar mi cita",
            "je dois arrêter le sucre",
            "annuler votre rendez-vous ?",
            "ich muss aufhören zu arbeiten",
            "basta che vieni domani",
            "перестань плакать",
            "不要取消订单",
            "退订酒店",
            "dur bir dakika",
        ],
    );
}

#[test]
fn the_answer_is_in_the_language_of_the_word() {
    let reply = |body: &str| {
        with(body, |message| message.country = Some("CA".into()))
            .reply
            .unwrap()
    };
    assert!(reply("ARRET").contains("réabonner"));
    assert!(
        reply("STOP")
            .contains("You have been unsubscribed from SMS alerts. To re-subscribe, text START.")
    );
    assert!(reply("AIDE").contains("aide"));
    assert!(reply("HELP").contains("help"));
    for word in ["ARRET", "STOP", "AIDE", "HELP"] {
        assert!(
            reply(word).contains("Example Inc") && reply(word).contains("help@example.com"),
            "{word}"
        );
    }
    assert!(reply("START").contains("Welcome back"));
    let of = |body: &str, language: &str| {
        let found = with(body, |message| message.language = Some(language.to_owned()));
        found.language.unwrap()
    };
    assert_eq!(
        [of("STOPP", "nb"), of("STOPP", "de-AT"), of("STOPP", "sv")],
        ["no", "de", "sv"]
    );
    assert_eq!(with("STOP", |message| message.answered = true).reply, None);
}
