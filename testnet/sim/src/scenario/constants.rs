//! Protocol constants that differ from mainnet.

use serde::{Deserialize, Serialize};
use sharechain::ChainParams;
use sharechain::units::Weight;

macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// Protocol constants that differ from a simulation's defaults. The names are those of [`ChainParams`].
        #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Constants {
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<$type>,)*
            /// See [`ChainParams::window_weight`]. In expected Bitcoin blocks.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub window_blocks: Option<f64>,
        }

        impl Constants {
            /// Applies the constants to `params`.
            pub fn apply(&self, params: &mut ChainParams) {
                $(if let Some(value) = self.$name {
                    params.$name = value;
                })*
                if let Some(blocks) = self.window_blocks {
                    params.window_weight = weight_of(blocks);
                }
            }
        }
    };
}

constants! {
    /// See [`ChainParams::link_interval_s`].
    link_interval_s: u32,
    /// See [`ChainParams::shares_per_link`].
    shares_per_link: u32,
    /// See [`ChainParams::retarget_half_life_s`].
    retarget_half_life_s: u32,
    /// See [`ChainParams::retarget_exponent_max`].
    retarget_exponent_max: u32,
    /// See [`ChainParams::anchor_depth`].
    anchor_depth: u32,
    /// See [`ChainParams::listing_depth`].
    listing_depth: u32,
    /// See [`ChainParams::credit_depth`].
    credit_depth: u32,
    /// See [`ChainParams::stale_depth`].
    stale_depth: u32,
    /// See [`ChainParams::link_credit_divisor`].
    link_credit_divisor: u32,
    /// See [`ChainParams::snapshot_bitcoin_depth`].
    snapshot_bitcoin_depth: u32,
    /// See [`ChainParams::snapshot_burial`].
    snapshot_burial: u32,
    /// See [`ChainParams::seed_depth`].
    seed_depth: u32,
    /// See [`ChainParams::window_proofs`].
    window_proofs: u64,
    /// See [`ChainParams::listed_before_payouts`].
    listed_before_payouts: u64,
    /// See [`ChainParams::outputs_max`].
    outputs_max: usize,
    /// See [`ChainParams::prefix_bytes_max`].
    prefix_bytes_max: u32,
    /// See [`ChainParams::output_floor_sat`].
    output_floor_sat: u64,
}

/// Converts expected Bitcoin blocks to a weight. [`Weight`] counts in units of 2^-64 blocks.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
fn weight_of(blocks: f64) -> Weight {
    Weight((blocks * 2f64.powi(64)) as u128)
}
