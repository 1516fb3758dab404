//! The first line: the network, its constants, and the Bitcoin headers to start from.

use bitcoin::block::Header;
use bitcoin::{CompactTarget, Network};
use serde::{Deserialize, Serialize};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::target::target_of_bits;
use sharechain::{BitcoinParams, ChainParams, PoolName, PoolNameError, ShareId, U256, Weight};

use crate::line::exact;
use crate::value::{Challenge, Decimal, Id, Number, RawHeader, present};
use crate::{ROOT_HEADERS_MAX, VERSION};

/// Maximum length of a name, bytes: the consensus id has one byte for it.
const NAME_BYTES_MAX: usize = 255;

/// Maximum length of the text for human readers, bytes.
const ABOUT_BYTES_MAX: usize = 1_000;

/// The first line in its JSON form.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstLine {
    shoal_recording: u32,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    network: String,
    consensus_id: Id,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
    root: RootLine,
}

/// The Bitcoin headers to start from, which are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootLine {
    /// Height of the last header.
    pub height: u32,
    /// Bitcoin's chain work from its genesis to the last header, both included, hashes.
    pub chain_work: Number,
    /// Headers that form a chain, oldest first.
    pub headers: Vec<RawHeader>,
}

/// Start of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Constants of the network.
    pub params: ChainParams,
    /// Bitcoin headers to start from.
    pub root: Root,
}

impl Start {
    /// Parses a first line.
    ///
    /// # Errors
    /// A text that says what the format does not allow.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let first: FirstLine = exact(json)?;
        if first.shoal_recording != VERSION {
            return Err(format!("unknown format version {}", first.shoal_recording));
        }
        if first.about.is_some_and(|about| about.len() > ABOUT_BYTES_MAX) {
            return Err(format!("about has more than {ABOUT_BYTES_MAX} bytes"));
        }
        let params = params_of(&first.network, first.parameters)?;
        let (expected, found) = (Id(params.consensus_id()), first.consensus_id);
        if expected != found {
            return Err(format!("consensus_id is {found}, but the parameters give {expected}"));
        }
        let RootLine { height, chain_work: Number(chain_work), headers } = first.root;
        let headers: Vec<Header> = headers.into_iter().map(|RawHeader(header)| header).collect();
        let start = Self { params, root: Root { height, chain_work, headers } };
        start.check_root()?;
        Ok(start)
    }

    /// Formats the first line, without its line feed. `about` is a text for human readers.
    #[must_use]
    pub fn line(&self, about: Option<&str>) -> String {
        let Self { params, root } = self;
        let known = named(params.name).is_some_and(|known| known == *params);
        let first = FirstLine {
            shoal_recording: VERSION,
            about: about.map(str::to_owned),
            network: params.name.to_owned(),
            consensus_id: Id(params.consensus_id()),
            parameters: (!known).then(|| Parameters::from(params)),
            root: RootLine {
                height: root.height,
                chain_work: Number(root.chain_work),
                headers: root.headers.iter().copied().map(RawHeader).collect(),
            },
        };
        serde_json::to_string(&first).unwrap_or_default()
    }

    /// Creates a tree from the headers.
    ///
    /// # Errors
    /// A text, if the headers are not a chain or are too few.
    pub fn headers(&self) -> Result<BitcoinHeaders, String> {
        BitcoinHeaders::new(&self.params.bitcoin, &self.root).map_err(|error| format!("root: {error}"))
    }

    fn check_root(&self) -> Result<(), String> {
        let Self { params, root } = self;
        let found = root.headers.len();
        // Snapshot and seed follow from blocks that may lie deeper than judging headers needs.
        let depth = params.snapshot_bitcoin_depth.max(params.seed_depth);
        let for_payouts = depth.saturating_add(1).min(root.height.saturating_add(1));
        let least = usize::try_from(for_payouts).unwrap_or(usize::MAX);
        if found < least || found > ROOT_HEADERS_MAX {
            return Err(format!("root: has {found} headers, but needs {least} to {ROOT_HEADERS_MAX}"));
        }
        if root.headers.iter().any(|header| target_of_bits(header.bits) == U256::ZERO) {
            return Err("root: a header's nBits do not encode a target".to_owned());
        }
        self.headers().map(|_| ())
    }
}

/// Returns the network of protocol §3 with this name, if any.
fn named(name: &str) -> Option<ChainParams> {
    ChainParams::all().into_iter().find(|params| params.name == name)
}

fn params_of(network: &str, parameters: Option<Parameters>) -> Result<ChainParams, String> {
    let Some(parameters) = parameters else {
        return named(network).ok_or_else(|| format!("network {network} is unknown and has no parameters"));
    };
    parameters.check()?;
    let params = parameters.params();
    if params.name != network {
        return Err(format!("the parameters are those of {}", params.name));
    }
    // A private pool has its network's constants and a name.
    let known = named(network).map(|known| ChainParams { pool: params.pool, ..known });
    if known.is_some_and(|known| known.consensus_id() != params.consensus_id()) {
        return Err(format!("the parameters differ from those of {network}"));
    }
    Ok(params)
}

/// A constant with its JSON form.
trait Written {
    /// JSON form: integers as they are, weights as decimal strings, targets in hexadecimal.
    type Form;

    fn write(&self) -> Self::Form;
    fn read(form: &Self::Form) -> Self;
}

macro_rules! written {
    ($($type:ty as $form:ty: |$value:ident| $write:expr, |$written:ident| $read:expr;)*) => {$(
        impl Written for $type {
            type Form = $form;

            fn write(&self) -> $form {
                let $value = *self;
                $write
            }

            fn read(form: &$form) -> Self {
                let $written = *form;
                $read
            }
        }
    )*};
}

written! {
    u32 as u32: |value| value, |form| form;
    u64 as u64: |value| value, |form| form;
    usize as u64: |value| value as u64, |form| usize::try_from(form).unwrap_or(usize::MAX);
    U256 as Number: |value| Number(value), |form| form.0;
    Weight as Decimal: |value| Decimal(value.0), |form| Weight(form.0);
}

macro_rules! parameters {
    (
        bitcoin { $($(#[$bitcoin_doc:meta])* $bitcoin:ident: $bitcoin_type:ty = $bitcoin_main:expr,)* }
        chain { $($(#[$chain_doc:meta])* $chain:ident: $chain_type:ty = $chain_main:expr,)* }
    ) => {
        /// All constants of a network under the names of protocol §3, as a first line has them.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Parameters {
            name: String,
            pool: String,
            bitcoin_genesis: Id,
            signet_challenge: Challenge,
            $($bitcoin: <$bitcoin_type as Written>::Form,)*
            $($chain: <$chain_type as Written>::Form,)*
        }

        impl From<&ChainParams> for Parameters {
            fn from(params: &ChainParams) -> Self {
                Self {
                    name: params.name.to_owned(),
                    pool: params.pool.as_str().to_owned(),
                    bitcoin_genesis: Id(params.bitcoin.genesis_hash()),
                    signet_challenge: Challenge(params.bitcoin.signet_challenge.to_vec()),
                    $($bitcoin: params.bitcoin.$bitcoin.write(),)*
                    $($chain: params.$chain.write(),)*
                }
            }
        }

        impl Parameters {
            /// The constants. Leaks the name and the challenge, at most 510 bytes: in `ChainParams` both are static,
            /// and a process reads few recordings.
            fn params(&self) -> ChainParams {
                let (network, other_genesis) = network_of(self.bitcoin_genesis);
                ChainParams {
                    name: self.name.clone().leak(),
                    pool: self.pool().unwrap_or(PoolName::PUBLIC),
                    bitcoin: BitcoinParams {
                        network,
                        other_genesis,
                        signet_challenge: self.signet_challenge.0.clone().leak(),
                        $($bitcoin: Written::read(&self.$bitcoin),)*
                    },
                    $($chain: Written::read(&self.$chain),)*
                }
            }
        }
    };
}

sharechain::for_each_parameter!(parameters);

impl Parameters {
    /// The name of the pool, if it is one.
    fn pool(&self) -> Result<PoolName, PoolNameError> {
        if self.pool.is_empty() { Ok(PoolName::PUBLIC) } else { self.pool.parse() }
    }

    /// Rejects values with which the rules have no meaning.
    fn check(&self) -> Result<(), String> {
        if self.name.len() > NAME_BYTES_MAX {
            return Err(format!("parameters.name has more than {NAME_BYTES_MAX} bytes"));
        }
        self.pool().map_err(|error| format!("parameters.pool: {error}"))?;
        let values = [
            ("retarget_blocks", u64::from(self.retarget_blocks)),
            ("retarget_timespan_s", u64::from(self.retarget_timespan_s)),
            ("retarget_factor_max", u64::from(self.retarget_factor_max)),
            ("halving_blocks", u64::from(self.halving_blocks)),
            ("min_block_work", self.min_block_work),
            ("retarget_half_life_s", u64::from(self.retarget_half_life_s)),
            ("link_credit_divisor", u64::from(self.link_credit_divisor)),
            ("median_span", self.median_span),
            ("outputs_max", self.outputs_max),
        ];
        if let Some((name, _)) = values.iter().find(|(_, value)| *value == 0) {
            return Err(format!("parameters.{name} must not be zero"));
        }
        if target_of_bits(CompactTarget::from_consensus(self.pow_limit_bits)) == U256::ZERO {
            return Err("parameters.pow_limit_bits does not encode a target".to_owned());
        }
        Ok(())
    }
}

/// Returns the Bitcoin network with this genesis. Any other genesis belongs to a regtest-like network.
fn network_of(genesis: Id) -> (Network, Option<[u8; 32]>) {
    let hash = |network| ShareId::from(bitcoin::constants::genesis_block(network).block_hash()).0;
    let known = [Network::Bitcoin, Network::Signet, Network::Testnet4, Network::Regtest];
    match known.into_iter().find(|network| hash(*network) == genesis.0) {
        Some(network) => (network, None),
        None => (Network::Regtest, Some(genesis.0)),
    }
}
