//! Inserting a bound share into the chain, payout check included, with 10^3, 10^4 and 10^5 shares in the window; and a
//! whole round of it: a new Bitcoin block, so a new draw, 32 shares, and the link that lists them.
//!
//! Target: independent of the window's size; the largest within 1.5 times the smallest.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use sharechain::chain::{Chain, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{ChainParams, ShareId, Weight};
use support::{Spec, World, miner, params};

const SHARES_PER_LINK: u32 = 32;
const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const SHARES: u32 = 1_000;
const ROUNDS: u32 = 20;
const RATIO_MAX: f64 = 1.5;

/// Everything in one round, in order.
struct Round {
    bitcoin: bitcoin::block::Header,
    shares: Vec<BoundProof>,
    link: BoundProof,
    list: Vec<ShareId>,
}

fn shares(world: &mut World, count: u32) -> Vec<BoundProof> {
    let spec = Spec { list: vec![], ..world.spec(miner(0)) };
    (0..count)
        .map(|number| {
            let proof = world.mine(&Spec { payout: miner((number % 200) as u8), ..spec.clone() });
            world.bind(&proof)
        })
        .collect()
}

fn insert(chain: &mut Chain, proof: BoundProof, list: Option<Vec<ShareId>>, now: sharechain::Timestamp) {
    let outcome = chain.insert(proof, list, Source(1), now);
    assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
}

fn round(world: &mut World) -> Round {
    let shares = shares(world, SHARES_PER_LINK);
    for share in &shares {
        insert(&mut world.chain, share.clone(), None, world.now);
    }
    let spec = Spec { link: true, ..world.spec(miner(1)) };
    let (link, list) = world.link_of(spec);
    Round { bitcoin: world.bitcoin_tip, shares, link: world.bind(&link), list }
}

/// A chain whose window holds all of its `size` shares.
fn grown(size: u32) -> World {
    let params = params();
    let mut world = World::with(ChainParams { window_weight: Weight(u128::MAX >> 1), ..params });
    for number in 0..size.div_ceil(SHARES_PER_LINK + 1) {
        // Not so many Bitcoin blocks that its difficulty changes.
        if number % 5 == 0 {
            world.bitcoin_block();
        }
        round(&mut world);
    }
    world
}

/// Time for that many shares, in chains that have nothing but the window before.
fn time_shares(world: &World, proofs: &[BoundProof], count: u64) -> Duration {
    let counts = (0..count).step_by(proofs.len()).map(|done| (count - done).min(proofs.len() as u64));
    counts
        .map(|count| {
            let mut chain = world.chain.clone();
            let proofs: Vec<_> = proofs.iter().take(count as usize).cloned().collect();
            let start = Instant::now();
            for proof in proofs {
                insert(&mut chain, proof, None, world.now);
            }
            start.elapsed()
        })
        .sum()
}

/// Time for that many of the rounds that follow.
fn time_rounds(world: &World, rounds: &[Round], now: sharechain::Timestamp, count: u64) -> Duration {
    let counts = (0..count).step_by(rounds.len()).map(|done| (count - done).min(rounds.len() as u64));
    counts
        .map(|count| {
            let mut chain = world.chain.clone();
            let start = Instant::now();
            for Round { bitcoin, shares, link, list } in rounds.iter().take(count as usize) {
                chain.insert_bitcoin_header(*bitcoin, now);
                for share in shares {
                    insert(&mut chain, share.clone(), None, now);
                }
                insert(&mut chain, link.clone(), Some(list.clone()), now);
            }
            start.elapsed()
        })
        .sum()
}

/// The shortest of several times for one.
fn fastest(mut time: impl FnMut(u64) -> Duration, count: u32) -> Duration {
    (0..20).map(|_| time(u64::from(count)) / count).min().unwrap_or_default()
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("insert");
    group.sample_size(20);
    let mut best = Vec::new();
    for size in SIZES {
        let mut world = grown(size);
        let tip = world.chain.tip();
        let credited = world.chain.window(&tip).map_or(0, |window| window.sums().map(|(_, sum)| sum.shares).sum());
        let proofs = shares(&mut world, SHARES);
        let mut later = world.clone();
        let rounds: Vec<Round> = (0..ROUNDS)
            .map(|_| {
                later.bitcoin_block();
                round(&mut later)
            })
            .collect();
        let share = |count| time_shares(&world, &proofs, count);
        let round = |count| time_rounds(&world, &rounds, later.now, count);
        group.bench_function(format!("share, {credited} in the window"), |bencher| bencher.iter_custom(share));
        group.bench_function(format!("round of 33 proofs, {credited} in the window"), |bencher| {
            bencher.iter_custom(round)
        });
        best.push((credited, fastest(share, SHARES), fastest(round, ROUNDS)));
    }
    group.finish();
    for (credited, share, round) in &best {
        println!("{credited:>7} shares in the window: a share {share:?}, a round of 33 proofs {round:?}");
    }
    if let [(_, small, small_round), .., (_, large, large_round)] = best.as_slice() {
        let ratio = |large: &Duration, small: &Duration| large.as_secs_f64() / small.as_secs_f64();
        println!("share, largest to smallest window: {:.2} (target: at most {RATIO_MAX})", ratio(large, small));
        println!(
            "round, largest to smallest window: {:.2} (target: at most {RATIO_MAX})",
            ratio(large_round, small_round)
        );
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
