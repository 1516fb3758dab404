//! Verdicts: no proof is accepted that no miner found, no node calls an honest miner's proof invalid, and no honest
//! node is banned for its messages.

use p2p_proto::Misbehaviour;
use sharechain::ShareId;

use super::chain_view::LinkView;
use super::{Finding, Oracle};
use crate::full::ledger::{Find, Verdict};
use crate::full::node::SimNode;
use crate::full::surroundings::Surroundings;
use crate::time::Micros;
use crate::world::{Miner, World};

/// Age of proofs for which nodes are asked whether they reject them.
const REFUSED_WITHIN: Micros = Micros::from_secs(60);

/// Number of proofs and bans checked so far.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    finds: usize,
    bans: usize,
}

/// Checks that each credited proof was found by a miner and has enough work.
///
/// # Errors
/// If one was not.
pub(super) fn check_found(
    id: &ShareId,
    link: &LinkView,
    node: &SimNode,
    surroundings: &Surroundings,
) -> Result<(), Finding> {
    for item in link.list.iter().chain([id]) {
        if surroundings.ledger.find(item).is_none() {
            return Err(Oracle::Invalid.finds(format!("link {id} credits {item}, which nobody found")));
        }
        let chain = node.chain();
        let parent = chain.and_then(|chain| chain.link(&chain.credit(item)?.parent));
        if parent.is_some_and(|parent| item.as_number() > parent.position.share_target) {
            return Err(Oracle::Invalid.finds(format!("link {id} credits {item}, which has too little work")));
        }
    }
    Ok(())
}

impl Proofs {
    /// Checks the proofs and bans since the last call.
    ///
    /// # Errors
    /// If a valid proof was called invalid by its own node, or a ban was unjust.
    pub(super) fn check(&mut self, world: &World<SimNode>) -> Result<(), Finding> {
        let ledger = &world.environment.ledger;
        for find in ledger.finds().get(self.finds..).unwrap_or_default() {
            self.finds += 1;
            if let (true, Verdict::Invalid(rule)) = (is_honest(find, world), find.verdict) {
                return Err(Oracle::Valid.finds(format!("{} is called invalid by its finder: {rule}", find.id)));
            }
        }
        for ban in ledger.bans.get(self.bans..).unwrap_or_default() {
            self.bans += 1;
            // A node may be disconnected if its line is too slow for its answers, but not if it was truthful and kept
            // to the limits.
            let unjust = ban.why != Misbehaviour::Timeout;
            let honest = [ban.by, ban.whom].iter().all(|node| world.nodes[node.index()].strategist().is_honest());
            if unjust && honest {
                let what = format!("node {} bans node {}, which is honest: {:?}", ban.by.0, ban.whom.0, ban.why);
                return Err(Oracle::Valid.finds(what));
            }
        }
        Ok(())
    }

    /// Checks that no honest node rejects recent proofs of honest miners.
    ///
    /// # Errors
    /// If a node rejects one.
    pub(super) fn check_refusals(&self, world: &World<SimNode>) -> Result<(), Finding> {
        let now = world.schedule.now();
        let finds = world.environment.ledger.finds().iter().rev();
        let lately = finds.take_while(|find| now.since(find.at) <= REFUSED_WITHIN);
        for find in lately.filter(|find| is_honest(find, world)) {
            for (number, node) in world.nodes.iter().enumerate().filter(|(_, node)| node.strategist().is_honest()) {
                if let Some(rule) = node.chain().and_then(|chain| chain.refusal(&find.id)) {
                    return Err(Oracle::Valid.finds(format!("{} is refused by node {number}: {rule}", find.id)));
                }
            }
        }
        Ok(())
    }
}

/// Returns whether an honest node found the proof.
pub(super) fn is_honest(find: &Find, world: &World<SimNode>) -> bool {
    let Miner { node, .. } = world.schedule.miners()[find.miner.index()];
    world.nodes[node.index()].strategist().is_honest()
}
