//! How many payouts a pool's coinbases hold.

use std::str::FromStr;

/// Room for payouts in a coinbase: a constant of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outputs {
    /// At most 48 payouts, for which every miner's firmware should have room.
    #[default]
    Standard,
    /// At most 1,000 payouts. Not launched on mainnet.
    Wide,
}

/// The text is neither size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sizes are standard and wide")]
pub struct UnknownOutputs;

impl Outputs {
    /// Both sizes.
    pub const ALL: [Self; 2] = [Self::Standard, Self::Wide];
}

impl FromStr for Outputs {
    type Err = UnknownOutputs;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "standard" => Ok(Self::Standard),
            "wide" => Ok(Self::Wide),
            _ => Err(UnknownOutputs),
        }
    }
}
