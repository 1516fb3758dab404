//! Each kind of row into its table.

use bitcoin::consensus::encode::serialize;
use sharechain::ShareId;
use tokio_postgres::Transaction;

use crate::batch::{BatchScript, BlockRow, EventRow, HeaderRow, LinkRow, ReorganizationRow, ShareRow};
use crate::copy::{Value, Way, add};
use crate::error::ArchiveError;
use crate::tables::{BLOCKS, EVENTS, HEADERS, LINKS, PAYOUTS, REORGANIZATIONS, SHARES, WINDOWS};
use crate::value::{Json, Numeric, Time};

/// An integer in a column of 31 bits.
fn int(value: impl TryInto<i32>, what: &'static str) -> Result<i32, ArchiveError> {
    value.try_into().map_err(|_| ArchiveError::Range { what })
}

/// A number in a column of 15 bits.
fn small(value: u32, what: &'static str) -> Result<i16, ArchiveError> {
    i16::try_from(value).map_err(|_| ArchiveError::Range { what })
}

/// Key of a share or link: the first eight bytes of its id, as a number.
fn key(id: &ShareId) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = id.0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Satoshi in a column of 63 bits.
fn sat(value: u64, what: &'static str) -> Result<i64, ArchiveError> {
    i64::try_from(value).map_err(|_| ArchiveError::Range { what })
}

/// Rows in one order for all loaders; see [`crate::copy`].
fn sorted<T, K: Ord>(rows: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let mut rows: Vec<&T> = rows.iter().collect();
    rows.sort_unstable_by_key(|row| key(row));
    rows
}

/// One transaction of a writer.
pub(crate) struct Rows<'a> {
    /// The transaction.
    pub(crate) tx: &'a Transaction<'a>,
    /// Numbers of the batch's scripts.
    pub(crate) scripts: &'a [i32],
}

impl Rows<'_> {
    fn script(&self, script: BatchScript) -> Result<i32, ArchiveError> {
        let number = usize::try_from(script.0).ok().and_then(|place| self.scripts.get(place));
        number.copied().ok_or(ArchiveError::Range { what: "a script" })
    }

    pub(crate) async fn headers(&self, rows: &[HeaderRow]) -> Result<(), ArchiveError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut copy = HEADERS.copy(self.tx, Way::Staged).await?;
        for row in sorted(rows, |row| ShareId::from(row.header.block_hash())) {
            let HeaderRow { header, height, chain_work } = row;
            let (hash, previous) = (ShareId::from(header.block_hash()), ShareId::from(header.prev_blockhash));
            let (height, content) = (int(*height, "a Bitcoin height")?, serialize(header));
            let (hash, previous, work) = (&hash.0[..], &previous.0[..], Numeric(*chain_work));
            add(&mut copy, &[&Time(header.time), &height, &hash, &previous, &work, &content]).await?;
        }
        HEADERS.finish(self.tx, copy, Way::Staged).await?;
        Ok(())
    }

    /// Returns the number of new rows.
    pub(crate) async fn shares(&self, rows: &[ShareRow], way: Way) -> Result<u64, ArchiveError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let mut copy = SHARES.copy(self.tx, way).await?;
        for row in sorted(rows, |row| (row.time, key(&row.id))) {
            let value = sat(row.coinbase_value, "a coinbase's value")?;
            let (height, bitcoin) = (int(row.height, "a height")?, int(row.bitcoin_height, "a Bitcoin height")?);
            let script = self.script(row.script)?;
            let (id, own, parent) = (&row.id.0[..], key(&row.id), key(&row.parent));
            let (weight, hashes) = (Numeric::from(row.weight), Numeric::from(row.hashes));
            let (time, is_link, is_block) = (Time(row.time), row.is_link, row.is_block);
            let values: [Value<'_>; 12] =
                [&time, &own, &parent, &value, &height, &bitcoin, &script, &is_link, &is_block, &id, &weight, &hashes];
            add(&mut copy, &values).await?;
        }
        SHARES.finish(self.tx, copy, way).await
    }

    pub(crate) async fn links(&self, rows: &[LinkRow], way: Way) -> Result<(), ArchiveError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut rows = sorted(rows, |row| (row.height, key(&row.id)));
        rows.dedup_by_key(|row| row.id);
        let mut copy = LINKS.copy(self.tx, way).await?;
        for row in rows {
            let (height, bitcoin) = (int(row.height, "a height")?, int(row.bitcoin_height, "a Bitcoin height")?);
            let (id, parent, previous) = (&row.id.0[..], &row.parent.0[..], &row.previous_block.0[..]);
            let (root, work) = (&row.state_root[..], Numeric(row.chain_work));
            let (link_hashes, share_hashes) = (Numeric(row.link_hashes), Numeric(row.share_hashes));
            let list: Option<Vec<u8>> = row.list.as_ref().map(|list| list.iter().flat_map(|share| share.0).collect());
            let credits = row.credits.iter();
            let scripts: Vec<i32> = credits.clone().map(|row| self.script(row.script)).collect::<Result<_, _>>()?;
            let proofs = credits.clone().map(|row| small(row.proofs, "a number of proofs"));
            let proofs: Vec<i16> = proofs.collect::<Result<_, _>>()?;
            let weights: Vec<Numeric> = credits.map(|row| Numeric::from(row.weight)).collect();
            let values: [Value<'_>; 15] = [
                &key(&row.id),
                &Time(row.time),
                &height,
                &bitcoin,
                &id,
                &parent,
                &previous,
                &root,
                &work,
                &link_hashes,
                &share_hashes,
                &list,
                &scripts,
                &proofs,
                &weights,
            ];
            add(&mut copy, &values).await?;
        }
        LINKS.finish(self.tx, copy, way).await?;
        Ok(())
    }

    pub(crate) async fn reorganizations(&self, rows: &[ReorganizationRow]) -> Result<(), ArchiveError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut copy = REORGANIZATIONS.copy(self.tx, Way::Staged).await?;
        for row in sorted(rows, |row| (row.new, row.old)) {
            let fork = int(row.fork_height, "a height")?;
            let (left, entered) = (int(row.left, "a number of links")?, int(row.entered, "a number of links")?);
            let (old, new) = (&row.old.0[..], &row.new.0[..]);
            add(&mut copy, &[&Time(row.time), &fork, &left, &entered, &old, &new]).await?;
        }
        REORGANIZATIONS.finish(self.tx, copy, Way::Staged).await?;
        Ok(())
    }

    pub(crate) async fn blocks(&self, rows: &[BlockRow]) -> Result<(), ArchiveError> {
        if rows.is_empty() {
            return Ok(());
        }
        let rows = sorted(rows, |row| ShareId::from(row.block.hash));
        let mut copy = BLOCKS.copy(self.tx, Way::Staged).await?;
        for BlockRow { block, proof, finder, .. } in &rows {
            let (value, height) = (sat(block.value_sat, "a coinbase's value")?, int(block.height, "a Bitcoin height")?);
            let finder = self.script(*finder)?;
            let exact = block.exact.map(|exact| int(exact, "a number of payouts")).transpose()?;
            let hashes = [block.hash, block.prev_hash, block.snapshot, block.seed].map(ShareId::from);
            let [hash, previous, snapshot, seed] = [&hashes[0].0[..], &hashes[1].0, &hashes[2].0, &hashes[3].0];
            let (time, coinbase) = (Time(block.time), block.coinbase.as_bytes());
            let values: [Value<'_>; 11] =
                [&time, &value, &height, &finder, &exact, &hash, &previous, &snapshot, &seed, &coinbase, proof];
            add(&mut copy, &values).await?;
        }
        BLOCKS.finish(self.tx, copy, Way::Staged).await?;
        self.payouts(&rows).await
    }

    async fn payouts(&self, blocks: &[&BlockRow]) -> Result<(), ArchiveError> {
        let mut copy = PAYOUTS.copy(self.tx, Way::Staged).await?;
        for BlockRow { block, payees, .. } in blocks {
            let hash = ShareId::from(block.hash);
            for (position, (output, payee)) in block.payouts.iter().zip(payees).enumerate() {
                let value = sat(output.value.to_sat(), "a payout")?;
                let drawn = block.exact.is_some_and(|exact| position >= exact);
                let (script, position) = (self.script(*payee)?, int(position, "a number of payouts")?);
                add(&mut copy, &[&value, &script, &position, &drawn, &&hash.0[..]]).await?;
            }
        }
        PAYOUTS.finish(self.tx, copy, Way::Staged).await?;
        Ok(())
    }

    pub(crate) async fn windows(&self, rows: &[(ShareId, Vec<u8>)]) -> Result<(), ArchiveError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut copy = WINDOWS.copy(self.tx, Way::Staged).await?;
        for (block, content) in sorted(rows, |(block, _)| *block) {
            add(&mut copy, &[&&block.0[..], content]).await?;
        }
        WINDOWS.finish(self.tx, copy, Way::Staged).await?;
        Ok(())
    }

    /// Events of a node.
    pub(crate) async fn events(&self, rows: &[EventRow], node: &[u8; 32]) -> Result<(), ArchiveError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut copy = EVENTS.copy(self.tx, Way::Staged).await?;
        for EventRow { number, time, kind, sentence, page, details } in sorted(rows, |row| (row.number, row.time)) {
            let number = i64::try_from(*number).map_err(|_| ArchiveError::Range { what: "the number of an event" })?;
            let (time, node, details) = (Time(*time), &node[..], Json(details));
            add(&mut copy, &[&time, &number, &node, kind, sentence, page, &details]).await?;
        }
        EVENTS.finish(self.tx, copy, Way::Staged).await?;
        Ok(())
    }
}
