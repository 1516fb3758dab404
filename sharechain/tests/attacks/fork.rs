//! Branches that the attacker withholds, and branches that it builds on old links.

use sharechain::chain::{Fate, Outcome};
use sharechain::limits::{MEMORY_DEPTH, SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS};
use sharechain::{Height, Proof, RuleError, ShareId, U256, Weight};

use super::{bonus, earned, grown, receive, secret_link, thief, times, unit};
use testkit::{World, accepted, miner};

#[test]
fn selfish_mining() {
    let mut world = grown();
    let honest_play = {
        let mut world = world.clone();
        (0..2).for_each(|_| drop(world.link(thief())));
        world.link(miner(9));
        world.link(miner(1));
        (earned(&mut world, &thief()), earned(&mut world, &miner(9)))
    };
    // The attacker withholds two links until an honest miner has found one beside them, and then publishes.
    let mut secret = world.clone();
    let kept: Vec<_> = (0..2).map(|_| secret.link(thief())).collect();
    let (honest, _) = world.link(miner(9));
    world.now = secret.now;
    for (link, list) in &kept {
        accepted(world.insert(link, Some(list.clone())));
    }
    assert_eq!(world.chain.tip(), kept[1].0.id(), "the honest link lost the race");
    world.link(miner(1));
    let lost = bonus(&world, &honest.id());
    let selfish_play = (earned(&mut world, &thief()), earned(&mut world, &miner(9)));
    assert_eq!(selfish_play.0, honest_play.0, "the attacker earns what it would have earned anyway");
    let left = honest_play.1.0.minus(lost);
    assert_eq!(selfish_play.1, (left, 1), "the honest link earns as a share: it lost its bonus and nothing else");
}

#[test]
fn mining_on_old_parents() {
    const LINKS: u64 = 6;
    // The lazy miner mines two links below the tip, so that its links never extend the chain.
    let mut world = grown();
    let value = unit(&world);
    for _ in 0..LINKS {
        let old = world.chain.main_at(world.chain.height().below(2)).unwrap();
        let (link, list) = secret_link(&mut world, old, thief());
        accepted(world.insert(&link, Some(list)));
        world.link(miner(1));
    }
    let (lazy, shares) = earned(&mut world, &thief());
    assert_eq!((lazy, shares), (times(value, LINKS), LINKS), "it earns as shares do");
    let mut diligent = grown();
    let mut due = Weight::ZERO;
    for _ in 0..LINKS {
        let (link, _) = diligent.link(thief());
        due = due.plus(value).plus(bonus(&diligent, &link.id()));
    }
    assert_eq!(earned(&mut diligent, &thief()).0, due);
    assert!(lazy < due, "and loses the bonus of every link");
}

#[test]
fn the_anchor_is_not_to_be_ground() {
    let mut world = grown();
    let spec = world.spec(thief());
    let mut accepted_anchors = Vec::new();
    for height in 0..=world.chain.height().0 {
        let mut share = world.header_of(&spec);
        share.anchor = world.chain.main_at(Height(height)).unwrap();
        let payouts = world.payouts(&share, &spec.previous_block);
        let anchor = share.anchor;
        let proof = world.mine_with(share, &payouts, spec.previous_block, false);
        match receive(&mut world, &proof) {
            Outcome::Accepted(_) => accepted_anchors.push(anchor),
            Outcome::Invalid(RuleError::Anchor) => {}
            other => panic!("{other:?}"),
        }
    }
    let depth = world.chain.params().anchor_depth;
    let due = world.chain.main_at(world.chain.height().below(depth)).unwrap();
    assert_eq!(accepted_anchors, [due], "one choice, whatever targets and payouts the others would have given");
}

#[test]
fn a_share_is_no_parent() {
    const HEADERS: u32 = 50;
    let mut world = grown();
    let share = world.share(thief());
    let spec = world.spec(thief());
    for number in 0..HEADERS {
        let mut header = world.header_of(&spec);
        (header.parent, header.signals) = (share.id(), number);
        let proof = world.mine_with(header, &[], spec.previous_block, true);
        assert_eq!(receive(&mut world, &proof), Outcome::Invalid(RuleError::ParentNotLink));
    }
    assert_eq!(world.chain.held_len(), 0);
    let value = unit(&world);
    world.link(miner(1));
    assert_eq!(earned(&mut world, &thief()), (value, 1), "{HEADERS} cheap positions, and none is on a chain");
}

/// Gives links without lists to another world, at that world's time or later.
fn publish(links: &[Proof], from: &World, to: &mut World) {
    to.now = to.now.max(from.now);
    for header in &from.bitcoin_headers {
        to.chain.insert_bitcoin_header(*header, to.now);
    }
    for link in links {
        let outcome = to.insert_requested(link, Some(vec![]));
        assert!(matches!(outcome, Outcome::Accepted(_) | Outcome::Known(_)), "{outcome:?}");
    }
}

#[test]
fn share_chain_majority() {
    // This cannot be prevented: 60% of the hashrate make 12 links beside 8 honest ones, and leave out all others.
    const MAJORITY: u32 = 12;
    const HONEST: u32 = 8;
    let mut world = grown();
    let common = world.clone();
    let before = earned(&mut world, &miner(9)).0;
    let mut rival = common.clone();
    rival.now = rival.now.plus(1);
    let private = rival.bare_links(&miner(66), MAJORITY);
    let mut honest = Vec::new();
    for _ in 0..HONEST {
        honest.push(world.share(miner(9)));
        honest.push(world.link(miner(9)).0);
    }
    let at_stake = earned(&mut world, &miner(9)).0.minus(before);
    publish(&private, &rival, &mut world);
    assert_eq!(world.chain.tip(), rival.chain.tip(), "the heavier branch wins");
    assert_eq!(earned(&mut world, &miner(9)).0, before, "what the honest found meanwhile is off the chain");
    // The next honest link lists all work whose anchor is on both branches. This bounds the loss.
    let (_, list) = world.link(miner(1));
    let params = world.chain.params();
    let spared = honest.iter().filter(|proof| list.contains(&proof.id())).count() as u32;
    assert_eq!(spared, 2 * (params.anchor_depth + 1), "a share and a link on each parent up to the anchor's depth");
    let kept = earned(&mut world, &miner(9)).0.minus(before);
    assert!(kept < at_stake, "the rest is lost: {kept:?} of {at_stake:?}");
}

/// A node in sync whose newest final link lies [`SETTLED_LINKS`] below its tip, and its state before those links.
fn with_settled_links() -> (World, World) {
    let mut world = grown();
    let common = world.clone();
    let best = |world: &World| Some(world.chain.bitcoin().best().height);
    let height = best(&world);
    world.chain.note_own_bitcoin_height(height);
    world.bare_links(&miner(1), SETTLED_LINKS + 10);
    for _ in 0..SETTLED_BITCOIN_BLOCKS {
        world.bitcoin_block();
    }
    let height = best(&world);
    world.chain.note_own_bitcoin_height(height);
    (world, common)
}

#[test]
fn deep_private_fork() {
    let (mut world, common) = with_settled_links();
    let mut rival = common;
    rival.now = rival.now.plus(1);
    let private = rival.bare_links(&miner(66), SETTLED_LINKS + 40);
    let (tip, final_link) = (world.chain.tip(), world.chain.settled().id);
    let paid = earned(&mut world, &miner(1));
    publish(&private, &rival, &mut world);
    assert_eq!(world.chain.tip(), tip, "heavier by 30 links, and no node follows");
    assert_eq!(world.chain.settled().id, final_link);
    assert_eq!(world.chain.conflict(), Some(rival.chain.tip()), "the operator hears of it");
    assert_eq!(earned(&mut world, &miner(1)), paid);
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
}

#[test]
fn a_fork_below_the_memory_depth() {
    let mut world = grown();
    let mut rival = world.clone();
    let reach = world.chain.params().listing_depth + 2;
    world.bare_links(&miner(1), MEMORY_DEPTH + reach + 1);
    rival.now = world.now;
    let fork = rival.chain.height();
    let private = rival.bare_links(&miner(66), 50);
    let links = |world: &World, ids: &[ShareId]| ids.iter().filter(|id| world.chain.link(id).is_some()).count();
    let ids: Vec<ShareId> = private.iter().map(Proof::id).collect();
    for proof in &private {
        // The first one is too deep. Those after it lack their parent.
        let outcome = world.insert(proof, Some(vec![]));
        assert!(matches!(outcome, Outcome::Unlistable | Outcome::Held(_)), "{outcome:?}");
    }
    assert!(world.chain.height().above(fork) > MEMORY_DEPTH);
    assert_eq!(links(&world, &ids), 0, "not one link is kept");
    assert!(world.chain.held_len() < private.len());
    assert_eq!(world.chain.fate(&ids[0]), Fate::Unknown);
}

/// Links on genesis that list nothing, with times `step_s` apart, and the work that they claim.
fn from_genesis(payout: u8, count: u32, step_s: u32) -> (World, Vec<Proof>, U256) {
    let mut world = World::with(super::wide());
    world.bitcoin_block();
    let mut links = Vec::new();
    for _ in 0..count {
        world.now = world.now.plus(step_s - world.chain.params().link_interval_s);
        links.extend(world.bare_links(&miner(payout), 1));
    }
    let work = world.chain.link(&world.chain.tip()).unwrap().chain_work.0;
    (world, links, work)
}

#[test]
fn a_newcomer_that_liars_alone_serve() {
    // This cannot be prevented without a checkpoint: a long branch of links that are as easy as the floor allows.
    let reach = super::wide().listing_depth + 2;
    let lies = MEMORY_DEPTH + reach + 1;
    let (liars, false_links, false_work) = from_genesis(66, lies, 60);
    let (honest, links, work) = from_genesis(1, 400, 1);
    let floor = sharechain::Work::of_target(super::wide().easiest_share_target).0;
    assert!(work > false_work, "the honest chain is the heavier one");
    // A node that gets the honest chain before the branch is that deep follows the honest chain.
    let mut warned = World::with(super::wide());
    publish(&false_links[..false_links.len() / 2], &liars, &mut warned);
    publish(&links, &honest, &mut warned);
    assert_eq!(warned.chain.tip(), honest.chain.tip());
    publish(&false_links, &liars, &mut warned);
    assert_eq!(warned.chain.tip(), honest.chain.tip(), "and cannot be talked out of it");
    // A node that gets it later needs a new data folder.
    let mut misled = World::with(super::wide());
    publish(&false_links, &liars, &mut misled);
    let bitcoin = honest.bitcoin_headers.iter();
    bitcoin.for_each(|header| drop(misled.chain.insert_bitcoin_header(*header, misled.now)));
    assert_eq!(misled.insert(&links[0], Some(vec![])), Outcome::Unlistable);
    assert_eq!(misled.chain.tip(), liars.chain.tip());
    // The attack takes hardly more than the floor's work for each link.
    let bound = floor * U256::from(lies + MEMORY_DEPTH / 10);
    assert!(false_work <= bound, "{false_work} hashes, {bound} expected");
}
