//! Every consensus constant of a network, and the id that follows from them.

use crate::hash::Tag;
use crate::units::{ShareId, U256, Weight};

/// All constants of one share-chain network. Two nodes agree on everything or have different [`consensus ids`].
///
/// [`consensus ids`]: ChainParams::consensus_id
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainParams {
    /// Name of the network, part of its id.
    pub name: &'static str,
    /// The Bitcoin network underneath.
    pub bitcoin: BitcoinParams,
    /// Seconds between links that the retarget aims at.
    pub link_interval_s: u32,
    /// Shares for each link that the targets aim at.
    pub shares_per_link: u32,
    /// Seconds of deviation from the interval that double or halve the link target.
    pub retarget_half_life_s: u32,
    /// Doublings or halvings that one link may cause at most.
    pub retarget_exponent_max: u32,
    /// Link target of the first two links.
    pub first_link_target: U256,
    /// Easiest share target: no share takes less work, so that one device cannot flood a small pool.
    pub easiest_share_target: U256,
    /// Links between a proof's parent and its anchor.
    pub anchor_depth: u32,
    /// Links between a listing link and the anchor of what it lists, at most.
    pub listing_depth: u32,
    /// Links between a listing link and the anchor of what still earns, at most.
    pub credit_depth: u32,
    /// Links on the branch since the first with a greater Bitcoin height, for which a proof still earns.
    pub stale_depth: u32,
    /// A link earns an extra 1/n of the work of its link target.
    pub link_credit_divisor: u32,
    /// Links whose median time a new proof must exceed.
    pub median_span: usize,
    /// Seconds between the times of share header and Bitcoin header, at most.
    pub times_apart_s: u32,
    /// Bitcoin blocks between a proof's previous block and the one that fixes its snapshot.
    pub snapshot_bitcoin_depth: u32,
    /// Links by which the snapshot is buried below the first link of that Bitcoin height.
    pub snapshot_burial: u32,
    /// Bitcoin blocks between a proof's own height and the block whose hash is the seed of the draw.
    pub seed_depth: u32,
    /// Weight at which the window ends.
    pub window_weight: Weight,
    /// Rows, sums over one link and one script, at which the window ends.
    pub window_rows: u64,
    /// Shares that must be listed before anybody but the finder is paid.
    pub listed_before_payouts: u64,
    /// Payout outputs of a coinbase, at most.
    pub outputs_max: usize,
    /// Satoshi of the subsidy under which an even tail payment does not fall.
    pub output_floor_sat: u64,
}

/// What the share-chain rules need to know of a Bitcoin network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitcoinParams {
    /// Which network: it decides which block versions were retired when, and has the genesis of all headers.
    pub network: bitcoin::Network,
    /// Hash of the genesis, where it is not that of `network`: of networks made up to test the rules.
    pub other_genesis: Option<[u8; 32]>,
    /// The script of a custom signet, empty on other networks: two signets share their genesis.
    pub signet_challenge: &'static [u8],
    /// Easiest nBits.
    pub pow_limit_bits: u32,
    /// Blocks between changes of difficulty.
    pub retarget_blocks: u32,
    /// Seconds that those blocks should take.
    pub retarget_timespan_s: u32,
    /// Blocks between halvings of the subsidy.
    pub halving_blocks: u32,
    /// Height of the first block that the share-chain may find.
    pub start_height: u32,
    /// Least work of nBits that a weight is reckoned with, hashes: a guard for networks with minimum-difficulty blocks.
    pub min_block_work: u64,
}

impl BitcoinParams {
    /// Subsidy of the block at `height`, satoshi.
    #[must_use]
    pub fn subsidy_sat(&self, height: u32) -> u64 {
        const FIRST_SUBSIDY_SAT: u64 = 5_000_000_000;
        let halvings = height.checked_div(self.halving_blocks).unwrap_or(0);
        FIRST_SUBSIDY_SAT.checked_shr(halvings).unwrap_or(0)
    }

    /// The genesis header of [`Self::network`].
    #[must_use]
    pub fn genesis(&self) -> bitcoin::block::Header {
        bitcoin::constants::genesis_block(self.network).header
    }

    /// Hash of the genesis header, in the order in which it is hashed.
    #[must_use]
    pub fn genesis_hash(&self) -> [u8; 32] {
        self.other_genesis.unwrap_or_else(|| ShareId::from(self.genesis().block_hash()).0)
    }
}

/// 2^(256 - bits) - 1: the target that takes 2^bits hashes on average, for fewer than 64 bits.
const fn target_of_bits(bits: u32) -> U256 {
    U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> bits])
}

impl ChainParams {
    /// The share-chain on Bitcoin's main network.
    #[must_use]
    pub const fn main() -> Self {
        Self {
            name: "main",
            bitcoin: BitcoinParams {
                network: bitcoin::Network::Bitcoin,
                other_genesis: None,
                signet_challenge: &[],
                pow_limit_bits: 0x1d00_ffff,
                retarget_blocks: 2_016,
                retarget_timespan_s: 1_209_600,
                halving_blocks: 210_000,
                start_height: 925_344,
                min_block_work: 1 << 32,
            },
            link_interval_s: 10,
            shares_per_link: 32,
            retarget_half_life_s: 1_200,
            retarget_exponent_max: 16,
            first_link_target: target_of_bits(47),
            easiest_share_target: target_of_bits(42),
            anchor_depth: 60,
            listing_depth: 301,
            credit_depth: 240,
            stale_depth: 60,
            link_credit_divisor: 64,
            median_span: 11,
            times_apart_s: 7_200,
            snapshot_bitcoin_depth: 12,
            snapshot_burial: 18,
            seed_depth: 2,
            window_weight: Weight(8 << 64),
            window_rows: 1 << 21,
            listed_before_payouts: 576,
            outputs_max: 48,
            output_floor_sat: 10_000,
        }
    }

    /// The share-chain on the public signet: main's rules at a tenth of a thousandth of its work.
    #[must_use]
    pub const fn signet() -> Self {
        let main = Self::main();
        Self {
            name: "signet",
            bitcoin: BitcoinParams {
                network: bitcoin::Network::Signet,
                pow_limit_bits: 0x1e03_77ae,
                start_height: 200_000,
                min_block_work: 1 << 22,
                ..main.bitcoin
            },
            first_link_target: target_of_bits(25),
            easiest_share_target: target_of_bits(20),
            ..main
        }
    }

    /// The local test network: the same rules on a custom signet, with constants scaled so that a newcomer with some
    /// 400 kH/s sees a block every 12 s, a link a second, eight shares a link, and shared payouts within two minutes.
    #[must_use]
    pub const fn local() -> Self {
        let signet = Self::signet();
        Self {
            name: "local",
            bitcoin: BitcoinParams {
                // OP_TRUE: a block needs no signature.
                signet_challenge: &[0x51],
                start_height: 1,
                ..signet.bitcoin
            },
            link_interval_s: 1,
            shares_per_link: 8,
            retarget_half_life_s: 120,
            first_link_target: U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX / 400_000]),
            easiest_share_target: target_of_bits(10),
            anchor_depth: 48,
            snapshot_bitcoin_depth: 2,
            snapshot_burial: 4,
            seed_depth: 1,
            // Six minutes at the intended hashrate: a trial of five minutes lies in one window.
            window_weight: Weight(32 << 64),
            listed_before_payouts: 48,
            ..signet
        }
    }

    /// The tagged hash of all constants, in the order of protocol §3. It is part of every commitment and every
    /// protocol name, and stands in the place of the genesis link's id.
    #[must_use]
    pub fn consensus_id(&self) -> [u8; 32] {
        // Taken apart without `..`, so that a new constant cannot be left out.
        let Self {
            name,
            bitcoin,
            link_interval_s,
            shares_per_link,
            retarget_half_life_s,
            retarget_exponent_max,
            first_link_target,
            easiest_share_target,
            anchor_depth,
            listing_depth,
            credit_depth,
            stale_depth,
            link_credit_divisor,
            median_span,
            times_apart_s,
            snapshot_bitcoin_depth,
            snapshot_burial,
            seed_depth,
            window_weight,
            window_rows,
            listed_before_payouts,
            outputs_max,
            output_floor_sat,
        } = self;
        let mut out = Vec::with_capacity(320);
        push_bytes(&mut out, name.as_bytes());
        bitcoin.encode_into(&mut out);
        for value in [
            *link_interval_s,
            *shares_per_link,
            *retarget_half_life_s,
            *retarget_exponent_max,
            *anchor_depth,
            *listing_depth,
            *credit_depth,
            *stale_depth,
            *link_credit_divisor,
            *times_apart_s,
            *snapshot_bitcoin_depth,
            *snapshot_burial,
            *seed_depth,
        ] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&first_link_target.to_le_bytes::<32>());
        out.extend_from_slice(&easiest_share_target.to_le_bytes::<32>());
        out.extend_from_slice(&window_weight.0.to_le_bytes());
        for value in [*window_rows, *listed_before_payouts, *output_floor_sat, *median_span as u64, *outputs_max as u64]
        {
            out.extend_from_slice(&value.to_le_bytes());
        }
        Tag::Params.hash(&[&out])
    }

    /// The id in the place of the genesis link's.
    #[must_use]
    pub fn genesis_id(&self) -> ShareId {
        ShareId(self.consensus_id())
    }
}

impl BitcoinParams {
    fn encode_into(&self, out: &mut Vec<u8>) {
        let Self {
            network: _,       // named by its genesis,
            other_genesis: _, // whichever that is
            signet_challenge,
            pow_limit_bits,
            retarget_blocks,
            retarget_timespan_s,
            halving_blocks,
            start_height,
            min_block_work,
        } = self;
        out.extend_from_slice(&self.genesis_hash());
        push_bytes(out, signet_challenge);
        for value in [*pow_limit_bits, *retarget_blocks, *retarget_timespan_s, *halving_blocks, *start_height] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&min_block_work.to_le_bytes());
    }
}

/// A length of one byte, then the bytes; constants are shorter than 256 bytes.
fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(bytes);
}
