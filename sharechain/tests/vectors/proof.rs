//! Encoding, commitment, coinbase and binding.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{Amount, BlockHash, CompactTarget, ScriptBuf, TxMerkleNode, TxOut};
use serde_json::{Value, json};
use sharechain::check::binding::{BoundProof, merkle_root};
use sharechain::coinbase::{Coinbase, CoinbaseBytes, commitment};
use sharechain::encode::{decode_list, encode_list, shares_root};
use sharechain::share::SHARE_VERSION;
use sharechain::{ChainParams, Proof, ShareHeader, ShareId, Timestamp, U256};

use crate::files::{Case, hex, unhex};

fn networks() -> [ChainParams; 3] {
    [ChainParams::main(), ChainParams::signet(), ChainParams::local()]
}

fn network(name: &str) -> ChainParams {
    networks().into_iter().find(|params| params.name == name).unwrap()
}

pub(super) fn make_networks() -> Vec<Value> {
    let case = |params: ChainParams| json!({ "name": params.name, "consensus_id": hex(&params.consensus_id()) });
    networks().into_iter().map(case).collect()
}

pub(super) fn check_network(case: &mut Case) {
    let params = network(case.text("name"));
    assert_eq!(params.consensus_id(), case.array("consensus_id"));
}

fn script(form: u8) -> ScriptBuf {
    let bytes = match form {
        0 => [&[0x76, 0xa9, 0x14][..], &[0x11; 20], &[0x88, 0xac]].concat(),
        1 => [&[0xa9, 0x14][..], &[0x22; 20], &[0x87]].concat(),
        2 => [&[0x00, 0x14][..], &[0x33; 20]].concat(),
        3 => [&[0x00, 0x20][..], &[0x44; 32]].concat(),
        form => [&[0x51, 0x20][..], &[form; 32]].concat(),
    };
    ScriptBuf::from_bytes(bytes)
}

/// A share header, what its coinbase pays, and with or without a witness commitment.
struct Example {
    share: ShareHeader,
    payouts: Vec<TxOut>,
    extranonce: [u8; 16],
    witness: Option<[u8; 32]>,
    branch: Vec<[u8; 32]>,
}

impl Example {
    fn new(form: u8, outputs: u8, bitcoin_height: u32, depth: u8) -> Self {
        let value = 312_500_000 + u64::from(outputs);
        let share = ShareHeader {
            version: SHARE_VERSION,
            parent: ShareId([0xa1; 32]),
            anchor: ShareId([0xa2; 32]),
            shares_root: shares_root(&[ShareId([1; 32]), ShareId([2; 32])]),
            shares_count: 2,
            payout: script(form),
            time: Timestamp(1_800_000_000),
            bitcoin_height,
            coinbase_value: value,
            signals: 0x8000_0001,
        };
        let each = value / u64::from(outputs);
        let payouts = (0..outputs).map(|output| {
            let left = if output == 0 { value % u64::from(outputs) } else { 0 };
            TxOut { value: Amount::from_sat(each + left), script_pubkey: script(output) }
        });
        let extranonce = core::array::from_fn(|index| index as u8);
        let witness = form.is_multiple_of(2).then_some([0x77; 32]);
        Self { share, payouts: payouts.collect(), extranonce, witness, branch: (0..depth).map(|i| [i; 32]).collect() }
    }

    fn coinbase(&self, consensus_id: &[u8; 32]) -> CoinbaseBytes {
        let Self { share, payouts, extranonce, witness, .. } = self;
        Coinbase { share, payouts, extranonce, witness_commitment: witness.as_ref() }.build(consensus_id)
    }

    fn proof(&self, consensus_id: &[u8; 32]) -> Proof {
        let coinbase = self.coinbase(consensus_id);
        let header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: BlockHash::from_byte_array([0xb1; 32]),
            merkle_root: TxMerkleNode::from_byte_array(merkle_root(coinbase.txid().to_byte_array(), &self.branch)),
            time: 1_800_000_007,
            bits: CompactTarget::from_consensus(0x1702_2e8b),
            nonce: 0xdead_beef,
        };
        let Self { share, extranonce, witness, branch, .. } = self;
        let (share, branch) = (share.clone(), branch.clone());
        Proof {
            header,
            share,
            extranonce: *extranonce,
            witness_commitment: *witness,
            branch,
            prefix: coinbase.prefix(),
        }
    }
}

fn examples() -> Vec<Example> {
    let heights = [1, 16, 17, 127, 128, 32_768, 925_344, 8_388_608];
    let forms = (0..8).zip([1, 2, 3, 5, 8, 13, 21, 48]).zip(heights).zip([0, 1, 2, 3, 5, 8, 12, 14]);
    forms.map(|(((form, outputs), height), depth)| Example::new(form, outputs, height, depth)).collect()
}

fn share_fields(share: &ShareHeader) -> Value {
    json!({
        "version": share.version,
        "parent": hex(&share.parent.0),
        "anchor": hex(&share.anchor.0),
        "shares_root": hex(&share.shares_root),
        "shares_count": share.shares_count,
        "payout": hex(share.payout.as_bytes()),
        "time": share.time.0,
        "bitcoin_height": share.bitcoin_height,
        "coinbase_value": share.coinbase_value,
        "signals": share.signals,
    })
}

fn share_of(fields: &Value) -> ShareHeader {
    let mut case = Case::new("share header".to_owned(), fields);
    let share = ShareHeader {
        version: case.number("version") as u32,
        parent: ShareId(case.array("parent")),
        anchor: ShareId(case.array("anchor")),
        shares_root: case.array("shares_root"),
        shares_count: case.number("shares_count") as u16,
        payout: ScriptBuf::from_bytes(case.bytes("payout")),
        time: Timestamp(case.number("time") as u32),
        bitcoin_height: case.number("bitcoin_height") as u32,
        coinbase_value: case.number("coinbase_value"),
        signals: case.number("signals") as u32,
    };
    case.assert_all_read();
    share
}

fn optional(bytes: Option<&[u8; 32]>) -> Value {
    bytes.map_or(Value::Null, |bytes| json!(hex(bytes)))
}

fn optional_of(value: &Value) -> Option<[u8; 32]> {
    value.as_str().map(|text| unhex(text).try_into().unwrap())
}

pub(super) fn make_encodings() -> Vec<Value> {
    let id = ChainParams::main().consensus_id();
    let case = |example: Example| {
        let proof = example.proof(&id);
        json!({
            "header": hex(&bitcoin::consensus::serialize(&proof.header)),
            "share": share_fields(&proof.share),
            "share_encoded": hex(&proof.share.encode()),
            "extranonce": hex(&proof.extranonce),
            "witness_commitment": optional(proof.witness_commitment.as_ref()),
            "branch": proof.branch.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
            "prefix_midstate": hex(&proof.prefix.midstate),
            "prefix_length": proof.prefix.length,
            "prefix_tail": hex(&proof.prefix.tail),
            "encoded": hex(&proof.encode()),
            "id": hex(&proof.id().0),
        })
    };
    examples().into_iter().map(case).collect()
}

pub(super) fn check_encoding(case: &mut Case) {
    let bytes = case.bytes("encoded");
    let proof = Proof::decode(&bytes).unwrap();
    assert_eq!(proof.encode(), bytes);
    assert_eq!(bitcoin::consensus::serialize(&proof.header), case.bytes("header"));
    assert_eq!(proof.share, share_of(case.get("share")));
    assert_eq!(proof.share.encode(), case.bytes("share_encoded"));
    assert_eq!(proof.extranonce, case.array("extranonce"));
    assert_eq!(proof.witness_commitment, optional_of(case.get("witness_commitment")));
    let branch = case.get("branch").as_array().unwrap().iter().map(|hash| unhex(hash.as_str().unwrap()));
    assert!(branch.eq(proof.branch.iter().map(|hash| hash.to_vec())));
    assert_eq!(proof.prefix.midstate, case.array("prefix_midstate"));
    assert_eq!(u64::from(proof.prefix.length), case.number("prefix_length"));
    assert_eq!(proof.prefix.tail, case.bytes("prefix_tail"));
    assert_eq!(proof.id().0, case.array("id"));
}

pub(super) fn make_not_canonical() -> Vec<Value> {
    let proof = Example::new(2, 3, 925_344, 2).proof(&ChainParams::main().consensus_id());
    let share_len = proof.share.encode().len();
    let at_flag = 80 + share_len + 16;
    let honest = proof.encode();
    let altered = |alter: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = honest.clone();
        alter(&mut bytes);
        bytes
    };
    let all = [
        altered(&|bytes| bytes.resize(865, 0)),
        altered(&|bytes| bytes.truncate(bytes.len() - 1)),
        altered(&|bytes| bytes.push(0)),
        altered(&|bytes| bytes[80] = 2),
        altered(&|bytes| bytes[80 + 102] = 0xff),
        altered(&|bytes| bytes[80 + 103] = 1),
        altered(&|bytes| bytes[80 + 100..80 + 102].copy_from_slice(&1_025_u16.to_le_bytes())),
        altered(&|bytes| bytes[at_flag] = 2),
        altered(&|bytes| bytes[at_flag + 33] = 15),
        altered(&|bytes| {
            let at_length = at_flag + 33 + 1 + 64 + 32;
            bytes[at_length..at_length + 4].copy_from_slice(&17_u32.to_le_bytes());
        }),
    ];
    let case = |bytes: Vec<u8>| json!({ "rule": Proof::decode(&bytes).unwrap_err().rule(), "encoded": hex(&bytes) });
    all.into_iter().map(case).collect()
}

pub(super) fn check_not_canonical(case: &mut Case) {
    assert_eq!(Proof::decode(&case.bytes("encoded")).unwrap_err().rule(), case.text("rule"));
}

pub(super) fn make_lists() -> Vec<Value> {
    let case = |count: u8| {
        let ids: Vec<ShareId> = (0..count).map(|number| ShareId([number; 32])).collect();
        json!({
            "ids": ids.iter().map(|id| hex(&id.0)).collect::<Vec<_>>(),
            "encoded": hex(&encode_list(&ids)),
            "shares_root": hex(&shares_root(&ids)),
        })
    };
    [0, 1, 3].into_iter().map(case).collect()
}

pub(super) fn check_list(case: &mut Case) {
    let ids =
        case.get("ids").as_array().unwrap().iter().map(|id| ShareId(unhex(id.as_str().unwrap()).try_into().unwrap()));
    let ids: Vec<ShareId> = ids.collect();
    assert_eq!(encode_list(&ids), case.bytes("encoded"));
    assert_eq!(decode_list(&case.bytes("encoded")), Ok(ids.clone()));
    assert_eq!(shares_root(&ids), case.array("shares_root"));
}

pub(super) fn make_coinbases() -> Vec<Value> {
    let params = ChainParams::main();
    let id = params.consensus_id();
    let case = |example: Example| {
        let coinbase = example.coinbase(&id);
        let prefix = coinbase.prefix();
        let payouts = example.payouts.iter().map(
            |output| json!({ "script": hex(output.script_pubkey.as_bytes()), "value_sat": output.value.to_sat() }),
        );
        json!({
            "network": params.name,
            "share": share_fields(&example.share),
            "payouts": payouts.collect::<Vec<_>>(),
            "extranonce": hex(&example.extranonce),
            "witness_commitment": optional(example.witness.as_ref()),
            "commitment": hex(&commitment(&id, &example.share)),
            "coinbase": hex(coinbase.as_bytes()),
            "txid": hex(coinbase.txid().as_byte_array()),
            "extranonce_offset": coinbase.split_for_stratum().0.len(),
            "prefix_length": prefix.length,
            "prefix_midstate": hex(&prefix.midstate),
            "prefix_tail": hex(&prefix.tail),
        })
    };
    examples().into_iter().map(case).collect()
}

pub(super) fn check_coinbase(case: &mut Case) {
    let id = network(case.text("network")).consensus_id();
    let share = share_of(case.get("share"));
    let payouts = case.get("payouts").as_array().unwrap().iter().map(|output| TxOut {
        value: Amount::from_sat(output["value_sat"].as_u64().unwrap()),
        script_pubkey: ScriptBuf::from_bytes(unhex(output["script"].as_str().unwrap())),
    });
    let witness = optional_of(case.get("witness_commitment"));
    let (payouts, extranonce) = (payouts.collect::<Vec<_>>(), case.array("extranonce"));
    let coinbase =
        Coinbase { share: &share, payouts: &payouts, extranonce: &extranonce, witness_commitment: witness.as_ref() };
    let built = coinbase.build(&id);
    assert_eq!(commitment(&id, &share), case.array("commitment"));
    assert_eq!(built.as_bytes(), case.bytes("coinbase"));
    assert_eq!(built.txid().as_byte_array(), &case.array::<32>("txid"));
    assert_eq!(built.split_for_stratum().0.len() as u64, case.number("extranonce_offset"));
    let prefix = built.prefix();
    assert_eq!(u64::from(prefix.length), case.number("prefix_length"));
    assert_eq!(prefix.midstate, case.array("prefix_midstate"));
    assert_eq!(prefix.tail, case.bytes("prefix_tail"));
}

pub(super) fn make_bindings() -> Vec<Value> {
    let params = ChainParams::main();
    let id = params.consensus_id();
    let honest = Example::new(4, 5, 925_344, 3).proof(&id);
    let altered = |alter: fn(&mut Proof)| {
        let mut proof = honest.clone();
        alter(&mut proof);
        proof
    };
    let proofs = [
        honest.clone(),
        altered(|proof| proof.extranonce[0] ^= 1),
        altered(|proof| proof.share.time.0 += 1),
        altered(|proof| proof.share.payout = script(0)),
        altered(|proof| proof.branch.swap(0, 1)),
        altered(|proof| proof.prefix.length += 64),
        altered(|proof| proof.prefix.midstate[0] ^= 1),
    ];
    let case = |proof: Proof| {
        let binds = BoundProof::bind(proof.clone(), U256::MAX, &id).is_ok();
        json!({ "network": params.name, "encoded": hex(&proof.encode()), "binds": binds })
    };
    proofs.into_iter().map(case).collect()
}

pub(super) fn check_binding(case: &mut Case) {
    let id = network(case.text("network")).consensus_id();
    let proof = Proof::decode(&case.bytes("encoded")).unwrap();
    assert_eq!(BoundProof::bind(proof, U256::MAX, &id).is_ok(), case.get("binds").as_bool().unwrap());
}
