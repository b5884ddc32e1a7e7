//! `consentry classify`.

use std::io::{self, BufRead as _, BufWriter, Write as _};
use std::sync::Arc;

use clap::Args;
use consentry_model::{
    Category, Channel, Classification, Contact, Explanation, Inbound, Scope, Timestamp,
};
use serde::Serialize;

use super::{PolicyArgs, output};
use crate::clock;

#[derive(Args)]
pub(super) struct ClassifyArgs {
    /// The message, or "-"
    text: String,
    /// How it came
    #[arg(long, default_value = "sms")]
    channel: Channel,
    /// The contact's country, ISO 3166-1 alpha-2
    #[arg(long)]
    country: Option<String>,
    /// The contact's language, BCP 47
    #[arg(long)]
    language: Option<String>,
    /// The opt-out instruction that the last message to the contact ended with
    #[arg(long)]
    footer: Option<String>,
    /// The question that is open
    #[arg(long)]
    question: Option<String>,
    /// The category of the sender's last message to the contact
    #[arg(long)]
    last_category: Option<Category>,
    /// When it was said, RFC 3339; now when left out
    #[arg(long)]
    at: Option<Timestamp>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// Say how the message was read and why other rules did not decide
    #[arg(long)]
    explain: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The fixed form of one answer.
#[derive(Serialize)]
struct Line {
    intent: &'static str,
    scope: Option<String>,
    review: bool,
    rule: String,
    matched: Option<String>,
    language: Option<String>,
    #[serde(flatten)]
    explanation: Option<Explanation>,
}

impl From<Classification> for Line {
    fn from(found: Classification) -> Self {
        Self {
            intent: found.intent.as_str(),
            scope: found.scope.as_ref().map(Scope::to_string),
            review: found.review,
            rule: found.rule,
            matched: found.matched,
            language: found.language,
            explanation: found.explanation,
        }
    }
}

pub(super) fn run(args: &ClassifyArgs) -> anyhow::Result<()> {
    let policy = args.policy.start(None)?.active();
    let nobody = Arc::new(Contact::default());
    let classify = |body: String| {
        let at = args.at.unwrap_or_else(clock::now);
        let message = Inbound {
            footer: args.footer.clone(),
            question: args.question.clone(),
            last_category: args.last_category.clone(),
            country: args.country.clone(),
            language: args.language.clone(),
            explain: args.explain,
            ..Inbound::text(args.channel, body, at)
        };
        policy.classify(&message, &nobody).value
    };
    if args.text == "-" {
        return each_line(classify);
    }
    let found = classify(args.text.clone());
    if args.json {
        return output::json(&Line::from(found));
    }
    output::text(&describe(found))
}

/// One message a line in, one JSON object a line out. `\n` in a line stands for a line break. Bytes
/// that are no UTF-8 become replacement characters: every line gets its answer.
fn each_line(classify: impl Fn(String) -> Classification) -> anyhow::Result<()> {
    let mut input = io::stdin().lock();
    let mut out = BufWriter::new(io::stdout().lock());
    let progress = output::progress("messages");
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let body = text.trim_end_matches(['\n', '\r']).replace("\\n", "\n");
        serde_json::to_writer(&mut out, &Line::from(classify(body))).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        line.clear();
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(out.flush()?)
}

fn describe(found: Classification) -> String {
    let mut lines = vec![format!("intent   {}", found.intent.as_str())];
    let mut add = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{name:<8} {value}")));
    };
    add("scope", found.scope.as_ref().map(Scope::to_string));
    add("matched", found.matched.map(|words| format!("{words:?}")));
    add("rule", Some(found.rule));
    add("language", found.language);
    add("reply", found.reply);
    let review = "a person must look at it".to_owned();
    add("review", found.review.then_some(review));
    if let Some(explanation) = found.explanation {
        add("ends by", explanation.ends);
        add("read as", Some(format!("{:?}", explanation.normalised)));
        for rejected in explanation.rejected {
            let matched = rejected.matched.unwrap_or_default();
            let why = format!("{} found {matched:?}: {}", rejected.rule, rejected.why);
            add("not", Some(why));
        }
    }
    lines.join("\n")
}
