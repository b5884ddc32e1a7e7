//! Whether a host is this machine.

use std::net::IpAddr;

/// Whether a host, as a URL or a `Host` header has it, is `localhost` or a loopback address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
