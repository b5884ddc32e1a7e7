use std::io::{BufRead, Write};
use consentry_policy::*;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let rules = match consentry_policy_build::rules::load(std::path::Path::new(&dir)) { Ok(r) => r, Err(e) => { eprintln!("{e}"); std::process::exit(3) } };
    let footer = std::env::args().nth(2);
    let engine = Engine::new(rules).unwrap();
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let body = line.replace("\\n", "\n");
        let m = Inbound { channel: Channel::Sms, body, at: 1795500000000, selection: None, footer: footer.clone(), question: None, country: Some("US".into()), language: None, answered: false, explain: true };
        let c = engine.classify(&m);
        let why: Vec<String> = c.explanation.iter().flat_map(|e| e.rejected.iter()).map(|r| format!("{}: {}", r.rule, r.why)).collect();
        writeln!(out, "{}\t{}\t{:?}\t{}\t{}\t{}", c.intent.as_str(), if c.review {"review"} else {""}, c.scope, c.rule, line, why.join("; ")).unwrap();
    }
}
