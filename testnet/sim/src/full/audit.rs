//! The fate of all proofs found, by the chain of one node. It is read from the node's main chain and its disk, because
//! a chain forgets lists that are too deep to change.

use std::collections::{BTreeMap, BTreeSet};

use node_core::journal::{Journal, RecordKind};
use sharechain::chain::Fate as ChainFate;
use sharechain::encode::decode_list;
use sharechain::{Height, ShareId};

use super::ledger::expected_blocks;
use super::node::SimNode;
use super::surroundings::Surroundings;
use crate::ids::{MinerId, NodeId};
use crate::time::Micros;
use crate::world::World;

/// The fate of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It is a link of the main chain.
    MainLink,
    /// A link of the main chain lists it.
    Listed,
    /// It can still be listed.
    Pending,
    /// It can no longer be listed.
    Expired,
    /// Its finder never published it.
    Withheld,
    /// The finder's node rejected it.
    Refused,
    /// The node does not know it.
    Unknown,
}

/// The main chain of one node, link by link.
#[derive(Debug)]
pub struct Audit {
    /// Height at which each proof is listed, or is a link.
    pub listed: BTreeMap<ShareId, Height>,
    /// Ids of the main chain, genesis first.
    pub main: Vec<ShareId>,
    /// Credited weight of each miner, in expected Bitcoin blocks.
    pub credited: BTreeMap<MinerId, f64>,
    /// Weight credited to scripts that belong to no miner, in expected Bitcoin blocks.
    pub credited_elsewhere: f64,
}

impl Audit {
    /// Reads the main chain of a running node. Returns `None` if the node is down.
    #[must_use]
    pub fn of(node: &SimNode, surroundings: &Surroundings) -> Option<Self> {
        let chain = node.chain()?;
        let main: Vec<ShareId> = (0..=chain.height().0).map_while(|height| chain.main_at(Height(height))).collect();
        let mut audit = Self { listed: BTreeMap::new(), main, credited: BTreeMap::new(), credited_elsewhere: 0.0 };
        for (height, id) in (1u32..).zip(audit.main.iter().skip(1)) {
            audit.listed.insert(*id, Height(height));
            let list = node.disk().get(RecordKind::List, &id.0).ok().flatten();
            let list = list.and_then(|bytes| decode_list(&bytes).ok()).unwrap_or_default();
            audit.listed.extend(list.into_iter().map(|listed| (listed, Height(height))));
            let Some(complete) = chain.link(id).and_then(|link| link.complete()) else { continue };
            for row in complete.rows.iter() {
                let script = chain.scripts().script(row.script);
                match script.and_then(|script| surroundings.ledger.miner(script)) {
                    Some(miner) => *audit.credited.entry(miner).or_default() += expected_blocks(row.weight),
                    None => audit.credited_elsewhere += expected_blocks(row.weight),
                }
            }
        }
        Some(audit)
    }

    /// Returns the fate of a proof.
    #[must_use]
    pub fn end(&self, id: &ShareId, node: &SimNode, withheld: &BTreeSet<ShareId>) -> End {
        if let Some(height) = self.listed.get(id) {
            return if self.main.get(height.0 as usize) == Some(id) { End::MainLink } else { End::Listed };
        }
        if withheld.contains(id) {
            return End::Withheld;
        }
        match node.chain().map(|chain| chain.fate(id)) {
            Some(ChainFate::Pending | ChainFate::Held(_)) => End::Pending,
            Some(ChainFate::Expired) => End::Expired,
            Some(ChainFate::Refused(_)) => End::Refused,
            _ => End::Unknown,
        }
    }
}

/// Returns the running honest node whose tip has the most work, the first of several. Its chain is the reference.
#[must_use]
pub fn referee(world: &World<SimNode>) -> Option<NodeId> {
    let mut best = None;
    for (index, node) in world.nodes.iter().enumerate() {
        let Some(chain) = node.chain().filter(|_| node.strategist().is_honest()) else { continue };
        let work = chain.link(&chain.tip()).map(|link| link.chain_work);
        if best.is_none_or(|(_, most)| work > most) {
            best = Some((NodeId::of(index), work));
        }
    }
    best.map(|(node, _)| node)
}

/// Returns the time at which the link that lists a proof, or is it, was found.
#[must_use]
pub fn listed_at(audit: &Audit, surroundings: &Surroundings, id: &ShareId) -> Option<Micros> {
    let height = audit.listed.get(id)?;
    let link = audit.main.get(height.0 as usize)?;
    surroundings.ledger.find(link).map(|find| find.at)
}
