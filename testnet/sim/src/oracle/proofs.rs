//! Judgement: nothing is accepted that nobody found, nothing that an honest miner found is called invalid, and no honest
//! node is banned by another for what it sent.

use p2p_proto::Misbehaviour;
use sharechain::ShareId;

use super::chain_view::LinkView;
use super::{Finding, Oracle};
use crate::full::ledger::{Find, Verdict};
use crate::full::node::SimNode;
use crate::full::surroundings::Surroundings;
use crate::time::Micros;
use crate::world::{Miner, World};

/// How far back nodes are asked whether they refuse a find.
const REFUSED_WITHIN: Micros = Micros::from_secs(60);

/// Finds and bans that were looked at so far.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    finds: usize,
    bans: usize,
}

/// What a link credits was found by somebody, and has the work that it needs.
///
/// # Errors
/// What was not.
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
    /// Looks at finds and bans since the last call.
    ///
    /// # Errors
    /// A valid find that its own node calls invalid, or an unjust ban.
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
            // Whose line is too slow for its answers may be let go; who told the truth, and kept to the limits, may not.
            let unjust = ban.why != Misbehaviour::Timeout;
            let honest = [ban.by, ban.whom].iter().all(|node| world.nodes[node.index()].strategist().is_honest());
            if unjust && honest {
                let what = format!("node {} bans node {}, which is honest: {:?}", ban.by.0, ban.whom.0, ban.why);
                return Err(Oracle::Valid.finds(what));
            }
        }
        Ok(())
    }

    /// Looks whether any honest node refuses what honest miners found lately.
    ///
    /// # Errors
    /// What is refused.
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

/// Whether an honest node found it.
pub(super) fn is_honest(find: &Find, world: &World<SimNode>) -> bool {
    let Miner { node, .. } = world.schedule.miners()[find.miner.index()];
    world.nodes[node.index()].strategist().is_honest()
}
