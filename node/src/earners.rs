//! Who had earned what up to a link: kept beside each Bitcoin block of the pool, whose payouts follow from it, since the
//! share-chain forgets it with the window.

use bitcoin::ScriptBuf;
use bitcoin::consensus::encode::{Decodable, Error, serialize};
use sharechain::chain::Chain;
use sharechain::window::{Sum, Window};
use sharechain::{ShareId, Weight};

use crate::limits::RECORD_BYTES_MAX;
use crate::store::{Record, RecordKind};

#[cfg(test)]
mod tests;

/// Who had earned what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earners {
    /// Shares listed from genesis up to the link, links included.
    pub listed_total: u64,
    /// Most first, ties by script.
    pub rows: Vec<(ScriptBuf, Sum)>,
}

impl Earners {
    /// Those of a window, whose newest link has listed so many shares.
    #[must_use]
    pub fn new(window: &Window, listed_total: u64, chain: &Chain) -> Self {
        let scripts = chain.scripts();
        let mut rows: Vec<(ScriptBuf, Sum)> =
            window.sums().filter_map(|(index, sum)| Some((scripts.script(index)?.to_owned(), sum))).collect();
        rows.sort_by(|(script_a, a), (script_b, b)| b.weight.cmp(&a.weight).then_with(|| script_a.cmp(script_b)));
        Self { listed_total, rows }
    }

    /// Those up to the snapshot of a found block; none if that link is not complete.
    pub fn up_to(snapshot: &ShareId, chain: &mut Chain) -> Option<Self> {
        let listed_total = chain.link(snapshot)?.complete()?.listed_total;
        let window = chain.window(snapshot)?;
        Some(Self::new(&window, listed_total, chain))
    }

    /// What a script earned.
    #[must_use]
    pub fn of(&self, script: &ScriptBuf) -> Sum {
        self.rows.iter().find(|(known, _)| known == script).map(|(_, sum)| *sum).unwrap_or_default()
    }

    /// The record that keeps them, found by the snapshot. None beyond the size of a record: some 90,000 payees, and then
    /// they can be asked for only while the share-chain itself keeps them.
    #[must_use]
    pub fn to_record(&self, snapshot: &ShareId) -> Option<Record> {
        let mut bytes = serialize(&self.listed_total);
        for (script, sum) in &self.rows {
            bytes.extend(serialize(&(script, sum.weight.0.to_be_bytes(), sum.shares)));
        }
        (bytes.len() <= RECORD_BYTES_MAX).then_some(Record { kind: RecordKind::Earners, id: snapshot.0, bytes })
    }

    /// Reads a record back.
    ///
    /// # Errors
    /// The bytes are not what [`Earners::to_record`] wrote.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, Error> {
        let listed_total = u64::consensus_decode(&mut bytes)?;
        let mut rows = Vec::new();
        while !bytes.is_empty() {
            let (script, weight, shares) = <(ScriptBuf, [u8; 16], u64)>::consensus_decode(&mut bytes)?;
            rows.push((script, Sum { weight: Weight(u128::from_be_bytes(weight)), shares }));
        }
        Ok(Self { listed_total, rows })
    }
}
