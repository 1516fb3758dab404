//! State commitments and the null data output: what a miner may write into them, and at what cost to others.

use bitcoin::ScriptBuf;
use bitcoin::consensus::encode::deserialize;
use sharechain::chain::{Fate, ListState, Outcome};
use sharechain::coinbase::Coinbase;
use sharechain::payout_proof::{BlockWindow, Finding};
use sharechain::{Proof, RuleError, ShareId, Weight};

use super::{earned, grown, receive, thief, unit};
use testkit::{Spec, World, accepted, miner};

/// Work for a spec with another state root.
fn with_state(world: &mut World, spec: &Spec, alter: impl FnOnce(&mut [u8; 32])) -> Proof {
    let mut share = world.header_of(spec);
    alter(&mut share.state_root);
    let payouts = world.payouts(&share, &spec.previous_block);
    world.mine_with(share, &payouts, spec.previous_block, spec.link)
}

fn verdict(world: &World, id: &ShareId) -> Option<RuleError> {
    match &world.chain.link(id)?.list {
        ListState::Invalid(rule) => Some(*rule),
        _ => None,
    }
}

#[test]
fn a_wrong_state_root_voids_the_list_and_earns_as_a_share() {
    let mut world = grown();
    world.share(miner(2));
    let tip = world.chain.tip();
    let value = unit(&world);
    let spec = Spec { link: true, ..world.spec(thief()) };
    let wrong = with_state(&mut world, &spec, |root| root[31] ^= 1);
    accepted(world.insert(&wrong, Some(spec.list)));
    assert_eq!(verdict(&world, &wrong.id()), Some(RuleError::StateRoot));
    assert_eq!(world.chain.tip(), tip, "it does not count for fork choice");
    assert_eq!(world.chain.refusal(&wrong.id()), None, "and its id is not invalid");
    let (_, list) = world.link(miner(1));
    assert!(list.contains(&wrong.id()));
    assert!(matches!(world.chain.fate(&wrong.id()), Fate::Listed { .. }));
    assert_eq!(earned(&mut world, &thief()), (value, 1), "a bug in a miner's node costs its links, not its shares");
}

#[test]
fn a_node_makes_no_proof_of_a_window_that_it_did_not_find_right() {
    let mut world = grown();
    world.share(miner(2));
    let spec = Spec { link: true, ..world.spec(thief()) };
    let wrong = with_state(&mut world, &spec, |root| root[0] ^= 1);
    accepted(world.insert(&wrong, Some(spec.list.clone())));
    assert_eq!(world.chain.block_window(&wrong), None);
    let share = world.share(miner(3));
    assert_eq!(world.chain.block_window(&share), None, "the window that a share commits to is not checked");

    let (right, _) = world.link(miner(1));
    let window = world.chain.block_window(&right).unwrap();
    assert_eq!(BlockWindow::decode(&window.encode()), Ok(window.clone()));
    let mut paid_sat = 0;
    for number in 0..=66 {
        let proof = window.prove(&miner(number), world.chain.params()).unwrap();
        paid_sat += match proof.verify(&right.header, world.chain.params()).unwrap().finding {
            Finding::Exact { output, .. } | Finding::Drawn { output, .. } | Finding::Finder { output } => {
                output.value_sat
            }
            Finding::NotDrawn { .. } | Finding::Absent | Finding::OtherFinder => 0,
        };
    }
    assert_eq!(paid_sat, right.share.coinbase_value, "the proofs show every satoshi");
}

#[test]
fn a_share_carries_a_state_root_that_nobody_checks() {
    let mut world = grown();
    let value = unit(&world);
    let spec = world.spec(thief());
    let share = with_state(&mut world, &spec, |root| *root = [0; 32]);
    assert!(matches!(receive(&mut world, &share), Outcome::Accepted(_)));
    world.link(miner(1));
    assert_eq!(earned(&mut world, &thief()), (value, 1));
}

#[test]
fn every_node_finds_the_same_state() {
    // Another node gets everything late and in another order, and computes ahead at other times.
    let mut world = grown();
    let mut other = world.clone();
    let mut found = Vec::new();
    for round in 0..30 {
        if round % 4 == 0 {
            world.bitcoin_block();
        }
        found.push((world.share(miner(2 + round % 3)), None));
        let (link, list) = world.link(miner(round % 5));
        found.push((link, Some(list)));
        world.chain.tick(world.now);
    }
    for header in &world.bitcoin_headers {
        other.chain.insert_bitcoin_header(*header, world.now);
    }
    other.now = world.now;
    for (proof, list) in found.iter().rev() {
        other.insert_requested(proof, list.clone());
    }
    assert_eq!(other.chain.tip(), world.chain.tip(), "no root was wrong there");
    let previous = world.bitcoin_tip.block_hash();
    let root = |world: &mut World| world.chain.state_root(&world.chain.tip(), &previous, &[]).unwrap();
    assert_eq!(root(&mut world), root(&mut other));
}

#[test]
fn null_data_adds_no_sigops_and_no_second_commitment() {
    let mut world = grown();
    let spec = world.spec(thief());
    let mut share = world.header_of(&spec);
    // 80 opcodes that would count 20 sigops each, as data.
    share.null_data = ScriptBuf::from_bytes([vec![0x6a, 0x4c, 80], vec![0xae; 80]].concat());
    let payouts = world.payouts(&share, &spec.previous_block);
    let (extranonce, witness) = ([4; 16], [5; 32]);
    let coinbase =
        Coinbase { share: &share, payouts: &payouts, extranonce: &extranonce, witness_commitment: Some(&witness) }
            .build(world.chain.consensus_id());
    let transaction: bitcoin::Transaction = deserialize(coinbase.as_bytes()).unwrap();
    assert_eq!(transaction.output.len(), payouts.len() + 3);
    let data = &transaction.output[payouts.len()];
    assert_eq!((data.value.to_sat(), &data.script_pubkey), (0, &share.null_data));
    assert_eq!(data.script_pubkey.count_sigops_legacy(), 0);
    // Bitcoin uses the last output that looks like a witness commitment.
    let looks = |script: &ScriptBuf| script.as_bytes().starts_with(&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed]);
    let last = transaction.output.iter().rposition(|output| looks(&output.script_pubkey)).unwrap();
    assert_eq!(transaction.output[last].script_pubkey.as_bytes()[6..], witness);

    // The work binds it: no one can add or change it on the way.
    let proof = world.mine_with(share.clone(), &payouts, spec.previous_block, false);
    let mut altered = proof.clone();
    altered.share.null_data = ScriptBuf::new();
    assert_eq!(receive(&mut world, &altered), Outcome::Invalid(RuleError::NotBound));
    assert!(matches!(receive(&mut world, &proof), Outcome::Accepted(_)));
    world.link(miner(1));
    assert_ne!(earned(&mut world, &thief()).0, Weight::ZERO);
}
