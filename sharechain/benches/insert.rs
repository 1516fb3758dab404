//! Inserts into chains with 10^3, 10^5, and 10^6 shares in the window: a bound share, payout check included; a whole
//! round, which is 32 shares, the link that lists them, and every other time a new Bitcoin block, so a new lottery; and
//! a reorganization of 100 links with 33 proofs each. All chains are so long that each new link makes the chain forget
//! an old one. Then clones of the chain, and shares with a clone published after each, as a node does for its readers.
//!
//! Targets: the cost of shares and rounds does not depend on the window, the slowest at most 1.2 times the fastest; a
//! reorganization, from the last link of the other branch to work on its tip, takes under 50 ms; a clone takes under 30
//! µs.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::CompactTarget;
use sharechain::chain::{Chain, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::limits::MEMORY_DEPTH;
use sharechain::target::weight_of_share;
use sharechain::{ChainParams, ShareId, Timestamp, Weight};
use testkit::{Spec, World, miner, params};

const SHARES_PER_LINK: u32 = 32;
const SIZES: [u32; 3] = [1_000, 100_000, 1_000_000];
const RATIO_MAX: f64 = 1.2;

/// Timed rounds at each size. The fastest tenth is reported, since other load on the machine can only add time.
const ROUNDS: usize = 600;

/// Untimed rounds before them: a fresh copy of a chain is in no cache.
const WARM_UP: usize = 100;

/// Minimum number of links in a chain: those kept, those below that may still be listed, and some more.
const LINKS_MIN: u32 = MEMORY_DEPTH + 400;

/// Maximum number of Bitcoin blocks while a chain grows: fewer than a difficulty period.
const BITCOIN_BLOCKS_MAX: u32 = 600;

const REORGANIZED_LINKS: u32 = 100;
const REORGANIZATION_MAX: Duration = Duration::from_millis(50);

const CLONE_MAX: Duration = Duration::from_micros(30);

/// Number of clones in the average.
const CLONES: u32 = 1_000;

/// Runs of the reorganization; the fastest is reported.
const TRIES: u32 = 20;

/// One round, in order.
struct Round {
    bitcoin: bitcoin::block::Header,
    shares: Vec<BoundProof>,
    link: BoundProof,
    list: Vec<ShareId>,
}

/// Measurements at one size of the window.
struct Measured {
    credited: u64,
    share: Duration,
    round: Duration,
    clone: Duration,
    published: Duration,
    switch: Duration,
    work: Duration,
    branch: Duration,
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

fn insert(chain: &mut Chain, proof: BoundProof, list: Option<Vec<ShareId>>, now: Timestamp) {
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

fn play(chain: &mut Chain, round: &Round, now: Timestamp) {
    chain.insert_bitcoin_header(round.bitcoin, now);
    for share in &round.shares {
        insert(chain, share.clone(), None, now);
    }
    insert(chain, round.link.clone(), Some(round.list.clone()), now);
}

/// Mainnet's depths, except those of anchor and snapshot, which are shallow enough that a reorganization moves them,
/// too. The window ends at the weight of `size` shares.
fn rules(size: u32) -> ChainParams {
    let ChainParams { listing_depth, credit_depth, stale_depth, .. } = ChainParams::main();
    let easy = params();
    let bits = CompactTarget::from_consensus(easy.bitcoin.pow_limit_bits);
    let share = weight_of_share(easy.easiest_share_target, bits, &easy);
    let window_weight = Weight(share.0 * u128::from(size));
    ChainParams { listing_depth, credit_depth, stale_depth, window_weight, ..easy }
}

/// A chain whose window holds about `size` shares.
fn grown(size: u32) -> World {
    let mut world = World::with(rules(size));
    let links = size.div_ceil(SHARES_PER_LINK + 1).max(LINKS_MIN);
    let links_per_block = links.div_ceil(BITCOIN_BLOCKS_MAX);
    for number in 0..links {
        if number.is_multiple_of(links_per_block) {
            world.bitcoin_block();
        }
        round(&mut world);
    }
    world
}

/// Times of a share and of a round, over consecutive rounds in a copy of the chain.
fn time_rounds(world: &World) -> (Duration, Duration) {
    let mut chain = world.chain.clone();
    let mut ahead = world.clone();
    let (mut of_shares, mut of_rounds) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + ROUNDS {
        if number.is_multiple_of(2) {
            ahead.bitcoin_block();
        }
        let Round { bitcoin, shares, link, list } = round(&mut ahead);
        let start = Instant::now();
        chain.insert_bitcoin_header(bitcoin, ahead.now);
        let from_shares = Instant::now();
        for share in shares {
            insert(&mut chain, share, None, ahead.now);
        }
        let shares = from_shares.elapsed() / SHARES_PER_LINK;
        insert(&mut chain, link, Some(list), ahead.now);
        let round = start.elapsed();
        if number >= WARM_UP {
            of_shares.push(shares);
            of_rounds.push(round);
        }
    }
    (fast(of_shares), fast(of_rounds))
}

/// Time of a clone, and of a share with a clone published after each share and each link. The one published before is
/// dropped meanwhile, as if its last reader were gone.
fn time_clones(world: &World) -> (Duration, Duration) {
    let mut ahead = world.clone();
    let mut chain = world.chain.clone();
    let mut published = Arc::new(world.chain.clone());
    let mut of_shares = Vec::new();
    for number in 0..WARM_UP + ROUNDS {
        if number.is_multiple_of(2) {
            ahead.bitcoin_block();
        }
        let Round { bitcoin, shares, link, list } = round(&mut ahead);
        chain.insert_bitcoin_header(bitcoin, ahead.now);
        let start = Instant::now();
        for share in shares {
            insert(&mut chain, share, None, ahead.now);
            drop(std::mem::replace(&mut published, Arc::new(chain.clone())));
        }
        let shares = start.elapsed() / SHARES_PER_LINK;
        insert(&mut chain, link, Some(list), ahead.now);
        drop(std::mem::replace(&mut published, Arc::new(chain.clone())));
        if number >= WARM_UP {
            of_shares.push(shares);
        }
    }
    let start = Instant::now();
    for _ in 0..CLONES {
        black_box(Chain::clone(black_box(&published)));
    }
    (start.elapsed() / CLONES, fast(of_shares))
}

/// The tenth percentile of these times.
fn fast(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 10).copied().unwrap_or_default()
}

/// A chain on one branch, and the branch that will replace it, with its last link kept apart.
struct Fork {
    chain: Chain,
    other: Vec<Round>,
    now: Timestamp,
}

fn fork(common: &World) -> Fork {
    let (mut left, mut right) = (common.clone(), common.clone());
    right.now = right.now.plus(1);
    let rounds = |world: &mut World, count: u32| -> Vec<Round> {
        let mut rounds = Vec::new();
        for number in 0..count {
            if number.is_multiple_of(20) {
                world.bitcoin_block();
            }
            rounds.push(round(world));
        }
        rounds
    };
    rounds(&mut left, REORGANIZED_LINKS);
    let mut other = rounds(&mut right, REORGANIZED_LINKS + REORGANIZED_LINKS / 10);
    for header in &right.bitcoin_headers {
        left.chain.insert_bitcoin_header(*header, right.now);
    }
    // Its clock differs, so the branch may become the heavier one a few links sooner or later.
    let mut chain = left.chain.clone();
    let tip = chain.tip();
    let lighter = other.iter().take_while(|round| {
        play(&mut chain, round, right.now);
        chain.tip() == tip
    });
    let lighter = lighter.count();
    other.truncate(lighter + 1);
    Fork { chain: left.chain, other, now: right.now }
}

/// Time for the other branch to arrive without its last link, for that link to make it the main chain, and for work on
/// its tip: its list and its payouts.
fn time_reorganization(fork: &Fork) -> (Duration, Duration, Duration) {
    let mut chain = fork.chain.clone();
    let Some((last, before)) = fork.other.split_last() else { return Default::default() };
    let start = Instant::now();
    for round in before {
        play(&mut chain, round, fork.now);
    }
    for share in &last.shares {
        insert(&mut chain, share.clone(), None, fork.now);
    }
    let branch = start.elapsed();
    let start = Instant::now();
    let outcome = chain.insert(last.link.clone(), Some(last.list.clone()), Source(1), fork.now);
    let switch = start.elapsed();
    let Outcome::Accepted(changes) = outcome else { panic!("{outcome:?}") };
    assert_eq!(changes.tips[0].disconnected.len(), REORGANIZED_LINKS as usize);
    let start = Instant::now();
    let assignment = chain.assignment().expect("the tip is known");
    chain.plan(&assignment.position.anchor, &last.bitcoin.block_hash()).expect("the anchor is known");
    (branch, switch, start.elapsed())
}

fn measure(size: u32) -> Measured {
    let mut world = grown(size);
    let tip = world.chain.tip();
    let credited = world.chain.window(&tip).map_or(0, |window| window.sums().map(|(_, sum)| sum.shares).sum());
    let (share, round) = time_rounds(&world);
    let (clone, published) = time_clones(&world);
    let fork = fork(&world);
    let reorganised: Vec<_> = (0..TRIES).map(|_| time_reorganization(&fork)).collect();
    let least = |part: fn(&(Duration, Duration, Duration)) -> Duration| reorganised.iter().map(part).min();
    Measured {
        credited,
        share,
        round,
        clone,
        published,
        switch: least(|times| times.1).unwrap_or_default(),
        work: least(|times| times.2).unwrap_or_default(),
        branch: least(|times| times.0).unwrap_or_default(),
    }
}

fn ratio(times: impl Iterator<Item = Duration> + Clone) -> f64 {
    let (Some(most), Some(least)) = (times.clone().max(), times.min()) else { return 1.0 };
    most.as_secs_f64() / least.as_secs_f64()
}

fn main() {
    let all: Vec<Measured> = SIZES.iter().map(|size| measure(*size)).collect();
    for Measured { credited, share, round, clone, published, switch, work, branch } in &all {
        let a_second = 1.0 / share.as_secs_f64();
        println!("{credited:>7} shares in the window: a share {share:?} ({a_second:.0} a second), a round {round:?}");
        println!("        a clone {clone:?}, a share with a clone published after it {published:?}");
        println!(
            "        reorganization of {REORGANIZED_LINKS} links: the branch arrives {branch:?}, the switch {switch:?}, work on it {work:?}"
        );
    }
    println!("share, dearest to cheapest: {:.2} (target: at most {RATIO_MAX})", ratio(all.iter().map(|m| m.share)));
    println!("round, dearest to cheapest: {:.2} (target: at most {RATIO_MAX})", ratio(all.iter().map(|m| m.round)));
    let clone = all.iter().map(|m| m.clone).max().unwrap_or_default();
    println!("clone: {clone:?} (target: under {CLONE_MAX:?})");
    let slowest = all.iter().map(|m| m.switch + m.work).max().unwrap_or_default();
    println!("reorganization, switch and work: {slowest:?} (target: under {REORGANIZATION_MAX:?})");
}
