//! A small pool with real proof of work at regtest's difficulty, where nearly every share is a Bitcoin block.

use std::sync::Arc;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{ScriptBuf, TxMerkleNode};
use node::clock::now;
use node::store::Store;
use node_core::engine::Engine;
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::coinbase::Coinbase;
use sharechain::encode::shares_root;
use sharechain::share::SHARE_VERSION;
use sharechain::{Chain, ChainParams, Height, Outcome, Proof, ShareHeader, ShareId, Timestamp, U256, Weight};
use tempfile::TempDir;

pub(crate) use testkit::miner;

/// Age of the pool's clock at the start: enough for links one second apart to fill the chain's memory.
const HOURS_AGO_S: u32 = 7_200;

/// The rules of the share-chain's own tests, with smaller depths: about 4 hashes per share and 32 per link.
pub(crate) fn params() -> ChainParams {
    ChainParams {
        name: "api tests",
        first_link_target: U256::MAX >> 5,
        easiest_share_target: U256::MAX >> 2,
        anchor_depth: 3,
        snapshot_bitcoin_depth: 1,
        snapshot_burial: 1,
        listed_before_payouts: 6,
        window_weight: ChainParams::local().window_weight,
        ..testkit::params()
    }
}

/// An engine before its start. Its clock starts some hours ago and advances one second with each link.
pub(crate) struct Pool {
    pub(crate) engine: Engine<Store>,
    pub(crate) store: Arc<Store>,
    pub(crate) dir: TempDir,
    clock: Timestamp,
    extranonce: u64,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self::with(params())
    }

    /// A pool whose window ends after this many proofs.
    pub(crate) fn with_window(window_proofs: u64) -> Self {
        Self::with(ChainParams { window_proofs, window_weight: Weight(u128::MAX >> 1), ..params() })
    }

    /// A pool with other rules.
    pub(crate) fn with(params: ChainParams) -> Self {
        let dir = TempDir::new().unwrap();
        let store = Arc::new(Store::open(&dir.path().join("db"), params.consensus_id()).unwrap());
        let headers = BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).unwrap();
        let clock = Timestamp(now().0 - HOURS_AGO_S);
        let engine = Engine::open(Chain::new(params, headers), Arc::clone(&store), clock).unwrap();
        Self { engine, store, dir, clock, extranonce: 0 }
    }

    /// Finds a link that lists all pending shares, and makes it Bitcoin's tip.
    pub(crate) fn link(&mut self, payout: &ScriptBuf) -> ShareId {
        let (id, header) = self.link_beside_bitcoin(payout);
        self.engine.insert_bitcoin_headers(&[header], self.clock);
        id
    }

    /// Finds a link that meets Bitcoin's own target, and makes it Bitcoin's tip.
    pub(crate) fn block(&mut self, payout: &ScriptBuf) -> ShareId {
        self.clock = self.clock.plus(1);
        let (mut proof, list) = self.find(payout, true);
        while !proof.header.target().is_met_by(proof.header.block_hash()) {
            proof.header.nonce += 1;
        }
        let header = proof.header;
        let id = self.insert(proof, list);
        self.engine.insert_bitcoin_headers(&[header], self.clock);
        id
    }

    /// Finds two links on the tip. The first becomes the tip, the second is a branch.
    pub(crate) fn rivals(&mut self, payouts: [&ScriptBuf; 2]) -> [ShareId; 2] {
        self.clock = self.clock.plus(1);
        let found = payouts.map(|payout| self.find(payout, true));
        found.map(|(proof, list)| self.insert(proof, list))
    }

    /// Finds a link that does not become Bitcoin's tip.
    pub(crate) fn link_beside_bitcoin(&mut self, payout: &ScriptBuf) -> (ShareId, Header) {
        self.clock = self.clock.plus(1);
        let (proof, list) = self.find(payout, true);
        let header = proof.header;
        (self.insert(proof, list), header)
    }

    /// Finds a share that is not a link.
    pub(crate) fn share(&mut self, payout: &ScriptBuf) -> ShareId {
        let (proof, list) = self.find(payout, false);
        self.insert(proof, list)
    }

    /// Finds a share now, and inserts it after this many links, each of which is Bitcoin's tip for a while.
    pub(crate) fn share_after(&mut self, links: u32, payout: &ScriptBuf) -> ShareId {
        let (proof, list) = self.find(payout, false);
        for _ in 0..links {
            self.link(&miner(2));
        }
        self.insert(proof, list)
    }

    /// A share that binds, and whose header breaks a rule.
    pub(crate) fn refused(&mut self) -> ShareId {
        let (proof, list) = self.find_changed(&miner(9), false, |share| share.coinbase_value = 1);
        let id = proof.id();
        assert!(matches!(self.take(proof, list), Outcome::Invalid(_)));
        id
    }

    /// A share whose parent does not exist.
    pub(crate) fn orphan(&mut self) -> ShareId {
        let (proof, list) = self.find_changed(&miner(9), false, |share| share.parent = ShareId([0x77; 32]));
        let id = proof.id();
        assert!(matches!(self.take(proof, list), Outcome::Held(_)));
        id
    }

    /// A share on the tip and a link that lists it, neither of them inserted.
    pub(crate) fn next_share_and_link(&mut self, payout: &ScriptBuf) -> ((Proof, Vec<ShareId>), (Proof, Vec<ShareId>)) {
        let share = self.find(payout, false);
        let id = share.0.id();
        let mut later = self.engine.chain().clone();
        let bound = BoundProof::bind(share.0.clone(), U256::MAX, later.consensus_id()).unwrap();
        assert!(matches!(later.insert(bound, None, Source::default(), self.clock), Outcome::Accepted(_)));
        let (parent, previous) = (later.build_on(), later.bitcoin().best().header.block_hash());
        let state_root = later.state_root(&parent, &previous, &[id]).unwrap();
        self.clock = self.clock.plus(1);
        let link = self.find_changed(payout, true, |header| {
            header.shares_root = shares_root(&[id]);
            header.shares_count = 1;
            header.state_root = state_root;
        });
        (share, (link.0, vec![id]))
    }

    /// Restarts from the main chain's links above this height, like a newcomer. The store keeps its records.
    pub(crate) fn forget_below(&mut self, first: u32) {
        let chain = self.engine.chain();
        let chunk = chain.chunk_of(Height(first), chain.height()).unwrap();
        let lists = chunk.links.iter().map(|link| {
            let complete = chain.link(&link.facts.id).and_then(|link| link.complete()).unwrap();
            (link.facts.id, complete.list.to_vec())
        });
        let lists = lists.collect();
        let (params, bitcoin) = (chain.params().clone(), chain.bitcoin().clone());
        self.engine.start_from(Chain::from_base(params, bitcoin, [chunk.encode()]).unwrap(), lists, Vec::new());
        assert_eq!(self.engine.chain().bottom(), Height(first));
    }

    fn insert(&mut self, proof: Proof, list: Vec<ShareId>) -> ShareId {
        let id = proof.id();
        let outcome = self.take(proof, list);
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        id
    }

    fn take(&mut self, proof: Proof, list: Vec<ShareId>) -> Outcome {
        let bound = BoundProof::bind(proof, U256::MAX, self.engine.chain().consensus_id()).unwrap();
        self.engine.insert(bound, Some(list), Source::default(), self.clock)
    }

    fn find(&mut self, payout: &ScriptBuf, link: bool) -> (Proof, Vec<ShareId>) {
        self.find_changed(payout, link, |_| {})
    }

    fn find_changed(
        &mut self,
        payout: &ScriptBuf,
        link: bool,
        change: impl FnOnce(&mut ShareHeader),
    ) -> (Proof, Vec<ShareId>) {
        let chain = self.engine.chain_mut();
        let assignment = chain.assignment().unwrap();
        let tip = chain.bitcoin().best().clone();
        let previous = tip.header.block_hash();
        let value_sat = chain.params().bitcoin.subsidy_sat(tip.height + 1);
        let mut share = ShareHeader {
            version: SHARE_VERSION,
            parent: assignment.parent,
            anchor: assignment.position.anchor,
            shares_root: shares_root(&assignment.list),
            shares_count: u16::try_from(assignment.list.len()).unwrap(),
            state_root: chain.state_root(&assignment.parent, &previous, &assignment.list).unwrap(),
            payout: payout.clone(),
            time: assignment.time(self.clock),
            bitcoin_height: tip.height + 1,
            coinbase_value: value_sat,
            signals: 0,
            null_data: ScriptBuf::new(),
        };
        let payouts = chain.payouts(&share.parent, &previous, value_sat, payout).unwrap();
        change(&mut share);
        self.extranonce += 1;
        let mut extranonce = [0; 16];
        extranonce[..8].copy_from_slice(&self.extranonce.to_le_bytes());
        let coinbase = Coinbase { share: &share, payouts: &payouts, extranonce: &extranonce, witness_commitment: None }
            .build(chain.consensus_id());
        let mut header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: previous,
            merkle_root: TxMerkleNode::from_byte_array(coinbase.txid().to_byte_array()),
            time: self.clock.0.max(tip.median_time.0 + 1),
            bits: chain.bitcoin().next_bits(&previous).unwrap(),
            nonce: 0,
        };
        let (links, shares) = (assignment.position.link_target, assignment.position.share_target);
        let fits =
            |id: ShareId| if link { id.as_number() <= links } else { (links..=shares).contains(&id.as_number()) };
        while !fits(header.block_hash().into()) {
            header.nonce += 1;
        }
        let prefix = coinbase.prefix();
        let proof = Proof { header, share, extranonce, witness_commitment: None, branch: Vec::new(), prefix };
        (proof, assignment.list)
    }
}
