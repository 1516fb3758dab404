//! Bitcoin headers, and the proofs that wait for them.

use bitcoin::block::Header;

use super::{Chain, Missing};
use crate::bitcoin_headers::{HeaderError, Inserted};
use crate::change_set::ChangeSet;
use crate::units::Timestamp;

impl Chain {
    /// Adds a Bitcoin header that this node's bitcoind follows, or that is two blocks below bitcoind's tip on another
    /// branch. Then judges the proofs that were held for it.
    pub fn insert_bitcoin_header(&mut self, header: Header, now: Timestamp) -> ChangeSet {
        let inserted = self.bitcoin.insert(header, now);
        self.judge_held_for(&header, &inserted, now)
    }

    /// Adds a Bitcoin header that this node has stored, as [`Self::insert_bitcoin_header`] did once.
    pub fn restore_bitcoin_header(&mut self, header: Header, now: Timestamp) -> ChangeSet {
        let restored = self.bitcoin.restore(header, now);
        self.judge_held_for(&header, &restored, now)
    }

    fn judge_held_for(
        &mut self,
        header: &Header,
        inserted: &Result<Inserted, HeaderError>,
        now: Timestamp,
    ) -> ChangeSet {
        let mut call = self.call(now);
        if matches!(inserted, Ok(Inserted::New)) {
            call.queue.push_back(Missing::BitcoinHeader(header.block_hash()));
            self.settle(&mut call);
            self.reconsider_conflicts(&mut call);
        }
        call.changes
    }
}
