//! Reads the share-chain and its changes into facts.

use p2p_proto::Millis;
use sharechain::chain::Missing;
use sharechain::change_set::{ChangeSet, Source, TipChange};
use sharechain::limits::LIST_MAX;
use sharechain::{Chain, ShareId, Timestamp};

use super::own::{OwnShares, SeenLink};
use super::pace::{LinkClock, rates};
use super::{Facts, OwnFacts};

/// State kept about the chain's changes.
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
            tip.disconnected.iter().for_each(|id| self.own.unlink(id));
            tip.connected.iter().for_each(|id| self.link(id, chain, now));
            self.note_clock(tip, chain, clock, now);
        }
    }

    /// Records whether this node has peers that answer.
    pub fn heard(&mut self, has_peers: bool, now: Millis) {
        self.own.heard(has_peers, now);
    }

    /// This node's shares.
    #[must_use]
    pub fn own(&self) -> OwnFacts {
        self.own.facts()
    }

    /// Fills in the facts that the chain shows.
    pub fn read(&self, chain: &Chain, now: Millis, clock: Timestamp, facts: &mut Facts) {
        facts.height = chain.height();
        facts.rates = rates(chain, clock);
        facts.own = self.own();
        facts.too_old = chain.too_old();
        facts.clock.link_age_s = self.links.median_s(now);
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

    /// Records the age of the newest link that arrived. It counts even in a reorganization: if this node's clock is wrong, its
    /// links are on a branch of their own, which every link of other miners replaces.
    fn note_clock(&mut self, tip: &TipChange, chain: &Chain, clock: Timestamp, now: Millis) {
        if let Some(newest) = tip.connected.last()
            && let (Some(link), Some(credit)) = (chain.link(newest), chain.credit(newest))
            && credit.source != Source::default()
            && link.complete().is_some_and(|complete| complete.live_since.is_some())
        {
            self.links.note(link.time, clock, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use sharechain::limits::OMISSION_SECONDS;
    use sharechain::{ChainParams, Proof};
    use testkit::{Spec, World, accepted, miner};

    use super::*;
    use crate::limits::CHANCES;

    /// A chain, and what a node of miner 9 remembers of it.
    struct Watched {
        world: World,
        watch: ChainWatch,
        now: Millis,
    }

    impl Watched {
        fn new() -> Self {
            // As deep as on all networks, so that shares can be listed for as long.
            let mut world = World::with(ChainParams { listing_depth: 301, ..testkit::params() });
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

        fn interval_s(&self) -> u32 {
            self.world.chain.params().link_interval_s
        }

        /// Lets the time of a link pass.
        fn pass(&mut self) {
            let seconds = self.interval_s();
            self.now = self.now.plus(u64::from(seconds) * 1_000);
            self.world.now = self.world.now.plus(seconds);
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

        /// A link of this node that lists all, and two of another miner past it that list nothing.
        fn own_link_that_loses(&mut self) {
            self.pass();
            let tip = self.world.chain.tip();
            let list = self.world.chain.listable(&tip).unwrap();
            let spec = Spec { link: true, list: list.clone(), ..self.world.spec_on(tip, miner(9)) };
            let own = self.world.mine(&spec);
            self.insert(&own, Some(list), 0);
            assert_eq!(self.world.chain.tip(), own.id());
            let mut parent = tip;
            for _ in 0..2 {
                self.pass();
                let spec = Spec { link: true, list: Vec::new(), ..self.world.spec_on(parent, miner(1)) };
                let link = self.world.mine(&spec);
                self.insert(&link, Some(Vec::new()), 1);
                parent = link.id();
            }
            assert_eq!(self.world.chain.tip(), parent, "the longer branch wins");
        }

        fn facts(&self) -> Facts {
            let mut facts = Facts::default();
            self.watch.read(&self.world.chain, self.now, self.world.now, &mut facts);
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
        // A link whose parent came more than 30 s later is the first chance.
        for _ in 0..=OMISSION_SECONDS / watched.interval_s() {
            watched.others_link(true);
        }
        for _ in 1..CHANCES {
            watched.others_link(true);
        }
        assert_eq!(watched.facts().own, OwnFacts::default());
        watched.others_link(true);
        assert_eq!(watched.facts().own, OwnFacts { judged: 5, left_out: 5 });
        assert_eq!((watched.facts().clock.link_age_s, watched.facts().clock.proofs_ahead), (Some(0), 0));
        // An honest link ends it.
        watched.others_link(false);
        assert_eq!(watched.facts().own, OwnFacts { judged: 5, left_out: 0 });
    }

    /// A node's own links say nothing of its clock, and neither does a branch that arrives at once after a cut line, except for its newest
    /// link: otherwise, correct nodes would turn their miners away when a partition heals.
    #[test]
    fn neither_own_links_nor_those_of_a_healed_partition_show_the_clock() {
        let mut watched = Watched::new();
        let fork = watched.world.chain.tip();
        for source in [0, 1] {
            let (mut newest, mut links) = (fork, 0);
            while links < 12 || watched.world.chain.tip() != newest {
                watched.pass();
                let spec = Spec { link: true, list: Vec::new(), ..watched.world.spec_on(newest, miner(9)) };
                let link = watched.world.mine(&spec);
                watched.insert(&link, Some(Vec::new()), source);
                (newest, links) = (link.id(), links + 1);
                assert!(links < 60, "no branch of that length is lighter");
            }
            assert_eq!(watched.facts().clock.link_age_s, None, "source {source}");
        }
        // From then on, each link of others is news.
        (0..10).for_each(|_| watched.others_link(false));
        assert_eq!(watched.facts().clock.link_age_s, Some(0));
    }

    #[test]
    fn own_links_that_lose_hide_no_censorship() {
        let mut watched = Watched::new();
        for _ in 0..6 {
            watched.others_link(false);
        }
        // The node finds a link among every few of the censors', which lists its shares, and which they build past.
        for round in 0..20 {
            watched.own_share();
            if round % 4 == 0 {
                watched.own_link_that_loses();
            }
            for _ in 0..3 {
                watched.others_link(true);
            }
        }
        let own = watched.facts().own;
        assert!(own.left_out >= 5 && own.left_out == own.judged, "{own:?}");
    }

    #[test]
    fn honest_links_leave_nothing_out() {
        let mut watched = Watched::new();
        for _ in 0..60 {
            watched.own_share();
            watched.others_link(false);
        }
        let own = watched.facts().own;
        assert!(own.judged >= 59 && own.left_out == 0, "{own:?}");
    }
}
