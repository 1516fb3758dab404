//! Recordings of simulated networks: created, altered, and replayed by the program and the model.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, ScriptBuf, TxMerkleNode, TxOut, WPubkeyHash};
use rand::seq::SliceRandom;
use recording::{Claim, Line, ProofLine, RawProof, Reader, Replay, Start, Writer};
use serde_json::Value;
use sharechain::chain::Chain;
use sharechain::check::binding::merkle_root;
use sharechain::coinbase::Coinbase;
use sharechain::{Proof, ShareId};
use sim::full::build;
use sim::pow::grind;
use sim::record::record;
use sim::rng::stream;
use sim::scenario::Scenario;
use sim::time::Micros;

/// One in this many proofs is altered.
const ALTERED_EVERY: usize = 25;

/// The recording of one node.
pub(crate) struct Recorded {
    start: Start,
    pub(crate) lines: Vec<Line>,
}

/// The findings of a replay. Program and model must agree on them.
#[derive(Debug, PartialEq)]
pub(crate) struct ReplayResult {
    pub(crate) links: u64,
    pub(crate) height: u64,
    pub(crate) chain_work: String,
    pub(crate) held: u64,
    /// Line numbers, and the values that were computed there.
    pub(crate) differences: Vec<(u64, String)>,
}

impl Recorded {
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut world = build(scenario, seed).expect("its strategies exist");
        world.run(Micros::from_secs_f64(scenario.duration_s));
        let mut bytes = Vec::new();
        record(&mut world, &scenario.name, &mut bytes).expect("a node runs");
        let (start, mut reader) = Reader::new(bytes.as_slice()).expect("it was just written");
        let mut lines = Vec::new();
        while let Some((_, line)) = reader.next_line().expect("it was just written") {
            lines.push(line);
        }
        Self { start, lines }
    }

    /// Returns the recording with other lines.
    pub(crate) fn text(&self, lines: &[Line]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, &self.start, None).expect("memory takes it");
        for line in lines {
            writer.line(line).expect("memory takes it");
        }
        writer.finish().expect("memory takes it");
        bytes
    }

    /// Returns the number of outputs of the recorder's next proof.
    pub(crate) fn claimed_outputs(&self) -> usize {
        let outputs = self.lines.iter().find_map(|line| match line {
            Line::Claim(Claim::Outputs(claim)) => Some(claim.outputs.len()),
            _ => None,
        });
        outputs.unwrap_or(0)
    }
}

pub(crate) fn found_by_program(text: &[u8]) -> ReplayResult {
    let replay = Replay::of(text, |_| {}).expect("it is a recording");
    let chain = replay.chain();
    let links = ids(text).into_iter().filter(|id| chain.link(id).is_some()).count();
    let tip = chain.link(&chain.tip()).expect("the tip is a link");
    ReplayResult {
        links: links as u64,
        height: u64::from(tip.height.0),
        chain_work: format!("{:064x}", tip.chain_work.0),
        held: chain.held_len() as u64,
        differences: replay.differences().iter().map(|found| (found.line, found.computed.clone())).collect(),
    }
}

/// Returns the ids of the proofs in a recording, each once.
fn ids(text: &[u8]) -> BTreeSet<ShareId> {
    let (_, mut reader) = Reader::new(text).expect("it is a recording");
    let mut ids = BTreeSet::new();
    while let Some((_, line)) = reader.next_line().expect("it is a recording") {
        if let Line::Proof(line) = line {
            ids.extend(Proof::decode(&line.proof.0).map(|proof| proof.id()));
        }
    }
    ids
}

/// Returns what the Python model finds in a recording.
pub(crate) fn found_by_model(text: &[u8]) -> ReplayResult {
    let mut file = tempfile::NamedTempFile::new().expect("there is room for a file");
    file.write_all(text).expect("there is room for a file");
    let script =
        Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../specs/model/replay.py");
    let output = Command::new("python3").arg(script).arg(file.path()).arg("--json").output();
    let output = output.expect("Python is installed: .ci/deps.sh test");
    let summary: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let number = |key: &str| summary[key].as_u64().expect("it is a number");
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let differences = summary["differences"].as_array().expect("it is a list");
    ReplayResult {
        links: number("links"),
        height: number("height"),
        chain_work: text(&summary["chain_work"]),
        held: number("held"),
        differences: differences
            .iter()
            .map(|found| (found["line"].as_u64().expect("it is a number"), text(&found["computed"])))
            .collect(),
    }
}

/// Returns the lines before the claims in random order, a tenth of them twice.
pub(crate) fn shuffled(lines: &[Line], claims: usize, seed: u64) -> Vec<Line> {
    let rng = &mut stream(seed, "order", 0);
    let (came, claims) = lines.split_at(claims);
    let mut came = [came, &came[..came.len() / 10]].concat();
    came.shuffle(rng);
    [&came, claims].concat()
}

/// Inserts altered proofs in front of some of the recording's proofs. Returns the lines and the findings of both
/// replays. Each altered proof moves one satoshi from one output to another and is mined again, so that it breaks no
/// other rule.
pub(crate) fn altered(recorded: &Recorded) -> (Vec<Line>, Vec<(u64, String)>) {
    let mut replay = Replay::new(recorded.start.clone()).expect("its headers are a chain");
    let (mut lines, mut expected) = (Vec::new(), Vec::new());
    for (number, line) in recorded.lines.iter().enumerate() {
        if let (0, Line::Proof(proof)) = (number % ALTERED_EVERY, line) {
            let proof = Proof::decode(&proof.proof.0).expect("it is valid");
            if let Some(moved) = move_a_satoshi(&proof, replay.chain(), number) {
                let line = ProofLine { proof: RawProof(moved.encode()), list: None, verdict: None, list_verdict: None };
                lines.push(Line::Proof(line));
                // The first line is not among `lines`, and lines are counted from 1.
                expected.push((lines.len() as u64 + 1, "SC-301".to_owned()));
            }
        }
        replay.play(number as u64, line.clone());
        lines.push(line.clone());
    }
    (lines, expected)
}

/// Returns the same proof with one satoshi moved from one output to the next. `number` chooses the output. `None` if
/// the chain does not know the required payments.
fn move_a_satoshi(proof: &Proof, chain: &Chain, number: usize) -> Option<Proof> {
    let Proof { share, extranonce, witness_commitment, branch, .. } = proof;
    let mut chain = chain.clone();
    let due = chain.payouts(&share.parent, &proof.header.prev_blockhash, share.coinbase_value, &share.payout);
    let mut payouts = due.ok()?;
    let target = chain.link(&share.parent)?.position.share_target;
    if payouts.len() == 1 {
        let other = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([1; 20]));
        payouts.push(TxOut { value: Amount::ZERO, script_pubkey: other });
    }
    // At first, only the finder is paid. Later, the outputs give and take in turn.
    let from = if payouts[1].value == Amount::ZERO { 0 } else { number / ALTERED_EVERY % payouts.len() };
    let to = (from + 1) % payouts.len();
    payouts[from].value -= Amount::from_sat(1);
    payouts[to].value += Amount::from_sat(1);
    let witness_commitment = witness_commitment.as_ref();
    let built = Coinbase { share, payouts: &payouts, extranonce, witness_commitment }.build(chain.consensus_id());
    let mut moved = Proof { prefix: built.prefix(), ..proof.clone() };
    let root = merkle_root(built.txid().to_byte_array(), branch);
    moved.header.merkle_root = TxMerkleNode::from_byte_array(root);
    grind(&mut moved.header, target);
    Some(moved)
}
