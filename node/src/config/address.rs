//! Payout addresses: they must belong to the right network and be of a kind that the share-chain pays.

use bitcoin::Address;
use bitcoin::address::{NetworkUnchecked, ParseError};
use bitcoin::bech32::segwit;
use sharechain::encode::{is_payout_script, is_spendable_by_owner};

use super::network::Network;
use crate::limits::ADDRESS_CHARS_SHOWN_MAX;

/// Why a text is not a usable payout address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not a valid Bitcoin address; often a typo.
    #[error("{text} is not a valid Bitcoin address; check for a typo")]
    NotAnAddress {
        /// The given text, truncated.
        text: String,
        /// Cause from the parser.
        source: ParseError,
    },
    /// Starts like a bech32 address but is not valid; usually a typo.
    #[error("{text} is not a valid Bitcoin address; check for a typo")]
    Mistyped {
        /// The given text, truncated.
        text: String,
        /// Cause from the decoder.
        source: segwit::DecodeError,
    },
    /// An address of another network.
    #[error(
        "{text} is an address of another network; this node runs on {network}, \
         whose addresses start with {starts}"
    )]
    OtherNetwork {
        /// The given address, truncated.
        text: String,
        /// The node's network.
        network: Network,
        /// How addresses of that network start.
        starts: &'static str,
    },
    /// An address of a kind that the share-chain does not pay.
    #[error("Shoal cannot pay {text}; use a P2PKH, P2SH, P2WPKH, P2WSH or P2TR address")]
    Unpayable {
        /// The given address, truncated.
        text: String,
    },
    /// An address of a witness version that has no rules in Bitcoin yet. The share-chain would pay it.
    #[error(
        "anyone could spend what is paid to {text} today, because Bitcoin has no rules for its kind yet; use a P2PKH, P2SH, \
         P2WPKH, P2WSH or P2TR address"
    )]
    Unprotected {
        /// The given address, truncated.
        text: String,
    },
}

/// Prefixes of bech32 addresses on all networks. No base58 address starts like this.
const BECH32_STARTS: [&str; 3] = ["bc1", "tb1", "bcrt1"];

/// Parses an address of `network` to which a miner's work may be credited.
///
/// # Errors
/// Not such an address, or one that anyone could spend from; the sentence is for the person who typed it.
pub fn parse_payout_address(text: &str, network: Network) -> Result<Address, AddressError> {
    let address = parse_address(text, network)?;
    if is_spendable_by_owner(&address.script_pubkey()) {
        Ok(address)
    } else {
        Err(AddressError::Unprotected { text: shown(text) })
    }
}

/// Parses an address of `network` that the share-chain can pay.
///
/// # Errors
/// Not such an address; the sentence is for the person who typed it.
pub fn parse_address(text: &str, network: Network) -> Result<Address, AddressError> {
    let address: Address<NetworkUnchecked> = text.parse().map_err(|source| {
        // The parser treats invalid bech32 as base58, whose error would explain nothing.
        match segwit::decode(text) {
            Err(source) if is_bech32(text) => AddressError::Mistyped { text: shown(text), source },
            _ => AddressError::NotAnAddress { text: shown(text), source },
        }
    })?;
    let starts = match network {
        Network::Main => "bc1, 1 or 3",
        Network::Signet | Network::Local | Network::Rehearsal | Network::Testnet4 => "tb1, m, n or 2",
        Network::Regtest => "bcrt1, m, n or 2",
    };
    let address = address.require_network(network.into()).map_err(|_| AddressError::OtherNetwork {
        text: shown(text),
        network,
        starts,
    })?;
    if is_payout_script(&address.script_pubkey()) {
        Ok(address)
    } else {
        Err(AddressError::Unpayable { text: shown(text) })
    }
}

fn shown(text: &str) -> String {
    text.chars().take(ADDRESS_CHARS_SHOWN_MAX).collect()
}

fn is_bech32(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    BECH32_STARTS.iter().any(|start| lower.starts_with(start))
}
