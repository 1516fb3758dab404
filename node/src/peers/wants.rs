//! What the chain waits for, and where it comes from: Bitcoin headers from the own bitcoind first, everything else from
//! peers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::BlockHash;
use p2p::limits::LOCATOR_MAX;
use p2p::sync::{Input, Want};
use p2p::{PeerId, PeerInfo};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::Missing;

use super::Peers;
use super::lookup::Lookup;
use crate::engine::EngineStopped;
use crate::state::PeerView;

impl Peers {
    /// Asks for everything that the chain waits for; `from` sent what made it wait.
    pub(super) async fn want_missing(&mut self, from: Option<PeerId>) -> Result<(), EngineStopped> {
        let missing: Vec<Missing> =
            self.links.engine.call(|engine| engine.chain().missing().take(p2p::limits::WANTS_MAX).collect()).await?;
        for missing in missing {
            self.want(missing, from);
        }
        Ok(())
    }

    /// Asks for one thing: a Bitcoin header at the own bitcoind first, everything else at peers.
    pub(super) fn want(&mut self, missing: Missing, from: Option<PeerId>) {
        let want = match missing {
            Missing::Proof(id) => Want::Proof(id),
            Missing::Body(id) => Want::Body(id),
            Missing::BitcoinHeader(hash) => return self.lookups.ask(hash, from),
            Missing::Time(_) => return,
        };
        self.tell_sync(Input::Want { want, from });
    }

    /// Asks peers for a header that the own bitcoind does not have.
    pub(super) fn on_lookup(&mut self, lookup: Lookup) {
        let Lookup { hash, from, found } = lookup;
        let want = Want::Header(hash);
        self.tell_sync(if found { Input::Got(want) } else { Input::Want { want, from } });
    }

    /// Shows the connected peers to whoever looks.
    pub(super) async fn show_peers(&mut self) {
        let Ok(peers) = self.links.network.peers().await else { return };
        self.tips.retain(|known, _| peers.iter().any(|info| info.peer == *known));
        let views = peers.into_iter().map(|peer| self.view(peer)).collect();
        self.views.peers.send_replace(Arc::new(views));
    }
}

impl Peers {
    fn view(&self, info: PeerInfo) -> PeerView {
        let tip = self.tips.get(&info.peer);
        let connected = Duration::from_millis(info.connected_ms);
        let now = Instant::now();
        PeerView {
            id: info.peer.to_string(),
            address: info.addr,
            inbound: info.inbound,
            agent: Some(info.user_agent).filter(|agent| !agent.is_empty()),
            height: tip.map(|tip| tip.height.0),
            tip: tip.map(|tip| tip.tip.block_hash()),
            points: info.points,
            since: now.checked_sub(connected).unwrap_or(now),
        }
    }
}

/// Hashes of known Bitcoin headers from the best down, at growing distances.
pub(super) fn bitcoin_locator(bitcoin: &BitcoinHeaders) -> Vec<BlockHash> {
    const DENSE: usize = 10;
    let best = bitcoin.best();
    let (tip, mut height, mut step) = (best.header.block_hash(), best.height, 1_u32);
    let mut locator = Vec::new();
    while let Some(hash) = bitcoin.ancestor(&tip, height) {
        locator.push(hash);
        if height == 0 || locator.len() == LOCATOR_MAX {
            break;
        }
        if locator.len() >= DENSE {
            step = step.saturating_mul(2);
        }
        height = height.saturating_sub(step);
    }
    locator
}
