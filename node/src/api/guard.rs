//! Rejects requests before any handler sees them, and sets the headers that every answer carries.

use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota};
use reqwest::Url;
use tokio::time::timeout;

use super::client::client_of;
use super::error::ApiError;
use super::limits::{ANSWER, CLIENTS_COUNTED_MAX, REQUESTS_SAVED_S};
use super::pages;
use super::token::Token;
use crate::config::ApiConfig;
use p2p_proto::netgroup::Host;
use p2p_proto::prefix::Prefix;

/// How long caches may keep an answer of a node that serves everyone: half the time between two links.
const PUBLIC: &str = "public, max-age=5, stale-while-revalidate=30";

/// How long caches may keep an answer that no longer changes: a day, since another version of the program may show
/// more.
const DEEP: &str = "public, max-age=86400, stale-while-revalidate=604800";

/// Marks an answer that no longer changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deep;

/// Decides which requests are admitted, by host name and by client address.
///
/// A foreign web page can make a browser resolve the page's own name to the address of a service that the browser's
/// machine reaches, and then read what is there (DNS rebinding). The name stays in the request. So an API on the
/// loopback interface answers only to names of that interface, and one in a network only to names that no web page can
/// have: addresses, names of local networks, and the name that the operator configured.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    listen: IpAddr,
    configured: IpAddr,
    /// Host of the URL at which the operator reaches the pages.
    pages: Option<Arc<str>>,
    clients: Arc<Clients>,
    proxies: Arc<[Prefix]>,
    token: Token,
    /// True if caches may keep answers.
    public: bool,
}

/// Limits request rates by the unit that a client can own: an IPv4 address, or an IPv6 /64.
type Clients = DefaultKeyedRateLimiter<Host>;

/// Address that a request came from: a client's or a proxy's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client(pub IpAddr);

impl Guard {
    /// A guard for an API that listens on `listen` and is configured by `config`. Its pages are at `pages`, if the
    /// operator configured that.
    pub(super) fn new(listen: SocketAddr, config: &ApiConfig, pages: Option<&Url>, token: Token) -> Self {
        let saved = config.requests_a_second.saturating_mul(REQUESTS_SAVED_S);
        let quota = Quota::per_second(config.requests_a_second).allow_burst(saved);
        let clients = Arc::new(Clients::keyed(quota));
        let proxies = config.trusted_proxies.as_slice().into();
        let pages = pages.and_then(Url::host_str).map(Arc::from);
        let (listen, configured) = (listen.ip(), config.listen.ip());
        Self { listen, configured, pages, clients, proxies, token, public: config.public }
    }

    fn admit(&self, request: &Request) -> Result<(), ApiError> {
        if let Some(Client(client)) = request.extensions().get()
            && let Err(until) =
                self.clients.check_key(&Host::of_ip(client_of(*client, request.headers(), &self.proxies)))
        {
            let wait = until.wait_time_from(self.clients.clock().now());
            return Err(ApiError::TooMany { wait_s: wait.as_secs() + 1 });
        }
        if self.clients.len() > CLIENTS_COUNTED_MAX {
            self.clients.retain_recent();
        }
        if !self.has_any_name(request) && !self.answers_to(request.headers()) {
            return Err(ApiError::Host);
        }
        // A wrong token is an error: a public answer would hide the mistake.
        if self.token.is_wrong_in(request.headers()) {
            return Err(ApiError::WrongToken);
        }
        if has_body(request.headers()) { Err(ApiError::Body) } else { Ok(()) }
    }

    /// True if the node serves everyone, under any name, or the request comes through the operator's proxy, which
    /// decides which names it serves.
    fn has_any_name(&self, request: &Request) -> bool {
        let by_proxy = || {
            let from = request.extensions().get::<Client>();
            from.is_some_and(|Client(from)| self.proxies.iter().any(|range| range.contains(*from)))
        };
        !self.listen.is_loopback() && (self.public || by_proxy())
    }

    fn answers_to(&self, headers: &HeaderMap) -> bool {
        let in_network = !self.listen.is_loopback();
        // More than one Host header is an attempt to show different parsers different names.
        let mut hosts = headers.get_all(header::HOST).iter();
        let name = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().ok().and_then(name_of),
            // Browsers always name the host.
            (None, _) => return in_network,
            _ => None,
        };
        name.is_some_and(|name| self.is_own(name) || (in_network && self.is_of_network(name)))
    }

    /// True for a name that no foreign page can have.
    fn is_of_network(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let is_address = ip_of(&name).is_ok();
        let is_local = !name.contains('.') || LOCAL_DOMAINS.iter().any(|domain| name.ends_with(domain));
        is_address || (is_local && !name.is_empty()) || self.pages.as_deref() == Some(&*name)
    }

    fn is_own(&self, name: &str) -> bool {
        match ip_of(name) {
            Ok(ip) => ip == self.configured || ip == self.listen || ip.is_loopback(),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// Domains that are never delegated in the internet's DNS: those of mDNS and of routers.
const LOCAL_DOMAINS: [&str; 6] = [".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain"];

/// Parses a host as an IP address. IPv6 may be in brackets.
fn ip_of(name: &str) -> Result<IpAddr, AddrParseError> {
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse()
}

/// The host without its port; none if the port is invalid.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.rsplit_once(':') {
        // `[::1]` has colons, but no port after the bracket.
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => return Some(host),
    };
    port.parse::<u16>().is_ok().then_some(name)
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    length.is_some_and(|length| length != "0") || headers.contains_key(header::TRANSFER_ENCODING)
}

/// Paths whose answers must never be cached.
const NEVER_KEPT: [&str; 5] = ["/api/v1/events", "/api/v1/metrics", "/metrics", "/health", "/ready"];

/// True for a request whose answer is the same for everyone for some seconds.
fn is_for_all(request: &Request) -> bool {
    let path = request.uri().path();
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    asks && !request.headers().contains_key(header::AUTHORIZATION) && !NEVER_KEPT.contains(&path)
}

/// Admits or rejects a request, and limits the time for its answer. Answers are not cached unless they say otherwise.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let kept = guard.public && is_for_all(&request);
    let mut response = match guard.admit(&request) {
        Ok(()) => match timeout(ANSWER, next.run(request)).await {
            Ok(response) => response,
            Err(_) => ApiError::Slow.into_response(),
        },
        Err(error) => error.into_response(),
    };
    let kept = kept && (response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED);
    let is_deep = response.extensions().get::<Deep>().is_some();
    let headers = response.headers_mut();
    let kept = kept && headers.get(header::CACHE_CONTROL).is_none_or(|says| says != pages::KEPT);
    if kept {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(if is_deep { DEEP } else { PUBLIC }));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests;
