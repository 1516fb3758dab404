//! Payout addresses: of the right network, and of a kind the share-chain pays.

use bitcoin::Address;
use bitcoin::address::{NetworkUnchecked, ParseError};
use bitcoin::bech32::segwit;

use super::network::Network;
use crate::limits::ADDRESS_CHARS_SHOWN_MAX;

/// Why a text cannot be paid to.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is no Bitcoin address, or one with a typing error in it.
    #[error("{text} is not a Bitcoin address; compare it with your wallet, character by character")]
    NotAnAddress {
        /// The text.
        text: String,
        /// What the parser found wrong.
        source: ParseError,
    },
    /// It starts like an address of Bech32 and is none, because of a typing error as a rule.
    #[error("{text} is not a Bitcoin address; compare it with your wallet, character by character")]
    Mistyped {
        /// The text.
        text: String,
        /// What the decoder found wrong.
        source: segwit::DecodeError,
    },
    /// It belongs to another network.
    #[error(
        "{text} is an address of another network; this node runs on {network}, \
         whose addresses start with {starts}"
    )]
    OtherNetwork {
        /// The address.
        text: String,
        /// The network of the node.
        network: Network,
        /// How addresses of that network start.
        starts: &'static str,
    },
    /// The share-chain pays no outputs of its kind.
    #[error(
        "{text} is of a kind that Shoal cannot pay to; \
         it pays to P2PKH, P2SH, P2WPKH, P2WSH and P2TR addresses"
    )]
    Unpayable {
        /// The address.
        text: String,
    },
}

/// How addresses of Bech32 start on any network; no address of Base58 does.
const BECH32_STARTS: [&str; 3] = ["bc1", "tb1", "bcrt1"];

/// Reads a payout address of `network`.
///
/// # Errors
/// One sentence for the person who typed it.
pub fn parse_address(text: &str, network: Network) -> Result<Address, AddressError> {
    let shown = || text.chars().take(ADDRESS_CHARS_SHOWN_MAX).collect::<String>();
    let address: Address<NetworkUnchecked> = text.parse().map_err(|source| {
        // The parser takes what is no Bech32 for Base58, whose complaint would explain nothing.
        match segwit::decode(text) {
            Err(source) if is_bech32(text) => AddressError::Mistyped { text: shown(), source },
            _ => AddressError::NotAnAddress { text: shown(), source },
        }
    })?;
    let starts = match network {
        Network::Main => "bc1, 1 or 3",
        Network::Signet | Network::Local => "tb1, m, n or 2",
    };
    let address = address.require_network(network.into()).map_err(|_| AddressError::OtherNetwork {
        text: shown(),
        network,
        starts,
    })?;
    let script = address.script_pubkey();
    let payable = script.is_p2pkh() || script.is_p2sh() || script.is_p2wpkh() || script.is_p2wsh() || script.is_p2tr();
    if payable { Ok(address) } else { Err(AddressError::Unpayable { text: shown() }) }
}

fn is_bech32(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    BECH32_STARTS.iter().any(|start| lower.starts_with(start))
}
