//! The catalog of attacks on the rules of the share-chain, with one test for each: real rules, and real proof of work
//! at low difficulty. Each test ends with the attacker's gain, a number that follows from the constants.
//! `specs/threats.md` lists the attacks and their tests.
//!
//! ```text
//! binding.rs   other people's work, copies, altered proofs, merkle trees
//! bitcoin.rs   Bitcoin's headers, times and difficulty
//! payout.rs    who is paid, and the draw
//! income.rs    when and for what a miner works: hopping, fees, withheld blocks
//! fork.rs      branches: selfish, lazy, private, majority
//! lists.rs     withheld data, withheld work, censorship
//! settled.rs   bursts and partitions around settled links
//! state.rs     state commitments and null data
//! side.rs      links off the main chain
//! flood.rs     memory and time of nodes
//! ```

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod binding;
mod bitcoin;
mod flood;
mod fork;
mod income;
mod lists;
mod payout;
mod settled;
mod side;
mod state;

use ::bitcoin::ScriptBuf;
use sharechain::chain::Outcome;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{BitcoinParams, ChainParams, Proof, ShareId, Weight};
use testkit::{Spec, World, miner, params};

/// The attacker's payout script.
fn thief() -> ScriptBuf {
    miner(66)
}

/// Rules whose window holds all weight that a test credits, so that sums are exact.
fn wide() -> ChainParams {
    ChainParams { window_weight: Weight(u128::MAX >> 1), ..params() }
}

/// A world in which the coinbase pays several miners and nothing leaves the window.
fn grown() -> World {
    let mut world = World::with(wide());
    world.grow(40, 3);
    world
}

/// At least 256 hashes a block, so that most shares are not blocks and Bitcoin's arithmetic stays exact.
const RARE_BITS: u32 = 0x2000_ffff;

/// Rules on top of a Bitcoin chain whose difficulty changes after this many blocks, and soon to [`RARE_BITS`].
fn retargeting(retarget_blocks: u32, retarget_timespan_s: u32) -> ChainParams {
    let pow_limit_bits = RARE_BITS;
    let min_block_work = 1;
    let bitcoin =
        BitcoinParams { retarget_blocks, retarget_timespan_s, pow_limit_bits, min_block_work, ..wide().bitcoin };
    ChainParams { bitcoin, ..wide() }
}

/// A world whose Bitcoin blocks take 256 hashes, 32 times as many as a share.
fn rare_blocks() -> World {
    const PERIOD: u32 = 4;
    let mut world = World::with(retargeting(PERIOD, PERIOD));
    for _ in 0..2 * PERIOD {
        world.now = world.now.plus(2);
        world.bitcoin_block();
    }
    assert_eq!(world.bitcoin_tip.bits.to_consensus(), RARE_BITS);
    world
}

/// What a node does with a peer's message: first the binding, then the chain.
fn receive(world: &mut World, proof: &Proof) -> Outcome {
    let easiest = world.chain.easiest_plausible_target(world.now);
    match BoundProof::bind(proof.clone(), easiest, world.chain.consensus_id()) {
        Ok(bound) => world.chain.insert(bound, None, Source(7), world.now),
        Err(rule) => Outcome::Invalid(rule),
    }
}

/// Weight and number of credited proofs of a script in the window that ends in the tip.
fn earned(world: &mut World, script: &ScriptBuf) -> (Weight, u64) {
    let tip = world.chain.tip();
    let window = world.chain.window(&tip).unwrap();
    let sum = world.chain.scripts().index(script).map(|index| window.sum(index)).unwrap_or_default();
    (sum.weight, sum.shares)
}

/// Weight of a share that is found on the tip now.
fn unit(world: &World) -> Weight {
    let position = &world.chain.link(&world.chain.build_on()).unwrap().position;
    let bits = world.chain.bitcoin().next_bits(&world.bitcoin_tip.block_hash()).unwrap();
    sharechain::target::weight_of_share(position.share_target, bits, world.chain.params())
}

/// What a link earns in addition to its share.
fn bonus(world: &World, link: &ShareId) -> Weight {
    let link = world.chain.link(link).unwrap();
    sharechain::target::link_bonus(link.target, link.bits, world.chain.params())
}

fn times(weight: Weight, count: u64) -> Weight {
    Weight(weight.0 * u128::from(count))
}

/// Sizes of what a node keeps, also of what others can make it keep.
#[derive(Debug, PartialEq, Eq)]
struct Footprint {
    tip: ShareId,
    held: usize,
    missing: usize,
    pending: usize,
    scripts: usize,
}

fn footprint(world: &World) -> Footprint {
    let chain = &world.chain;
    Footprint {
        tip: chain.tip(),
        held: chain.held_len(),
        missing: chain.missing().count(),
        pending: chain.pending(usize::MAX).len(),
        scripts: chain.scripts().len(),
    }
}

/// Mines a link on `parent` that lists what an honest one would, and returns it with its list without inserting it.
fn secret_link(world: &mut World, parent: ShareId, payout: ScriptBuf) -> (Proof, Vec<ShareId>) {
    let spec = Spec { link: true, ..world.spec_on(parent, payout) };
    (world.mine(&spec), spec.list)
}
