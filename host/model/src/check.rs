//! What a policy may say at all. Whoever hosts one translates its answer into the types of this crate, and
//! lets nothing of it get further before it has passed here.

use crate::{Category, Classification, Decision, SendRoute, Verdict};

/// No answer needs more: a change for each channel and a dozen categories, a long reply, a name.
const MAX_CHANGES: usize = 64;
const MAX_TRACE: usize = 256;
const MAX_REPLY: usize = 4096;
const MAX_NAME: usize = 256;

type Checked<T> = Result<T, String>;

/// What was understood of a message, when it may be said.
pub fn classification(found: Classification) -> Checked<Classification> {
    if found.changes.len() > MAX_CHANGES {
        return Err(format!("it has {} consent changes", found.changes.len()));
    }
    if let Some(crate::Scope::Topic(words)) = &found.scope {
        bounded(words, MAX_NAME, "topic")?;
    }
    optional(&found.reply, MAX_REPLY, "reply")?;
    optional(&found.asks, MAX_REPLY, "question")?;
    bounded(&found.rule, MAX_NAME, "rule")?;
    optional(&found.language, MAX_NAME, "language")?;
    if let Some(explanation) = &found.explanation {
        if explanation.rejected.len() > MAX_TRACE {
            return Err(format!("it rejected {} rules", explanation.rejected.len()));
        }
        for rejection in &explanation.rejected {
            bounded(&rejection.rule, MAX_NAME, "rule")?;
            bounded(&rejection.why, MAX_REPLY, "reason")?;
        }
        optional(&explanation.ends, MAX_NAME, "rule")?;
    }
    Ok(found)
}

/// The answer about a message that somebody wants to send, when it may be given.
pub fn decision(decided: Decision) -> Checked<Decision> {
    if decided.trace.len() > MAX_TRACE {
        return Err(format!("its trace has {} steps", decided.trace.len()));
    }
    if decided.reasons.len() > MAX_CHANGES || decided.limits.len() > MAX_CHANGES {
        return Err("it has too many reasons or limits".to_owned());
    }
    if (decided.verdict == Verdict::Allow) != (decided.route == SendRoute::Send) {
        return Err("it sends what it does not allow, or allows what it does not send".to_owned());
    }
    for step in &decided.trace {
        bounded(&step.rule, MAX_NAME, "rule")?;
    }
    for reason in decided.reasons.iter().chain([&decided.reason]) {
        bounded(reason, MAX_NAME, "reason")?;
    }
    for limit in &decided.limits {
        if limit.categories.len() > MAX_TRACE || limit.channels.len() > MAX_CHANGES {
            return Err("a limit names too many categories or channels".to_owned());
        }
        if limit.window <= 0 {
            return Err(format!("a limit counts {} milliseconds", limit.window));
        }
        bounded(&limit.rule, MAX_NAME, "rule")?;
    }
    Ok(decided)
}

/// A category's name.
pub fn category(name: &str) -> Checked<Category> {
    name.parse()
        .map_err(|error: crate::BadCategory| error.to_string())
}

/// The words of a message from one byte up to another.
pub fn cut(body: &str, start: u32, end: u32) -> Checked<String> {
    body.get(start as usize..end as usize)
        .map(str::to_owned)
        .ok_or_else(|| format!("bytes {start} to {end} are not in the message"))
}

/// As much of a name as is shown.
pub fn short(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

fn optional(text: &Option<String>, limit: usize, what: &str) -> Checked<()> {
    text.as_ref()
        .map_or(Ok(()), |text| bounded(text, limit, what))
}

fn bounded(text: &str, limit: usize, what: &str) -> Checked<()> {
    if text.len() > limit {
        return Err(format!("its {what} has {} bytes", text.len()));
    }
    Ok(())
}
