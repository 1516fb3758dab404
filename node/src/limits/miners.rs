//! Bounds of miners, their devices, and their payees.

use std::time::Duration;

/// Maximum number of listeners for miners besides the first. Hashrate rentals, farms, and countries may each have one.
pub const STRATUM_LISTENERS_MAX: usize = 16;

/// Maximum number of addresses in one user name. Any four of them and a worker's name fit
/// [`stratum::limits::USER_BYTES_MAX`].
pub const SPLIT_PARTS_MAX: usize = 4;

/// Highest fee of a node's owner, hundredths of a percent: 10%. More is a typo.
pub const FEE_HUNDREDTHS_MAX: u16 = 1_000;

/// Accounts whose work is divided among payees and counted, at most 1 KB each: as many as there are connections.
pub const LEDGERS_MAX: usize = 16_384;

/// Maximum number of configured pauses. Every [`POWER_LOOK`], each device is compared with all of them.
pub const PAUSES_MAX: usize = 32;

/// Maximum number of worker names in one pause. Farms name groups by the ends of their names, or pause everything.
pub const PAUSE_WORKERS_MAX: usize = 64;

/// Maximum size of the power switch's file, bytes: 64 of the longest user names.
pub const POWER_FILE_BYTES_MAX: u64 = 40 << 10;

/// Interval between checks of the power switch and the schedule.
pub const POWER_LOOK: Duration = Duration::from_secs(2);

/// Period in which a device at a fraction of its power runs once and rests once, seconds. Devices take minutes to warm
/// up.
pub const POWER_PERIOD_S: u32 = 1_800;

/// File descriptors reserved for everything but miners: the database, peers, API clients, bitcoind.
pub const DESCRIPTORS_KEPT: usize = 1_024;

/// Maximum number of configured coinbase limits. Each new connection's program is compared with all of them.
pub const COINBASE_LIMITS_MAX: usize = 64;

/// How long miners stay connected without fresh work: as long as work on an old Bitcoin tip is accepted. That covers a
/// restart of bitcoind, and little of what devices mine meanwhile becomes worthless.
pub const WORK_GRACE: Duration = stratum::limits::TIP_GRACE;

/// Interval between checks of [`WORK_GRACE`].
pub const WORK_LOOK: Duration = Duration::from_secs(1);

/// Shares of this node's miners that can wait for the engine: several seconds' work of a thousand miners.
pub const FOUND_QUEUE: usize = 4_096;

/// Bitcoin blocks of this node's miners that a node remembers, so that a miner that submits one again has no effect. Each costs the work
/// of a Bitcoin block.
pub const BLOCKS_PASSED_MAX: usize = 64;

/// Miners that must have left since the peak before the node returns their memory, about 4 MB. Fewer are not worth the
/// work.
pub const MINERS_LEFT_MIN: usize = 256;

/// How long a device must be silent or slow before the event log reports it, seconds. The difficulty is set for one
/// submit every few seconds; firmware restarts within minutes.
pub const DEVICE_TOLD_S: u32 = 600;

/// Interval between samples of a device's hashrate, seconds.
pub const DEVICE_SAMPLE_S: u32 = 60;

/// Samples over which a device's hashrate is averaged: one day.
pub const DEVICE_SAMPLES_MAX: u32 = 1_440;

/// How long the node remembers a disconnected device, seconds: a week, like its longest average. Pages show it for a
/// day.
pub const DEVICE_KEPT_S: u32 = 7 * 86_400;

/// Maximum number of remembered devices: 8 MB. Disconnected ones make room for new ones: first those that never worked, then
/// those that have been away longest.
pub const DEVICES_MAX: usize = 4_096;

/// Interval between checks for silent, slow, and returned devices.
pub const WORKER_LOOK: Duration = Duration::from_secs(30);

/// Interval between writes of the devices. 4,096 devices write 6 MB each time, 1.8 GB a day; one writes 450 kB a day.
pub const DEVICES_SAVE: Duration = Duration::from_secs(300);

/// Interval between checks for new payees of this node's miners, and of the confirmations of the pool's blocks.
pub const OWN_LOOK: Duration = Duration::from_secs(10);

/// Payees of this node's miners whose rows are kept: as many as a node serves connections. Beyond that, the one not
/// seen for the longest time loses this protection.
pub const OWN_PAYEES_MAX: usize = 4_096;

/// Interval after which the time when a payee was last seen is written again, seconds.
pub const OWN_SEEN_S: u32 = 86_400;

/// Length to which messages cut an address, characters. Anything longer is not an address.
pub const ADDRESS_CHARS_SHOWN_MAX: usize = 100;
