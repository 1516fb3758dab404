//! Addresses for miners, each with its options.

use std::net::SocketAddr;

use p2p_proto::prefix::Prefix;
use stratum::DifficultyRange;

/// One address for miners.
#[derive(Clone, Debug, PartialEq)]
pub struct MinerListener {
    /// Address and TCP port.
    pub address: SocketAddr,
    /// Difficulties of the jobs.
    pub difficulty: DifficultyRange,
    /// Load balancers that begin their connections with a PROXY header, and alone may connect. None: miners connect.
    pub proxies: Vec<Prefix>,
    /// Miners speak TLS.
    pub tls: bool,
    /// Miners speak Stratum v2.
    pub v2: bool,
}

/// Advice for a text that does not begin with an address.
const ADDRESS: &str = "an address and options, like \"0.0.0.0:3334 start=1000000 min=524288 max=4000000 tls proxy=10.0.0.5\" or \"0.0.0.0:3336 v2\"";
/// Advice for an option that is unknown or written twice.
const OPTION: &str = "each of the options start=, min=, max=, tls, v2 and proxy= at most once, separated by blanks";
/// Advice for Stratum v2 with TLS.
const SEALED: &str = "v2 without tls: Stratum v2 has an encryption of its own";
/// Advice for difficulties.
const DIFFICULTY: &str = "difficulties above 0 with min <= start <= max";
/// Advice for load balancers.
const PROXY: &str = "proxy= and the address or range of your load balancer, like proxy=10.0.0.5 or proxy=10.0.0.0/24, \
                     with commas between several; a client that connects from there can name any address";

impl MinerListener {
    /// A plain listener with the default difficulties.
    pub(super) fn plain(address: SocketAddr) -> Self {
        Self { address, difficulty: DifficultyRange::default(), proxies: Vec::new(), tls: false, v2: false }
    }

    /// Parses an address and its options, in any order. Without a `start`, the default is moved between `min` and `max`.
    ///
    /// # Errors
    /// What to write instead.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = text.split_whitespace();
        let mut listener = Self::plain(words.next().and_then(|word| word.parse().ok()).ok_or(ADDRESS)?);
        let (mut start, mut min, mut max) = (None, None, None);
        for word in words {
            let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
            match (option, value) {
                ("start", Some(value)) => once(&mut start, difficulty(value)?)?,
                ("min", Some(value)) => once(&mut min, difficulty(value)?)?,
                ("max", Some(value)) => once(&mut max, difficulty(value)?)?,
                ("tls", None) if !listener.tls => listener.tls = true,
                ("v2", None) if !listener.v2 => listener.v2 = true,
                ("proxy", None) => return Err(PROXY),
                ("proxy", Some(value)) if listener.proxies.is_empty() => {
                    let ranges = value.split(',').map(|range| range.parse().ok());
                    listener.proxies = ranges.collect::<Option<_>>().ok_or(PROXY)?;
                }
                _ => return Err(OPTION),
            }
        }
        if listener.v2 && listener.tls {
            return Err(SEALED);
        }
        let range = listener.difficulty;
        let (min, max) = (min.unwrap_or(range.min), max.unwrap_or(range.max));
        let start = start.unwrap_or_else(|| range.start.max(min).min(max));
        listener.difficulty = DifficultyRange { start, min, max };
        if min <= start && start <= max { Ok(listener) } else { Err(DIFFICULTY) }
    }

    /// Whether the system cannot bind both addresses.
    pub(super) fn collides(&self, other: &Self) -> bool {
        let (one, two) = (self.address, other.address);
        // An unspecified IPv6 address accepts IPv4, too.
        let is_all = |ip: SocketAddr, of: SocketAddr| ip.ip().is_unspecified() && (ip.is_ipv6() || of.is_ipv4());
        one.port() == two.port() && one.port() != 0 && (one.ip() == two.ip() || is_all(one, two) || is_all(two, one))
    }
}

fn once(place: &mut Option<f64>, value: f64) -> Result<(), &'static str> {
    place.replace(value).map_or(Ok(()), |_| Err(OPTION))
}

fn difficulty(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0).ok_or(DIFFICULTY)
}
