//! The first line: which network, its constants, and the Bitcoin headers to start from.

use bitcoin::block::Header;
use bitcoin::{CompactTarget, Network};
use serde::{Deserialize, Serialize};
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use sharechain::target::target_of_bits;
use sharechain::{BitcoinParams, ChainParams, ShareId, U256, Weight};

use crate::line::exact;
use crate::value::{Challenge, Decimal, Id, Number, RawHeader, present};
use crate::{ROOT_HEADERS_MAX, VERSION};

/// Bytes of a name at most: its length is one byte in the consensus id.
const NAME_BYTES_MAX: usize = 255;

/// Bytes of the text for people, at most.
const ABOUT_BYTES_MAX: usize = 1_000;

/// The first line as it is written.
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

/// The Bitcoin headers to start from, which are believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootLine {
    /// Height of the last header.
    pub height: u32,
    /// Bitcoin's work from its genesis to the last header, hashes.
    pub chain_work: Number,
    /// Headers that follow one another, oldest first.
    pub headers: Vec<RawHeader>,
}

/// What a recording starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The constants.
    pub params: ChainParams,
    /// The Bitcoin headers.
    pub root: Root,
}

impl Start {
    /// Reads a first line.
    ///
    /// # Errors
    /// What the format does not allow, in words.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        let first: FirstLine = exact(json)?;
        if first.shoal_recording != VERSION {
            return Err(format!("version {} of the format is not known", first.shoal_recording));
        }
        if first.about.is_some_and(|about| about.len() > ABOUT_BYTES_MAX) {
            return Err(format!("about has more than {ABOUT_BYTES_MAX} bytes"));
        }
        let params = params_of(&first.network, first.parameters)?;
        let (expected, found) = (Id(params.consensus_id()), first.consensus_id);
        if expected != found {
            return Err(format!("consensus_id is {found}, that of the parameters is {expected}"));
        }
        let RootLine { height, chain_work: Number(chain_work), headers } = first.root;
        let headers: Vec<Header> = headers.into_iter().map(|RawHeader(header)| header).collect();
        let start = Self { params, root: Root { height, chain_work, headers } };
        start.check_root()?;
        Ok(start)
    }

    /// The line, without its line feed.
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

    /// The headers as a tree.
    ///
    /// # Errors
    /// They are not a chain, or too few.
    pub fn headers(&self) -> Result<BitcoinHeaders, String> {
        BitcoinHeaders::new(&self.params.bitcoin, &self.root).map_err(|error| format!("root: {error}"))
    }

    fn check_root(&self) -> Result<(), String> {
        let Self { params, root } = self;
        let found = root.headers.len();
        // Draws look `seed_depth` blocks back, which is more than judging headers needs.
        let for_seeds = params.seed_depth.saturating_add(1).min(root.height.saturating_add(1));
        let least = usize::try_from(for_seeds).unwrap_or(usize::MAX);
        if found < least || found > ROOT_HEADERS_MAX {
            return Err(format!("root: {found} headers are not from {least} to {ROOT_HEADERS_MAX}"));
        }
        if root.headers.iter().any(|header| target_of_bits(header.bits) == U256::ZERO) {
            return Err("root: nBits of a header stand for no target".to_owned());
        }
        self.headers().map(|_| ())
    }
}

/// The network of section 3 of the protocol with this name.
fn named(name: &str) -> Option<ChainParams> {
    [ChainParams::main(), ChainParams::signet(), ChainParams::local()].into_iter().find(|params| params.name == name)
}

fn params_of(network: &str, parameters: Option<Parameters>) -> Result<ChainParams, String> {
    let Some(parameters) = parameters else {
        return named(network).ok_or_else(|| format!("network {network} is not known and has no parameters"));
    };
    parameters.check()?;
    let params = parameters.params();
    if params.name != network {
        return Err(format!("the parameters are those of {}", params.name));
    }
    if named(network).is_some_and(|known| known.consensus_id() != params.consensus_id()) {
        return Err(format!("the parameters are not those of {network}"));
    }
    Ok(params)
}

macro_rules! parameters {
    (
        bitcoin { $($bitcoin:ident: $bitcoin_type:ty,)* }
        chain { $($chain:ident: $chain_type:ty,)* }
    ) => {
        /// All constants of a network, by the names of section 3 of the protocol.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "each is the constant of `ChainParams` or `BitcoinParams` with its name")]
        pub struct Parameters {
            pub name: String,
            pub bitcoin_genesis: Id,
            pub signet_challenge: Challenge,
            $(pub $bitcoin: $bitcoin_type,)*
            $(pub $chain: $chain_type,)*
            pub first_link_target: Number,
            pub easiest_share_target: Number,
            pub window_weight: Decimal,
            pub median_span: u64,
            pub outputs_max: u64,
        }

        impl From<&ChainParams> for Parameters {
            fn from(params: &ChainParams) -> Self {
                Self {
                    name: params.name.to_owned(),
                    bitcoin_genesis: Id(params.bitcoin.genesis_hash()),
                    signet_challenge: Challenge(params.bitcoin.signet_challenge.to_vec()),
                    $($bitcoin: params.bitcoin.$bitcoin,)*
                    $($chain: params.$chain,)*
                    first_link_target: Number(params.first_link_target),
                    easiest_share_target: Number(params.easiest_share_target),
                    window_weight: Decimal(params.window_weight.0),
                    median_span: params.median_span as u64,
                    outputs_max: params.outputs_max as u64,
                }
            }
        }

        impl Parameters {
            /// The constants. Their two texts, 510 bytes at most, are never freed: elsewhere they are part of the
            /// program, and nobody reads many recordings.
            fn params(&self) -> ChainParams {
                let (network, other_genesis) = network_of(self.bitcoin_genesis);
                let most = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
                ChainParams {
                    name: self.name.clone().leak(),
                    bitcoin: BitcoinParams {
                        network,
                        other_genesis,
                        signet_challenge: self.signet_challenge.0.clone().leak(),
                        $($bitcoin: self.$bitcoin,)*
                    },
                    $($chain: self.$chain,)*
                    first_link_target: self.first_link_target.0,
                    easiest_share_target: self.easiest_share_target.0,
                    window_weight: Weight(self.window_weight.0),
                    median_span: most(self.median_span),
                    outputs_max: most(self.outputs_max),
                }
            }
        }
    };
}

parameters! {
    bitcoin {
        pow_limit_bits: u32,
        retarget_blocks: u32,
        retarget_timespan_s: u32,
        halving_blocks: u32,
        start_height: u32,
        min_block_work: u64,
    }
    chain {
        link_interval_s: u32,
        shares_per_link: u32,
        retarget_half_life_s: u32,
        retarget_exponent_max: u32,
        anchor_depth: u32,
        listing_depth: u32,
        credit_depth: u32,
        stale_depth: u32,
        link_credit_divisor: u32,
        times_apart_s: u32,
        snapshot_bitcoin_depth: u32,
        snapshot_burial: u32,
        seed_depth: u32,
        window_rows: u64,
        listed_before_payouts: u64,
        output_floor_sat: u64,
    }
}

impl Parameters {
    /// Refuses constants without which the rules have no meaning.
    fn check(&self) -> Result<(), String> {
        if self.name.len() > NAME_BYTES_MAX {
            return Err(format!("parameters.name has more than {NAME_BYTES_MAX} bytes"));
        }
        let values = [
            ("retarget_blocks", u64::from(self.retarget_blocks)),
            ("retarget_timespan_s", u64::from(self.retarget_timespan_s)),
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
            return Err("parameters.pow_limit_bits stands for no target".to_owned());
        }
        Ok(())
    }
}

/// The Bitcoin network with this genesis; another genesis belongs to a network like regtest.
fn network_of(genesis: Id) -> (Network, Option<[u8; 32]>) {
    let hash = |network| ShareId::from(bitcoin::constants::genesis_block(network).block_hash()).0;
    let known = [Network::Bitcoin, Network::Signet, Network::Regtest];
    match known.into_iter().find(|network| hash(*network) == genesis.0) {
        Some(network) => (network, None),
        None => (Network::Regtest, Some(genesis.0)),
    }
}
