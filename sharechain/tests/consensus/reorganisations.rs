//! Reorganizations of every depth: the share-chain's up to the bound of finality and beyond, and Bitcoin's below it.
//! Afterwards, a node has the same state as a node that saw only the winning branch.

use sharechain::chain::{Chain, Fate, Outcome};
use sharechain::limits::{SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS};
use sharechain::{ChainParams, Height, Proof, ShareId, Timestamp};
use testkit::recording::window_of;
use testkit::{Spec, World, accepted, miner, params};

/// Deepest reorganization of these tests. It is beyond the bound of finality, which applies only to nodes in sync.
const DEPTH_MAX: u32 = 400;

/// Rules under which links can list the proofs even after a reorganization this deep.
fn patient() -> ChainParams {
    ChainParams { listing_depth: 2 * DEPTH_MAX, credit_depth: 2 * DEPTH_MAX, ..params() }
}

type Mined = (Proof, Option<Vec<ShareId>>);

/// Repeatedly mines a share and a link that lists what it may, by the miners with this number and the next.
fn branch(world: &mut World, links: u32, number: u8) -> Vec<Mined> {
    let mut found = Vec::new();
    for _ in 0..links {
        found.push((world.share(miner(number)), None));
        let (link, list) = world.link(miner(number + 1));
        found.push((link, Some(list)));
    }
    found
}

/// Links by one miner that list nothing.
fn bare(world: &mut World, count: u32, number: u8) -> Vec<Mined> {
    world.bare_links(&miner(number), count).into_iter().map(|link| (link, Some(vec![]))).collect()
}

fn insert(world: &mut World, found: &[Mined], now: Timestamp) {
    world.now = world.now.max(now);
    for (proof, list) in found {
        accepted(world.insert_requested(proof, list.clone()));
    }
}

/// A node's view of its main chain: tip, window, payouts, and which link lists what.
fn view(chain: &mut Chain, bitcoin_tip: bitcoin::BlockHash, of: &[Mined]) -> impl PartialEq + std::fmt::Debug + use<> {
    let tip = chain.tip();
    let plan = (*chain.plan(&tip, &bitcoin_tip).unwrap()).clone();
    let fates: Vec<Fate> = of.iter().map(|(proof, _)| chain.fate(&proof.id())).collect();
    (tip, chain.height(), window_of(chain, tip), plan, fates)
}

/// Depths to test: all up to 20, then in growing steps, and all around the bound of finality.
fn depths() -> Vec<u32> {
    let around = SETTLED_LINKS - 1..=SETTLED_LINKS + 1;
    let mut all: Vec<u32> = (1..=20).chain((20..DEPTH_MAX).step_by(23)).chain(around).chain([DEPTH_MAX]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn reorganisations_of_every_depth_leave_no_trace() {
    let mut common = World::with(patient());
    common.grow(30, 2);
    let (mut left, mut right) = (common.clone(), common.clone());
    right.now = right.now.plus(1);
    let of_left = branch(&mut left, DEPTH_MAX + 2, 10);
    // Its first interval is a second longer, so all its links are slightly easier.
    let of_right = branch(&mut right, DEPTH_MAX + DEPTH_MAX / 10, 20);
    let bitcoin_tip = common.bitcoin_tip.block_hash();
    for depth in depths() {
        let mut node = common.clone();
        let now = left.now.max(right.now);
        let lost = &of_left[..2 * depth as usize];
        insert(&mut node, lost, now);
        assert_eq!(node.chain.height(), Height(30 + depth));
        let before = node.chain.tip();
        let mut won = 0;
        while node.chain.tip() == before {
            insert(&mut node, &of_right[won..won + 2], now);
            won += 2;
        }
        let won = &of_right[..won];
        let mut fresh = common.clone();
        insert(&mut fresh, won, now);
        let found: Vec<Mined> = won.to_vec();
        assert_eq!(
            view(&mut node.chain, bitcoin_tip, &found),
            view(&mut fresh.chain, bitcoin_tip, &found),
            "depth {depth}"
        );
        // The way back gives the same state as before.
        insert(&mut node, &of_left[2 * depth as usize..2 * (depth + 2) as usize], now);
        let mut back = common.clone();
        let all_left = of_left[..2 * (depth + 2) as usize].to_vec();
        insert(&mut back, &all_left, now);
        if node.chain.tip() == back.chain.tip() {
            assert_eq!(view(&mut node.chain, bitcoin_tip, &all_left), view(&mut back.chain, bitcoin_tip, &all_left));
        }
    }
}

#[test]
fn work_of_the_lost_branch_is_listed_down_to_the_anchors_depth() {
    let mut common = World::with(patient());
    common.grow(30, 2);
    let anchor_depth = common.chain.params().anchor_depth;
    for depth in [1, anchor_depth, anchor_depth + 1, anchor_depth + 2, 3 * anchor_depth] {
        let (mut left, mut right) = (common.clone(), common.clone());
        right.now = right.now.plus(1);
        let lost = branch(&mut left, depth, 10);
        let won = branch(&mut right, depth + 2, 20);
        insert(&mut left, &won, right.now);
        assert_eq!(left.chain.tip(), right.chain.tip());
        let (_, list) = left.link(miner(1));
        for (number, (proof, _)) in lost.iter().enumerate() {
            let parents_on_the_branch = number as u32 / 2;
            // Its anchor is on both branches if no more than the anchor's depth of its ancestors are off the chain.
            let due = parents_on_the_branch <= anchor_depth;
            assert_eq!(list.contains(&proof.id()), due, "depth {depth}, proof {number}");
        }
    }
}

#[test]
fn the_bound_of_settled_links_is_exact() {
    for (depth, follows) in [(SETTLED_LINKS - 1, true), (SETTLED_LINKS, true), (SETTLED_LINKS + 1, false)] {
        let mut common = World::new();
        common.grow(12, 1);
        let mut node = common.clone();
        let height = node.chain.bitcoin().best().height;
        node.chain.note_own_bitcoin_height(Some(height));
        let mut rival = common.clone();
        rival.now = rival.now.plus(1);
        bare(&mut node, depth, 10);
        node.chain.note_own_bitcoin_height(Some(height + SETTLED_BITCOIN_BLOCKS));
        let heavier = bare(&mut rival, depth + 20, 20);
        let tip = node.chain.tip();
        insert(&mut node, &heavier, rival.now);
        // A node that follows keeps following. Its own new links become final only with Bitcoin blocks of their own.
        assert_eq!(node.chain.tip() == rival.chain.tip(), follows, "{depth} links");
        assert_eq!(node.chain.conflict().is_some(), !follows);
        assert!(follows || node.chain.tip() == tip);
    }
}

/// The links that they replace came before the node was in sync.
#[test]
fn links_of_a_reorganization_are_settled_in_their_turn() {
    let mut common = World::new();
    common.grow(12, 1);
    let (mut node, mut rival) = (common.clone(), common.clone());
    let height = node.chain.bitcoin().best().height;
    bare(&mut node, 10, 10);
    node.chain.note_own_bitcoin_height(Some(height));
    rival.now = rival.now.plus(1);
    let heavier = bare(&mut rival, SETTLED_LINKS + 1, 20);
    insert(&mut node, &heavier, rival.now);
    assert_eq!(node.chain.tip(), rival.chain.tip());
    node.chain.note_own_bitcoin_height(Some(height + SETTLED_BITCOIN_BLOCKS));
    assert_eq!(node.chain.settled().height, common.chain.height().child());
}

#[test]
fn bitcoin_reorganisations_of_every_depth() {
    const BLOCKS: u32 = 12;
    let mut common = World::new();
    common.grow(20, 2);
    let fork = common.bitcoin_tip;
    for depth in 1..=BLOCKS {
        let mut world = common.clone();
        let mut stale = Vec::new();
        for _ in 0..depth {
            world.bitcoin_block();
            stale.push(world.share(miner(10)));
            stale.push(world.link(miner(10)).0);
        }
        let before = world.bitcoin_tip;
        // First with equal heights: no miner has to switch, and work on either block is valid.
        world.bitcoin_tip = fork;
        (0..depth).for_each(|_| world.bitcoin_block());
        assert_eq!(world.chain.bitcoin().best().header, before, "the first seen stays");
        let rival = world.bitcoin_tip;
        let (on_rival, _) = world.link(miner(11));
        world.bitcoin_tip = before;
        let (on_first, _) = world.link(miner(12));
        assert_eq!(world.chain.link(&on_first.id()).unwrap().parent, on_rival.id(), "links alternate between them");
        // One more block decides, and the chain continues without losing a proof.
        world.bitcoin_tip = rival;
        world.bitcoin_block();
        let (after, _) = world.link(miner(13));
        assert_eq!(world.chain.tip(), after.id());
        let back = Spec { previous_block: before.block_hash(), ..world.spec(miner(14)) };
        let back = world.mine(&back);
        assert!(matches!(world.insert(&back, None), Outcome::Invalid(_)), "not to the lighter one");
        for proof in &stale {
            assert!(matches!(world.chain.fate(&proof.id()), Fate::Listed { .. } | Fate::MainLink(_)));
        }
        // A node that gets Bitcoin's branches in the opposite order agrees.
        let mut other = common.clone();
        other.now = world.now;
        for header in world.bitcoin_headers.iter().rev() {
            other.chain.insert_bitcoin_header(*header, world.now);
        }
        for header in &world.bitcoin_headers {
            other.chain.insert_bitcoin_header(*header, world.now);
        }
        let links = (1..=world.chain.height().0).map(|height| world.chain.main_at(Height(height)).unwrap());
        let known: Vec<ShareId> = links.collect();
        assert!(known.contains(&on_first.id()));
        assert_eq!(other.chain.bitcoin().best().header, world.bitcoin_tip);
        assert!(stale.iter().all(|proof| !matches!(other.insert(proof, None), Outcome::Invalid(_))));
    }
}
