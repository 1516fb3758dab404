//! Every consensus constant of a network, and the id that follows from them.
//!
//! [`for_each_parameter!`](crate::for_each_parameter) is the one table of constants. It drives the two structs,
//! mainnet's values, the consensus id, and the `parameters` of a recording. To add a constant, add a line to the table.

use crate::hash::Tag;
use crate::units::{ShareId, U256, Weight};

mod pool_name;

pub use pool_name::{PoolName, PoolNameError};

/// Passes the table of constants to the macro `$then`, in the order in which the consensus id hashes them (protocol
/// §3).
///
/// Each line is `/// documentation`, then `name: type = value on mainnet,`. The lines form two blocks: `bitcoin { .. }`
/// for [`BitcoinParams`] and `chain { .. }` for [`ChainParams`]. The table leaves out constants that are not plain
/// numbers: the names of the share-chain and of the pool, the Bitcoin network and its genesis, and the signet
/// challenge.
#[macro_export]
macro_rules! for_each_parameter {
    ($then:ident) => {
        $then! {
            bitcoin {
                /// Easiest nBits that Bitcoin allows.
                pow_limit_bits: u32 = 0x1d00_ffff,
                /// Blocks in a difficulty period.
                retarget_blocks: u32 = 2_016,
                /// Seconds that a difficulty period should take.
                retarget_timespan_s: u32 = 1_209_600,
                /// Largest factor by which one retarget changes the difficulty. With 1, it never changes.
                retarget_factor_max: u32 = 4,
                /// A block that is more than this many seconds later than its previous block has the easiest nBits; 0 if
                /// there are no such blocks. The first block of a period never has them.
                min_difficulty_after_s: u32 = 0,
                /// Maximum number of seconds by which the first block of a period may be earlier than its previous block
                /// (BIP-0094); 0 if there is no such bound.
                timewarp_s: u32 = 0,
                /// Blocks between halvings of the subsidy.
                halving_blocks: u32 = 210_000,
                /// Height of the first block that the share-chain may find (SC-211).
                start_height: u32 = 1_008_000,
                /// Minimum work of the block that serves as the unit of weight, hashes. It only matters where blocks
                /// take less work than shares.
                min_block_work: u64 = 1 << 32,
            }
            chain {
                /// Time between links that the retarget aims for, seconds.
                link_interval_s: u32 = 10,
                /// Shares per link that the targets aim for.
                shares_per_link: u32 = 32,
                /// Deviation from the interval that doubles or halves the link target, seconds.
                retarget_half_life_s: u32 = 600,
                /// Maximum number of doublings or halvings that one link may cause.
                retarget_exponent_max: u32 = 16,
                /// Links between a proof's parent and its anchor.
                anchor_depth: u32 = 60,
                /// Maximum number of links between a link and the anchor of a proof that it lists.
                listing_depth: u32 = 301,
                /// Maximum number of links between a link and the anchor of a listed proof that still earns.
                credit_depth: u32 = 240,
                /// Number of links, counted from the first link with more Bitcoin work, for which a proof still earns.
                stale_depth: u32 = 60,
                /// A link earns an extra 1/n of the work of its link target.
                link_credit_divisor: u32 = 64,
                /// Maximum difference between the times of the share header and the Bitcoin header, seconds.
                times_apart_s: u32 = 7_200,
                /// Bitcoin blocks between a proof's previous block and the block whose work determines its snapshot.
                snapshot_bitcoin_depth: u32 = 13,
                /// Links between the first link with that Bitcoin work and the snapshot below it.
                snapshot_burial: u32 = 18,
                /// Bitcoin blocks between a proof's own height and the block whose hash seeds the lottery.
                seed_depth: u32 = 2,
                /// Link target of the first two links.
                first_link_target: U256 = target_of_bits(47),
                /// Easiest share target. Every share takes at least this much work, so one device cannot flood a small
                /// pool.
                easiest_share_target: U256 = target_of_bits(42),
                /// Weight at which the window ends.
                window_weight: Weight = Weight(8 << 64),
                /// Number of credited proofs at which the window ends: 7.6 days on mainnet.
                window_proofs: u64 = 1 << 21,
                /// Number of proofs that must be listed before payouts go to more than the finder.
                listed_before_payouts: u64 = 576,
                /// Minimum lottery payment when the coinbase holds only the subsidy, satoshi.
                output_floor_sat: u64 = 10_000,
                /// Links whose median time a new proof must exceed.
                median_span: usize = 11,
                /// Maximum number of payout outputs in a coinbase.
                outputs_max: usize = 48,
                /// Maximum length of a coinbase before its last output, bytes (SC-214): 64 payout outputs of 43 bytes
                /// and the fixed parts.
                prefix_bytes_max: u32 = 3_000,
            }
        }
    };
}

/// A constant that the consensus id hashes at fixed width, little-endian.
trait Constant {
    fn push_to(&self, out: &mut Vec<u8>);
}

impl Constant for u32 {
    fn push_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl Constant for u64 {
    fn push_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

/// Always eight bytes, on any platform.
impl Constant for usize {
    fn push_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(*self as u64).to_le_bytes());
    }
}

impl Constant for Weight {
    fn push_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
}

impl Constant for U256 {
    fn push_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes::<32>());
    }
}

macro_rules! define {
    (
        bitcoin { $($(#[$bitcoin_doc:meta])* $bitcoin:ident: $bitcoin_type:ty = $bitcoin_main:expr,)* }
        chain { $($(#[$chain_doc:meta])* $chain:ident: $chain_type:ty = $chain_main:expr,)* }
    ) => {
        /// The constants of the Bitcoin network below the share-chain.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct BitcoinParams {
            /// The Bitcoin network. It determines the genesis header and the heights at which soft forks retired block
            /// versions.
            pub network: bitcoin::Network,
            /// Genesis hash if it differs from that of `network`, for synthetic test networks.
            pub other_genesis: Option<[u8; 32]>,
            /// Challenge script of a custom signet; empty on other networks. All signets have the same genesis, so only
            /// the challenge tells them apart.
            pub signet_challenge: &'static [u8],
            $($(#[$bitcoin_doc])* pub $bitcoin: $bitcoin_type,)*
        }

        /// All constants of one share-chain network. Two nodes agree on every constant if and only if they have the
        /// same [consensus id](ChainParams::consensus_id).
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct ChainParams {
            /// Name of the network; part of the consensus id.
            pub name: &'static str,
            /// Name of a private pool; part of the consensus id.
            pub pool: PoolName,
            /// Constants of the Bitcoin network below.
            pub bitcoin: BitcoinParams,
            $($(#[$chain_doc])* pub $chain: $chain_type,)*
        }

        impl ChainParams {
            /// The share-chain on Bitcoin mainnet.
            #[must_use]
            pub const fn main() -> Self {
                Self {
                    name: "main",
                    pool: PoolName::PUBLIC,
                    bitcoin: BitcoinParams {
                        network: bitcoin::Network::Bitcoin,
                        other_genesis: None,
                        signet_challenge: &[],
                        $($bitcoin: $bitcoin_main,)*
                    },
                    $($chain: $chain_main,)*
                }
            }

            fn encode(&self) -> Vec<u8> {
                let mut out = Vec::with_capacity(320);
                push_bytes(&mut out, self.name.as_bytes());
                push_bytes(&mut out, self.pool.as_str().as_bytes());
                out.extend_from_slice(&self.bitcoin.genesis_hash());
                push_bytes(&mut out, self.bitcoin.signet_challenge);
                $(self.bitcoin.$bitcoin.push_to(&mut out);)*
                $(self.$chain.push_to(&mut out);)*
                out
            }
        }
    };
}

for_each_parameter!(define);

mod test_networks;

impl BitcoinParams {
    /// Subsidy of the block at `height`, satoshi.
    #[must_use]
    pub fn subsidy_sat(&self, height: u32) -> u64 {
        const FIRST_SUBSIDY_SAT: u64 = 5_000_000_000;
        let halvings = height.checked_div(self.halving_blocks).unwrap_or(0);
        FIRST_SUBSIDY_SAT.checked_shr(halvings).unwrap_or(0)
    }

    /// Genesis header of [`Self::network`]. It ignores [`Self::other_genesis`].
    #[must_use]
    pub fn genesis(&self) -> bitcoin::block::Header {
        bitcoin::constants::genesis_block(self.network).header
    }

    /// Genesis hash of this network, in SHA-256 output order.
    #[must_use]
    pub fn genesis_hash(&self) -> [u8; 32] {
        self.other_genesis.unwrap_or_else(|| ShareId::from(self.genesis().block_hash()).0)
    }
}

/// The target that takes 2^bits hashes on average: 2^(256 - bits) - 1. `bits` is below 64.
const fn target_of_bits(bits: u32) -> U256 {
    U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX >> bits])
}

impl ChainParams {
    /// The share-chain on the public signet: mainnet's rules with targets that take about four million times less work.
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

    /// The local test network: the same rules on a custom signet. The constants are scaled so that a new user with
    /// about 400 kH/s sees a block every 12 s, a link every second, eight shares per link, and shared payouts within
    /// two minutes.
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
            retarget_half_life_s: 60,
            first_link_target: U256::from_limbs([u64::MAX, u64::MAX, u64::MAX, u64::MAX / 400_000]),
            easiest_share_target: target_of_bits(10),
            anchor_depth: 48,
            snapshot_bitcoin_depth: 3,
            snapshot_burial: 4,
            seed_depth: 1,
            // Six minutes at the intended hashrate, so one window covers a five-minute trial.
            window_weight: Weight(32 << 64),
            listed_before_payouts: 48,
            ..signet
        }
    }

    /// Rehearsals and benchmarks: mainnet's rules with proofs that a processor finds by the thousand, on a signet that
    /// only a mock of bitcoind has. A share takes 4 hashes, a link 128, and a block 2^20: the ratio of a pool with 0.7%
    /// of Bitcoin's hashrate, where the window's two limits, 8 blocks' weight and 2^21 proofs, coincide.
    #[must_use]
    pub const fn rehearsal() -> Self {
        let main = Self::main();
        Self {
            name: "rehearsal",
            bitcoin: BitcoinParams {
                network: bitcoin::Network::Signet,
                signet_challenge: &[0x51],
                pow_limit_bits: 0x1e0f_ffff,
                start_height: 1_048_321,
                min_block_work: 1 << 20,
                ..main.bitcoin
            },
            first_link_target: target_of_bits(7),
            easiest_share_target: target_of_bits(2),
            ..main
        }
    }

    /// All networks of protocol §3, each with standard and with wide coinbases.
    #[must_use]
    pub const fn all() -> [Self; 12] {
        [
            Self::main(),
            Self::signet(),
            Self::local(),
            Self::testnet4(),
            Self::regtest(),
            Self::rehearsal(),
            Self::main().wide("main-wide"),
            Self::signet().wide("signet-wide"),
            Self::local().wide("local-wide"),
            Self::testnet4().wide("testnet4-wide"),
            Self::regtest().wide("regtest-wide"),
            Self::rehearsal().wide("rehearsal-wide"),
        ]
    }

    /// The same constants with room for 1,000 payouts in a coinbase: 43,000 bytes, and at most 218 bytes before and
    /// after them. The name is that of protocol §3, such as `main-wide`: it is part of the consensus id.
    #[must_use]
    pub const fn wide(self, name: &'static str) -> Self {
        Self { name, outputs_max: 1_000, prefix_bytes_max: 44_000, ..self }
    }

    /// The tagged hash of all constants, in the order of protocol §3. It is part of every commitment and every
    /// protocol name, and it serves as the id of the genesis link.
    #[must_use]
    pub fn consensus_id(&self) -> [u8; 32] {
        Tag::Params.hash(&[&self.encode()])
    }

    /// Id of the genesis link: the consensus id.
    #[must_use]
    pub fn genesis_id(&self) -> ShareId {
        ShareId(self.consensus_id())
    }
}

/// Appends a length byte, then the bytes. Constants are shorter than 256 bytes.
fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests;
