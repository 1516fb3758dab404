//! Keys for the owner's decisions about miners: a fee, and when devices rest.

use super::key::{Key, Shape};

/// The owner's fee.
pub const STRATUM_FEE_PERCENT: Key = Key::one(
    ["stratum.fee_percent", "stratum-fee-percent", "SHOAL_STRATUM_FEE_PERCENT"],
    "PERCENT",
    "Part of the miners' work that pays this node's owner, percent, up to 10, like 1 or 0.5; each miner sees it [default: 0]",
);
/// Whom the fee pays.
pub const STRATUM_FEE_ADDRESS: Key = Key::one(
    ["stratum.fee_address", "stratum-fee-address", "SHOAL_STRATUM_FEE_ADDRESS"],
    "ADDRESS",
    "Payout address of the fee [default: address]",
);
/// When devices rest.
pub const POWER_PAUSE: Key = Key::one(
    ["power.pause", "power-pause", "SHOAL_POWER_PAUSE"],
    "TIMES",
    "When devices rest, like \"18:00-08:00\", \"18:00-08:00 mon-fri workers=rig1,rig2\" or \"08:00-10:00 run=50%\"; repeatable [default: none]",
)
.shaped(Shape::Many);
/// The time zone of these times.
pub const POWER_TIME_ZONE: Key = Key::one(
    ["power.time_zone", "power-time-zone", "SHOAL_POWER_TIME_ZONE"],
    "ZONE",
    "Time zone of these times: a name like Europe/Berlin, an offset like +02:00, or system [default: system]",
);
