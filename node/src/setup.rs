//! `shoal setup`: writes a configuration from a few answers, checks it, and prints the settings for a miner.
//!
//! ```text
//! answers.rs   the settings that are known so far, and their file
//! bitcoind.rs  finds a running bitcoind and its cookie
//! ```
//!
//! Every answer is a key of the configuration, so that its flag (or environment variable) answers the question beforehand.

mod answers;
mod bitcoind;

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::SocketAddr;

use crate::check;
use crate::config::{Config, ConfigError, Overrides, keys};
use crate::error::NodeError;
use crate::lan::{own_addresses, reached_at};
use crate::pair;
use answers::Answers;

/// Options of the command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// Ask nothing: use flags, and defaults for the rest.
    pub yes: bool,
    /// Overwrite an existing file.
    pub force: bool,
}

/// A question.
struct Question {
    key: &'static keys::Key,
    text: &'static str,
    /// The answer to an empty line; empty if the key then stays at its default.
    default: &'static str,
}

const PEERS: Question = Question {
    key: &keys::P2P_PEERS,
    text: "First node to connect to, as /ip4/192.0.2.7/tcp/3381; `new` starts a new pool",
    default: "",
};

const QUESTIONS: [Question; 4] = [
    Question {
        key: &keys::ADDRESS,
        text: "Your payout address, for miners that give none; empty if each gives its own",
        default: "",
    },
    Question { key: &keys::POOL, text: "Name of a private pool; empty for the public one", default: "" },
    Question { key: &keys::STRATUM_LISTEN, text: "Address and port for miners", default: "0.0.0.0:3333" },
    Question {
        key: &keys::API_LISTEN,
        text: "Address and port of the web pages; 0.0.0.0:3380 opens them to your network",
        default: "127.0.0.1:3380",
    },
];

/// Asks, writes the file, checks it, and prints the miner's settings and a link to the pages.
///
/// # Errors
/// The file exists or cannot be written, an answer is missing, the check fails, or standard output is closed.
pub(crate) async fn setup(overrides: &Overrides, how: How) -> Result<(), NodeError> {
    let path = overrides.target().ok_or(ConfigError::NoHome { key: "config" })?;
    if path.exists() && !how.force {
        return Err(NodeError::SetupExists { path });
    }
    let mut answers = Answers::new(overrides, path);
    let mut asking = Asking { yes: how.yes, is_terminal: io::stdin().is_terminal() };
    // Wrong flags are reported before the first question.
    answers.config().map_err(|error| answers.wrong(&error))?;
    let found = bitcoind::find(&mut answers).await;
    writeln!(io::stdout(), "{}", found.map_err(|error| answers.wrong(&error))?)?;
    for question in &QUESTIONS {
        asking.ask(&mut answers, question)?;
    }
    if !answers.has(&keys::NEW_POOL) {
        asking.ask(&mut answers, &PEERS)?;
    }
    answers.write()?;
    let config = answers.config()?;
    let mut out = io::stdout();
    writeln!(out, "{} is written.\n", answers.path().display())?;
    let report = check::check(&config).await;
    writeln!(out, "{report}")?;
    miners(&config, &mut out)?;
    writeln!(out, "\nOpen the node's pages with:\n")?;
    pair::pair(&config)?;
    writeln!(out, "\nStart the node with: shoal run --config {}", answers.path().display())?;
    if report.ok { Ok(()) } else { Err(NodeError::CheckFailed { config: false }) }
}

/// Prints the settings for a miner.
fn miners(config: &Config, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "In your miner, enter:")?;
    let listen = config.stratum.listen;
    for ip in reached_at(listen, own_addresses()) {
        writeln!(out, "  URL       stratum+tcp://{}", SocketAddr::new(ip, listen.port()))?;
    }
    match &config.address {
        Some(_) => writeln!(out, "  User      any name; a payout address in its place is paid instead of yours")?,
        None => writeln!(out, "  User      ADDRESS.WORKER, with your payout address")?,
    }
    writeln!(out, "  Password  x")
}

/// Source of the answers.
struct Asking {
    yes: bool,
    is_terminal: bool,
}

impl Asking {
    /// Asks until the answer is valid. Skips questions that a flag has answered.
    fn ask(&mut self, answers: &mut Answers, question: &Question) -> Result<(), NodeError> {
        let Question { key, text, default } = question;
        if self.yes || answers.has(key) {
            return Ok(());
        }
        loop {
            let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
            let mut out = io::stdout();
            write!(out, "{text}{shown}: ")?;
            out.flush()?;
            let mut line = String::new();
            if io::stdin().lock().read_line(&mut line)? == 0 {
                return Err(NodeError::SetupAnswer { flag: key.flag });
            }
            let answer = line.trim();
            if answer.is_empty() {
                return Ok(());
            }
            let (key, answer) =
                if (key.name, answer) == (PEERS.key.name, "new") { (&keys::NEW_POOL, "true") } else { (*key, answer) };
            match answers.try_set(key, answer) {
                Ok(()) => return Ok(()),
                // A person can correct an answer; a script cannot.
                Err(error) if self.is_terminal => writeln!(out, "{}", answers.words(&error))?,
                Err(error) => return Err(answers.wrong(&error)),
            }
        }
    }
}
