//! Test support for several crates: a small share-chain with real proof of work at low difficulty.
//!
//! ```text
//! lib.rs        a world of links and shares, valid or not
//! recording.rs  everything that a small network found, for replay in any order
//! naive.rs      a second, slow implementation of the window and payout rules
//! hostile.rs    networks with hostile miners and peers
//! corpus.rs     runs a fuzz target over its committed corpus
//! ```
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::new_without_default,
    clippy::should_implement_trait,
    reason = "only tests use this crate"
)]

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

/// Parameters of the local network with regtest's easy blocks: about 8 hashes per share and 64 per link.
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

/// Payout script that identifies a miner.
pub fn miner(number: u8) -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([number; 20]))
}

/// Inputs of a proof. The rest follows from the chain.
#[derive(Clone, Debug)]
pub struct Spec {
    pub parent: ShareId,
    pub payout: ScriptBuf,
    pub time: Timestamp,
    pub previous_block: BlockHash,
    pub list: Vec<ShareId>,
    pub fees_sat: u64,
    /// Whether the hash must meet the link target (`true`) or only the share target (`false`).
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

    /// Creates an empty chain that knows the same Bitcoin headers.
    pub fn newcomer(&self) -> Chain {
        let params = self.chain.params().clone();
        let headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).unwrap();
        let mut chain = Chain::new(params, headers);
        for header in &self.bitcoin_headers {
            chain.insert_bitcoin_header(*header, self.now);
        }
        chain
    }

    /// Mines a Bitcoin block on `previous` that is not the pool's, and inserts its header into the chain.
    pub fn bitcoin_block_on(&mut self, previous: Header) -> Header {
        let next = self.chain.bitcoin().next(&previous.block_hash()).unwrap();
        let mut header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: previous.block_hash(),
            merkle_root: TxMerkleNode::from_byte_array([self.nonce.to_le_bytes()[0]; 32]),
            time: self.now.max(next.least_time).0,
            bits: next.bits(self.now.max(next.least_time)),
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

    /// Mines a Bitcoin block on Bitcoin's tip.
    pub fn bitcoin_block(&mut self) {
        self.bitcoin_tip = self.bitcoin_block_on(self.bitcoin_tip);
    }

    /// Puts the node in sync with its bitcoind, so that links settle and omissions count.
    pub fn in_sync(&mut self) {
        let height = self.chain.bitcoin().best().height;
        self.chain.note_own_bitcoin_height(Some(height));
    }

    /// Spec of the share that an honest miner would work on now.
    pub fn spec(&self, payout: ScriptBuf) -> Spec {
        self.spec_on(self.chain.build_on(), payout)
    }

    /// Spec of the share that a miner on `parent` would work on now.
    pub fn spec_on(&self, parent: ShareId, payout: ScriptBuf) -> Spec {
        let position = &self.chain.link(&parent).unwrap().position;
        let time = position.median_time.map_or(self.now, |median| self.now.max(median.plus(1)));
        let list = self.chain.listable(&parent).unwrap_or_default();
        Spec { parent, payout, time, previous_block: self.bitcoin_tip.block_hash(), list, fees_sat: 0, link: false }
    }

    /// Payout outputs that a proof of `share` must have.
    pub fn payouts(&mut self, share: &ShareHeader, previous: &BlockHash) -> Vec<TxOut> {
        self.chain.payouts(&share.parent, previous, share.coinbase_value, &share.payout).unwrap()
    }

    /// Share header of a spec. Its state root is zero if the parent's list is not known.
    pub fn header_of(&mut self, spec: &Spec) -> ShareHeader {
        let state_root = self.chain.state_root(&spec.parent, &spec.previous_block, &spec.list).unwrap_or_default();
        let position = &self.chain.link(&spec.parent).unwrap().position;
        let bitcoin_height = self.chain.bitcoin().get(&spec.previous_block).unwrap().height + 1;
        ShareHeader {
            version: SHARE_VERSION,
            parent: spec.parent,
            anchor: position.anchor,
            shares_root: shares_root(&spec.list),
            shares_count: spec.list.len() as u16,
            state_root,
            payout: spec.payout.clone(),
            time: spec.time,
            bitcoin_height,
            coinbase_value: self.chain.params().bitcoin.subsidy_sat(bitcoin_height) + spec.fees_sat,
            signals: 0,
            null_data: ScriptBuf::new(),
        }
    }

    /// Mines a proof for a spec.
    pub fn mine(&mut self, spec: &Spec) -> Proof {
        let share = self.header_of(spec);
        let payouts = self.payouts(&share, &spec.previous_block);
        self.mine_with(share, &payouts, spec.previous_block, spec.link)
    }

    /// Mines a proof for any header and outputs, valid or not. `link` selects which target of its position it meets.
    pub fn mine_with(&mut self, share: ShareHeader, payouts: &[TxOut], previous: BlockHash, link: bool) -> Proof {
        let known = self.chain.link(&share.parent).unwrap_or_else(|| self.chain.link(&self.chain.tip()).unwrap());
        let (share_target, link_target) = (known.position.share_target, known.position.link_target);
        assert!(link || link_target < share_target, "whatever is a share here is a link");
        let meets = |hash: U256| if link { hash <= link_target } else { hash <= share_target && hash > link_target };
        self.mine_until(share, payouts, previous, |_| (), meets)
    }

    /// Mines a proof whose hash satisfies `meets`, after `alter` changed its Bitcoin header.
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
        let next = self.chain.bitcoin().next(&previous);
        let time = next.map_or(share.time, |next| share.time.max(next.least_time));
        let bits = next.map_or(CompactTarget::from_consensus(0x207f_ffff), |next| next.bits(time));
        let mut header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: previous,
            merkle_root: TxMerkleNode::from_byte_array(root),
            time: time.0,
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

    /// Inserts a proof as if a peer had sent it, without a check of its work.
    pub fn insert(&mut self, proof: &Proof, list: Option<Vec<ShareId>>) -> Outcome {
        let bound = self.bind(proof);
        self.chain.insert(bound, list, Source(1), self.now)
    }

    /// Inserts a proof that this node asked a peer for.
    pub fn insert_requested(&mut self, proof: &Proof, list: Option<Vec<ShareId>>) -> Outcome {
        let bound = self.bind(proof);
        self.chain.insert_requested(bound, list, Source(1), self.now)
    }

    /// Mines and inserts a share that an honest miner would find now.
    pub fn share(&mut self, payout: ScriptBuf) -> Proof {
        let spec = self.spec(payout);
        let proof = self.mine(&spec);
        accepted(self.insert(&proof, None));
        proof
    }

    /// Mines and inserts a link that an honest miner would find now. One link interval passes.
    pub fn link(&mut self, payout: ScriptBuf) -> (Proof, Vec<ShareId>) {
        let spec = Spec { link: true, ..self.spec(payout) };
        self.link_of(spec)
    }

    /// Mines and inserts a link for a spec. One link interval passes.
    pub fn link_of(&mut self, spec: Spec) -> (Proof, Vec<ShareId>) {
        self.now = self.now.plus(self.chain.params().link_interval_s);
        let proof = self.mine(&spec);
        accepted(self.insert(&proof, Some(spec.list.clone())));
        (proof, spec.list)
    }

    /// Mines and inserts links on the tip that list nothing, one link interval apart.
    pub fn bare_links(&mut self, payout: &ScriptBuf, count: u32) -> Vec<Proof> {
        let link = |_| {
            let spec = Spec { list: vec![], link: true, ..self.spec_on(self.chain.tip(), payout.clone()) };
            self.link_of(spec).0
        };
        (0..count).map(link).collect()
    }

    /// Mines and inserts a link on `parent` with an empty list and these upgrade bits. One link interval passes.
    pub fn link_signalling(&mut self, parent: ShareId, signals: u32) -> Proof {
        self.now = self.now.plus(self.chain.params().link_interval_s);
        let spec = Spec { link: true, list: Vec::new(), ..self.spec_on(parent, miner(1)) };
        let share = ShareHeader { signals, ..self.header_of(&spec) };
        let payouts = self.payouts(&share, &spec.previous_block);
        let proof = self.mine_with(share, &payouts, spec.previous_block, true);
        accepted(self.insert(&proof, Some(spec.list)));
        proof
    }

    /// Mines and inserts rounds of `shares` shares by different miners and one link, with a Bitcoin block every fifth
    /// round. Returns all proofs in order, links with their lists.
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

/// Returns the change set of an accepted proof. Panics on any other outcome.
#[track_caller]
pub fn accepted(outcome: Outcome) -> sharechain::change_set::ChangeSet {
    match outcome {
        Outcome::Accepted(changes) => changes,
        other => panic!("expected the proof to be accepted, got {other:?}"),
    }
}
