//! An honest node's first contact: it connects, and asks for the tip.

use std::time::{Duration, Instant};

use p2p_proto::Request;
use p2p_proto::message::Response;
use serde::{Deserialize, Serialize};

use super::HostileArgs;
use super::client::{Client, Over, Target};
use super::context::silence;

/// Pause after a failed attempt. A node waits a second before it dials a peer again.
const PAUSE: Duration = Duration::from_millis(500);

/// Maximum number of attempts by each transport, each with a fresh identity.
const TRIES: usize = 3;

/// Seconds until each newcomer was served, or that it waited in vain.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::attack) struct Tries {
    /// By TCP.
    pub(in crate::attack) tcp_s: Vec<f64>,
    /// By QUIC.
    pub(in crate::attack) quic_s: Vec<f64>,
}

impl Tries {
    /// Returns the larger of the medians of both transports' attempts; `None` if there was no attempt.
    pub(in crate::attack) fn seconds(&self) -> Option<f64> {
        let median = |tries: &[f64]| {
            let mut tries = tries.to_vec();
            tries.sort_by(f64::total_cmp);
            tries.get(tries.len() / 2).copied()
        };
        Some(median(&self.tcp_s)?.max(median(&self.quic_s)?))
    }
}

/// Connects by both transports at once, until the time is over or all attempts are made.
pub(super) async fn run(args: &HostileArgs, time: Duration) -> Tries {
    let target = Target { node: args.node, network: args.network.clone(), answer: silence() };
    let (tcp_s, quic_s) = tokio::join!(by(&target, args, Over::Tcp, time), by(&target, args, Over::Quic, time));
    Tries { tcp_s, quic_s }
}

async fn by(target: &Target, args: &HostileArgs, over: Over, time: Duration) -> Vec<f64> {
    let end = tokio::time::Instant::now() + time;
    let mut took = Vec::new();
    while took.len() < TRIES {
        let since = Instant::now();
        let is_served = tokio::time::timeout_at(end, served(target, args, over)).await.is_ok();
        took.push(since.elapsed().as_secs_f64());
        if !is_served {
            break;
        }
    }
    // An attempt cut short says little, unless it is the only one.
    if took.len() > 1 && tokio::time::Instant::now() >= end {
        took.pop();
    }
    took
}

/// Tries until the node shows its tip.
async fn served(target: &Target, args: &HostileArgs, over: Over) {
    loop {
        if let Ok(client) = Client::connect(target, args.from[0], over).await
            && let Ok(answer) = client.ask(&Request::Tip).await
            && matches!(Response::decode(&answer), Ok(Response::Tip(_)))
        {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
