//! Batches as bytes, for the queue on disk. Written and read by the same program on the same machine; checked all the same,
//! because disks fail.

use bitcoin::ScriptBuf;
use bitcoin::consensus::encode::{deserialize, serialize};
use node_core::pool_block::PoolBlock;
use sharechain::{ShareId, U256};

use crate::batch::{Batch, BatchScript, CreditRow, EventRow, HeaderRow, LinkRow, ReorganizationRow, ShareRow};

/// In the place of a tip, that there is none.
const NO_TIP: ShareId = ShareId([0; 32]);

/// Bytes that are read from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    fn u256(&mut self) -> Option<U256> {
        self.array::<32>().map(U256::from_le_bytes)
    }

    fn id(&mut self) -> Option<ShareId> {
        self.array().map(ShareId)
    }

    fn script(&mut self) -> Option<BatchScript> {
        self.u32().map(BatchScript)
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.u32()?).ok()?;
        self.bytes(count)
    }

    fn string(&mut self) -> Option<String> {
        str::from_utf8(self.text()?).ok().map(str::to_owned)
    }

    /// Items behind their number. Each takes a byte at least, so that no number makes it allocate.
    fn items<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.u32()?).ok().filter(|count| *count <= self.0.len())?;
        (0..count).map(|_| item(self)).collect()
    }
}

fn count(out: &mut Vec<u8>, items: usize) {
    out.extend(u32::try_from(items).unwrap_or(u32::MAX).to_le_bytes());
}

fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    count(out, bytes.len());
    out.extend(bytes);
}

impl Batch {
    /// The batch as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes());
        count(&mut out, self.scripts.len());
        self.scripts.iter().for_each(|script| text(&mut out, script.as_bytes()));
        count(&mut out, self.shares.len());
        self.shares.iter().for_each(|row| encode_share(&mut out, row));
        count(&mut out, self.links.len());
        self.links.iter().for_each(|row| encode_link(&mut out, row));
        count(&mut out, self.reorganizations.len());
        for row in &self.reorganizations {
            out.extend(row.old.0);
            out.extend(row.new.0);
            out.extend([row.time, row.fork_height].map(u32::to_le_bytes).as_flattened());
            count(&mut out, row.left);
            count(&mut out, row.entered);
        }
        count(&mut out, self.headers.len());
        for row in &self.headers {
            out.extend(serialize(&row.header));
            out.extend(row.height.to_le_bytes());
            out.extend(row.chain_work.to_le_bytes::<32>());
        }
        count(&mut out, self.blocks.len());
        for row in &self.blocks {
            text(&mut out, &row.block.to_record().bytes);
            text(&mut out, &row.proof);
        }
        count(&mut out, self.windows.len());
        for (block, content) in &self.windows {
            out.extend(block.0);
            text(&mut out, content);
        }
        if self.tip.is_some() || self.newest_event.is_some() {
            out.extend(self.tip.unwrap_or(NO_TIP).0);
        }
        // Queues of earlier versions end here.
        if let Some((number, time)) = self.newest_event {
            out.extend(number.to_le_bytes());
            count(&mut out, self.events.len());
            self.events.iter().for_each(|row| encode_event(&mut out, row));
            out.extend(time.to_le_bytes());
        }
        out
    }

    /// Reads what [`Batch::encode`] wrote. `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let mut batch = Self::default();
        for script in from.items(|from| Some(ScriptBuf::from(from.text()?.to_vec())))? {
            batch.script(&script);
        }
        from.items(share)?.into_iter().for_each(|row| batch.share(row));
        from.items(link)?.into_iter().for_each(|row| batch.link(row));
        from.items(reorganization)?.into_iter().for_each(|row| batch.reorganization(row));
        from.items(header)?.into_iter().for_each(|row| batch.header(row));
        let block = |from: &mut Reader<'_>| Some((PoolBlock::from_bytes(from.text()?).ok()?, from.text()?.to_vec()));
        from.items(block)?.into_iter().for_each(|(block, proof)| batch.block(block, proof));
        let window = |from: &mut Reader<'_>| Some((from.id()?, from.text()?.to_vec()));
        from.items(window)?.into_iter().for_each(|(block, content)| batch.window(block, content));
        if !from.0.is_empty() {
            batch.tip = Some(from.id()?).filter(|tip| *tip != NO_TIP);
        }
        if !from.0.is_empty() {
            let number = from.u64()?;
            from.items(event)?.into_iter().for_each(|row| batch.event(row));
            // Without its time, the newest event could be one of another log.
            if !from.0.is_empty() {
                batch.set_newest_event(Some((number, from.u32()?)));
            }
        }
        from.0.is_empty().then_some(batch)
    }
}

fn encode_share(out: &mut Vec<u8>, row: &ShareRow) {
    out.extend(row.id.0);
    out.extend(row.parent.0);
    out.extend([row.time, row.height, row.bitcoin_height, row.script.0].map(u32::to_le_bytes).as_flattened());
    out.extend(row.coinbase_value.to_le_bytes());
    out.extend([row.weight, row.hashes].map(u128::to_le_bytes).as_flattened());
    out.push(u8::from(row.is_link) | u8::from(row.is_block) << 1);
}

fn share(from: &mut Reader<'_>) -> Option<ShareRow> {
    let (id, parent) = (from.id()?, from.id()?);
    let (time, height, bitcoin_height, script) = (from.u32()?, from.u32()?, from.u32()?, from.script()?);
    let (coinbase_value, weight, hashes, flags) = (from.u64()?, from.u128()?, from.u128()?, from.u8()?);
    let (is_link, is_block) = (flags & 1 != 0, flags & 2 != 0);
    Some(ShareRow {
        id,
        parent,
        time,
        height,
        bitcoin_height,
        coinbase_value,
        script,
        weight,
        hashes,
        is_link,
        is_block,
    })
}

fn encode_link(out: &mut Vec<u8>, row: &LinkRow) {
    for id in [row.id.0, row.parent.0, row.previous_block.0, row.state_root] {
        out.extend(id);
    }
    out.extend([row.time, row.height, row.bitcoin_height].map(u32::to_le_bytes).as_flattened());
    for work in [row.chain_work, row.link_hashes, row.share_hashes] {
        out.extend(work.to_le_bytes::<32>());
    }
    out.push(u8::from(row.list.is_some()));
    let list = row.list.as_deref().unwrap_or_default();
    count(out, list.len());
    list.iter().for_each(|id| out.extend(id.0));
    count(out, row.credits.len());
    for credit in &row.credits {
        out.extend([credit.script.0, credit.proofs].map(u32::to_le_bytes).as_flattened());
        out.extend(credit.weight.to_le_bytes());
    }
}

fn link(from: &mut Reader<'_>) -> Option<LinkRow> {
    let (id, parent, previous_block, state_root) = (from.id()?, from.id()?, from.id()?, from.array()?);
    let (time, height, bitcoin_height) = (from.u32()?, from.u32()?, from.u32()?);
    let (chain_work, link_hashes, share_hashes) = (from.u256()?, from.u256()?, from.u256()?);
    let is_listed = from.u8()? == 1;
    let list = from.items(Reader::id)?;
    let credit =
        |from: &mut Reader<'_>| Some(CreditRow { script: from.script()?, proofs: from.u32()?, weight: from.u128()? });
    let (list, credits) = (is_listed.then_some(list), from.items(credit)?);
    Some(LinkRow {
        id,
        parent,
        time,
        height,
        bitcoin_height,
        previous_block,
        state_root,
        chain_work,
        link_hashes,
        share_hashes,
        list,
        credits,
    })
}

fn reorganization(from: &mut Reader<'_>) -> Option<ReorganizationRow> {
    let (old, new, time, fork_height) = (from.id()?, from.id()?, from.u32()?, from.u32()?);
    let [left, entered] = [from.u32()?, from.u32()?].map(|links| usize::try_from(links).unwrap_or(usize::MAX));
    Some(ReorganizationRow { old, new, time, fork_height, left, entered })
}

fn header(from: &mut Reader<'_>) -> Option<HeaderRow> {
    let header = deserialize(from.bytes(80)?).ok()?;
    Some(HeaderRow { header, height: from.u32()?, chain_work: from.u256()? })
}

fn encode_event(out: &mut Vec<u8>, row: &EventRow) {
    out.extend(row.number.to_le_bytes());
    out.extend(row.time.to_le_bytes());
    let page = row.page.as_deref().unwrap_or_default();
    for part in [&row.kind, &row.sentence, page, &row.details] {
        text(out, part.as_bytes());
    }
}

fn event(from: &mut Reader<'_>) -> Option<EventRow> {
    let (number, time) = (from.u64()?, from.u32()?);
    let (kind, sentence, page, details) = (from.string()?, from.string()?, from.string()?, from.string()?);
    Some(EventRow { number, time, kind, sentence, page: Some(page).filter(|page| !page.is_empty()), details })
}
