//! Work for peers off the consensus thread, and the command that shows them.
//!
//! ```text
//! blocks.rs   builds Bitcoin blocks that peers announced
//! book.rs     the address book on disk
//! command.rs  `shoal peers`: shows peers and bans of a running node, bans and unbans
//! lookup.rs   looks up Bitcoin headers that proofs wait for
//! server.rs   answers requests of peers from published snapshots of the chain
//! ```

mod blocks;
mod book;
pub(crate) mod command;
mod lookup;
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p::{Handle, PeerInfo, Reachability};
use p2p_proto::{PeerId, TipInfo};
use tokio::sync::watch;

use crate::state::PeerView;

pub use blocks::Builder;
pub use book::{BookFile, keep};
pub use lookup::Lookups;
pub use server::Server;

/// Interval between updates of the list of connected peers.
const LOOK: Duration = Duration::from_millis(500);

/// Reported tips of connected peers.
pub type PeerTips = Arc<BTreeMap<PeerId, Option<TipInfo>>>;

/// Publishes the list of connected peers, and how other nodes reach this one, twice a second until the network stops.
pub async fn show(
    network: Handle,
    tips: watch::Receiver<PeerTips>,
    (shown, reach): (watch::Sender<Arc<Vec<PeerView>>>, watch::Sender<Arc<Reachability>>),
) {
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let Ok(peers) = network.peers().await else { return };
        let Ok(reachability) = network.reachability().await else { return };
        reach.send_replace(Arc::new(reachability));
        let tips = Arc::clone(&tips.borrow());
        shown.send_replace(Arc::new(peers.into_iter().map(|info| view(info, &tips)).collect()));
    }
}

fn view(info: PeerInfo, tips: &PeerTips) -> PeerView {
    let tip = tips.get(&info.peer).and_then(Option::as_ref);
    let connected = Duration::from_millis(info.connected_ms);
    let now = Instant::now();
    PeerView {
        id: info.peer.to_string(),
        address: info.addr,
        inbound: info.inbound,
        agent: Some(info.user_agent).filter(|agent| !agent.is_empty()),
        height: tip.map(|tip| tip.height.0),
        tip: tip.map(|tip| tip.tip.block_hash()),
        bitcoin_height: tip.map(|tip| tip.bitcoin_height),
        points: info.points,
        round_trip_ms: info.round_trip_ms,
        since: now.checked_sub(connected).unwrap_or(now),
    }
}
