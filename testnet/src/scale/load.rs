//! The load of many miners on one node: a separate process, driven over its standard input and output.
//!
//! Commands and events are lines of JSON. Times are microseconds since 1970, so that the driver can compare them with its own.
//!
//! ```text
//! load.rs        the process: commands and events
//! wire.rs        operations of a connection in both protocols
//! v1.rs, v2.rs   the protocols
//! connection.rs  one miner's connection
//! ```

mod connection;
mod v1;
mod v2;
mod wire;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use connection::Connection;
pub(super) use connection::account;
use v1::V1;
use v2::V2;
use wire::Wire;

/// Pause of a thread without work before it waits for more. A thread that wakes for each message takes the processors that the
/// node needs; real devices have their own.
const LOOK: Duration = Duration::from_millis(1);

/// Number of concurrent handshakes.
const HANDSHAKES_MAX: usize = 256;

/// Protocol of the miners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Stratum v1.
    V1,
    /// Stratum v2, a standard channel on each connection.
    V2,
}

/// Arguments of the hidden subcommand.
#[derive(Clone, Debug, Args)]
pub struct LoadArgs {
    /// The node's address for miners
    #[arg(long)]
    server: SocketAddr,
    /// Their protocol
    #[arg(long, value_enum)]
    protocol: Protocol,
    /// Number of connections
    #[arg(long)]
    connections: usize,
    /// Number of loopback addresses that they come from
    #[arg(long)]
    addresses: u8,
    /// Number of accounts that they mine for
    #[arg(long)]
    accounts: u32,
}

/// A command of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Command {
    /// Find this many proofs for the newest job of each connection whose number has this remainder.
    Prepare {
        /// Proofs for each.
        count: u32,
        /// Divisor of the connections' numbers.
        of: usize,
        /// The remainder.
        part: usize,
    },
    /// Submit all of them, evenly over this time.
    Submit {
        /// Milliseconds.
        within_ms: u64,
    },
    /// Close all connections.
    Leave,
}

/// An event for the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Event {
    /// All connections have a job.
    Connected,
    /// The proofs are found.
    Prepared {
        /// All proofs.
        proofs: u64,
    },
    /// All connections have the first job on another Bitcoin tip.
    Tip {
        /// When the first one read it.
        first_us: u64,
        /// When the last one read it.
        last_us: u64,
        /// Bytes of the newest line.
        bytes: usize,
    },
    /// All submits are answered, or never will be.
    Submitted {
        /// Submits that were accepted.
        accepted: u64,
        /// Submits that were not, or got no answer.
        lost: u64,
    },
    /// The node closed connections.
    Closed {
        /// Their number.
        connections: u64,
    },
}

/// Counters of all connections together.
#[derive(Debug, Default)]
struct Counted {
    ready: usize,
    prepared: (usize, u64),
    submitting: usize,
    accepted: u64,
    lost: u64,
    closed: u64,
    /// Tip, connections that have a job on it, first and last time.
    tip: (Vec<u8>, usize, u64, u64),
}

/// State that all connections share.
#[derive(Debug)]
struct Fleet {
    args: LoadArgs,
    counted: Mutex<Counted>,
    handshakes: Semaphore,
}

impl Fleet {
    fn update(&self, change: impl FnOnce(&mut Counted)) {
        change(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A connection has a job.
    fn ready(&self) {
        self.update(|counted| {
            counted.ready += 1;
            if counted.ready == self.args.connections {
                tell(Event::Connected);
            }
        });
    }

    /// A connection has read its first job on this tip.
    fn tip(&self, tip: &[u8], bytes: usize) {
        let now = now_us();
        self.update(|counted| {
            if counted.tip.0 != tip {
                counted.tip = (tip.to_vec(), 0, now, now);
            }
            let (_, count, first_us, last_us) = &mut counted.tip;
            *count += 1;
            *last_us = now;
            if *count == self.args.connections {
                tell(Event::Tip { first_us: *first_us, last_us: *last_us, bytes });
            }
        });
    }

    fn prepared(&self, proofs: u64) {
        self.update(|counted| {
            counted.prepared.0 += 1;
            counted.prepared.1 += proofs;
            if counted.prepared.0 == self.args.connections {
                tell(Event::Prepared { proofs: std::mem::take(&mut counted.prepared).1 });
            }
        });
    }

    /// A connection has all its answers.
    fn submitted(&self, accepted: u64, lost: u64) {
        self.update(|counted| {
            counted.submitting += 1;
            counted.accepted += accepted;
            counted.lost += lost;
            if counted.submitting == self.args.connections {
                tell(Event::Submitted { accepted: counted.accepted, lost: counted.lost });
                (counted.submitting, counted.accepted, counted.lost) = (0, 0, 0);
            }
        });
    }

    fn closed(&self) {
        self.update(|counted| {
            counted.closed += 1;
            tell(Event::Closed { connections: counted.closed });
        });
    }
}

fn tell(event: Event) {
    let line = serde_json::to_string(&event).unwrap_or_default();
    let mut output = std::io::stdout().lock();
    // If the driver is gone, its end is noticed at the input.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// Microseconds since 1970.
pub(super) fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Runs the load until the driver closes the input.
///
/// # Errors
/// The input cannot be read.
pub fn run(args: LoadArgs) -> std::io::Result<()> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().on_thread_park(|| std::thread::sleep(LOOK));
    runtime.build()?.block_on(serve(args))
}

async fn serve(args: LoadArgs) -> std::io::Result<()> {
    let (commands, command) = watch::channel(None);
    let handshakes = Semaphore::new(HANDSHAKES_MAX);
    let fleet = Arc::new(Fleet { counted: Mutex::default(), handshakes, args });
    let mut tasks = JoinSet::new();
    for number in 0..fleet.args.connections {
        let (fleet, command) = (Arc::clone(&fleet), command.clone());
        match fleet.args.protocol {
            Protocol::V1 => tasks.spawn(mine::<V1>(number, fleet, command)),
            Protocol::V2 => tasks.spawn(mine::<V2>(number, fleet, command)),
        };
    }
    while let Some(line) = tokio::task::spawn_blocking(next_line).await?? {
        let wanted: Command = serde_json::from_str(&line)?;
        if wanted == Command::Leave {
            tasks.shutdown().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        commands.send_replace(Some(wanted));
    }
    Ok(())
}

/// Runs one miner.
async fn mine<W: Wire>(number: usize, fleet: Arc<Fleet>, command: watch::Receiver<Option<Command>>) {
    let ended = match Connection::<W>::open(number, Arc::clone(&fleet)).await {
        Ok(connection) => connection.run(command).await,
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        let _ = writeln!(std::io::stderr(), "connection {number}: {error}");
        fleet.closed();
    }
}

/// The next line of the input; none at its end.
fn next_line() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    Ok((std::io::stdin().read_line(&mut line)? > 0).then_some(line))
}
