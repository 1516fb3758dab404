//! Work of others, and work that the attacker tries to count more than once.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::{Hash, HashEngine, sha256, sha256d};
use sharechain::chain::{Missing, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::{BoundProof, merkle_root};
use sharechain::limits::{BRANCH_MAX, PREFIX_BYTES_MIN};
use sharechain::share::CoinbasePrefix;
use sharechain::{Proof, RuleError, ShareId, U256, Weight};

use super::{earned, footprint, grown, receive, thief, times, unit};
use testkit::{Spec, World, accepted, miner};

#[test]
fn foreign_header_replay() {
    let mut world = grown();
    let spec = world.spec(miner(1));
    let honest: Vec<Proof> = (0..8).map(|_| world.mine(&spec)).collect();
    let own = world.mine(&Spec { payout: thief(), ..spec });
    let headers: Vec<Header> = world.bitcoin_headers.iter().copied().chain(honest.iter().map(|p| p.header)).collect();
    let before = footprint(&world);
    for header in headers {
        let forged = Proof { header, ..own.clone() };
        let bound = BoundProof::bind(forged, U256::MAX, world.chain.consensus_id());
        assert_eq!(bound.unwrap_err(), RuleError::NotBound);
        assert_eq!(world.chain.refusal(&ShareId::from(header.block_hash())), None);
    }
    assert_eq!(footprint(&world), before, "nothing is kept");
    for proof in &honest {
        accepted(receive(&mut world, proof));
    }
    world.link(miner(1));
    assert_eq!(earned(&mut world, &thief()), (Weight::ZERO, 0));
}

#[test]
fn a_proof_alone_shows_its_work() {
    let mut world = grown();
    let spec = world.spec(thief());
    let honest = world.mine(&spec);
    let stranger = World::with(world.chain.params().clone());
    // A node without any history can tell whose work it is, and holds nothing that has no work of its own.
    assert!(BoundProof::bind(honest.clone(), U256::MAX, stranger.chain.consensus_id()).is_ok());
    let target = world.chain.params().easiest_share_target;
    let header = world.header_of(&spec);
    let weak = world.mine_until(header, &[], spec.previous_block, |_| (), |hash| hash > target);
    let easiest = stranger.chain.easiest_plausible_target(stranger.now);
    let refused = BoundProof::bind(weak, easiest, stranger.chain.consensus_id());
    assert_eq!(refused.unwrap_err(), RuleError::NoWork);
    let forged = Proof { share: world.header_of(&Spec { fees_sat: 1, ..spec }), ..honest };
    let refused = BoundProof::bind(forged, easiest, stranger.chain.consensus_id());
    assert_eq!(refused.unwrap_err(), RuleError::NotBound);
    assert_eq!(stranger.chain.held_len(), 0);
}

#[test]
fn duplicate_and_malleated_share() {
    let mut world = grown();
    let mut ahead = world.clone();
    let (link, list) = ahead.link(miner(1));
    let honest = ahead.share(miner(9));
    world.now = ahead.now;
    // Copies with another extranonce bind while the parent is unknown, so they wait: one for each source.
    const SOURCES: u64 = 20;
    const COPIES: u8 = 10;
    for source in 1..=SOURCES {
        for copy in 0..COPIES {
            let mut altered = honest.clone();
            altered.extranonce[15] ^= copy + 1;
            let bound = world.bind(&altered);
            let outcome = world.chain.insert(bound, None, Source(source), world.now);
            assert_eq!(outcome, Outcome::Held(Missing::Proof(link.id())));
        }
    }
    assert!(world.chain.held_len() as u64 <= SOURCES);
    let bound = world.bind(&honest);
    world.chain.insert(bound, None, Source(99), world.now);
    accepted(world.insert(&link, Some(list)));
    assert_eq!(world.chain.held_len(), 0);
    let value = unit(&world);
    for _ in 0..SOURCES {
        assert_eq!(receive(&mut world, &honest), Outcome::Known(Default::default()));
    }
    world.link(miner(1));
    world.link(miner(1));
    assert_eq!(earned(&mut world, &miner(9)), (value, 1), "credited once, and to whom it belongs");
}

#[test]
fn an_id_is_called_invalid_only_after_it_was_bound() {
    let mut world = grown();
    let spec = world.spec(miner(9));
    let honest = world.mine(&spec);
    let forgeries: [fn(&mut Proof); 4] = [
        |proof| proof.share.anchor = ShareId([5; 32]),
        |proof| proof.share.payout = thief(),
        |proof| proof.extranonce[0] ^= 1,
        |proof| proof.witness_commitment = None,
    ];
    for forge in forgeries {
        let mut forged = honest.clone();
        forge(&mut forged);
        let Outcome::Invalid(rule) = receive(&mut world, &forged) else { panic!("a forgery is invalid") };
        assert!(!rule.invalidates_id());
        assert_eq!(world.chain.refusal(&honest.id()), None);
    }
    let value = unit(&world);
    accepted(receive(&mut world, &honest));
    world.link(miner(1));
    assert_eq!(earned(&mut world, &miner(9)), (value, 1), "the attacker took nothing from it");
}

/// A merkle root over leaves, the last of an odd row doubled as in Bitcoin, and the branch of the first.
fn tree(leaves: &[[u8; 32]]) -> ([u8; 32], Vec<[u8; 32]>) {
    let (mut row, mut branch) = (leaves.to_vec(), Vec::new());
    while row.len() > 1 {
        branch.push(row[1.min(row.len() - 1)]);
        row = row.chunks(2).map(|pair| merkle_root(pair[0], &[pair[pair.len() - 1]])).collect();
    }
    (row[0], branch)
}

/// A proof's coinbase as the leaf of a tree.
fn leaf(proof: &Proof, world: &World) -> [u8; 32] {
    let hashed = proof.prefix.length as usize - proof.prefix.tail.len();
    let midstate = sha256::Midstate::from_byte_array(proof.prefix.midstate);
    let mut engine = sha256::HashEngine::from_midstate(midstate, hashed);
    engine.input(&proof.prefix.tail);
    engine.input(&[0; 8]);
    engine.input(&[0x22, 0x6a, 0x20]);
    engine.input(&sharechain::coinbase::commitment(world.chain.consensus_id(), &proof.share));
    engine.input(&(proof.share.bitcoin_height - 1).to_le_bytes());
    sha256::Hash::from_engine(engine).hash_again().to_byte_array()
}

#[test]
fn merkle_tricks() {
    let mut world = grown();
    let spec = world.spec(thief());
    let honest = world.mine(&spec);
    let own = leaf(&honest, &world);
    assert_eq!(merkle_root(own, &honest.branch), honest.header.merkle_root.to_byte_array());
    let with = |root: [u8; 32], branch: Vec<[u8; 32]>| {
        let header = Header { merkle_root: bitcoin::TxMerkleNode::from_byte_array(root), ..honest.header };
        Proof { header, branch, ..honest.clone() }
    };
    let bind = |proof: Proof| BoundProof::bind(proof, U256::MAX, world.chain.consensus_id());

    // CVE-2012-2459: doubled transactions have the same root. The first leaf has the same branch, so it is the same proof.
    let (root, branch) = tree(&[own, [1; 32], [2; 32]]);
    assert_eq!(tree(&[own, [1; 32], [2; 32], [2; 32]]), (root, branch.clone()));
    assert!(bind(with(root, branch.clone())).is_ok());

    // Index not 0: a second coinbase of another miner in the same block folds from the right, which no branch does.
    let beside = merkle_root([1; 32], &[own]);
    assert_eq!(bind(with(beside, vec![[1; 32]])).unwrap_err(), RuleError::NotBound);

    // An inner node or a deeper leaf instead of the coinbase: one header opens at one depth only.
    for depth in 0..branch.len() {
        assert_eq!(bind(with(root, branch[..depth].to_vec())).unwrap_err(), RuleError::NotBound);
    }
    let longer = branch.iter().copied().chain([root]).collect();
    assert_eq!(bind(with(root, longer)).unwrap_err(), RuleError::NotBound);

    // A transaction of 64 bytes that is also an inner node: its prefix would have 64 bytes less those that follow it.
    const AFTER_PREFIX: u32 = 8 + 1 + 2 + 32 + 4;
    let inner: [u8; 64] = [[3; 32], [4; 32]].concat().try_into().unwrap();
    let length = 64 - AFTER_PREFIX;
    const { assert!(64 - AFTER_PREFIX < PREFIX_BYTES_MIN) };
    let no_midstate = sha256::HashEngine::default().midstate().to_byte_array();
    let prefix = CoinbasePrefix { midstate: no_midstate, length, tail: inner[..length as usize].to_vec() };
    let node = sha256d::Hash::hash(&inner).to_byte_array();
    let short = Proof { prefix, ..with(merkle_root(node, &[[5; 32]]), vec![[5; 32]]) };
    assert_eq!(Proof::decode(&short.encode()), Err(RuleError::PrefixLength(length)));

    // A branch longer than any block's.
    let deep = with(root, vec![[6; 32]; BRANCH_MAX + 1]);
    assert_eq!(Proof::decode(&deep.encode()), Err(RuleError::BranchTooLong));

    // A hash counts once.
    let value = unit(&world);
    accepted(receive(&mut world, &honest));
    world.link(miner(1));
    assert_eq!(earned(&mut world, &thief()), (value, 1));
}

#[test]
fn extranonce_and_version_rolling_malleability() {
    let mut world = grown();
    let spec = world.spec(thief());
    let (share, previous) = (world.header_of(&spec), spec.previous_block);
    let payouts = world.payouts(&share, &previous);
    let position = world.chain.link(&spec.parent).unwrap().position.clone();
    let share_only = |hash| hash <= position.share_target && hash > position.link_target;
    let value = unit(&world);
    const ROLLS: u64 = 16;
    let mut hashes = 0;
    for roll in 0..ROLLS {
        let version = Version::from_consensus(0x2000_0000 | (roll as i32) << 13);
        let proof = world.mine_until(share.clone(), &payouts, previous, |header| header.version = version, share_only);
        hashes += u64::from(proof.header.nonce) + 1;
        accepted(receive(&mut world, &proof));
        // Rolled without new work, it is another hash, which is as unlikely a share as any, or the same hash without a
        // binding.
        let mut rolled = proof.clone();
        rolled.header.version = Version::from_consensus(0x3000_0000 | (roll as i32) << 13);
        assert_ne!(rolled.id(), proof.id());
        let mut rolled = proof;
        rolled.extranonce[..8].copy_from_slice(&roll.wrapping_add(77).to_le_bytes());
        assert_eq!(receive(&mut world, &rolled), Outcome::Known(Default::default()), "an id counts once");
    }
    world.link(miner(1));
    assert_eq!(earned(&mut world, &thief()), (times(value, ROLLS), ROLLS), "each id cost work of its own");
    assert!(hashes >= ROLLS, "{hashes} hashes");
}
