//! The fuzz targets. `make fuzz` runs them on arbitrary bytes, and `make test` on the corpus.

use std::sync::OnceLock;

use bitcoin::hashes::{Hash, sha256};
use sharechain::base::Chunk;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::limits::HELD_MAX;
use sharechain::link_headers::{Beginning, LinkHeaders, VerifiedRows};
use sharechain::payout_proof::{BlockWindow, PayoutProof};
use sharechain::{Chain, ChainParams, Outcome, Proof, ShareId, U256, encode};

use testkit::{Spec, World, miner};

/// Maximum number of steps per input. Each finds a proof.
const STEPS_MAX: usize = 24;

/// A proof that decodes must encode to the same bytes, and be judged without a panic.
pub fn proof(data: &[u8]) {
    let Ok(proof) = Proof::decode(data) else { return };
    assert_eq!(proof.encode(), data);
    let mut world = base().clone();
    if let Ok(bound) = BoundProof::bind(proof, U256::MAX, world.chain.consensus_id()) {
        world.chain.insert(bound, None, Source(1), world.now);
    }
}

/// A list that decodes must encode to the same bytes.
pub fn list(data: &[u8]) {
    if let Ok(list) = encode::decode_list(data) {
        assert_eq!(encode::encode_list(&list), data);
    }
}

/// A payout proof that decodes must encode to the same bytes, and be verified without a panic. Bytes that are the
/// window of a block must make proofs for which the same holds.
pub fn payout_proof(data: &[u8]) {
    let [main, local] = [ChainParams::main(), ChainParams::local()];
    if let Ok(proof) = PayoutProof::decode(data) {
        assert_eq!(proof.encode(), data);
        let _ = proof.verify(&proof.header, &main);
        let _ = proof.verify(&proof.header, &local);
    }
    if let Ok(window) = BlockWindow::decode(data)
        && let Some(proof) = window.prove(&miner(1), &main)
    {
        let _ = proof.verify(&proof.header, &main);
    }
}

/// Base links that decode must encode to bytes that decode to the same links, and make a chain or an error. The target
/// adds the checksum, which the fuzzer cannot guess.
pub fn rows(data: &[u8]) {
    let checksum = sha256::Hash::hash(data);
    let bytes = [data, checksum.as_byte_array()].concat();
    let Ok(chunk) = Chunk::decode(&bytes) else { return };
    let encoded = chunk.encode();
    assert_eq!(Chunk::decode(&encoded).map(|again| again.encode()), Ok(encoded));
    let world = base();
    let (params, bitcoin) = (world.chain.params(), world.chain.bitcoin());
    if let Some(headers) = headers()
        && let Some(mut rows) = VerifiedRows::new(headers, bitcoin)
    {
        let _ = chunk.links.iter().try_for_each(|link| rows.push(headers, link.clone()));
        let _ = rows.into_chain(bitcoin.clone());
    }
    let _ = Chain::from_base(params.clone(), bitcoin.clone(), [bytes]);
}

/// The beginning of a peer's chain that decodes must encode to the same bytes, and accept or reject a next link.
pub fn beginning(data: &[u8]) {
    let Ok(beginning) = Beginning::decode(data) else { return };
    assert_eq!(beginning.encode(), data);
    let world = base();
    let mut headers = LinkHeaders::new(world.chain.params().clone(), beginning);
    let _ = VerifiedRows::new(&headers, world.chain.bitcoin());
    let _ = headers.push(next_link().clone(), world.chain.bitcoin(), world.now);
}

/// A link that is valid on the chain of [`base`].
fn next_link() -> &'static Proof {
    static LINK: OnceLock<Proof> = OnceLock::new();
    LINK.get_or_init(|| base().clone().link(miner(1)).0)
}

/// The links of [`base`] from the first one on.
fn headers() -> Option<&'static LinkHeaders> {
    static HEADERS: OnceLock<Option<LinkHeaders>> = OnceLock::new();
    let make = || {
        let mut world = World::new();
        let mut headers = LinkHeaders::on(&world.chain, &world.chain.params().genesis_id())?;
        for (proof, list) in world.grow(12, 2) {
            if list.is_some() {
                headers.push(proof, world.chain.bitcoin(), world.now).ok()?;
            }
        }
        Some(headers)
    };
    HEADERS.get_or_init(make).as_ref()
}

/// Miners act as the bytes direct; proofs reach a second chain late, in another order, twice, or altered. Both chains
/// must end with the same work, and nothing may stay held.
pub fn chain(data: &[u8]) {
    let mut world = base().clone();
    let mut other = world.chain.clone();
    let mut bytes = data.iter().copied();
    let mut found: Vec<(Proof, Vec<ShareId>)> = Vec::new();
    for _ in 0..STEPS_MAX {
        let (Some(what), Some(which)) = (bytes.next(), bytes.next()) else { break };
        match what % 8 {
            0 => bitcoin_block(&mut world, &mut other, which),
            1 => world.now = world.now.plus(u32::from(which)),
            2 => other_version(&world, &mut other, &found, which),
            3 => again(&world, &mut other, &found, which),
            how => find(&mut world, how, which, &mut found),
        }
        assert!(world.chain.held_len() <= HELD_MAX && other.held_len() <= HELD_MAX);
    }
    // Everything arrives eventually; twice, since a list may come before the proofs that it names.
    let last = world.now.plus(7_200);
    for (proof, list) in found.iter().rev().chain(&found) {
        insert(&mut world.chain, proof, Some(list.clone()), last);
        insert(&mut other, proof, Some(list.clone()), last);
    }
    let work = |chain: &Chain| chain.link(&chain.tip()).map(|link| link.chain_work);
    assert_eq!(work(&world.chain), work(&other), "both know everything");
    let (tip, same) = (world.chain.tip(), other.tip());
    if tip == same {
        let total = |chain: &mut Chain| chain.window(&tip).map(|window| (window.total(), window.proofs()));
        assert_eq!(total(&mut world.chain), total(&mut other), "the same tip, the same window");
    }
}

/// A chain that pays several miners, so that every check has input.
fn base() -> &'static World {
    static BASE: OnceLock<World> = OnceLock::new();
    BASE.get_or_init(|| {
        let mut world = World::new();
        world.grow(12, 2);
        world
    })
}

fn insert(chain: &mut Chain, proof: &Proof, list: Option<Vec<ShareId>>, now: sharechain::Timestamp) -> Option<Outcome> {
    let bound = BoundProof::bind(proof.clone(), U256::MAX, chain.consensus_id()).ok()?;
    Some(chain.insert(bound, list, Source(1), now))
}

/// One of the last links; 0 selects the newest.
fn link_back(world: &World, which: u8) -> ShareId {
    let height = world.chain.height().below(u32::from(which % 16));
    world.chain.main_at(height).unwrap_or_else(|| world.chain.tip())
}

/// A block on Bitcoin's tip, or beside it.
fn bitcoin_block(world: &mut World, other: &mut Chain, which: u8) {
    let header = if which.is_multiple_of(4) {
        let tip = world.chain.bitcoin().get(&world.bitcoin_tip.prev_blockhash).map(|known| known.header);
        world.bitcoin_block_on(tip.unwrap_or(world.bitcoin_tip))
    } else {
        world.bitcoin_block();
        world.bitcoin_tip
    };
    other.insert_bitcoin_header(header, world.now);
}

/// A share or link by one of eight miners on one of the last links. The finder's chain gets it at once.
fn find(world: &mut World, how: u8, which: u8, found: &mut Vec<(Proof, Vec<ShareId>)>) {
    let parent = if how.is_multiple_of(3) { link_back(world, which >> 3) } else { world.chain.build_on() };
    let position = world.chain.link(&parent).map(|link| &link.position);
    // After a long pause both targets are the floor, and every share is a link.
    let link = how.is_multiple_of(2) || position.is_some_and(|position| position.link_target == position.share_target);
    let spec = Spec { link, ..world.spec_on(parent, miner(which % 8 + 1)) };
    let proof = world.mine(&spec);
    world.insert(&proof, Some(spec.list.clone()));
    found.push((proof, spec.list));
}

/// The second chain gets a proof that was found, in an altered version: any byte, or a list that is not its own.
fn other_version(world: &World, other: &mut Chain, found: &[(Proof, Vec<ShareId>)], which: u8) {
    let Some((proof, list)) = found.get(usize::from(which) % found.len().max(1)) else { return };
    let mut bytes = proof.encode();
    // After the header, so that the id stays.
    let at = 80 + usize::from(which).wrapping_mul(37) % (bytes.len() - 80);
    bytes[at] ^= which | 1;
    if let Ok(altered) = Proof::decode(&bytes) {
        insert(other, &altered, Some(list.clone()), world.now);
    }
    let mut wrong = list.clone();
    wrong.push(proof.id());
    insert(other, proof, Some(wrong), world.now);
}

/// The second chain gets a proof that was found, with its list or without.
fn again(world: &World, other: &mut Chain, found: &[(Proof, Vec<ShareId>)], which: u8) {
    if let Some((proof, list)) = found.get(usize::from(which >> 1) % found.len().max(1)) {
        insert(other, proof, which.is_multiple_of(2).then(|| list.clone()), world.now);
    }
}
