//! No message panics, and what is said to have matched is a part of it.
#![no_main]

use consentry_policy::Selection;
use consentry_policy_fuzz::{ENGINE, message};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Message<'m> {
    body: &'m str,
    footer: Option<&'m str>,
    question: Option<&'m str>,
    language: Option<&'m str>,
    selection: Option<(&'m str, &'m str)>,
}

fuzz_target!(|written: Message| {
    let mut message = message(written.body);
    message.footer = written.footer.map(str::to_owned);
    message.question = written.question.map(str::to_owned);
    message.language = written.language.map(str::to_owned);
    message.selection = written.selection.map(|(id, title)| Selection {
        id: id.to_owned(),
        title: title.to_owned(),
    });
    let found = ENGINE.classify(&message);
    if let Some(span) = found.matched {
        let part = written.body.get(span.start as usize..span.end as usize);
        assert!(part.is_some_and(|part| !part.is_empty()), "{found:?}");
    }
});
