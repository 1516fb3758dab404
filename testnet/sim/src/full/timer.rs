//! The reminders that a node sets for itself.

use bitcoin::BlockHash;

/// A node's reminder.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Half a second has passed.
    Tick,
    /// A second has passed.
    Second,
    /// This node's bitcoind hears of a block.
    Block(BlockHash),
    /// A device switches to a job.
    Switch {
        /// The device's index in the node's list of devices.
        device: usize,
        /// The job's number.
        job: u64,
    },
}
