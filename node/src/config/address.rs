//! Payout addresses: they must belong to the right network and be of a kind that the share-chain pays.

use bitcoin::Address;
use bitcoin::address::NetworkUnchecked;
use sharechain::encode::{is_payout_script, is_spendable_by_owner};

use super::network::Network;
use crate::limits::ADDRESS_CHARS_SHOWN_MAX;

/// Why a text is not a usable payout address.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not an address at all.
    #[error("\"{text}\" is not a valid Bitcoin address; on {network}, addresses start with {starts}")]
    NotAnAddress {
        /// The given text, truncated.
        text: String,
        /// The node's network.
        network: Network,
        /// How addresses of that network start.
        starts: &'static str,
    },
    /// Looks like an address, and its checksum is wrong; usually a typo.
    #[error(
        "\"{text}\" is not a valid Bitcoin address: a character is wrong, missing or added, as its checksum shows; copy it \
         again"
    )]
    Mistyped {
        /// The given text, truncated.
        text: String,
    },
    /// An address of another network.
    #[error(
        "\"{text}\" is an address of another network; this node runs on {network}, \
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
    /// More than one address.
    #[error("\"{text}\" names several addresses; enter one")]
    Several {
        /// The given text, truncated.
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

/// How a link to pay an address starts (BIP-0021).
const URI: &str = "bitcoin:";

/// Prefixes of bech32 addresses on all networks. No base58 address starts like this.
const BECH32_STARTS: [&str; 3] = ["bc1", "tb1", "bcrt1"];

/// Parses an address of `network` to which a miner's work may be credited.
///
/// # Errors
/// Not such an address, or one that anyone could spend from; the sentence is for the person who typed it.
pub fn parse_payout_address(text: &str, network: Network) -> Result<Address, AddressError> {
    let address = parse_address(text, network)?;
    // A list or a split: the first address would be paid for all of the work.
    let mut words = text.split(|letter: char| !letter.is_alphanumeric());
    if words.any(|word| parse_plain(word, network).is_ok_and(|other| other != address)) {
        return Err(AddressError::Several { text: shown(text) });
    }
    if is_spendable_by_owner(&address.script_pubkey()) {
        Ok(address)
    } else {
        Err(AddressError::Unprotected { text: shown(text) })
    }
}

/// Parses an address of `network` that the share-chain can pay. Accepts what people paste: spaces, capitals, a `bitcoin:`
/// link, and a miner's user name, whose worker is ignored.
///
/// # Errors
/// Not such an address; the sentence is for the person who typed it.
pub fn parse_address(text: &str, network: Network) -> Result<Address, AddressError> {
    // Wallets show addresses in groups, but a blank may also separate a worker's name.
    let joined: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    parse_plain(plain(&joined), network).or_else(|error| parse_plain(plain(text.trim()), network).map_err(|_| error))
}

fn parse_plain(text: &str, network: Network) -> Result<Address, AddressError> {
    // Phones capitalize the first letter, and bech32 allows no mix of cases.
    let plain = if is_bech32(text) { text.to_ascii_lowercase() } else { text.to_owned() };
    let starts = match network {
        Network::Main => "bc1, 1 or 3",
        Network::Signet | Network::Local | Network::Rehearsal | Network::Testnet4 => "tb1, m, n or 2",
        Network::Regtest => "bcrt1, m, n or 2",
    };
    let Ok(address) = plain.parse::<Address<NetworkUnchecked>>() else {
        let text = shown(&plain);
        return Err(if looks_like_address(&plain) {
            AddressError::Mistyped { text }
        } else {
            AddressError::NotAnAddress { text, network, starts }
        });
    };
    let address = address.require_network(network.into()).map_err(|_| AddressError::OtherNetwork {
        text: shown(&plain),
        network,
        starts,
    })?;
    if is_payout_script(&address.script_pubkey()) {
        Ok(address)
    } else {
        Err(AddressError::Unpayable { text: shown(&plain) })
    }
}

/// The address in pasted text: no letter or digit follows it, as in user names. The caller's checksum test decides whether
/// it is one.
fn plain(text: &str) -> &str {
    let uri = text.get(..URI.len()).is_some_and(|start| start.eq_ignore_ascii_case(URI));
    let address = text.get(if uri { URI.len() } else { 0 }..).unwrap_or_default().trim_start();
    match address.find(|letter: char| !letter.is_alphanumeric()) {
        // Not an address, so the whole text is shown.
        Some(0) | None => address,
        Some(end) => address.get(..end).unwrap_or_default(),
    }
}

/// True for a text that was probably meant as an address.
fn looks_like_address(text: &str) -> bool {
    let length = 26..=35;
    is_bech32(text) || (length.contains(&text.len()) && text.starts_with(['1', '2', '3', 'm', 'n']))
}

fn shown(text: &str) -> String {
    text.chars().take(ADDRESS_CHARS_SHOWN_MAX).collect()
}

fn is_bech32(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    BECH32_STARTS.iter().any(|start| lower.starts_with(start))
}
