//! Addresses for miners, each with what holds for those who connect there.

use std::net::SocketAddr;

use stratum::DifficultyRange;

/// One address for miners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinerListener {
    /// Address and TCP port.
    pub address: SocketAddr,
    /// Difficulties of the jobs.
    pub difficulty: DifficultyRange,
    /// Connections begin with a PROXY header.
    pub proxy: bool,
    /// Miners speak TLS.
    pub tls: bool,
}

/// What to write for such an address.
pub(super) const LISTENER: &str = "an address and options, like \"0.0.0.0:3334 start=1000000 min=524288 max=4000000 \
                                   proxy tls\", with numbers above 0 and min <= start <= max";

impl MinerListener {
    /// A plain listener with the default difficulties.
    pub(super) fn plain(address: SocketAddr) -> Self {
        Self { address, difficulty: DifficultyRange::default(), proxy: false, tls: false }
    }

    /// Parses an address and its options, in any sequence. Without a `start`, the default is moved between `min` and `max`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut listener = Self::plain(words.next()?.parse().ok()?);
        let DifficultyRange { mut min, mut max, .. } = listener.difficulty;
        let mut start = None;
        for word in words {
            match word.split_once('=') {
                Some(("start", value)) => start = Some(positive(value)?),
                Some(("min", value)) => min = positive(value)?,
                Some(("max", value)) => max = positive(value)?,
                None if word == "proxy" => listener.proxy = true,
                None if word == "tls" => listener.tls = true,
                _ => return None,
            }
        }
        let start = start.unwrap_or_else(|| listener.difficulty.start.max(min).min(max));
        listener.difficulty = DifficultyRange { start, min, max };
        (min <= start && start <= max).then_some(listener)
    }
}

fn positive(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)
}
