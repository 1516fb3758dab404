//! The share-chains on Bitcoin's test networks that have blocks of minimum difficulty.

use super::{BitcoinParams, ChainParams, target_of_bits};

/// Bitcoin's test networks give the easiest nBits to a block that comes later than this, seconds.
const MIN_DIFFICULTY_AFTER_S: u32 = 1_200;

impl ChainParams {
    /// The share-chain on testnet4 ([BIP-0094](https://github.com/bitcoin/bips/blob/master/bip-0094.mediawiki)): mainnet's
    /// rules with targets for a first ASIC of about 1 TH/s, which finds a link every 9 s and four shares a second.
    #[must_use]
    pub const fn testnet4() -> Self {
        let main = Self::main();
        Self {
            name: "testnet4",
            bitcoin: BitcoinParams {
                network: bitcoin::Network::Testnet4,
                min_difficulty_after_s: MIN_DIFFICULTY_AFTER_S,
                timewarp_s: 600,
                start_height: 120_000,
                ..main.bitcoin
            },
            first_link_target: target_of_bits(43),
            easiest_share_target: target_of_bits(38),
            ..main
        }
    }

    /// The share-chain on regtest, for tests with a real bitcoind. A block takes two hashes there, so every share is
    /// one. The constants are those of the local network, with two shares per link instead of eight: Bitcoin's time
    /// advances by a second per six blocks at least, so more than six blocks a second would run ahead of the clock.
    #[must_use]
    pub const fn regtest() -> Self {
        let local = Self::local();
        Self {
            name: "regtest",
            bitcoin: BitcoinParams {
                network: bitcoin::Network::Regtest,
                signet_challenge: &[],
                pow_limit_bits: 0x207f_ffff,
                retarget_blocks: 144,
                retarget_timespan_s: 86_400,
                retarget_factor_max: 1,
                min_difficulty_after_s: MIN_DIFFICULTY_AFTER_S,
                halving_blocks: 150,
                ..local.bitcoin
            },
            shares_per_link: 2,
            ..local
        }
    }
}
