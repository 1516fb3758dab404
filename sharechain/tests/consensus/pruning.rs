//! A node that forgets: what it drops and what it keeps. A chain from a base record decides like one that saw
//! everything.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use sharechain::base::{BaseError, Chunk};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::chain::{Chain, Outcome};
use sharechain::limits::{MEMORY_DEPTH, STATE_DEPTH};
use sharechain::{ChainParams, Height, Proof, ShareId, Weight};
use testkit::{Spec, World, accepted, miner, params};

/// Rules with a window of 600 proofs, which is shorter than the chains of the tests.
fn short_window() -> ChainParams {
    ChainParams { window_proofs: 600, window_weight: Weight(u128::MAX >> 1), ..params() }
}

/// A different payout script for each number.
fn one_of_many(number: u32) -> ScriptBuf {
    let mut program = [7; 20];
    program[..4].copy_from_slice(&number.to_le_bytes());
    ScriptBuf::new_p2wpkh(&bitcoin::hashes::Hash::from_byte_array(program))
}

/// A world, and everything that was found in it, in order.
struct Grown {
    world: World,
    found: Vec<(Proof, Option<Vec<ShareId>>)>,
}

impl Grown {
    fn new() -> Self {
        Self { world: World::with(short_window()), found: Vec::new() }
    }

    /// Mines links, every second one with a share before it. The miners change over time, each with its own script.
    fn grow(&mut self, links: u32) {
        for number in 0..links {
            let height = self.world.chain.height().0;
            if height.is_multiple_of(40) {
                self.world.bitcoin_block();
            }
            if number % 2 == 0 {
                self.found.push((self.world.share(one_of_many(height / 8)), None));
            }
            let (link, list) = self.world.link(miner((height % 5) as u8));
            self.found.push((link, Some(list)));
        }
    }
}

/// Weights by script in the window of the tip's children.
fn window_of(chain: &mut Chain, snapshot: &ShareId) -> (Height, u64, BTreeMap<ScriptBuf, Weight>) {
    let window = chain.window(snapshot).unwrap();
    let dues = window.dues(chain.scripts()).map(|(script, weight)| (script.to_owned(), weight)).collect();
    (window.oldest(), window.proofs(), dues)
}

/// The same window, as the sum of what each link credited when it came.
fn summed(
    credited: &[BTreeMap<ScriptBuf, (Weight, u64)>],
    snapshot: Height,
    proofs_max: u64,
) -> BTreeMap<ScriptBuf, Weight> {
    let (mut sums, mut proofs) = (BTreeMap::<ScriptBuf, Weight>::new(), 0);
    for height in (1..=snapshot.0 as usize).rev() {
        for (script, (weight, shares)) in &credited[height] {
            let sum = sums.entry(script.clone()).or_default();
            *sum = sum.plus(*weight);
            proofs += shares;
        }
        if proofs >= proofs_max {
            break;
        }
    }
    sums
}

#[test]
fn a_pruned_chain_pays_what_one_that_keeps_everything_pays() {
    let mut grown = Grown::new();
    let mut credited = vec![BTreeMap::new()];
    let mut scripts_most = 0;
    for _ in 0..(STATE_DEPTH + 4_000) / 100 {
        grown.grow(100);
        let chain = &mut grown.world.chain;
        for height in credited.len() as u32..=chain.height().0 {
            let link = chain.link(&chain.main_at(Height(height)).unwrap()).unwrap();
            let rows = link.complete().unwrap().rows.iter();
            let named = rows.map(|row| {
                (chain.scripts().script(row.script).unwrap().to_owned(), (row.weight, u64::from(row.shares)))
            });
            credited.push(named.collect());
        }
        let tip = grown.world.bitcoin_tip.block_hash();
        let plan = chain.plan(&chain.tip(), &tip).unwrap();
        let (_, _, dues) = window_of(chain, &plan.snapshot);
        assert_eq!(dues, summed(&credited, plan.snapshot_height, chain.params().window_proofs));
        scripts_most = scripts_most.max(chain.scripts().len());
    }
    let chain = &grown.world.chain;
    let kept = chain.height().above(chain.bottom());
    assert!(chain.bottom() > Height(2_000), "{} forgot nothing below {}", chain.height(), chain.bottom());
    assert!(kept > STATE_DEPTH && kept < STATE_DEPTH + 600, "{kept} links are kept");
    assert!(chain.link(&chain.params().genesis_id()).is_none(), "genesis went too");
    assert!(scripts_most < 1_600, "{scripts_most} scripts, of {} that ever earned", chain.height().0 / 8);
}

#[test]
fn what_was_pruned_is_not_asked_for_again() {
    let mut grown = Grown::new();
    grown.grow(STATE_DEPTH + 2_000);
    let Grown { mut world, found } = grown;
    let asked = |chain: &Chain| (chain.held_len(), chain.missing().count());
    let before = asked(&world.chain);
    assert_eq!(before.0, 0);
    // The parents of these are forgotten: without that, the chain would ask for them, and without a list for the list.
    let pruned: Vec<_> = found.iter().filter(|(proof, _)| world.chain.link(&proof.share.parent).is_none()).collect();
    assert!(pruned.len() > 1_000, "{} proofs", pruned.len());
    for (proof, list) in pruned {
        for list in [None, list.clone()] {
            let outcome = world.insert(proof, list);
            let is_free = matches!(&outcome, Outcome::Unlistable | Outcome::Known(_));
            assert!(is_free, "a replay of old work costs its sender nothing: {outcome:?}");
        }
    }
    assert_eq!(asked(&world.chain), before);
    // Nor does it ask for the list of a new link on a parent at the state depth or below.
    let bound = world.chain.height().0 - STATE_DEPTH;
    for fork in [bound - 1, bound] {
        let parent = world.chain.main_at(Height(fork)).unwrap();
        let spec = Spec { link: true, list: vec![], ..world.spec_on(parent, miner(9)) };
        let link = world.mine(&spec);
        assert_eq!(world.insert(&link, None), Outcome::Unlistable, "fork at {fork}");
    }
    assert_eq!(asked(&world.chain), before);
}

/// Encoded base chunks of a chain, from the first complete one on.
fn chunks_of(chain: &Chain) -> Vec<Vec<u8>> {
    let numbers = Chunk::number_of(chain.bottom())..=Chunk::number_of(chain.height());
    numbers.filter_map(|number| chain.base_chunk(number)).map(|chunk| chunk.encode()).collect()
}

/// A chain that starts from another chain's base and has its Bitcoin headers.
fn restarted(world: &World) -> Chain {
    let params = world.chain.params().clone();
    let mut headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).unwrap();
    for header in &world.bitcoin_headers {
        headers.insert(*header, world.now).unwrap();
    }
    Chain::from_base(params, headers, chunks_of(&world.chain)).unwrap()
}

#[test]
fn a_chain_from_a_base_goes_on_as_the_one_that_wrote_it() {
    let mut grown = Grown::new();
    grown.grow(MEMORY_DEPTH + 2_000);
    let mut chain = restarted(&grown.world);
    let base = chain.height();
    assert!(base > Height(1_000) && grown.world.chain.height().above(base) > MEMORY_DEPTH);
    assert_eq!(grown.world.chain.main_at(base), Some(chain.tip()));
    // The lists of its last links, then everything found since.
    let by_link: BTreeMap<ShareId, Vec<ShareId>> =
        grown.found.iter().filter_map(|(proof, list)| Some((proof.id(), list.clone()?))).collect();
    let from = chain.base_lists_from();
    let lists =
        (from.0..=base.0).map(|height| chain.main_at(Height(height)).unwrap()).map(|id| (id, by_link[&id].clone()));
    chain.note_base_lists(lists.collect::<Vec<_>>());
    let mut world = grown.world.clone();
    world.chain = chain;
    let (mut accepted_since, mut old) = (0, 0);
    for (proof, list) in &grown.found {
        match world.insert_requested(proof, list.clone()) {
            Outcome::Accepted(_) => accepted_since += 1,
            Outcome::Known(_) | Outcome::Unlistable | Outcome::Held(_) => old += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(accepted_since > MEMORY_DEPTH && old > 1_000);
    assert_eq!(world.chain.tip(), grown.world.chain.tip(), "state roots and payouts agree");

    // Their windows, roots, targets and signals stay the same for hours.
    for _ in 0..30 {
        if world.chain.height().0.is_multiple_of(7) {
            grown.world.bitcoin_block();
            world.chain.insert_bitcoin_header(grown.world.bitcoin_tip, grown.world.now);
        }
        let (link, list) = grown.world.link(miner(3));
        world.now = grown.world.now;
        accepted(world.insert(&link, Some(list)));
        assert_eq!(world.chain.tip(), link.id());
    }
    let tip = grown.world.bitcoin_tip.block_hash();
    let parent = world.chain.tip();
    let (one, other) = (world.chain.plan(&parent, &tip).unwrap(), grown.world.chain.plan(&parent, &tip).unwrap());
    assert_eq!(one, other);
    assert_eq!(window_of(&mut world.chain, &one.snapshot), window_of(&mut grown.world.chain, &one.snapshot));
}

#[test]
fn a_base_may_itself_be_pruned() {
    let mut grown = Grown::new();
    grown.grow(STATE_DEPTH + 3_000);
    let mut chain = restarted(&grown.world);
    let base = chain.height();
    assert!(chain.bottom() > Height(1_500), "the first chunk that is whole: {}", chain.bottom());
    let snapshot = chain.main_at(base.below(20)).unwrap();
    assert_eq!(window_of(&mut chain, &snapshot), window_of(&mut grown.world.chain, &snapshot));
    // It keeps forgetting.
    let bottom = chain.bottom();
    let mut world = grown.world.clone();
    world.now = chain.link(&chain.tip()).unwrap().time;
    world.chain = chain;
    let mut again = Grown { world, found: Vec::new() };
    again.grow(STATE_DEPTH);
    assert!(again.world.chain.bottom() > bottom, "{} after {bottom}", again.world.chain.bottom());
}

#[test]
fn chunks_with_a_gap_or_damage_are_no_base() {
    let mut grown = Grown::new();
    grown.grow(MEMORY_DEPTH + 2_000);
    let mut chunks = chunks_of(&grown.world.chain);
    assert!(chunks.len() >= 3);
    let start = Chunk::decode(&chunks[2]).unwrap().start.height;
    let params = grown.world.chain.params().clone();
    let headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).unwrap();
    let base = |chunks| Chain::from_base(params.clone(), headers.clone(), chunks).err();
    assert_eq!(base(chunks.clone()), None);
    chunks[2][700] ^= 1;
    assert_eq!(base(chunks.clone()), Some(BaseError::Checksum));
    chunks[2][700] ^= 1;
    chunks.remove(1);
    assert_eq!(base(chunks), Some(BaseError::Gap(start)));
}
