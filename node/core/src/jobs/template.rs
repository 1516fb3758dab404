//! Job templates and jobs: bitcoind's block template bound to a position in the share-chain, and each miner's version
//! of it.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::{ScriptBuf, Target, TxMerkleNode, TxOut, VarInt};
use sharechain::chain::{Assignment, Chain, TemplateError, Unpayable};
use sharechain::check::binding::{BoundProof, merkle_root};
use sharechain::check::header::Position;
use sharechain::coinbase::Coinbase;
use sharechain::encode::shares_root;
use sharechain::share::{EXTRANONCE_BYTES, SHARE_VERSION};
use sharechain::{Height, Proof, ShareHeader, ShareId, Timestamp, U256};

use super::block_template::{BlockTemplate, TemplateTransaction};
use super::contents::Contents;
use super::position::{JobError, JobPosition};

/// A job template, common to all miners' jobs: a block template, its position in the share-chain, and its payouts.
#[derive(Debug)]
pub struct JobTemplate {
    /// bitcoind's block template.
    pub block: Arc<BlockTemplate>,
    /// The link to extend, and the values that follow from it.
    pub assignment: Assignment,
    /// The transactions that are kept.
    pub contents: Arc<Contents>,
    /// The outputs that settled history requires; `None` pays the finder alone.
    payouts: Option<Vec<TxOut>>,
    /// The outputs of the coinbase but the last one, serialized, if they are the same for all miners.
    outputs: OnceLock<Arc<[u8]>>,
    /// Time of the share header.
    share_time: Timestamp,
    /// Initial time of the Bitcoin header, seconds since 1970: bitcoind's, or later if the template has aged.
    header_time: u32,
    /// The times that the Bitcoin header may have with the template's nBits, seconds since 1970.
    times: RangeInclusive<u32>,
    shares_root: [u8; 32],
    state_root: [u8; 32],
    consensus_id: [u8; 32],
    solo: bool,
}

/// One miner's version of a job template. It differs only in the payout script that its coinbase commits to.
#[derive(Debug)]
pub struct Job {
    /// The job template.
    pub template: Arc<JobTemplate>,
    /// The share header that the miner's coinbase commits to.
    pub share: ShareHeader,
}

impl JobTemplate {
    /// Binds a block template, of which `contents` are kept, to a position. From here on its list does not change, so the
    /// state root is computed here.
    ///
    /// # Errors
    /// An amount is out of range, or the chain has dropped something that the position needs.
    pub fn new(
        chain: &mut Chain,
        block: Arc<BlockTemplate>,
        contents: Arc<Contents>,
        position: JobPosition,
        now: Timestamp,
    ) -> Result<Arc<Self>, JobError> {
        let JobPosition { assignment, plan, consensus_id } = position;
        let value_sat = contents.kept.coinbase_value.to_sat();
        let payouts = plan.selection.as_ref().map(|selection| selection.amounts(value_sat));
        let payouts = payouts.transpose().map_err(Unpayable::Rule)?;
        let share_time = assignment.time(now);
        let next = chain.bitcoin().next(&block.prev_block);
        let fitting = next.map(|next| next.times(block.bits)).filter(|fitting| !fitting.is_empty());
        // nBits for which no time is valid do not pass the check.
        let fitting = fitting.unwrap_or(0..=u32::MAX);
        let times = block.min_time.max(*fitting.start())..=*fitting.end();
        let header_time = block.time.max(now.0).min(*times.end()).max(*times.start());
        let shares_root = shares_root(&assignment.list);
        let state_root = chain.state_root(&assignment.parent, &block.prev_block, &assignment.list)?;
        Ok(Arc::new(Self {
            block,
            assignment,
            contents,
            payouts,
            outputs: OnceLock::new(),
            share_time,
            header_time,
            times,
            shares_root,
            state_root,
            consensus_id,
            solo: false,
        }))
    }

    /// A template for solo work: a block pays its finder alone. Its commitment names no pool, so no node, including
    /// this one, can mistake work found with it for a share. `times` are those that a header with the template's nBits
    /// may have.
    #[must_use]
    pub fn solo(
        block: Arc<BlockTemplate>,
        contents: Arc<Contents>,
        times: RangeInclusive<u32>,
        now: Timestamp,
    ) -> Arc<Self> {
        let genesis = ShareId([0; 32]);
        let position = Position {
            height: Height(0),
            anchor: genesis,
            anchor_height: Height(0),
            // Miners submit only blocks, and shares that show their hashrate.
            share_target: U256::from_le_bytes(block.target().to_le_bytes()),
            link_target: U256::ZERO,
            median_time: None,
            bitcoin_work: U256::ZERO,
            least_snapshot: Height(0),
        };
        let times = block.min_time.max(*times.start())..=*times.end();
        let header_time = block.time.max(now.0).min(*times.end()).max(*times.start());
        let assignment = Assignment { parent: genesis, position, list: Vec::new() };
        Arc::new(Self {
            block,
            assignment,
            contents,
            payouts: None,
            outputs: OnceLock::new(),
            share_time: now,
            header_time,
            times,
            shares_root: [0; 32],
            state_root: [0; 32],
            consensus_id: [0; 32],
            solo: true,
        })
    }

    /// True if a block of this template pays its finder alone, and nothing found with it is a share.
    #[must_use]
    pub const fn is_solo(&self) -> bool {
        self.solo
    }

    /// True if work on this template is work on `other`: at most the times of headers differ.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        let of_block = |template: &Self| {
            let block = &template.block;
            (block.prev_block, block.height, block.version, block.bits)
        };
        self.solo == other.solo
            && of_block(self) == of_block(other)
            && self.state_root == other.state_root
            && self.assignment == other.assignment
            && self.contents == other.contents
            && self.payouts == other.payouts
            && self.times == other.times
    }

    /// Applies the check that peers apply to proofs found with this template.
    ///
    /// # Errors
    /// The template does not pass the check.
    pub fn check(self: &Arc<Self>, chain: &mut Chain, now: Timestamp) -> Result<(), JobError> {
        let job = Job::new(Arc::clone(self), check_script());
        let proof = job.proof(job.unworked_header(), [0; EXTRANONCE_BYTES]);
        let bound = BoundProof::bind(proof, U256::MAX, &self.consensus_id).map_err(TemplateError::Rule)?;
        Ok(chain.check_template(&bound, now)?)
    }

    /// A serialized block of this template without proof of work, for a block proposal to bitcoind (BIP-0023).
    #[must_use]
    pub fn proposal(self: &Arc<Self>) -> Vec<u8> {
        let job = Job::new(Arc::clone(self), check_script());
        job.block(&job.unworked_header(), &[0; EXTRANONCE_BYTES])
    }

    /// The share header that a miner with this payout script commits to.
    #[must_use]
    pub fn share_header(&self, payout: ScriptBuf) -> ShareHeader {
        ShareHeader {
            version: SHARE_VERSION,
            parent: self.assignment.parent,
            anchor: self.assignment.position.anchor,
            shares_root: self.shares_root,
            state_root: self.state_root,
            shares_count: u16::try_from(self.assignment.list.len()).expect("a list is bounded by 1,024"),
            payout,
            time: self.share_time,
            bitcoin_height: self.block.height,
            coinbase_value: self.contents.kept.coinbase_value.to_sat(),
            signals: 0,
            null_data: ScriptBuf::new(),
        }
    }
}

impl Job {
    /// The job of a miner with this payout script.
    #[must_use]
    pub fn new(template: Arc<JobTemplate>, payout: ScriptBuf) -> Self {
        Self { share: template.share_header(payout), template }
    }

    fn payouts(&self) -> Cow<'_, [TxOut]> {
        match &self.template.payouts {
            Some(payouts) => Cow::Borrowed(payouts),
            None => {
                let value = self.template.contents.kept.coinbase_value;
                Cow::Owned(vec![TxOut { value, script_pubkey: self.share.payout.clone() }])
            }
        }
    }

    fn coinbase(&self, extranonce: &[u8; EXTRANONCE_BYTES]) -> sharechain::coinbase::CoinbaseBytes {
        Coinbase {
            share: &self.share,
            payouts: &self.payouts(),
            extranonce,
            witness_commitment: Some(&self.template.contents.witness_commitment),
        }
        .build(&self.template.consensus_id)
    }

    /// The parts of the coinbase: before the extranonce, between it and the last output, and from there on. Jobs of one
    /// template share the middle part, which has 43,000 bytes in a wide pool.
    #[must_use]
    pub fn coinbase_parts(&self) -> (Vec<u8>, Arc<[u8]>, Vec<u8>) {
        let coinbase = self.coinbase(&[0; EXTRANONCE_BYTES]);
        let (before, outputs, end) = coinbase.split_for_stratum();
        let outputs = match self.template.payouts {
            Some(_) => Arc::clone(self.template.outputs.get_or_init(|| Arc::from(outputs))),
            None => Arc::from(outputs),
        };
        (before.to_vec(), outputs, end.to_vec())
    }

    /// Initial time of the Bitcoin header, seconds since 1970.
    #[must_use]
    pub fn header_time(&self) -> u32 {
        self.template.header_time
    }

    /// The times that the Bitcoin header may have, seconds since 1970: with any other, Bitcoin expects other nBits or
    /// rejects it.
    #[must_use]
    pub fn times(&self) -> &RangeInclusive<u32> {
        &self.template.times
    }

    /// The target that a share of this job must meet.
    #[must_use]
    pub fn share_target(&self) -> Target {
        Target::from_le_bytes(self.template.assignment.position.share_target.to_le_bytes())
    }

    /// The proof made of this header and this extranonce.
    #[must_use]
    pub fn proof(&self, header: Header, extranonce: [u8; EXTRANONCE_BYTES]) -> Proof {
        Proof {
            header,
            share: self.share.clone(),
            extranonce,
            witness_commitment: Some(self.template.contents.witness_commitment),
            branch: self.template.contents.branch.to_vec(),
            prefix: self.coinbase(&extranonce).prefix(),
        }
    }

    /// Ids of the shares that the proof lists if it is a link.
    #[must_use]
    pub fn list(&self) -> &[ShareId] {
        &self.template.assignment.list
    }

    /// The block template's transactions that are in the block.
    #[must_use]
    pub fn kept(&self) -> &[Arc<TemplateTransaction>] {
        &self.template.block.transactions[..self.template.contents.kept.transactions]
    }

    /// The complete Bitcoin block with this header, serialized.
    #[must_use]
    pub fn block(&self, header: &Header, extranonce: &[u8; EXTRANONCE_BYTES]) -> Vec<u8> {
        let kept = self.kept();
        let mut block = serialize(header);
        block.extend_from_slice(&serialize(&VarInt::from(kept.len() + 1)));
        block.extend_from_slice(&with_witness(self.coinbase(extranonce).as_bytes()));
        for transaction in kept {
            block.extend_from_slice(&transaction.raw);
        }
        block
    }

    /// A header of this job without proof of work, for an all-zero extranonce.
    #[must_use]
    pub fn unworked_header(&self) -> Header {
        let leaf = self.coinbase(&[0; EXTRANONCE_BYTES]).txid().to_byte_array();
        let block = &self.template.block;
        Header {
            version: Version::from_consensus(block.version),
            prev_blockhash: block.prev_block,
            merkle_root: TxMerkleNode::from_byte_array(merkle_root(leaf, &self.template.contents.branch)),
            time: self.header_time(),
            bits: block.bits,
            nonce: 0,
        }
    }
}

/// The payout script of jobs that are only checked, never handed out.
fn check_script() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::all_zeros())
}

/// Adds the witness that BIP-0141 requires of a coinbase: one item of 32 zero bytes.
pub(crate) fn with_witness(stripped: &[u8]) -> Vec<u8> {
    const VERSION_BYTES: usize = 4;
    const LOCKTIME_BYTES: usize = 4;
    let (version, rest) = stripped.split_at(VERSION_BYTES);
    let (inputs_and_outputs, locktime) = rest.split_at(rest.len() - LOCKTIME_BYTES);
    [version, &[0, 1], inputs_and_outputs, &[1, 32], &[0; 32], locktime].concat()
}

#[cfg(test)]
mod tests;
