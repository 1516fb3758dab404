//! Finds the client of a request, behind reverse proxies.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use p2p_proto::prefix::Prefix;

/// The header field to which each proxy appends its client.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Address of the client whose request came from `from`: the rightmost address that is not a trusted proxy. Untrusted
/// parties wrote everything to the left of it. `X-Forwarded-For` counts, or `Forwarded` (RFC 7239) if it is missing.
pub(super) fn client_of(from: IpAddr, headers: &HeaderMap, trusted: &[Prefix]) -> IpAddr {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|range| range.contains(ip));
    if !is_trusted(from) {
        return from;
    }
    let named = if headers.contains_key(&X_FORWARDED_FOR) {
        named(headers, &X_FORWARDED_FOR, address)
    } else {
        named(headers, &header::FORWARDED, forwarded_for)
    };
    let mut client = from;
    for next in named.into_iter().rev() {
        // A client or an outer proxy wrote something that is not an address.
        let Some(next) = next else { break };
        client = next;
        if !is_trusted(next) {
            break;
        }
    }
    client
}

/// The elements of all fields of this name, in order; none for what is not an address.
fn named(headers: &HeaderMap, name: &HeaderName, read: impl Fn(&str) -> Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(|element| read(element.trim())).collect()
}

/// The `for` parameter of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

/// An address with or without a port; IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests;
