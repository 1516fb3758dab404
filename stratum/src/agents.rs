//! What the server knows of a mining program from its user agent. The only table of this kind.

use std::sync::Arc;

use crate::limits::NICEHASH_DIFFICULTY;

/// The peculiarities of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Agent {
    /// How a word of its user agent begins, in lower case.
    begins: &'static str,
    /// Lowest difficulty that it accepts.
    pub(crate) difficulty_min: f64,
    /// Longest coinbase that it can hold, in bytes. `None` if no limit is known.
    pub(crate) coinbase_bytes_max: Option<usize>,
    /// Whether it shows `client.show_message` to its owner, and follows `client.reconnect`.
    pub(crate) reads_messages: bool,
}

/// A program without peculiarities.
const PLAIN: Agent = Agent { begins: "", difficulty_min: 0.0, coinbase_bytes_max: None, reads_messages: false };

/// Returns a program that holds a coinbase of at most this many bytes.
const fn holds(begins: &'static str, bytes: usize) -> Agent {
    Agent { begins, coinbase_bytes_max: Some(bytes), ..PLAIN }
}

/// Returns a program that reads messages.
const fn reads(begins: &'static str) -> Agent {
    Agent { begins, reads_messages: true, ..PLAIN }
}

/// The first matching row counts; the last one matches all. The sizes are those that other servers found in the field:
/// DATUM Gateway by user agent, and reports of devices that cut the coinbase and then hash another one (NerdMiner 809
/// and 807, SparkMiner 25).
const AGENTS: [Agent; 18] = [
    Agent { difficulty_min: NICEHASH_DIFFICULTY, ..holds("nicehash", 500) },
    holds("nerdminer", 255),
    holds("sparkminer", 255),
    holds("antminer s21", 2_250),
    // Stock firmware of Antminers up to the S19.
    holds("antminer", 755),
    Agent { reads_messages: true, ..holds("bmminer", 755) },
    holds("bosminer", 2_250),
    holds("whatsminer", 6_500),
    holds("bitaxe", 6_500),
    holds("nerdaxe", 6_500),
    holds("nerdqaxe", 6_500),
    holds("xminer", 16_000),
    holds("powerplay-bm", 16_000),
    reads("cgminer"),
    reads("bfgminer"),
    reads("cpuminer"),
    reads("sgminer"),
    PLAIN,
];

/// The longest coinbase that programs can hold, where the operator knows better than this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinbaseLimit {
    /// How a word of the user agent begins, in any case.
    pub agent: String,
    /// Bytes of the serialized coinbase without witness. `None` for no limit.
    pub bytes: Option<usize>,
}

/// [`CoinbaseLimit`]s, the first that fits counts.
pub type CoinbaseLimits = Arc<[CoinbaseLimit]>;

/// Returns what is known of the program with this user agent.
pub(crate) fn known(user_agent: &str, limits: &[CoinbaseLimit]) -> Agent {
    let user_agent = format!(" {}", user_agent.trim().to_lowercase());
    let fits = |begins: &str| begins.is_empty() || user_agent.contains(&format!(" {begins}"));
    let agent = AGENTS.into_iter().find(|agent| fits(agent.begins)).unwrap_or(PLAIN);
    match limits.iter().find(|limit| fits(&limit.agent.to_lowercase())) {
        Some(limit) => Agent { coinbase_bytes_max: limit.bytes, ..agent },
        None => agent,
    }
}

#[cfg(test)]
mod tests;
