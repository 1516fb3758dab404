//! Turns the journal into rows.

use std::collections::BTreeMap;

use sharechain::chain::Chain;
use sharechain::{Height, Proof, ShareId, Weight, Work, encode, target};

use super::STEPS_S;
use super::keys::{self, PayeeKey};
use super::rows::{Cursor, Effort, ListedEntry, Payment, ShareEntry, Step, from_json, to_json};
use crate::store::{Entry, RecordKind, Row, Store, StoreError};
use node_core::pool_block::PoolBlock;

/// Version of the rows, raised with every change of their content.
const VERSION: u32 = 1;

/// What the chain knows about a journal entry.
#[derive(Clone, Debug, Default)]
struct Judged {
    is_link: bool,
    hashes: u128,
    weight: Weight,
    /// For a list: the shares that it names, each with the payee and the height of the link.
    listed: Vec<(ShareId, ListedEntry)>,
}

/// Looks up in the chain what the journal does not contain, in the order of `entries`.
fn judge(chain: &Chain, entries: &[Entry]) -> Vec<Judged> {
    let link = |id: &ShareId| chain.link(id);
    let judged = entries.iter().map(|entry| match entry.record.kind {
        RecordKind::Proof => {
            let id = ShareId(entry.record.id);
            let proof = Proof::decode(&entry.record.bytes).ok()?;
            let share_target = link(&proof.share.parent)?.position.share_target;
            let hashes = Work::of_target(share_target).to_hashes_saturating_u128();
            let period_bits = chain.bitcoin().next_bits(&proof.header.prev_blockhash)?;
            let weight = target::weight_of_share(share_target, period_bits, chain.params());
            Some(Judged { is_link: link(&id).is_some(), hashes, weight, listed: Vec::new() })
        }
        RecordKind::List => Some(Judged { listed: listed(chain, entry), ..Judged::default() }),
        _ => None,
    });
    judged.map(Option::unwrap_or_default).collect()
}

fn listed(chain: &Chain, entry: &Entry) -> Vec<(ShareId, ListedEntry)> {
    let height = chain.link(&ShareId(entry.record.id)).map_or(0, |link| link.height.0);
    let payee = |share: &ShareId| Some(keys::payee(chain.scripts().script(chain.credit(share)?.script)?));
    let list = encode::decode_list(&entry.record.bytes).unwrap_or_default();
    list.into_iter().map(|share| (share, ListedEntry { payee: payee(&share), height })).collect()
}

/// Time since which a chain knows all shares, seconds since 1970; none if it began with the first one.
fn begins(chain: &Chain) -> Option<u32> {
    (chain.bottom() > Height(0)).then(|| chain.link(&chain.tip()).map(|tip| tip.time.0)).flatten()
}

/// Turns one batch of the journal into rows.
#[derive(Debug)]
pub(super) struct Indexer<'a> {
    store: &'a Store,
    cursor: Cursor,
    /// Sums changed by this batch.
    steps: BTreeMap<Vec<u8>, Step>,
    rows: Vec<Row>,
}

impl<'a> Indexer<'a> {
    /// Continues where the last batch ended. Rows of another version are removed.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn open(store: &'a Store) -> Result<Self, StoreError> {
        let cursor = store.history(keys::CURSOR)?.and_then(|bytes| from_json::<Cursor>(&bytes));
        let cursor = match cursor.filter(|cursor| cursor.version == VERSION) {
            Some(cursor) => cursor,
            None => {
                for kind in keys::DERIVED {
                    store.clear_history(kind)?;
                }
                Cursor { version: VERSION, ..Cursor::default() }
            }
        };
        Ok(Self { store, cursor, steps: BTreeMap::new(), rows: Vec::new() })
    }

    /// Sequence number of the first record that is not in the rows yet.
    pub(super) fn next_sequence(&self) -> u64 {
        self.cursor.sequence + 1
    }

    /// Turns records into rows, in order, and writes them together with the new position.
    ///
    /// # Errors
    /// The disk fails.
    pub(super) fn take(mut self, entries: &[Entry], chain: &Chain) -> Result<(), StoreError> {
        if self.cursor.sequence == 0 {
            self.cursor.begins = begins(chain);
        }
        for (entry, judged) in entries.iter().zip(judge(chain, entries)) {
            match entry.record.kind {
                RecordKind::Proof => self.proof(entry, &judged)?,
                RecordKind::List => self.list(entry, &judged),
                _ => {}
            }
            self.cursor.sequence = entry.sequence;
        }
        let Self { store, cursor, steps, mut rows } = self;
        rows.extend(steps.into_iter().map(|(key, step)| (key, step.to_bytes())));
        rows.push((keys::CURSOR.to_vec(), to_json(&cursor)));
        store.write_history(&rows, &[])
    }

    fn proof(&mut self, entry: &Entry, judged: &Judged) -> Result<(), StoreError> {
        // Its checksum is valid, and the chain has accepted it.
        let Ok(proof) = Proof::decode(&entry.record.bytes) else { return Ok(()) };
        let id = ShareId(entry.record.id);
        let payee = keys::payee(&proof.share.payout);
        let is_block = PoolBlock::is_block(&proof, &id);
        let (is_link, hashes, time) = (judged.is_link, judged.hashes, proof.share.time.0);
        let found = ShareEntry { id, time, is_link, is_block, hashes };
        self.rows.push((keys::share(&payee, entry.sequence), found.to_bytes()));
        self.cursor.weight = self.cursor.weight.saturating_add(judged.weight.0);
        for step_s in STEPS_S {
            self.step(&payee, step_s, time - time % step_s, judged)?;
        }
        if is_block { self.block(&id) } else { Ok(()) }
    }

    fn step(&mut self, payee: &PayeeKey, step_s: u32, start: u32, judged: &Judged) -> Result<(), StoreError> {
        let own = self.step_at(keys::payee_step(payee, step_s, start))?;
        let is_new = own.shares == 0;
        own.miners = 1;
        own.add(judged.hashes, judged.is_link);
        let pool = self.step_at(keys::pool_step(step_s, start))?;
        pool.miners = pool.miners.saturating_add(u32::from(is_new));
        pool.add(judged.hashes, judged.is_link);
        Ok(())
    }

    fn step_at(&mut self, key: Vec<u8>) -> Result<&mut Step, StoreError> {
        if !self.steps.contains_key(&key) {
            let stored = self.store.history(&key)?.and_then(|bytes| Step::from_bytes(&bytes));
            self.steps.insert(key.clone(), stored.unwrap_or_default());
        }
        Ok(self.steps.entry(key).or_default())
    }

    /// Indexes a pool block. Its record was written together with its proof.
    fn block(&mut self, id: &ShareId) -> Result<(), StoreError> {
        let stored = self.store.get(RecordKind::Block, &id.0)?;
        let Some(block) = stored.and_then(|bytes| PoolBlock::from_bytes(&bytes).ok()) else { return Ok(()) };
        let effort = Effort { weight: self.cursor.weight, time: block.time, in_chain: None };
        self.rows.push((keys::effort(block.height, id), to_json(&effort)));
        for (position, output) in block.payouts.iter().enumerate() {
            let payment = Payment {
                value_sat: output.value.to_sat(),
                time: block.time,
                drawn: block.exact.map(|exact| position >= exact),
                finder_alone: Some(block.pays_finder_alone()),
            };
            let payee = keys::payee(&output.script_pubkey);
            self.rows.push((keys::payment(&payee, block.height, id), to_json(&payment)));
        }
        Ok(())
    }

    fn list(&mut self, entry: &Entry, judged: &Judged) {
        let link = ShareId(entry.record.id);
        let rows = judged.listed.iter().map(|(share, listed)| (keys::listed(share, &link), listed.to_bytes()));
        self.rows.extend(rows);
    }
}
