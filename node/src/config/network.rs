//! The Bitcoin networks that a node can mine on, and how to recognize them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sharechain::ChainParams;

use super::{Outputs, Trust};

/// A Bitcoin network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Bitcoin mainnet.
    Main,
    /// The public signet (BIP-0325). A node can follow it, but mining on it requires its keys.
    Signet,
    /// A private signet whose blocks need no signature: the test network of this repository.
    Local,
    /// testnet4 (BIP-0094), for real ASICs.
    Testnet4,
    /// Bitcoin's network for tests, where a block takes two hashes.
    Regtest,
    /// A private signet with mainnet's constants and easy work, for rehearsals and benches. It needs a double of
    /// bitcoind.
    Rehearsal,
}

/// Challenge of the public signet (BIP-0325): 1 of 2 keys, as compiled into Bitcoin Core.
const SIGNET_CHALLENGE: &str = "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430\
                                210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae";

/// Challenge of the test networks: `OP_TRUE`, so that a block needs only proof of work.
const LOCAL_CHALLENGE: &str = "51";

/// bitcoind's network is not the configured one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkMismatch {
    /// bitcoind runs on another chain.
    #[error("it runs on chain \"{found}\", not on \"{expected}\"")]
    Chain {
        /// bitcoind's name for the configured chain.
        expected: &'static str,
        /// bitcoind's name for its own chain.
        found: String,
    },
    /// bitcoind runs on a signet with another challenge.
    #[error("it runs on a signet with the challenge {found}, not with {expected}")]
    Challenge {
        /// Challenge of the configured network, hex.
        expected: &'static str,
        /// bitcoind's challenge, hex.
        found: String,
    },
}

impl Network {
    /// All networks, in the order of the documentation.
    pub const ALL: [Self; 6] = [Self::Main, Self::Signet, Self::Local, Self::Testnet4, Self::Regtest, Self::Rehearsal];

    /// Name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Signet => "signet",
            Self::Local => "local",
            Self::Testnet4 => "testnet4",
            Self::Regtest => "regtest",
            Self::Rehearsal => "rehearsal",
        }
    }

    /// The constants of the public share-chain on this network, with this much room in a coinbase.
    pub fn chain_params(self, outputs: Outputs) -> ChainParams {
        let (standard, wide) = match self {
            Self::Main => (ChainParams::main(), "main-wide"),
            Self::Signet => (ChainParams::signet(), "signet-wide"),
            Self::Local => (ChainParams::local(), "local-wide"),
            Self::Testnet4 => (ChainParams::testnet4(), "testnet4-wide"),
            Self::Regtest => (ChainParams::regtest(), "regtest-wide"),
            Self::Rehearsal => (ChainParams::rehearsal(), "rehearsal-wide"),
        };
        match outputs {
            Outputs::Standard => standard,
            Outputs::Wide => standard.wide(wide),
        }
    }

    /// The link that this release knows to be on the network's share-chain. A release names the last settled link of a
    /// node that its makers run; `trust` in the configuration overrides it. None before a network is launched.
    pub fn checkpoint(self) -> Option<Trust> {
        match self {
            Self::Main | Self::Signet | Self::Local | Self::Testnet4 | Self::Regtest | Self::Rehearsal => None,
        }
    }

    /// Seeds of this release: nodes that name other nodes. None before a network is launched.
    pub fn seeds(self) -> &'static [&'static str] {
        match self {
            Self::Main | Self::Signet | Self::Local | Self::Testnet4 | Self::Regtest | Self::Rehearsal => &[],
        }
    }

    /// DNS seeds of this release. None before a network is launched.
    pub fn dns_seeds(self) -> &'static [&'static str] {
        match self {
            Self::Main | Self::Signet | Self::Local | Self::Testnet4 | Self::Regtest | Self::Rehearsal => &[],
        }
    }

    /// True for a signet. There bitcoind requires the `signet` rule in template requests.
    pub fn is_signet(self) -> bool {
        matches!(self, Self::Signet | Self::Local | Self::Rehearsal)
    }

    /// True for a network confined to this machine, where the tip may be old and bitcoind need not have synced.
    pub fn is_private(self) -> bool {
        matches!(self, Self::Local | Self::Regtest | Self::Rehearsal)
    }

    /// bitcoind's name for its chain. Except on main, bitcoind's folder has the same name.
    fn bitcoind_chain(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Signet | Self::Local | Self::Rehearsal => "signet",
            Self::Testnet4 => "testnet4",
            Self::Regtest => "regtest",
        }
    }

    /// Default port of bitcoind's JSON-RPC.
    pub fn rpc_port(self) -> u16 {
        match self {
            Self::Main => 8332,
            Self::Signet | Self::Local | Self::Rehearsal => 38332,
            Self::Testnet4 => 48332,
            Self::Regtest => 18443,
        }
    }

    /// Default path of bitcoind's cookie file.
    pub fn cookie_file(self, home: &Path) -> PathBuf {
        let folder = home.join(".bitcoin");
        match self {
            Self::Main => folder.join(".cookie"),
            _ => folder.join(self.bitcoind_chain()).join(".cookie"),
        }
    }

    /// Checks that the chain that bitcoind reports belongs to this network.
    ///
    /// All signets have the same genesis block; only the challenge tells them apart. bitcoind reports it since version
    /// 28. Without it, only the chain's name is checked here; the template has the challenge since version 0.21 and is
    ///     checked later.
    ///
    /// # Errors
    /// The chain or the challenge differs.
    pub fn verify(self, chain: &str, challenge: Option<&str>) -> Result<(), NetworkMismatch> {
        let expected = self.bitcoind_chain();
        if chain != expected {
            return Err(NetworkMismatch::Chain { expected, found: chain.to_owned() });
        }
        match challenge {
            Some(challenge) => self.verify_challenge(challenge),
            None => Ok(()),
        }
    }

    /// Checks that the signet challenge that bitcoind reports, in hex, is this network's.
    ///
    /// # Errors
    /// The chain or the challenge differs.
    pub fn verify_challenge(self, challenge: &str) -> Result<(), NetworkMismatch> {
        let expected = match self {
            Self::Main | Self::Testnet4 | Self::Regtest => return Ok(()),
            Self::Signet => SIGNET_CHALLENGE,
            Self::Local | Self::Rehearsal => LOCAL_CHALLENGE,
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

/// The text is not the name of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the networks are main, signet, local, testnet4, regtest and rehearsal")]
pub struct UnknownNetwork;

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|network| network.name() == text).ok_or(UnknownNetwork)
    }
}

/// The network whose address and difficulty rules apply.
impl From<Network> for bitcoin::Network {
    fn from(network: Network) -> Self {
        match network {
            Network::Main => Self::Bitcoin,
            Network::Signet | Network::Local | Network::Rehearsal => Self::Signet,
            Network::Testnet4 => Self::Testnet4,
            Network::Regtest => Self::Regtest,
        }
    }
}
