//! Replaces the chain with one that starts from verified rows.

use std::ops::RangeInclusive;
use std::sync::Arc;

use sharechain::base::Chunk;
use sharechain::change_set::{ChangeSet, TipChange};
use sharechain::{Chain, Height, ShareId, encode};
use tracing::warn;

use super::prune::base_id;
use super::{ChainEvent, Engine};
use crate::journal::{Forgotten, Journal, Record, RecordKind};
use crate::limits::PROOFS_A_BATCH;

/// Id of the record that marks base chunks as incomplete. Its bytes are empty once all are written.
const UNFINISHED: [u8; 32] = *b"base chunks are unfinished      ";

/// Forgets the base chunks of an interrupted start: they are incomplete.
pub(super) fn forget_unfinished<J: Journal>(store: &J) -> Result<(), J::Error> {
    if store.get(RecordKind::Meta, &UNFINISHED)?.is_none_or(|bytes| bytes.is_empty()) {
        return Ok(());
    }
    warn!("the last start from verified work was interrupted; peers must send the share-chain again");
    let bases = store.bases().map(|record| record.map(|record| record.id)).collect::<Result<Vec<_>, _>>()?;
    store.forget(&Forgotten { bases, ..Forgotten::default() })?;
    store.append(&[unfinished(false)])
}

fn unfinished(is_so: bool) -> Record {
    Record { kind: RecordKind::Meta, id: UNFINISHED, bytes: if is_so { vec![1] } else { Vec::new() } }
}

impl<J: Journal> Engine<J> {
    /// Replaces the chain with one of verified rows that starts from a base. `lists` are the lists of its last links,
    /// and `proofs` the encoded proofs of its links, for peers that request them. All of it is stored first, in parts,
    /// so that it takes little memory; the next start discards an interrupted one.
    pub fn start_from(
        &mut self,
        mut chain: Chain,
        lists: Vec<(ShareId, Vec<ShareId>)>,
        proofs: Vec<(ShareId, Arc<[u8]>)>,
    ) {
        let old = self.chain.tip();
        chain.note_base_lists(lists.clone());
        let (lowest, highest) = (chain.bottom().max(Height(1)), chain.height());
        let numbers = Chunk::number_of(lowest)..=Chunk::number_of(highest);
        self.append(&[unfinished(true)]);
        let proof =
            |(id, bytes): &(ShareId, Arc<[u8]>)| Record { kind: RecordKind::Proof, id: id.0, bytes: bytes.to_vec() };
        for some in proofs.chunks(PROOFS_A_BATCH) {
            self.append(&some.iter().map(proof).collect::<Vec<_>>());
        }
        drop(proofs);
        let list = |(id, list): (ShareId, Vec<ShareId>)| Record {
            kind: RecordKind::List,
            id: id.0,
            bytes: encode::encode_list(&list),
        };
        self.append(&lists.into_iter().map(list).collect::<Vec<_>>());
        for number in numbers.clone() {
            let Some((first, last)) = Chunk::heights(number) else { break };
            let chunk = chain.chunk_of(first.max(lowest), last.min(highest));
            let record =
                chunk.map(|chunk| Record { kind: RecordKind::Base, id: base_id(number), bytes: chunk.encode() });
            self.append(record.as_slice());
        }
        self.forget_bases_but(&numbers);
        self.append(&[unfinished(false)]);
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
        // An incomplete chunk is written again once it is complete.
        let is_whole = Chunk::heights(*numbers.end()).is_some_and(|(_, last)| last == highest);
        self.next_base = numbers.end().saturating_add(u32::from(is_whole));
        let changes = ChangeSet { tips: vec![change], ..ChangeSet::default() };
        self.events.push(ChainEvent::Changed(Arc::new(changes)));
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
