//! A host without the compiler, a tenth of the size: `consentry-without-compiler COMPILED POLICY TEXT`
//! says what a text means to a policy whose native code is in the folder COMPILED. On a machine of the same
//! kind, `consentry policy check POLICY --policy-cache COMPILED` puts it there.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use consentry_host::{CodeCache, Host, Limits};
use consentry_model::{Channel, Contact, Inbound, Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let mut next = || arguments.next().ok_or("usage: COMPILED POLICY TEXT");
    let (compiled, policy): (PathBuf, PathBuf) = (next()?.into(), next()?.into());
    let text = next()?.into_string().map_err(|_| "the text is no UTF-8")?;

    let cache = CodeCache::open(compiled).map_err(|error| error.to_string())?;
    let host = Host::new(Limits::default())?.with_cache(cache);
    let policy = host.load(&fs::read(policy)?);
    let policy = policy.map_err(|error| error.to_string())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let now = Timestamp::from_millis(i64::try_from(now)?).ok_or("the clock is wrong")?;
    let message = Inbound::text(Channel::Sms, text, now);
    let answer = policy.classify(&message, &Arc::new(Contact::default()));
    println!("{}", answer.value.intent.as_str());
    Ok(())
}
