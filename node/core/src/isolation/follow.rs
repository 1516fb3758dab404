//! Reads the share-chain and its changes into facts.

use p2p_proto::Millis;
use sharechain::chain::Missing;
use sharechain::change_set::{ChangeSet, Source, TipChange};
use sharechain::limits::LIST_MAX;
use sharechain::{Chain, ShareId, Timestamp};

use super::own::{OwnShares, SeenLink};
use super::pace::{LinkClock, rates};
use super::{Facts, OwnFacts};

/// What is remembered of the chain's changes.
#[derive(Clone, Debug, Default)]
pub struct ChainWatch {
    own: OwnShares,
    links: LinkClock,
}

impl ChainWatch {
    /// Notes this node's new shares, and the links that entered the main chain. `chain` has the changes already.
    pub fn changed(&mut self, changes: &ChangeSet, chain: &Chain, now: Millis, clock: Timestamp) {
        for accepted in changes.accepted.iter().filter(|accepted| accepted.source == Source::default()) {
            self.own.found(accepted.id, accepted.is_link, now);
        }
        for tip in &changes.tips {
            tip.connected.iter().for_each(|id| self.link(id, chain, now));
            self.note_clock(tip, chain, clock);
        }
    }

    /// Notes whether this node has peers that answer.
    pub fn heard(&mut self, has_peers: bool, now: Millis) {
        self.own.heard(has_peers, now);
    }

    /// This node's shares.
    #[must_use]
    pub fn own(&self) -> OwnFacts {
        self.own.facts()
    }

    /// Writes what the chain shows into the facts.
    pub fn read(&self, chain: &Chain, clock: Timestamp, facts: &mut Facts) {
        facts.height = chain.height();
        facts.rates = rates(chain, clock);
        facts.own = self.own();
        facts.too_old = chain.too_old();
        facts.clock.link_age_s = self.links.median_s();
        (facts.clock.proofs_ahead, facts.bitcoin.unknown_blocks) = (0, 0);
        for missing in chain.missing() {
            match missing {
                Missing::Time(_) => facts.clock.proofs_ahead = facts.clock.proofs_ahead.saturating_add(1),
                Missing::BitcoinHeader(_) => {
                    facts.bitcoin.unknown_blocks = facts.bitcoin.unknown_blocks.saturating_add(1);
                }
                Missing::Proof(_) | Missing::List(_) => {}
            }
        }
    }

    fn link(&mut self, id: &ShareId, chain: &Chain, now: Millis) {
        let Some((link, complete)) = chain.link(id).and_then(|link| Some((link, link.complete()?))) else { return };
        let listing_depth = chain.params().listing_depth;
        let can_list = |id: &ShareId| {
            chain.credit(id).is_some_and(|credit| {
                let depth = link.height.above(credit.anchor_height);
                depth <= listing_depth && chain.main_at(credit.anchor_height) == Some(credit.anchor)
            })
        };
        let seen = SeenLink {
            id: *id,
            parent: link.parent,
            height: link.height,
            list: &complete.list,
            had_room: complete.list.len() < LIST_MAX,
            live: complete.live_since.is_some(),
        };
        self.own.link(seen, listing_depth, can_list, now);
    }

    /// One link of another miner on the old tip is news; several at once were fetched.
    fn note_clock(&mut self, tip: &TipChange, chain: &Chain, clock: Timestamp) {
        if let ([newest], []) = (tip.connected.as_slice(), tip.disconnected.as_slice())
            && let (Some(link), Some(credit)) = (chain.link(newest), chain.credit(newest))
            && credit.source != Source::default()
            && link.complete().is_some_and(|complete| complete.live_since.is_some())
        {
            self.links.note(link.time, clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use sharechain::Proof;
    use testkit::{Spec, World, accepted, miner};

    use super::*;
    use crate::limits::CHANCES;

    /// A chain, and what a node of miner 9 remembers of it. A link comes every ten seconds.
    struct Watched {
        world: World,
        watch: ChainWatch,
        now: Millis,
    }

    impl Watched {
        fn new() -> Self {
            let mut world = World::new();
            world.grow(12, 2);
            world.in_sync();
            let mut watch = ChainWatch::default();
            watch.heard(true, Millis(0));
            Self { world, watch, now: Millis(0) }
        }

        fn insert(&mut self, proof: &Proof, list: Option<Vec<ShareId>>, source: u64) {
            let bound = self.world.bind(proof);
            let outcome = self.world.chain.insert(bound, list, Source(source), self.world.now);
            self.watch.changed(&accepted(outcome), &self.world.chain, self.now, self.world.now);
        }

        fn pass(&mut self) {
            self.now = self.now.plus(10_000);
            self.world.now = self.world.now.plus(10);
        }

        fn own_share(&mut self) {
            let proof = self.world.mine(&self.world.spec(miner(9)));
            self.insert(&proof, None, 0);
        }

        /// Another miner's link on the tip, with or without what it should list.
        fn others_link(&mut self, censors: bool) {
            self.pass();
            let tip = self.world.chain.tip();
            let list = if censors { Vec::new() } else { self.world.chain.listable(&tip).unwrap() };
            let spec = Spec { link: true, list: list.clone(), ..self.world.spec_on(tip, miner(1)) };
            let proof = self.world.mine(&spec);
            self.insert(&proof, Some(list), 1);
            assert_eq!(self.world.chain.tip(), proof.id());
        }

        fn facts(&self) -> Facts {
            let mut facts = Facts::default();
            self.watch.read(&self.world.chain, self.world.now, &mut facts);
            facts
        }
    }

    #[test]
    fn a_majority_that_leaves_out_valid_shares_is_noticed_on_a_real_chain() {
        let mut watched = Watched::new();
        for _ in 0..6 {
            watched.others_link(false);
        }
        for _ in 0..5 {
            watched.own_share();
        }
        for _ in 0..5 + CHANCES {
            watched.others_link(true);
        }
        assert_eq!(watched.facts().own, OwnFacts { judged: 5, left_out: 5 });
        assert_eq!((watched.facts().clock.link_age_s, watched.facts().clock.proofs_ahead), (Some(0), 0));
        // An honest link ends it.
        watched.others_link(false);
        assert_eq!(watched.facts().own, OwnFacts { judged: 5, left_out: 0 });
    }

    #[test]
    fn honest_links_leave_nothing_out() {
        let mut watched = Watched::new();
        for _ in 0..20 {
            watched.own_share();
            watched.others_link(false);
        }
        let own = watched.facts().own;
        assert!(own.judged >= 19 && own.left_out == 0, "{own:?}");
    }
}
