//! Agreement: honest nodes never disagree about settled links, and share one chain soon after the last fault.

use std::collections::{BTreeMap, BTreeSet};

use sharechain::{Chain, Height, ShareId};

use super::calm::Calm;
use super::{Finding, Oracle};
use crate::full::node::SimNode;
use crate::ids::NodeId;
use crate::plant::Plant;
use crate::time::Micros;
use crate::world::World;

/// Largest age of the newest link that all honest nodes share, in seconds: 18 link intervals. Against 40% of the hashrate,
/// a race lasts that long with a probability below 10^-4, and then ends by itself.
const COMMON_WITHIN_S: i64 = 180;

/// Number of links by which a tip may exceed the common link, however old that is. After a collapse of the hashrate,
/// links are rare, and a race of two branches lasts until the next link.
const RACE_LINKS: u32 = 3;

/// Time that a started node has to catch up.
const CATCH_UP: Micros = Micros::from_secs(180);

/// The settled links, as the first node had them.
#[derive(Debug, Default)]
pub(super) struct Settled {
    by_height: BTreeMap<Height, ShareId>,
}

impl Settled {
    /// Compares the settled links of a node from `since` on with those that any node had before. Returns the height up to
    /// which they were compared.
    ///
    /// # Errors
    /// If a link conflicts.
    pub(super) fn check(&mut self, chain: &Chain, since: Height, plant: Option<Plant>) -> Result<Height, Finding> {
        let planted = plant == Some(Plant::SettledAtOnce);
        let newest = if planted { chain.height() } else { chain.settled().height };
        for height in since.0..=newest.0 {
            let height = Height(height);
            let Some(id) = chain.main_at(height) else { continue };
            let known = self.by_height.entry(height).or_insert(id);
            if *known != id {
                return Err(
                    Oracle::Settled.finds(format!("link {id} is settled at height {height}, where {known} was"))
                );
            }
        }
        Ok(newest)
    }
}

/// Returns whether a node and at least half of the other nodes have disconnected from each other because answers took
/// too long. The node then has to wait until the bans end.
fn is_alone(node: NodeId, world: &World<SimNode>) -> bool {
    const BAN: Micros = Micros::from_millis(p2p_proto::limits::BAN_MS);
    let bans = world.environment.ledger.bans.iter().rev();
    let lasting = bans.take_while(|ban| world.schedule.now().since(ban.at) < BAN + CATCH_UP);
    let others: BTreeSet<NodeId> =
        lasting.filter(|ban| ban.by == node || ban.whom == node).flat_map(|ban| [ban.by, ban.whom]).collect();
    others.len() * 2 > world.nodes.len()
}

/// The last start of each node.
#[derive(Debug)]
pub(super) struct Convergence {
    up_since: Vec<Option<Micros>>,
}

impl Convergence {
    /// Creates the state before any node runs.
    #[must_use]
    pub(super) fn new(nodes: usize) -> Self {
        Self { up_since: vec![None; nodes] }
    }

    /// Records whether a node runs.
    pub(super) fn note(&mut self, node: NodeId, runs: bool, now: Micros) {
        let since = &mut self.up_since[node.index()];
        *since = if runs { since.or(Some(now)) } else { None };
    }

    /// Searches for the newest link that all honest nodes share.
    ///
    /// # Errors
    /// If that link is too old.
    pub(super) fn check(&self, world: &World<SimNode>, calm: &Calm) -> Result<(), Finding> {
        let now = world.schedule.now();
        if !calm.between(Micros(now.0.saturating_sub(CATCH_UP.0)), now) {
            return Ok(());
        }
        let long_up = |index: usize| self.up_since[index].is_some_and(|since| now.since(since) >= CATCH_UP);
        let honest = world.nodes.iter().enumerate().filter(|(_, node)| node.strategist().is_honest());
        let honest = honest.filter(|(index, _)| long_up(*index) && !is_alone(NodeId::of(*index), world));
        let chains: Vec<(usize, &Chain)> = honest.filter_map(|(index, node)| Some((index, node.chain()?))).collect();
        let Some((_, first)) = chains.first() else { return Ok(()) };
        let lowest = chains.iter().map(|(_, chain)| chain.height()).min().unwrap_or_default();
        let common = (0..=lowest.0).rev().map(Height).find(|height| {
            let at = first.main_at(*height);
            chains.iter().all(|(_, chain)| chain.main_at(*height) == at)
        });
        let common = common.unwrap_or_default();
        let Some(link) = first.main_at(common).and_then(|id| first.link(&id)) else { return Ok(()) };
        let highest = chains.iter().map(|(_, chain)| chain.height()).max().unwrap_or_default();
        let age_s = crate::full::surroundings::time_at(now).seconds_since(link.time);
        if highest.above(common) > RACE_LINKS && common > Height(0) && age_s > COMMON_WITHIN_S {
            let tips: Vec<String> =
                chains.iter().map(|(node, chain)| format!("{node}: {} at {}", chain.tip(), chain.height())).collect();
            let bans = world.environment.ledger.bans.iter();
            let bans = bans.map(|ban| format!("{} by {} at {} for {:?}", ban.whom.0, ban.by.0, ban.at, ban.why));
            let (tips, bans) = (tips.join(", "), bans.collect::<Vec<_>>().join(", "));
            let what = format!("the last common link, at height {common}, is {age_s} s old; tips {tips}; bans: {bans}");
            return Err(Oracle::Convergence.finds(what));
        }
        Ok(())
    }
}
