//! What the server knows of a mining program from its user agent. The only table of this kind.

use crate::limits::NICEHASH_DIFFICULTY;

/// The peculiarities of a program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Agent {
    /// How its user agent begins, in lower case.
    begins: &'static str,
    /// Lowest difficulty that it accepts.
    pub(crate) difficulty_min: f64,
    /// Longest coinbase that it can hold, in bytes.
    pub(crate) coinbase_bytes_max: usize,
    /// Whether it shows `client.show_message` to its owner, and follows `client.reconnect`.
    pub(crate) reads_messages: bool,
}

/// A program without peculiarities.
const PLAIN: Agent = Agent { begins: "", difficulty_min: 0.0, coinbase_bytes_max: usize::MAX, reads_messages: false };

/// The first row that fits counts; the last one fits all.
const AGENTS: [Agent; 9] = [
    Agent { begins: "nicehash", difficulty_min: NICEHASH_DIFFICULTY, ..PLAIN },
    // These cut the coinbase after 255 bytes, and then hash another one.
    Agent { begins: "nerdminer", coinbase_bytes_max: 255, ..PLAIN },
    Agent { begins: "sparkminer", coinbase_bytes_max: 255, ..PLAIN },
    Agent { begins: "cgminer", reads_messages: true, ..PLAIN },
    Agent { begins: "bfgminer", reads_messages: true, ..PLAIN },
    Agent { begins: "cpuminer", reads_messages: true, ..PLAIN },
    Agent { begins: "sgminer", reads_messages: true, ..PLAIN },
    Agent { begins: "bmminer", reads_messages: true, ..PLAIN },
    PLAIN,
];

/// Returns what is known of the program with this user agent.
pub(crate) fn known(user_agent: &str) -> Agent {
    let user_agent = user_agent.trim().to_ascii_lowercase();
    AGENTS.into_iter().find(|agent| user_agent.starts_with(agent.begins)).unwrap_or(PLAIN)
}
