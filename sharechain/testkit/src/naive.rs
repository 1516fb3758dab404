//! A second implementation of the window and payout rules: from raw proofs, without the chain's shortcuts, slow and
//! simple.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use bitcoin::block::Header;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, ScriptBuf, TxOut};
use sharechain::payout::{Selection, select};
use sharechain::target::{link_bonus, link_target, share_target, weight_of_share, work_of_bits};
use sharechain::{ChainParams, Proof, ShareId, U256, Weight, Work};

/// Everything that a network has found.
pub struct Naive {
    pub params: ChainParams,
    pub proofs: BTreeMap<ShareId, (Proof, Vec<ShareId>)>,
    pub headers: Vec<Header>,
    works: OnceCell<BTreeMap<BlockHash, U256>>,
}

/// Weight and number of credited proofs, by script.
pub type Sums = BTreeMap<ScriptBuf, (Weight, u64)>;

/// A branch from genesis (index 0) to its newest link.
pub struct Line<'a> {
    naive: &'a Naive,
    pub links: Vec<ShareId>,
}

impl Naive {
    pub fn new(params: ChainParams, proofs: BTreeMap<ShareId, (Proof, Vec<ShareId>)>, headers: Vec<Header>) -> Self {
        Self { params, proofs, headers, works: OnceCell::new() }
    }

    pub fn line(&self, newest: ShareId) -> Line<'_> {
        let mut links = vec![newest];
        while let Some((proof, _)) = self.proofs.get(links.last().unwrap()) {
            links.push(proof.share.parent);
        }
        assert_eq!(*links.last().unwrap(), self.params.genesis_id());
        links.reverse();
        Line { naive: self, links }
    }

    fn proof(&self, id: &ShareId) -> &Proof {
        &self.proofs[id].0
    }

    fn bitcoin_ancestor(&self, hash: BlockHash, steps: u32) -> BlockHash {
        let parent =
            |hash| self.headers.iter().find(|header| header.block_hash() == hash).map(|known| known.prev_blockhash);
        (0..steps).fold(hash, |at, _| parent(at).unwrap_or(at))
    }

    /// Bitcoin's chain work from its genesis to a block, both included.
    fn bitcoin_work(&self, hash: BlockHash) -> U256 {
        let genesis = self.params.bitcoin.genesis();
        let works = self.works.get_or_init(|| {
            let mut works = BTreeMap::from([(genesis.block_hash(), work_of_bits(genesis.bits).0)]);
            // Each header comes after the one below it.
            for header in &self.headers {
                if let Some(below) = works.get(&header.prev_blockhash) {
                    works.insert(header.block_hash(), work_of_bits(header.bits).0 + *below);
                }
            }
            works
        });
        works[&hash]
    }

    /// Index of the snapshot of a proof that extends the newest link of `line`, on a Bitcoin block at height `h`.
    fn snapshot(&self, line: &Line<'_>, previous: BlockHash, h: u32) -> usize {
        let newest = line.links.len() - 1;
        let anchor = line.anchor_index(newest);
        let deep = self.bitcoin_ancestor(previous, self.params.snapshot_bitcoin_depth.min(h));
        let work = self.bitcoin_work(deep).min(line.bitcoin_work(anchor));
        let first = (0..=anchor).find(|index| line.bitcoin_work(*index) >= work).unwrap();
        let own = first.saturating_sub(self.params.snapshot_burial as usize);
        let Some((parent, _)) = self.proofs.get(&line.links[newest]) else { return own };
        let below = Line { naive: self, links: line.links[..newest].to_vec() };
        own.max(self.snapshot(&below, parent.header.prev_blockhash, parent.share.bitcoin_height - 1))
    }

    /// Snapshot, seed and selection of a proof with this parent, previous block and Bitcoin height.
    pub fn plan(
        &self,
        parent: ShareId,
        previous: BlockHash,
        bitcoin_height: u32,
    ) -> (ShareId, [u8; 32], Option<Selection>) {
        let line = self.line(parent);
        let h = bitcoin_height - 1;
        let snapshot = self.snapshot(&line, previous, h);
        let seed = self.bitcoin_ancestor(previous, self.params.seed_depth.min(h)).to_byte_array();
        let listed: usize = line.links[1..=snapshot].iter().map(|id| self.proofs[id].1.len() + 1).sum();
        let line = self.line(line.links[snapshot]);
        if (listed as u64) < self.params.listed_before_payouts {
            return (line.links[snapshot], seed, None);
        }
        let (_, sums) = line.window();
        let dues = sums.iter().map(|(script, (weight, _))| (script.as_script(), *weight));
        let subsidy = self.params.bitcoin.subsidy_sat(bitcoin_height);
        (line.links[snapshot], seed, select(dues, &seed, subsidy, &self.params).unwrap())
    }

    /// Payout outputs that a proof must have.
    pub fn outputs(&self, proof: &Proof) -> Vec<TxOut> {
        let share = &proof.share;
        let (_, _, selection) = self.plan(share.parent, proof.header.prev_blockhash, share.bitcoin_height);
        selection.unwrap_or(Selection::finder_alone(share.payout.clone())).amounts(share.coinbase_value).unwrap()
    }
}

impl Line<'_> {
    fn bitcoin_work(&self, index: usize) -> U256 {
        let link = self.naive.proofs.get(&self.links[index]);
        link.map_or(U256::ZERO, |(proof, _)| self.naive.bitcoin_work(proof.header.prev_blockhash))
    }

    fn anchor_index(&self, index: usize) -> usize {
        index.saturating_sub(self.naive.params.anchor_depth as usize)
    }

    /// Share and link target of the children of each link in the line.
    fn targets(&self) -> Vec<(U256, U256)> {
        let params = &self.naive.params;
        let mut own = Vec::new();
        let mut children = Vec::<(U256, U256)>::new();
        for index in 0..self.links.len() {
            own.push(if index == 0 { params.first_link_target } else { children[index - 1].1 });
            let share = share_target(own[self.anchor_index(index)], params);
            let time = |index: usize| self.naive.proof(&self.links[index]).share.time;
            let link = match index {
                0 | 1 => params.first_link_target.min(share),
                _ => link_target(own[index], time(index).seconds_since(time(index - 1)), share, params),
            };
            children.push((share, link));
        }
        children
    }

    /// Work of all links, without genesis.
    pub fn work(&self) -> U256 {
        let own = self.targets().into_iter().take(self.links.len() - 1);
        own.map(|(_, link)| Work::of_target(link).0).sum()
    }

    /// Weight that a listed proof earns in the link at `index`.
    fn earned(&self, id: &ShareId, index: usize) -> Weight {
        let params = &self.naive.params;
        let proof = self.naive.proof(id);
        let own_line = self.naive.line(proof.share.parent);
        let anchor = own_line.anchor_index(own_line.links.len() - 1);
        let work = self.naive.bitcoin_work(proof.header.prev_blockhash);
        let greater = (1..index).find(|at| self.bitcoin_work(*at) > work);
        let stale = greater.is_some_and(|first| index - first > params.stale_depth as usize);
        if stale || index - anchor > params.credit_depth as usize {
            return Weight::ZERO;
        }
        weight_of_share(own_line.targets().last().unwrap().0, proof.header.bits, params)
    }

    fn rows(&self, index: usize) -> Sums {
        let mut sums = Sums::new();
        let mut add = |id: &ShareId, weight: Weight| {
            let (sum, shares) = sums.entry(self.naive.proof(id).share.payout.clone()).or_default();
            *sum = sum.plus(weight);
            *shares += 1;
        };
        let id = self.links[index];
        for item in &self.naive.proofs[&id].1 {
            add(item, self.earned(item, index));
        }
        let bits = self.naive.proof(&id).header.bits;
        let (share_target, link_target) = self.targets()[index - 1];
        let own = weight_of_share(share_target, bits, &self.naive.params);
        add(&id, own.plus(link_bonus(link_target, bits, &self.naive.params)));
        sums
    }

    /// Index of the oldest link of the window whose snapshot is the newest link, and the window's sums.
    pub fn window(&self) -> (usize, Sums) {
        let mut sums = Sums::new();
        let (mut total, mut proofs) = (Weight::ZERO, 0);
        for index in (1..self.links.len()).rev() {
            for (script, (weight, shares)) in self.rows(index) {
                let (sum, count) = sums.entry(script).or_default();
                *sum = sum.plus(weight);
                *count += shares;
                total = total.plus(weight);
                proofs += shares;
            }
            if total >= self.naive.params.window_weight || proofs >= self.naive.params.window_proofs {
                return (index, sums);
            }
        }
        (0, sums)
    }
}
