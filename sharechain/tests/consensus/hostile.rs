//! Altered and invented proofs: the rule that each breaks rejects it, and the honest proof is accepted afterwards.

use bitcoin::{Amount, BlockHash, CompactTarget, TxOut};
use sharechain::chain::{Missing, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{ChainParams, Proof, RuleError, ShareHeader, ShareId, Timestamp, U256};
use testkit::{Spec, World, accepted, miner, params};

/// A world in which the coinbase pays several miners.
fn grown() -> World {
    let mut world = World::new();
    world.grow(40, 3);
    world
}

/// That world, and the spec of its next honest share.
fn ready() -> (World, Spec) {
    let world = grown();
    let spec = world.spec(miner(1));
    (world, spec)
}

/// What a node does with a peer's message: first the binding, then the chain.
fn receive(world: &mut World, proof: Proof) -> Outcome {
    match BoundProof::bind(proof, world.chain.easiest_plausible_target(world.now), world.chain.consensus_id()) {
        Ok(bound) => world.chain.insert(bound, None, Source(7), world.now),
        Err(rule) => Outcome::Invalid(rule),
    }
}

type Alteration<T> = (&'static str, fn(&mut T));

#[test]
fn no_field_of_a_share_can_be_altered_on_the_way() {
    let alterations: &[Alteration<Proof>] = &[
        ("version", |proof| proof.share.version += 1),
        ("parent", |proof| proof.share.parent.0[0] ^= 1),
        ("anchor", |proof| proof.share.anchor.0[0] ^= 1),
        ("shares_root", |proof| proof.share.shares_root[31] ^= 1),
        ("shares_count", |proof| proof.share.shares_count += 1),
        ("payout", |proof| proof.share.payout = miner(66)),
        ("time", |proof| proof.share.time.0 += 1),
        ("bitcoin_height", |proof| proof.share.bitcoin_height += 1),
        ("coinbase_value", |proof| proof.share.coinbase_value += 1),
        ("signals", |proof| proof.share.signals ^= 1),
        ("branch, changed", |proof| proof.branch[1][0] ^= 1),
        ("branch, longer", |proof| proof.branch.push([0; 32])),
        ("branch, shorter", |proof| proof.branch.truncate(1)),
        ("branch, swapped", |proof| proof.branch.reverse()),
        ("midstate", |proof| proof.prefix.midstate[0] ^= 1),
        ("length", |proof| proof.prefix.length += 64),
        ("tail", |proof| proof.prefix.tail[0] ^= 1),
        ("tail and length", |proof| {
            proof.prefix.tail.pop();
            proof.prefix.length -= 1;
        }),
    ];
    let (mut world, spec) = ready();
    let honest = world.mine(&spec);
    for (field, alter) in alterations {
        let mut altered = honest.clone();
        alter(&mut altered);
        assert_eq!(altered.id(), honest.id());
        assert_eq!(receive(&mut world, altered), Outcome::Invalid(RuleError::NotBound), "{field}");
    }
    accepted(receive(&mut world, honest));
}

#[test]
fn what_only_the_coinbase_binds_can_be_altered_but_does_not_spoil_the_id() {
    let alterations: &[Alteration<Proof>] = &[
        ("extranonce", |proof| proof.extranonce[0] ^= 1),
        ("witness commitment", |proof| proof.witness_commitment = Some([8; 32])),
        ("no witness commitment", |proof| proof.witness_commitment = None),
    ];
    let (mut world, spec) = ready();
    let honest = world.mine(&spec);
    for (field, alter) in alterations {
        let mut altered = honest.clone();
        alter(&mut altered);
        assert_eq!(receive(&mut world, altered), Outcome::Invalid(RuleError::Payout), "{field}");
    }
    accepted(receive(&mut world, honest));
}

#[test]
fn no_field_of_the_bitcoin_header_can_be_altered_on_the_way() {
    let (mut world, spec) = ready();
    let honest = world.mine(&spec);
    let alterations: &[Alteration<Proof>] = &[
        ("version", |proof| proof.header.version = bitcoin::block::Version::from_consensus(0x3000_0000)),
        ("prev_blockhash", |proof| proof.header.prev_blockhash = ShareId([1; 32]).block_hash()),
        ("merkle_root", |proof| {
            proof.header.merkle_root =
                bitcoin::TxMerkleNode::from_raw_hash(*ShareId([1; 32]).block_hash().as_raw_hash())
        }),
        ("time", |proof| proof.header.time += 1),
        ("bits", |proof| proof.header.bits = CompactTarget::from_consensus(0x207f_fffe)),
        ("nonce", |proof| proof.header.nonce = proof.header.nonce.wrapping_add(1)),
    ];
    for (field, alter) in alterations {
        let mut altered = honest.clone();
        alter(&mut altered);
        // One hash in eight meets the tests' easy target by chance. Then another rule rejects it, or it is a new share.
        let outcome = receive(&mut world, altered);
        let by_chance = matches!(*field, "version" | "time" | "nonce");
        assert!(by_chance || !matches!(outcome, Outcome::Accepted(_)), "{field}: {outcome:?}");
    }
    accepted(receive(&mut world, honest));
}

#[test]
fn no_output_can_be_altered_by_a_miner() {
    let (mut world, spec) = ready();
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    assert!(payouts.len() > 3);
    let mut variants: Vec<(String, Vec<TxOut>)> = Vec::new();
    for index in 0..payouts.len() {
        let mut altered = |what: &str, change: &dyn Fn(&mut Vec<TxOut>)| {
            let mut outputs = payouts.clone();
            change(&mut outputs);
            variants.push((format!("{what} {index}"), outputs));
        };
        altered("one satoshi more to", &|outputs| outputs[index].value += Amount::from_sat(1));
        altered("one satoshi less to", &|outputs| outputs[index].value -= Amount::from_sat(1));
        altered("one satoshi moved from", &|outputs| {
            outputs[index].value -= Amount::from_sat(1);
            let next = (index + 1) % outputs.len();
            outputs[next].value += Amount::from_sat(1);
        });
        altered("a thief in place of", &|outputs| outputs[index].script_pubkey = miner(66));
        altered("without", &|outputs| drop(outputs.remove(index)));
        altered("twice", &|outputs| outputs.insert(index, outputs[index].clone()));
        altered("swapped", &|outputs| {
            let next = (index + 1) % outputs.len();
            outputs.swap(index, next);
        });
        altered("an empty output before", &|outputs| {
            outputs.insert(index, TxOut { value: Amount::ZERO, script_pubkey: miner(66) })
        });
    }
    for (what, outputs) in variants {
        let proof = world.mine_with(share.clone(), &outputs, spec.previous_block, false);
        assert_eq!(receive(&mut world, proof), Outcome::Invalid(RuleError::Payout), "{what}");
    }
    let honest = world.mine(&spec);
    accepted(receive(&mut world, honest));
}

#[test]
fn a_miner_cannot_pay_itself_by_its_own_history() {
    let mut world = grown();
    let spec = world.spec(miner(66));
    let share = world.header_of(&spec);
    let all = TxOut { value: Amount::from_sat(share.coinbase_value), script_pubkey: miner(66) };
    let proof = world.mine_with(share, &[all], spec.previous_block, true);
    assert_eq!(receive(&mut world, proof), Outcome::Invalid(RuleError::Payout));
}

/// An altered share header with real work.
fn remined(world: &mut World, spec: &Spec, alter: impl FnOnce(&mut ShareHeader)) -> Proof {
    let mut share = world.header_of(spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    alter(&mut share);
    world.mine_with(share, &payouts, spec.previous_block, spec.link)
}

fn refused(world: &mut World, proof: Proof) -> RuleError {
    let id = proof.id();
    match receive(world, proof.clone()) {
        Outcome::Invalid(rule) => {
            assert_eq!(world.chain.refusal(&id), rule.invalidates_id().then_some(rule));
            assert_eq!(receive(world, proof), Outcome::Invalid(rule), "the same verdict a second time");
            rule
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn sc_201_a_share_is_no_parent() {
    let mut world = grown();
    let share = world.share(miner(1));
    let spec = world.spec(miner(2));
    let proof = remined(&mut world, &spec, |header| header.parent = share.id());
    assert_eq!(refused(&mut world, proof), RuleError::ParentNotLink);
}

#[test]
fn sc_213_versions_that_bitcoin_rejects_earn_nothing() {
    let (mut world, spec) = ready();
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let position = world.chain.link(&spec.parent).unwrap().position.clone();
    for version in [3, 1, 0, -1, i32::MIN, 4, 5, 0x2000_0000, i32::MAX] {
        let alter =
            |header: &mut bitcoin::block::Header| header.version = bitcoin::block::Version::from_consensus(version);
        let meets = |hash: sharechain::U256| hash <= position.share_target;
        let proof = world.mine_until(share.clone(), &payouts, spec.previous_block, alter, meets);
        match world.insert(&proof, None) {
            Outcome::Accepted(_) => assert!(version >= 4, "version {version}"),
            outcome => assert_eq!(outcome, Outcome::Invalid(RuleError::BlockVersion(version))),
        }
    }
}

#[test]
fn sc_202_the_anchor_is_not_to_be_chosen() {
    let (mut world, spec) = ready();
    let anchor = world.header_of(&spec).anchor;
    let anchor = world.chain.link(&anchor).unwrap().clone();
    for chosen in [anchor.parent, world.chain.tip(), world.chain.params().genesis_id(), ShareId([5; 32])] {
        let proof = remined(&mut world, &spec, |header| header.anchor = chosen);
        assert_eq!(refused(&mut world, proof), RuleError::Anchor);
    }
}

#[test]
fn sc_203_time_does_not_fall_behind_the_median() {
    let (mut world, spec) = ready();
    let median = world.chain.link(&spec.parent).unwrap().position.median_time.unwrap();
    let proof = remined(&mut world, &spec, |header| header.time = median);
    assert_eq!(refused(&mut world, proof), RuleError::TimeTooOld);
    let proof = remined(&mut world, &spec, |header| header.time = median.plus(1));
    accepted(receive(&mut world, proof));
}

/// A proof whose Bitcoin header is altered before the work.
fn with_header(world: &mut World, alter: impl FnOnce(&mut bitcoin::block::Header)) -> Proof {
    let spec = world.spec(miner(1));
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let target = world.chain.link(&spec.parent).unwrap().position.share_target;
    world.mine_until(share, &payouts, spec.previous_block, alter, |hash| hash <= target)
}

#[test]
fn sc_204_and_205_bitcoins_time_is_bounded_both_ways() {
    let mut world = grown();
    let median = world.chain.bitcoin().median_time(&world.bitcoin_tip.block_hash()).unwrap();
    let proof = with_header(&mut world, |header| header.time = median.0);
    assert_eq!(refused(&mut world, proof), RuleError::BitcoinTimeTooOld);
    let now = world.now;
    let proof = with_header(&mut world, |header| header.time = now.plus(7_201).0);
    assert_eq!(refused(&mut world, proof), RuleError::TimesApart);
    let proof = with_header(&mut world, |header| header.time = now.plus(7_200).0);
    accepted(receive(&mut world, proof));
}

#[test]
fn sc_206_the_bitcoin_height_is_that_of_the_previous_block() {
    let (mut world, spec) = ready();
    let proof = remined(&mut world, &spec, |header| header.bitcoin_height += 1);
    assert_eq!(refused(&mut world, proof), RuleError::BitcoinHeight);
}

#[test]
fn sc_207_bits_are_what_bitcoin_expects() {
    let mut world = grown();
    let proof = with_header(&mut world, |header| header.bits = CompactTarget::from_consensus(0x207f_fffe));
    assert_eq!(refused(&mut world, proof), RuleError::Bits);
}

#[test]
fn sc_208_bitcoins_work_never_falls_from_parent_to_child() {
    let mut world = grown();
    let old = world.bitcoin_tip.prev_blockhash;
    let spec = Spec { previous_block: old, ..world.spec(miner(1)) };
    let proof = remined(&mut world, &spec, |_| ());
    assert_eq!(refused(&mut world, proof), RuleError::BitcoinWorkFell);
}

#[test]
fn sc_209_and_101_a_share_meets_its_target() {
    let (mut world, spec) = ready();
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let target = world.chain.link(&spec.parent).unwrap().position.share_target;
    let easiest = world.chain.easiest_plausible_target(world.now);
    let weak = world.mine_until(share.clone(), &payouts, spec.previous_block, |_| (), |hash| hash > easiest);
    assert_eq!(receive(&mut world, weak), Outcome::Invalid(RuleError::NoWork));
    let near = world.mine_until(share, &payouts, spec.previous_block, |_| (), |hash| hash > target);
    let bound = BoundProof::bind(near, U256::MAX, world.chain.consensus_id()).unwrap();
    assert_eq!(world.chain.insert(bound, None, Source(1), world.now), Outcome::Invalid(RuleError::ShareTarget));
}

#[test]
fn sc_210_the_value_lies_between_subsidy_and_all_money() {
    let (mut world, spec) = ready();
    for value in [0, world.header_of(&spec).coinbase_value - 1, 2_100_000_000_000_001, u64::MAX] {
        let proof = remined(&mut world, &spec, |header| header.coinbase_value = value);
        assert_eq!(refused(&mut world, proof), RuleError::CoinbaseValue);
    }
}

#[test]
fn sc_211_the_share_chain_starts_at_its_height() {
    let mut params = params();
    params.bitcoin.start_height = 3;
    let mut world = World::with(params);
    world.bitcoin_block();
    let spec = world.spec(miner(1));
    let proof = world.mine(&spec);
    assert_eq!(refused(&mut world, proof), RuleError::BeforeStart);
    world.bitcoin_block();
    world.share(miner(1));
}

#[test]
fn sc_212_the_children_of_an_invalid_link_are_invalid() {
    let mut world = grown();
    let spec = Spec { link: true, ..world.spec(miner(1)) };
    let bad = remined(&mut world, &spec, |header| header.anchor = ShareId([5; 32]));
    let waiting = remined(&mut world, &spec, |header| header.parent = bad.id());
    assert_eq!(receive(&mut world, waiting.clone()), Outcome::Held(Missing::Proof(bad.id())));
    let grandchild = remined(&mut world, &spec, |header| header.parent = waiting.id());
    assert_eq!(receive(&mut world, grandchild), Outcome::Held(Missing::Proof(waiting.id())));
    assert_eq!(refused(&mut world, bad.clone()), RuleError::Anchor);
    assert_eq!(world.chain.held_len(), 0, "whatever waited for it was judged as well");
    assert_eq!(world.chain.refusal(&waiting.id()), Some(RuleError::ParentInvalid));
    let changes = world.chain.tick(world.now);
    assert_eq!(changes.refused.len(), 2, "the next call tells of those that had waited");
    let later = remined(&mut world, &spec, |header| header.parent = bad.id());
    assert_eq!(refused(&mut world, later), RuleError::ParentInvalid);
}

#[test]
fn a_replayed_bitcoin_header_binds_nothing_and_the_honest_share_still_counts() {
    let (mut world, spec) = ready();
    let honest = world.mine(&spec);
    let forged_spec = Spec { payout: miner(66), ..world.spec(miner(66)) };
    let mut forged = world.mine(&forged_spec);
    forged.header = honest.header;
    assert_eq!(receive(&mut world, forged), Outcome::Invalid(RuleError::NotBound));
    let mut invented = honest.clone();
    invented.share.payout = miner(66);
    assert_eq!(receive(&mut world, invented), Outcome::Invalid(RuleError::NotBound));
    accepted(receive(&mut world, honest));
    // A block of a miner outside the pool.
    let mut foreign = world.mine(&forged_spec);
    foreign.header = world.bitcoin_tip;
    assert_eq!(receive(&mut world, foreign), Outcome::Invalid(RuleError::NotBound));
}

#[test]
fn work_for_another_network_does_not_bind() {
    let mut other = World::with(ChainParams { name: "other", ..params() });
    other.bitcoin_block();
    let spec = other.spec(miner(1));
    let proof = other.mine(&spec);
    let mut world = grown();
    assert_eq!(receive(&mut world, proof), Outcome::Invalid(RuleError::NotBound));
}

#[test]
fn an_altered_copy_does_not_displace_a_held_proof() {
    let mut world = grown();
    let mut other = world.clone();
    let (link, list) = other.link(miner(1));
    let spec = other.spec(miner(2));
    let child = other.mine(&spec);
    let mut altered = child.clone();
    altered.extranonce[0] ^= 1;
    world.now = other.now;
    for (proof, source) in [(&child, 1), (&altered, 2), (&child, 3)] {
        let bound = world.bind(proof);
        let outcome = world.chain.insert(bound, None, Source(source), world.now);
        assert_eq!(outcome, Outcome::Held(Missing::Proof(link.id())));
    }
    assert_eq!(world.chain.held_len(), 2, "the same bytes are held once");
    let changes = accepted(world.insert(&link, Some(list)));
    assert_eq!(changes.accepted.iter().map(|accepted| accepted.id).collect::<Vec<_>>(), [link.id(), child.id()]);
    assert!(world.chain.credit(&child.id()).is_some());
    assert_eq!(world.chain.held_len(), 0);
}

#[test]
fn a_duplicate_changes_nothing() {
    let mut world = grown();
    let share = world.share(miner(1));
    assert_eq!(world.insert(&share, None), Outcome::Known(Default::default()));
    let (link, list) = world.link(miner(2));
    let tip = world.chain.tip();
    assert_eq!(world.insert(&link, Some(list)), Outcome::Known(Default::default()));
    assert_eq!(world.insert(&share, None), Outcome::Known(Default::default()));
    assert_eq!(world.chain.tip(), tip);
    let (_, list) = world.link(miner(2));
    assert!(!list.contains(&share.id()), "listed once");
}

#[test]
fn a_share_on_an_unknown_bitcoin_block_waits_for_it() {
    let mut world = grown();
    let before = world.clone();
    world.bitcoin_block();
    let spec = world.spec(miner(1));
    let proof = world.mine(&spec);
    let mut chain = before.chain;
    let hash: BlockHash = world.bitcoin_tip.block_hash();
    let outcome = chain.insert(world.bind(&proof), None, Source(1), world.now);
    assert_eq!(outcome, Outcome::Held(Missing::BitcoinHeader(hash)));
    let changes = chain.insert_bitcoin_header(world.bitcoin_tip, Timestamp(world.now.0));
    assert_eq!(changes.accepted.len(), 1);
}
