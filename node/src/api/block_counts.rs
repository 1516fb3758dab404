//! Counts of the pool's Bitcoin blocks, kept between requests, so that an answer reads only new ones.

use node_core::pool_block::PoolBlock;
use serde::Serialize;
use utoipa::ToSchema;

use super::limits::BLOCKS_COUNTED_MAX;
use crate::store::{Store, StoreError};

/// Bitcoin blocks that the pool found in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Count {
    /// Number of blocks, including those that later left Bitcoin's chain.
    pub blocks: u64,
    /// Their subsidies and fees, satoshi.
    pub value_sat: u64,
}

/// Time and value of each block that was counted, so that an answer reads only new ones.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Sequence of the newest one.
    newest: Option<u64>,
    blocks: Vec<(u32, u64)>,
}

impl Counted {
    /// Counts the blocks that are new in the database.
    pub(super) fn read(&mut self, store: &Store) -> Result<(), StoreError> {
        let known = self.newest;
        let mut new = Vec::new();
        for row in store.blocks_down(u64::MAX).take(BLOCKS_COUNTED_MAX) {
            let row = row?;
            if known.is_some_and(|known| row.sequence <= known) {
                break;
            }
            self.newest = self.newest.max(Some(row.sequence));
            // Unreadable rows are reported where they are shown.
            new.extend(PoolBlock::from_bytes(&row.record.bytes).ok().map(|block| (block.time, block.value_sat)));
        }
        self.blocks.extend(new);
        self.blocks.truncate(BLOCKS_COUNTED_MAX);
        Ok(())
    }

    /// Sum of the blocks found since `start`, seconds since 1970.
    pub(super) fn since(&self, start: u32) -> Count {
        let found = self.blocks.iter().filter(|(time, _)| *time >= start);
        found.fold(Count::default(), |sum, (_, value_sat)| Count {
            blocks: sum.blocks + 1,
            value_sat: sum.value_sat.saturating_add(*value_sat),
        })
    }
}
