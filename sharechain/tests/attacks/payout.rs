//! Who is paid: coinbases that pay the attacker, and draws that it tries to repeat.

use std::collections::BTreeSet;

use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::{Amount, BlockHash, ScriptBuf, TxMerkleNode, TxOut, Txid};
use sharechain::chain::{Missing, Outcome, Plan, TemplateError};
use sharechain::check::binding::merkle_root;
use sharechain::coinbase::{Coinbase, commitment};
use sharechain::limits::FUTURE_SECONDS;
use sharechain::share::CoinbasePrefix;
use sharechain::{ChainParams, Height, Proof, RuleError, ShareHeader, ShareId, Weight};

use super::{earned, grown, receive, thief, unit};
use testkit::{Spec, World, accepted, miner, params};

/// A world with the short window of the tests' network.
fn paying() -> World {
    let mut world = World::new();
    world.grow(40, 3);
    world
}

/// Bytes after the prefix: the commitment output and the locktime.
fn suffix(world: &World, share: &ShareHeader) -> Vec<u8> {
    let commitment = commitment(world.chain.consensus_id(), share);
    [&[0; 8][..], &[0x22, 0x6a, 0x20], &commitment, &(share.bitcoin_height - 1).to_le_bytes()].concat()
}

/// Mines a share whose coinbase has exactly these bytes before its commitment.
fn mine_bytes(world: &World, share: &ShareHeader, previous: BlockHash, extranonce: [u8; 16], bytes: &[u8]) -> Proof {
    let whole = bytes.len() / 64 * 64;
    let mut engine = sha256::HashEngine::default();
    engine.input(&bytes[..whole]);
    let (midstate, tail) = (engine.midstate().to_byte_array(), bytes[whole..].to_vec());
    let prefix = CoinbasePrefix { midstate, length: bytes.len() as u32, tail };
    let txid = Txid::hash(&[bytes, &suffix(world, share)].concat());
    let target = world.chain.link(&share.parent).unwrap().position.share_target;
    let mut header = world.bitcoin_tip;
    header.prev_blockhash = previous;
    header.merkle_root = TxMerkleNode::from_byte_array(merkle_root(txid.to_byte_array(), &[]));
    header.time = share.time.0.max(world.chain.bitcoin().median_time(&previous).unwrap().0 + 1);
    header.bits = world.chain.bitcoin().next_bits(&previous).unwrap();
    header.nonce = 0;
    while ShareId::from(header.block_hash()).as_number() > target {
        header.nonce += 1;
    }
    let witness_commitment = Some([3; 32]);
    Proof { header, share: share.clone(), extranonce, witness_commitment, branch: vec![], prefix }
}

#[test]
fn payout_theft_by_a_non_canonical_coinbase() {
    let mut world = paying();
    let spec = world.spec(thief());
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    let extranonce = [9; 16];
    let witness = [3; 32];
    let canonical =
        Coinbase { share: &share, payouts: &payouts, extranonce: &extranonce, witness_commitment: Some(&witness) }
            .build(world.chain.consensus_id());
    let length = canonical.as_bytes().len() - suffix(&world, &share).len();
    let honest = canonical.as_bytes()[..length].to_vec();
    // Version, input count, outpoint, script length, script, sequence, output count.
    let script_at = 4 + 1 + 36;
    let count_at = script_at + 1 + usize::from(honest[script_at]) + 4;
    let first_at = count_at + 1;
    let second_at = first_at + 8 + 1 + payouts[0].script_pubkey.len();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = honest.clone();
        change(&mut bytes);
        bytes
    };
    let thief_output: Vec<u8> = [&1_u64.to_le_bytes()[..], &[22], thief().as_bytes()].concat();
    let variants = [
        ("all to the thief", with(&|bytes| bytes[first_at + 9..first_at + 31].copy_from_slice(thief().as_bytes()))),
        (
            "one satoshi to the thief",
            with(&|bytes| {
                bytes[first_at] = bytes[first_at].wrapping_sub(1);
                bytes[count_at] += 1;
                bytes.splice(second_at..second_at, thief_output.clone());
            }),
        ),
        (
            "an output of nothing",
            with(&|bytes| {
                bytes[count_at] += 1;
                bytes.splice(first_at..first_at, [&[0; 8][..], &[0]].concat());
            }),
        ),
        (
            "a count in three bytes",
            with(&|bytes| {
                let count = bytes[count_at];
                bytes.splice(count_at..=count_at, [0xfd, count, 0]);
            }),
        ),
        (
            "a longer scriptSig",
            with(&|bytes| {
                bytes[script_at] += 1;
                bytes.insert(count_at - 4, 0x51);
            }),
        ),
        ("another version", with(&|bytes| bytes[0] = 1)),
        ("another sequence", with(&|bytes| bytes[count_at - 4] = 0xff)),
        ("a name of its own", with(&|bytes| bytes[script_at + 8] ^= 1)),
        ("another outpoint", with(&|bytes| bytes[10] = 1)),
        ("the count of fewer outputs", with(&|bytes| bytes[count_at] -= 1)),
    ];
    for (what, bytes) in &variants {
        let proof = mine_bytes(&world, &share, spec.previous_block, extranonce, bytes);
        assert_eq!(receive(&mut world, &proof), Outcome::Invalid(RuleError::Payout), "{what}");
    }
    let proof = mine_bytes(&world, &share, spec.previous_block, extranonce, &honest);
    accepted(receive(&mut world, &proof));
    let stolen: u64 = payouts.iter().filter(|output| output.script_pubkey == thief()).map(|o| o.value.to_sat()).sum();
    assert_eq!(stolen, 0, "the only coinbase that counts pays the thief nothing");
}

#[test]
fn payout_scripts_are_of_five_forms_and_nothing_larger() {
    // Bitcoin Core leaves 400 signature operations and 8,000 weight units for the coinbase of a template.
    const SIGOPS_MAX: u64 = 400;
    let mut world = grown();
    let spec = world.spec(miner(1));
    let bare_multisig = ScriptBuf::from_bytes([&[0x51][..], &[0x21; 34], &[0x51, 0xae]].concat());
    let checksigs = ScriptBuf::from_bytes(vec![0xac; 34]);
    for script in [bare_multisig, checksigs, ScriptBuf::from_bytes(vec![0x6a]), ScriptBuf::new()] {
        let honest = world.mine(&spec);
        let forged = Proof { share: ShareHeader { payout: script, ..honest.share.clone() }, ..honest };
        assert_eq!(Proof::decode(&forged.encode()), Err(RuleError::PayoutScript));
    }
    // Of the five forms, only P2PKH has a signature operation: one, which counts four times.
    let sigops = 4 * world.chain.params().outputs_max as u64;
    assert!(sigops <= SIGOPS_MAX, "{sigops} at most");
}

/// All that a miner may choose for work on one parent and one Bitcoin block.
fn choices(world: &World, parent: ShareId) -> Vec<Spec> {
    let scripts = (1..=40).map(miner).chain([thief()]);
    let base = world.spec_on(parent, thief());
    let mut all: Vec<Spec> = scripts.map(|payout| Spec { payout, ..base.clone() }).collect();
    all.extend((0..200).map(|fees_sat| Spec { fees_sat, ..base.clone() }));
    all.extend((0..60).map(|later| Spec { time: base.time.plus(later), ..base.clone() }));
    all.extend((0..base.list.len()).map(|cut| Spec { list: base.list[..cut].to_vec(), ..base.clone() }));
    all
}

/// The scripts that work for this spec pays in proportion.
fn plan(world: &mut World, spec: &Spec) -> Plan {
    Plan::clone(&world.chain.plan(&spec.parent, &spec.previous_block).unwrap())
}

#[test]
fn tail_draw_grinding() {
    let mut world = World::with(ChainParams { outputs_max: 3, ..params() });
    world.grow(60, 6);
    (0..3).for_each(|_| drop(world.share(miner(9))));
    let tip = world.chain.tip();
    let honest = world.spec(miner(1));
    let due = plan(&mut world, &honest);
    assert_eq!(due.selection.as_ref().unwrap().entries().len(), 3, "nine scripts draw for three outputs");
    // A new script, value, time or list gives no new draw.
    for spec in choices(&world, tip) {
        assert_eq!(plan(&mut world, &spec), due);
    }
    // A competing tip of Bitcoin has the same seed.
    let parent = *world.bitcoin_headers.iter().rev().nth(1).unwrap();
    let rival = world.bitcoin_block_on(parent);
    assert_ne!(rival.block_hash(), world.bitcoin_tip.block_hash());
    let on_rival = Spec { previous_block: rival.block_hash(), ..honest };
    assert_eq!(plan(&mut world, &on_rival), due);
    // Only old parents remain: they give one draw for each Bitcoin block among their anchors, and each costs a link's
    // bonus.
    let params = world.chain.params().clone();
    let oldest = world.chain.height().below(params.credit_depth - params.anchor_depth);
    let mut draws = BTreeSet::new();
    let mut works = BTreeSet::new();
    let (best, deep) =
        (world.bitcoin_tip.block_hash(), world.chain.bitcoin().best().height - params.snapshot_bitcoin_depth);
    let settled = world.chain.bitcoin().work_at(&best, deep).unwrap();
    for height in oldest.0..=world.chain.height().0 {
        let spec = world.spec_on(world.chain.main_at(Height(height)).unwrap(), thief());
        let anchor = world.header_of(&spec).anchor;
        works.insert(world.chain.link(&anchor).unwrap().position.bitcoin_work.min(settled));
        let plan = plan(&mut world, &spec);
        draws.insert((plan.snapshot, plan.seed));
    }
    assert_eq!(draws.len(), works.len());
    assert!(draws.len() <= 1 + (params.credit_depth as usize).div_ceil(5), "a Bitcoin block every fifth link");
}

#[test]
fn the_value_of_a_coinbase_draws_nothing() {
    let mut world = paying();
    let spec = world.spec(miner(1));
    let scripts = |world: &mut World, fees_sat| -> Vec<ScriptBuf> {
        let share = world.header_of(&Spec { fees_sat, ..spec.clone() });
        world.payouts(&share, &spec.previous_block).into_iter().map(|output| output.script_pubkey).collect()
    };
    let due = scripts(&mut world, 0);
    assert!((1..2_000).all(|fees_sat| scripts(&mut world, fees_sat) == due), "2,000 values, one draw");
}

#[test]
fn the_snapshot_is_not_to_be_chosen() {
    let mut world = paying();
    let spec = world.spec(miner(1));
    let before = plan(&mut world, &spec);
    // The seed is known now. Work that is found from here on is too late for the draw that it decides.
    for _ in 0..2 * world.chain.params().anchor_depth {
        for _ in 0..5 {
            world.share(thief());
        }
        world.link(thief());
    }
    let spec = world.spec(thief());
    let after = plan(&mut world, &spec);
    assert_eq!(after.seed, before.seed);
    assert_eq!(after, before);
    let share = world.header_of(&spec);
    let outputs = world.payouts(&share, &spec.previous_block);
    let got: u64 = outputs.iter().filter(|output| output.script_pubkey == thief()).map(|o| o.value.to_sat()).sum();
    assert_eq!(got, 0, "all of the pool's hashrate since the seed was known, and not a satoshi of it");
}

#[test]
fn one_class_of_coinbase_for_all() {
    let mut world = paying();
    let spec = world.spec(thief());
    let mut shapes = BTreeSet::new();
    for signals in 0..64 {
        let mut share = world.header_of(&spec);
        share.signals = 1 << (signals % 32);
        shapes.insert(world.payouts(&share, &spec.previous_block));
    }
    assert_eq!(shapes.len(), 1, "no field of the header asks for more or fewer outputs");
    let outputs = shapes.pop_first().unwrap();
    let fewer: Vec<TxOut> = outputs[..outputs.len() - 1].to_vec();
    let share = world.header_of(&spec);
    let proof = world.mine_with(share, &fewer, spec.previous_block, false);
    assert_eq!(receive(&mut world, &proof), Outcome::Invalid(RuleError::Payout));
}

#[test]
fn invalid_template() {
    let mut world = paying();
    let spec = world.spec(thief());
    let share = world.header_of(&spec);
    let payouts = world.payouts(&share, &spec.previous_block);
    type Alteration = fn(&mut ShareHeader, &mut Vec<TxOut>);
    let wrong: [(Alteration, RuleError); 5] = [
        (|share, _| share.anchor = share.parent, RuleError::Anchor),
        (|share, _| share.bitcoin_height += 1, RuleError::BitcoinHeight),
        (|share, _| share.coinbase_value -= 1, RuleError::CoinbaseValue),
        (|_, payouts| payouts[0].value += Amount::ONE_SAT, RuleError::Payout),
        (|_, payouts| drop(payouts.pop()), RuleError::Payout),
    ];
    let now = world.now;
    for (alter, rule) in wrong {
        let (mut share, mut payouts) = (share.clone(), payouts.clone());
        alter(&mut share, &mut payouts);
        let draft = world.mine_until(share, &payouts, spec.previous_block, |_| (), |_| true);
        let bound = world.bind(&draft);
        assert_eq!(world.chain.check_template(&bound, now), Err(TemplateError::Rule(rule)), "before a miner sees it");
    }
    for (seconds, expected) in [(0, Ok(())), (1, Err(TemplateError::Missing(Missing::Time(now.plus(1)))))] {
        let ahead = ShareHeader { time: now.plus(FUTURE_SECONDS + seconds), ..share.clone() };
        let draft = world.mine_until(ahead, &payouts, spec.previous_block, |_| (), |_| true);
        let bound = world.bind(&draft);
        assert_eq!(world.chain.check_template(&bound, now), expected);
    }
    // The share-chain does not know the transactions, so such work earns without finding blocks. At most, it takes what
    // it would earn honestly.
    let value = unit(&world);
    let draft = world.mine(&spec);
    accepted(receive(&mut world, &draft));
    assert_eq!(world.chain.credit(&draft.id()).unwrap().weight, value);
}

#[test]
fn low_fee_templates() {
    const FEES_SAT: u64 = 10_000_000;
    let mut world = paying();
    let pays = |world: &mut World, fees_sat| {
        let spec = Spec { fees_sat, ..world.spec(miner(1)) };
        let share = world.header_of(&spec);
        world.payouts(&share, &spec.previous_block)
    };
    let (full, low) = (pays(&mut world, FEES_SAT), pays(&mut world, 0));
    assert_eq!(full.len(), low.len());
    let mut lost = 0;
    for (full, low) in full.iter().zip(&low) {
        assert_eq!(full.script_pubkey, low.script_pubkey);
        assert!(low.value <= full.value, "a miner that leaves fees out loses its own part of them");
        lost += (full.value - low.value).to_sat();
    }
    assert_eq!(lost, FEES_SAT, "the pool loses the fees of one block, and no more");
    let most = full.iter().zip(&low).map(|(full, low)| (full.value - low.value).to_sat()).max().unwrap();
    assert!(most < FEES_SAT, "each loses its part of it");
    assert_eq!(earned(&mut world, &thief()).0, Weight::ZERO);
}
