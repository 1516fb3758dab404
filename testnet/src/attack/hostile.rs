//! The attacker's process, and the newcomer's.
//!
//! ```text
//! tcp.rs       TCP from an address of choice
//! wire.rs      messages as bytes
//! client.rs    a peer that ignores all rules
//! context.rs   inputs and counters of an attack
//! sockets.rs   attacks by connections and streams
//! gossip.rs    attacks by gossip
//! requests.rs  attacks by requests and answers
//! records.rs   attacks by node records
//! newcomer.rs  an honest node's first contact
//! ```

mod client;
mod context;
mod gossip;
mod newcomer;
mod records;
mod requests;
mod sockets;
mod tcp;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::catalog::Attack;
use context::Context;
pub(super) use newcomer::Tries;

/// Arguments of the hidden subcommand of the attacker and the newcomer.
#[derive(Debug, Clone, Args)]
pub struct HostileArgs {
    /// Name of the attack, or `newcomer`
    pub name: String,
    /// Where the victim listens for peers
    #[arg(long)]
    pub node: SocketAddr,
    /// The pool's name for protocols, `/shoal/<16 hex digits>`
    #[arg(long)]
    pub network: String,
    /// Addresses to connect from
    #[arg(long, value_delimiter = ',', required = true)]
    pub from: Vec<Ipv4Addr>,
    /// Address of a third party
    #[arg(long)]
    pub third: Ipv4Addr,
    /// Seconds until the end
    #[arg(long)]
    pub seconds: f64,
    /// A Bitcoin block of the pool, in hexadecimal
    #[arg(long)]
    pub block: PathBuf,
    /// File for the counters, as JSON
    #[arg(long)]
    pub out: PathBuf,
}

/// Runs an attack, or a newcomer's attempts, until the time is over or a signal ends it. Writes the counters.
///
/// # Errors
/// The attack is unknown, or its files cannot be used.
pub async fn run(args: HostileArgs) -> io::Result<()> {
    let time = Duration::from_secs_f64(args.seconds);
    if args.name == "newcomer" {
        let tries = newcomer::run(&args, time).await;
        return std::fs::write(&args.out, serde_json::to_vec(&tries)?);
    }
    let attack: Attack = args.name.parse().map_err(io::Error::other)?;
    let context = Context::new(&args)?;
    let counts = context.counts();
    let mut stop = signal(SignalKind::terminate())?;
    tokio::select! {
        // An attack ends on its own only if it cannot begin.
        ended = tokio::time::timeout(time, wage(attack, context)) => {
            if let Ok(Err(error)) = ended {
                counts.fail(&error);
            }
        }
        _ = stop.recv() => {}
    }
    std::fs::write(&args.out, serde_json::to_vec(&counts.read())?)
}

async fn wage(attack: Attack, context: Context) -> io::Result<()> {
    match attack {
        Attack::FalseTip => requests::false_tip(context).await,
        Attack::JunkBlocks => gossip::junk_blocks(context).await,
        Attack::SilentSockets => sockets::silent(context).await,
        Attack::Slots => sockets::slots(context).await,
        Attack::HalfMessages => sockets::half_messages(context).await,
        Attack::QuicWindows => sockets::quic_windows(context).await,
        Attack::History => requests::history(context).await,
        Attack::BadIdentities => gossip::bad_identities(context).await,
        Attack::SideLinks => gossip::side_links(context).await,
        Attack::InvalidShares => gossip::invalid_shares(context).await,
        Attack::Requests => requests::flood(context).await,
        Attack::Handshakes => sockets::handshakes(context).await,
        Attack::JunkStreams => sockets::junk_streams(context).await,
        Attack::Records => records::flood(context).await,
        Attack::ThirdParty => records::third_party(context).await,
        Attack::BadRecords => records::bad(context).await,
        // The test network itself does the killing.
        Attack::Kills => std::future::pending().await,
    }
}
