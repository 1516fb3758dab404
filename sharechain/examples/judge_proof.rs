//! Judges one proof on a small chain with real proof of work: from bytes to an outcome, and on to its listing.
//!
//! Run it with `cargo run --release -p sharechain --example judge_proof`.

use sharechain::chain::{Fate, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Proof, RuleError};
use testkit::{World, miner};

/// The number that this example gives to the peer that brings the proof; 0 would be the node itself.
const PEER: Source = Source(1);

fn main() {
    // Ten links by several miners, each link with three shares; then a miner finds a share.
    let mut world = World::new();
    world.grow(10, 3);
    let spec = world.spec(miner(9));
    let bytes = world.mine(&spec).encode();
    println!("a share of {} bytes on link {}", bytes.len(), world.chain.height());

    // 1. Decoded: SC-001 to SC-009 hold.
    let proof = Proof::decode(&bytes).expect("its finder encoded it");

    // 2. Bound: its work was spent on this share header, SC-101 and SC-102.
    let easiest = world.chain.easiest_plausible_target(world.now);
    let bound = BoundProof::bind(proof.clone(), easiest, world.chain.consensus_id()).expect("its finder built it");
    let id = bound.id();

    // 3. Valid: the rules of headers and payouts hold at its place in the chain.
    let outcome = world.chain.insert(bound.clone(), None, PEER, world.now);
    let Outcome::Accepted(changes) = outcome else { panic!("an honest share is valid: {outcome:?}") };
    println!("{id}: accepted, {} proof to store", changes.accepted.len());
    assert_eq!(world.chain.fate(&id), Fate::Pending);
    let again = world.chain.insert(bound, None, PEER, world.now);
    assert!(matches!(again, Outcome::Known(_)), "the second time it is known: {again:?}");

    // 4. Listed: the next link credits it, and it earns.
    let (link, _list) = world.link(miner(1));
    println!("{id}: listed by link {}", link.id());
    assert_eq!(world.chain.fate(&id), Fate::Listed { link: link.id(), height: world.chain.height() });

    // A thief who puts another script into the share header has no work to prove it.
    let mut stolen = proof;
    stolen.share.payout = miner(66);
    let rule = BoundProof::bind(stolen, easiest, world.chain.consensus_id()).expect_err("the coinbase commits to it");
    println!("with another payout script: {rule}");
    assert_eq!(rule, RuleError::NotBound);
}
