//! Who may use the gate. The caller's `Authorization` is for the provider, so the gate's own key comes by
//! another way: as `X-API-Key`, in the path before the provider's own, or, from clients that take the
//! gate for their proxy, as the user of `Proxy-Authorization`.

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::guard;
use crate::http::problem::Problem;
use crate::keys::{KeyRing, Scope};

/// Where the key stands in a path: before the provider's own.
pub(super) const PREFIX: &str = "/gate/";
pub(super) const KEY_HEADER: &str = "x-api-key";

/// What a caller has shown.
pub(super) struct Access<'a> {
    keys: Option<&'a KeyRing>,
    key: Option<String>,
}

impl<'a> Access<'a> {
    /// Takes the key from a request, and gives the path as the provider has it.
    pub(super) fn of<'p>(
        keys: Option<&'a KeyRing>,
        path: &'p str,
        headers: &HeaderMap,
    ) -> (Self, &'p str) {
        let (in_path, path) = match path.strip_prefix(PREFIX) {
            None => (None, path),
            Some(rest) => match rest.find('/') {
                Some(at) => {
                    let (key, path) = rest.split_at(at);
                    (Some(key.to_owned()), path)
                }
                None => (Some(rest.to_owned()), "/"),
            },
        };
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let key = in_path
            .or_else(|| text(KEY_HEADER))
            .or_else(|| proxy_user(&text(header::PROXY_AUTHORIZATION.as_str())?));
        (Self { keys, key }, path)
    }

    /// Whether it is somebody who is known. Nobody reads a body of others.
    pub(super) fn known(&self) -> Result<(), Problem> {
        match self.check(Scope::Preflight) {
            Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => Err(problem),
            _ => Ok(()),
        }
    }

    /// The name of who asks, if they may.
    pub(super) fn check(&self, scope: Scope) -> Result<&str, Problem> {
        match self.keys {
            None => Ok("local"),
            Some(keys) => guard::check(keys, scope, self.key.as_deref(), HOW),
        }
    }
}

const HOW: &str = "send an API key: in the path, as in https://HOST/gate/KEY and then the provider's \
                   own, or as X-API-Key: KEY";

/// Without keys only this machine is served, by a name of its own or by the provider's, which a client
/// asks by that takes the gate for its proxy. No web page can have either name.
pub(super) fn host(has_keys: bool, headers: &HeaderMap, upstream: &str) -> Result<(), Problem> {
    let named = headers.get(header::HOST).map(|host| host.as_bytes());
    let is_upstream = named.is_some_and(|named| named.eq_ignore_ascii_case(upstream.as_bytes()));
    if has_keys || is_upstream || guard::names_loopback(headers) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong-host",
        "Host: without API keys, ask by the name localhost or by a loopback address",
    ))
}

fn proxy_user(authorization: &str) -> Option<String> {
    let (scheme, login) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let login = String::from_utf8(STANDARD.decode(login.trim()).ok()?).ok()?;
    let user = login.split_once(':').map_or(&*login, |(user, _)| user);
    Some(user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn the_key_is_found_wherever_it_may_come_and_the_path_is_the_providers() {
        let (key, entry) = keys::make("desk", &[Scope::Preflight]).unwrap();
        let ring = KeyRing::parse(&entry).unwrap();
        let basic = format!("Basic {}", STANDARD.encode(format!("{key}:")));
        for (path, headers) in [
            (format!("/gate/{key}/v2/messages"), HeaderMap::new()),
            ("/v2/messages".to_owned(), headers(KEY_HEADER, &key)),
            (
                "/v2/messages".to_owned(),
                headers("proxy-authorization", &basic),
            ),
        ] {
            let (access, path) = Access::of(Some(&ring), &path, &headers);
            assert_eq!(path, "/v2/messages");
            assert_eq!(access.check(Scope::Preflight).unwrap(), "desk");
            assert!(access.check(Scope::Write).is_err());
        }
        let (access, path) = Access::of(Some(&ring), "/gate/cy_other", &HeaderMap::new());
        assert_eq!(path, "/");
        assert!(access.check(Scope::Preflight).is_err());
        // The provider's own credentials are no key.
        let bearer = headers("authorization", &format!("Bearer {key}"));
        let (access, _) = Access::of(Some(&ring), "/v2/messages", &bearer);
        assert!(access.check(Scope::Preflight).is_err());
    }

    #[test]
    fn without_keys_only_this_machine_and_the_providers_own_name_are_served() {
        let upstream = "sms-voice.us-east-1.amazonaws.com";
        for (named, served) in [
            (upstream, true),
            ("SMS-Voice.us-east-1.amazonaws.com", true),
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("sms.example.com", false),
            ("sms-voice.us-east-1.amazonaws.com.example.com", false),
            ("sms-voice.us-east-1.amazonaws.com@example.com", false),
            ("", false),
        ] {
            let headers = headers("host", named);
            assert_eq!(host(false, &headers, upstream).is_ok(), served, "{named}");
            assert!(host(true, &headers, upstream).is_ok());
        }
        assert!(host(false, &HeaderMap::new(), upstream).is_err());
    }
}
