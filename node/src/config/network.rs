//! The Bitcoin networks a node can mine on, and how to recognise them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A Bitcoin network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Bitcoin.
    Main,
    /// The public signet, BIP-0325. A node follows it but cannot mine on it without its keys.
    Signet,
    /// A private signet whose blocks need no signature: the test network of this repository.
    Local,
}

/// Challenge of the public signet (BIP-0325): 1 of 2 keys, as Bitcoin Core has it compiled in.
const SIGNET_CHALLENGE: &str = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430\
                                210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae";

/// Challenge of the test network: `OP_TRUE`, so that proof of work alone makes a block.
const LOCAL_CHALLENGE: &str = "51";

/// A Bitcoin network that is not the one in the config.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkMismatch {
    /// bitcoind's `chain` is another one.
    #[error("it runs on chain \"{found}\" and not on \"{expected}\"")]
    Chain {
        /// bitcoind's name of the chain the config asks for.
        expected: &'static str,
        /// bitcoind's name of its own chain.
        found: String,
    },
    /// It is a signet with another challenge.
    #[error("it runs on a signet with the challenge {found} and not with {expected}")]
    Challenge {
        /// The challenge of the network in the config, in hex.
        expected: &'static str,
        /// bitcoind's challenge, in hex.
        found: String,
    },
}

impl Network {
    /// Every network, in the order the documentation names them.
    pub const ALL: [Self; 3] = [Self::Main, Self::Signet, Self::Local];

    /// The name in the config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Signet => "signet",
            Self::Local => "local",
        }
    }

    /// The constants of the share-chain on this network.
    pub fn chain_params(self) -> sharechain::ChainParams {
        match self {
            Self::Main => sharechain::ChainParams::main(),
            Self::Signet => sharechain::ChainParams::signet(),
            Self::Local => sharechain::ChainParams::local(),
        }
    }

    /// Whether the network is a signet, whose templates bitcoind gives only to those who ask for
    /// the `signet` rule.
    pub fn is_signet(self) -> bool {
        self != Self::Main
    }

    /// The port bitcoind's JSON-RPC listens on unless told otherwise.
    pub fn rpc_port(self) -> u16 {
        match self {
            Self::Main => 8332,
            Self::Signet | Self::Local => 38332,
        }
    }

    /// Where bitcoind puts its cookie file unless told otherwise.
    pub fn cookie_file(self, home: &Path) -> PathBuf {
        let folder = home.join(".bitcoin");
        match self {
            Self::Main => folder.join(".cookie"),
            Self::Signet | Self::Local => folder.join("signet").join(".cookie"),
        }
    }

    /// Compares the chain a bitcoind reports with this network.
    ///
    /// Every signet has the same genesis block; only the challenge tells them apart. bitcoind
    /// reports it since version 28; without it the chain's name has to do, and the template,
    /// which names it since version 0.21, is compared later.
    ///
    /// # Errors
    /// What differs.
    pub fn verify(self, chain: &str, challenge: Option<&str>) -> Result<(), NetworkMismatch> {
        let expected = if self.is_signet() { "signet" } else { "main" };
        if chain != expected {
            return Err(NetworkMismatch::Chain { expected, found: chain.to_owned() });
        }
        match challenge {
            Some(challenge) => self.verify_challenge(challenge),
            None => Ok(()),
        }
    }

    /// Compares the signet challenge a bitcoind reports, in hex, with this network's.
    ///
    /// # Errors
    /// What differs.
    pub fn verify_challenge(self, challenge: &str) -> Result<(), NetworkMismatch> {
        let expected = match self {
            Self::Main => return Ok(()),
            Self::Signet => SIGNET_CHALLENGE,
            Self::Local => LOCAL_CHALLENGE,
        };
        if challenge.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        Err(NetworkMismatch::Challenge { expected, found: challenge.to_owned() })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the networks are main, signet and local")]
pub struct UnknownNetwork;

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|network| network.name() == text).ok_or(UnknownNetwork)
    }
}

/// The network whose addresses and difficulty rules apply.
impl From<Network> for bitcoin::Network {
    fn from(network: Network) -> Self {
        match network {
            Network::Main => Self::Bitcoin,
            Network::Signet | Network::Local => Self::Signet,
        }
    }
}
