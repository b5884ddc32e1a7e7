//! An edge gateway's loop without HTTP or SQL: messages on standard input, answers on standard
//! output. `cargo run -p consentry-host --example embed [POLICY.wasm]`
//!
//! A line `+14155550123 STOP` is a text from that number; `> +14155550123 marketing` asks whether a
//! marketing text may go to it.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use consentry_host::{Host, Limits};
use consentry_model::{
    Answers, Category, Channel, Contact, EventId, Inbound, Mark, Outbound, Statement, Timestamp,
};

fn main() -> Result<(), Box<dyn Error>> {
    let host = Host::new(Limits::default())?;
    let policy = match env::args_os().nth(1) {
        Some(path) => host.load(&fs::read(path)?)?,
        None => host.load(consentry_default_policy::POLICY)?,
    };
    eprintln!("policy {} {}", policy.manifest().name, policy.digest());

    let mut contacts: HashMap<String, Arc<Contact>> = HashMap::new();
    let mut last = 0;
    for (number, line) in io::stdin().lock().lines().enumerate() {
        let line = line?;
        // At the same moment a STOP beats a START, so no two lines may share one.
        last = now_millis()?.max(last + 1);
        let at = Timestamp::from_millis(last).ok_or("the clock is wrong")?;
        if let Some(question) = line.strip_prefix("> ") {
            let (address, category) = question.split_once(' ').unwrap_or((question, "marketing"));
            let contact = contacts.entry(address.to_owned()).or_default();
            let category: Category = category.parse()?;
            let message = Outbound {
                channel: Channel::Sms,
                category,
                template: None,
                at,
                // Quiet hours hold in every place where the number may be.
                places: consentry_places::of(Some(address), None, at),
                answers: Answers::Nothing,
                explain: false,
            };
            let answer = policy.preflight(&message, contact);
            println!("{:?} {}", answer.value.verdict, answer.value.reason);
        } else if let Some((address, body)) = line.split_once(' ') {
            let contact = contacts.entry(address.to_owned()).or_default();
            let answer = policy.classify(&Inbound::text(Channel::Sms, body, at), contact);
            let changed = Arc::make_mut(contact);
            changed.wrote(Channel::Sms, at);
            for change in &answer.value.changes {
                let event = EventId(number.to_string());
                changed.apply(change, Statement::Own, Mark { at, event });
            }
            println!(
                "{} {}",
                answer.value.intent.as_str(),
                answer.value.reply.unwrap_or_default()
            );
        }
    }
    Ok(())
}

fn now_millis() -> Result<i64, Box<dyn Error>> {
    Ok(i64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis(),
    )?)
}
