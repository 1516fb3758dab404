//! What the tests of several crates share: a small share-chain with real proof of work at low difficulty.
//!
//! ```text
//! lib.rs        a world of links and shares, and how to make invalid neighbors of them
//! recording.rs  what a small network found, to be played in any order
//! naive.rs      the rules in other words, summed again from the start each time
//! hostile.rs    networks with senders of altered proofs
//! corpus.rs     runs a fuzz target over its committed corpus
//! ```
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "only tests see this")]

pub mod corpus;
pub mod hostile;
pub mod naive;
pub mod recording;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, ScriptBuf, TxMerkleNode, TxOut, WPubkeyHash};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::chain::{Chain, Outcome};
use sharechain::change_set::Source;
use sharechain::check::binding::{BoundProof, merkle_root};
use sharechain::coinbase::Coinbase;
use sharechain::encode::shares_root;
use sharechain::share::SHARE_VERSION;
use sharechain::{BitcoinParams, ChainParams, Proof, ShareHeader, ShareId, Timestamp, U256, Weight};

/// The local network's rules over regtest's easy blocks: some 8 hashes a share and 64 a link.
pub fn params() -> ChainParams {
    let local = ChainParams::local();
    ChainParams {
        name: "tests",
        bitcoin: BitcoinParams {
            network: bitcoin::Network::Regtest,
            other_genesis: None,
            signet_challenge: &[],
            pow_limit_bits: 0x207f_ffff,
            min_block_work: 1 << 12,
            ..local.bitcoin
        },
        first_link_target: U256::MAX >> 6,
        easiest_share_target: U256::MAX >> 3,
        anchor_depth: 6,
        listing_depth: 31,
        credit_depth: 24,
        stale_depth: 6,
        listed_before_payouts: 8,
        window_weight: Weight(1 << 61),
        ..local
    }
}

/// A payout script that stands for a miner.
pub fn miner(number: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([number; 20]))
}

/// What a proof is to be made of; the rest follows from the chain.
#[derive(Clone, Debug)]
pub struct Spec {
    pub parent: ShareId,
    pub payout: ScriptBuf,
    pub time: Timestamp,
    pub previous_block: BlockHash,
    pub list: Vec<ShareId>,
    pub fees_sat: u64,
    /// Whether its hash is to meet the link target (`true`), only the share target (`false`).
    pub link: bool,
}

/// A chain, its Bitcoin headers and a clock.
#[derive(Clone)]
pub struct World {
    pub chain: Chain,
    pub now: Timestamp,
    pub bitcoin_tip: Header,
    pub bitcoin_headers: Vec<Header>,
    nonce: u32,
}

pub const START: Timestamp = Timestamp(1_800_000_000);

impl World {
    pub fn new() -> Self {
        Self::with(params())
    }

    pub fn with(params: ChainParams) -> Self {
        let headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).unwrap();
        let bitcoin_tip = params.bitcoin.genesis();
        let chain = Chain::new(params, headers);
        Self { chain, now: START, bitcoin_tip, bitcoin_headers: Vec::new(), nonce: 0 }
    }

    /// An empty chain that knows the same Bitcoin headers.
    pub fn newcomer(&self) -> Chain {
        let params = self.chain.params().clone();
        let headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).unwrap();
        let mut chain = Chain::new(params, headers);
        for header in &self.bitcoin_headers {
            chain.insert_bitcoin_header(*header, self.now);
        }
        chain
    }

    /// Mines a Bitcoin block on `previous` that belongs to nobody and tells the chain of it.
    pub fn bitcoin_block_on(&mut self, previous: Header) -> Header {
        let earliest = self.chain.bitcoin().median_time(&previous.block_hash()).unwrap().plus(1);
        let mut header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: previous.block_hash(),
            merkle_root: TxMerkleNode::from_byte_array([self.nonce.to_le_bytes()[0]; 32]),
            time: self.now.max(earliest).0,
            bits: self.chain.bitcoin().next_bits(&previous.block_hash()).unwrap(),
            nonce: self.nonce,
        };
        self.nonce += 1;
        while !header.target().is_met_by(header.block_hash()) {
            header.nonce += 1;
        }
        self.chain.insert_bitcoin_header(header, self.now);
        assert!(self.chain.bitcoin().get(&header.block_hash()).is_some());
        self.bitcoin_headers.push(header);
        header
    }

    /// Extends Bitcoin's tip.
    pub fn bitcoin_block(&mut self) {
        self.bitcoin_tip = self.bitcoin_block_on(self.bitcoin_tip);
    }

    /// What an honest miner would work on now.
    pub fn spec(&self, payout: ScriptBuf) -> Spec {
        self.spec_on(self.chain.build_on(), payout)
    }

    /// What a miner would work on who stays on `parent`.
    pub fn spec_on(&self, parent: ShareId, payout: ScriptBuf) -> Spec {
        let position = &self.chain.link(&parent).unwrap().position;
        let time = position.median_time.map_or(self.now, |median| self.now.max(median.plus(1)));
        let list = self.chain.listable(&parent).unwrap_or_default();
        Spec { parent, payout, time, previous_block: self.bitcoin_tip.block_hash(), list, fees_sat: 0, link: false }
    }

    /// The outputs that a proof of `share` must have.
    pub fn payouts(&mut self, share: &ShareHeader, previous: &BlockHash) -> Vec<TxOut> {
        self.chain.payouts(&share.anchor, previous, share.coinbase_value, &share.payout).unwrap()
    }

    /// The header that a spec leads to.
    pub fn header_of(&self, spec: &Spec) -> ShareHeader {
        let position = &self.chain.link(&spec.parent).unwrap().position;
        let bitcoin_height = self.chain.bitcoin().get(&spec.previous_block).unwrap().height + 1;
        ShareHeader {
            version: SHARE_VERSION,
            parent: spec.parent,
            anchor: position.anchor,
            shares_root: shares_root(&spec.list),
            shares_count: spec.list.len() as u16,
            payout: spec.payout.clone(),
            time: spec.time,
            bitcoin_height,
            coinbase_value: self.chain.params().bitcoin.subsidy_sat(bitcoin_height) + spec.fees_sat,
            signals: 0,
        }
    }

    /// Finds a proof for a spec.
    pub fn mine(&mut self, spec: &Spec) -> Proof {
        let share = self.header_of(spec);
        let payouts = self.payouts(&share, &spec.previous_block);
        self.mine_with(share, &payouts, spec.previous_block, spec.link)
    }

    /// Finds a proof for any header and outputs, valid or not; `link` says which of its position's targets it meets.
    pub fn mine_with(&mut self, share: ShareHeader, payouts: &[TxOut], previous: BlockHash, link: bool) -> Proof {
        let known = self.chain.link(&share.parent).unwrap_or_else(|| self.chain.link(&self.chain.tip()).unwrap());
        let (share_target, link_target) = (known.position.share_target, known.position.link_target);
        assert!(link || link_target < share_target, "whatever is a share here is a link");
        let meets = |hash: U256| if link { hash <= link_target } else { hash <= share_target && hash > link_target };
        self.mine_until(share, payouts, previous, |_| (), meets)
    }

    /// Finds a proof whose hash satisfies `meets`, with a Bitcoin header that was altered at will before.
    pub fn mine_until(
        &mut self,
        share: ShareHeader,
        payouts: &[TxOut],
        previous: BlockHash,
        alter: impl FnOnce(&mut Header),
        meets: impl Fn(U256) -> bool,
    ) -> Proof {
        let mut extranonce = [0; 16];
        extranonce[..4].copy_from_slice(&self.nonce.to_le_bytes());
        self.nonce += 1;
        let branch = vec![[7; 32], [9; 32]];
        let witness_commitment = Some([3; 32]);
        let coinbase = Coinbase {
            share: &share,
            payouts,
            extranonce: &extranonce,
            witness_commitment: witness_commitment.as_ref(),
        }
        .build(self.chain.consensus_id());
        let root = merkle_root(coinbase.txid().to_byte_array(), &branch);
        let bits = self.chain.bitcoin().next_bits(&previous).unwrap_or(CompactTarget::from_consensus(0x207f_ffff));
        let earliest = self.chain.bitcoin().median_time(&previous).map_or(share.time, |median| median.plus(1));
        let mut header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: previous,
            merkle_root: TxMerkleNode::from_byte_array(root),
            time: share.time.max(earliest).0,
            bits,
            nonce: 0,
        };
        alter(&mut header);
        while !meets(ShareId::from(header.block_hash()).as_number()) {
            header.nonce += 1;
        }
        Proof { header, share, extranonce, witness_commitment, branch, prefix: coinbase.prefix() }
    }

    pub fn bind(&self, proof: &Proof) -> BoundProof {
        BoundProof::bind(proof.clone(), U256::MAX, self.chain.consensus_id()).unwrap()
    }

    /// Inserts a proof as if a peer had sent it.
    pub fn insert(&mut self, proof: &Proof, list: Option<Vec<ShareId>>) -> Outcome {
        let bound = self.bind(proof);
        self.chain.insert(bound, list, Source(1), self.now)
    }

    /// Mines and inserts a share that an honest miner would find now.
    pub fn share(&mut self, payout: ScriptBuf) -> Proof {
        let spec = self.spec(payout);
        let proof = self.mine(&spec);
        accepted(self.insert(&proof, None));
        proof
    }

    /// Mines and inserts a link that an honest miner would find now; a second passes.
    pub fn link(&mut self, payout: ScriptBuf) -> (Proof, Vec<ShareId>) {
        let spec = Spec { link: true, ..self.spec(payout) };
        self.link_of(spec)
    }

    /// Mines and inserts a link for a spec; a second passes.
    pub fn link_of(&mut self, spec: Spec) -> (Proof, Vec<ShareId>) {
        self.now = self.now.plus(self.chain.params().link_interval_s);
        let proof = self.mine(&spec);
        accepted(self.insert(&proof, Some(spec.list.clone())));
        (proof, spec.list)
    }

    /// Mines and inserts an empty link on `parent` whose header sets these bits, an interval after the last.
    pub fn link_signalling(&mut self, parent: ShareId, signals: u32) -> Proof {
        self.now = self.now.plus(self.chain.params().link_interval_s);
        let spec = Spec { link: true, list: Vec::new(), ..self.spec_on(parent, miner(1)) };
        let share = ShareHeader { signals, ..self.header_of(&spec) };
        let payouts = self.payouts(&share, &spec.previous_block);
        let proof = self.mine_with(share, &payouts, spec.previous_block, true);
        accepted(self.insert(&proof, Some(spec.list)));
        proof
    }

    /// Rounds of `shares` shares by different miners and a link, with a Bitcoin block every fifth round. Returns all
    /// proofs in the order in which they were found, links with their lists.
    pub fn grow(&mut self, rounds: u8, shares: u8) -> Vec<(Proof, Option<Vec<ShareId>>)> {
        let mut all = Vec::new();
        for round in 0..rounds {
            if round % 5 == 0 {
                self.bitcoin_block();
            }
            for share in 0..shares {
                all.push((self.share(miner(share + 1)), None));
            }
            let (link, list) = self.link(miner(round % 7 + 1));
            all.push((link, Some(list)));
        }
        all
    }
}

/// The change set of an accepted proof.
#[track_caller]
pub fn accepted(outcome: Outcome) -> sharechain::change_set::ChangeSet {
    match outcome {
        Outcome::Accepted(changes) => changes,
        other => panic!("expected the proof to be accepted, got {other:?}"),
    }
}
