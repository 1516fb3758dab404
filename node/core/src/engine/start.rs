//! Replaces the chain by one that starts from verified rows.

use std::ops::RangeInclusive;
use std::sync::Arc;

use sharechain::base::{BaseError, Chunk};
use sharechain::change_set::{ChangeSet, TipChange};
use sharechain::{Chain, Height, ShareId, encode};

use super::prune::base_id;
use super::{ChainEvent, Engine};
use crate::journal::{Forgotten, Journal, Record, RecordKind};
use crate::limits::PROOFS_A_BATCH;

impl<J: Journal> Engine<J> {
    /// Replaces the chain by one that starts from these links: their rows are verified, and `lists` are the lists of the
    /// last of them. `proofs` are the encoded proofs of the links, for peers that ask for them. All of it is stored
    /// first.
    ///
    /// # Errors
    /// The links do not make a chain. Nothing has changed then.
    pub fn start_from(
        &mut self,
        chunk: Chunk,
        lists: Vec<(ShareId, Vec<ShareId>)>,
        proofs: &[(ShareId, Vec<u8>)],
    ) -> Result<(), BaseError> {
        let old = self.chain.tip();
        let params = self.chain.params().clone();
        let mut chain = Chain::from_base(params, self.chain.bitcoin().clone(), [chunk])?;
        chain.note_base_lists(lists.clone());
        let (lowest, highest) = (chain.bottom().max(Height(1)), chain.height());
        let numbers = Chunk::number_of(lowest)..=Chunk::number_of(highest);
        let chunks = numbers.clone().filter_map(|number| {
            let (first, last) = Chunk::heights(number)?;
            Some((number, chain.chunk_of(first.max(lowest), last.min(highest))?))
        });
        let proof =
            |(id, bytes): &(ShareId, Vec<u8>)| Record { kind: RecordKind::Proof, id: id.0, bytes: bytes.clone() };
        // Proofs without what follows do no harm, and in one batch they would take much memory.
        for some in proofs.chunks(PROOFS_A_BATCH) {
            self.append(&some.iter().map(proof).collect::<Vec<_>>());
        }
        let list = |(id, list): (ShareId, Vec<ShareId>)| Record {
            kind: RecordKind::List,
            id: id.0,
            bytes: encode::encode_list(&list),
        };
        let mut batch: Vec<Record> = lists.into_iter().map(list).collect();
        batch.extend(chunks.map(|(number, chunk)| Record {
            kind: RecordKind::Base,
            id: base_id(number),
            bytes: chunk.encode(),
        }));
        self.append(&batch);
        self.forget_bases_but(&numbers);
        let change = TipChange {
            old,
            new: chain.tip(),
            fork_height: chain.height(),
            disconnected: Vec::new(),
            connected: Vec::new(),
        };
        self.chain = chain;
        self.changed = true;
        self.lowest_base = Some(*numbers.start());
        // A chunk that is not whole is written again when it is.
        let is_whole = Chunk::heights(*numbers.end()).is_some_and(|(_, last)| last == highest);
        self.next_base = numbers.end().saturating_add(u32::from(is_whole));
        let changes = ChangeSet { tips: vec![change], ..ChangeSet::default() };
        self.events.push(ChainEvent::Changed(Arc::new(changes)));
        Ok(())
    }

    /// Forgets the base chunks of an earlier chain, which do not continue the new ones.
    fn forget_bases_but(&mut self, kept: &RangeInclusive<u32>) {
        let old = self.lowest_base.unwrap_or(self.next_base)..=self.next_base;
        let bases: Vec<_> = old.filter(|number| !kept.contains(number)).map(base_id).collect();
        let forgotten = Forgotten { bases, ..Forgotten::default() };
        if self.fatal.is_none()
            && let Err(error) = self.store.forget(&forgotten)
        {
            self.fatal = Some(error);
        }
    }
}
