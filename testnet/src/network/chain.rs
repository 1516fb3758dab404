//! The Bitcoin network under a test network.

use bitcoin::KnownHrp;

use crate::premine;

/// The Bitcoin network under a test network. Nodes know it by the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Chain {
    /// A custom signet whose blocks need no signature. A block takes 4 million hashes.
    #[default]
    Local,
    /// Bitcoin's regtest, for which a real bitcoind is needed. Every share is a block.
    Regtest,
}

impl Chain {
    /// Returns the name in the nodes' configuration and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Regtest => "regtest",
        }
    }

    /// Returns the folder of the chain in bitcoind's own.
    pub fn bitcoind_folder(self) -> &'static str {
        match self {
            Self::Local => "signet",
            Self::Regtest => "regtest",
        }
    }

    /// Returns the number of blocks that exist before the first miner starts. Regtest needs none, since it has no wallet.
    pub fn premined(self) -> u32 {
        match self {
            Self::Local => premine::BLOCKS,
            Self::Regtest => 0,
        }
    }

    /// Returns how segwit addresses start.
    pub fn hrp(self) -> KnownHrp {
        match self {
            Self::Local => KnownHrp::Testnets,
            Self::Regtest => KnownHrp::Regtest,
        }
    }
}
