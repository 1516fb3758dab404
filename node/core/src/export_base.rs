//! The base with which the recording of a pruned node begins: the same data that the node would show a newcomer.

use std::io::Write;

use bitcoin::block::Header;
use recording::{
    BaseEndLine, BaseLine, BaseLinkLine, BaseRowsLine, BeginsLine, Came, HeaderLine, Id, Line, RawBytes, RawHeader,
    RawProof, WriteError, Writer,
};
use sharechain::base::{CHUNK_LINKS, Chunk};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::{Chain, Height, Proof, ShareId, encode};

use crate::journal::{Journal, RecordKind};

/// Why a journal cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError<E: std::error::Error + 'static> {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(E),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// Something that the base needs is not in the journal.
    #[error("the database lacks {0}, which a recording begins with; check it with `shoal db check`")]
    Lacks(String),
}

/// The base of a recording.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Height of the base's last link.
    last: Height,
    /// The proof after which the journal has the records above the base.
    pub(crate) first_record: ShareId,
}

impl Written {
    /// True if a record is not part of the base, and can be judged on top of it.
    pub(crate) fn needs(&self, came: &Came, chain: &Chain) -> bool {
        let is_below = |id: &ShareId| {
            chain.link(id).is_some_and(|link| link.height <= self.last && chain.main_at(link.height) == Some(*id))
        };
        match came {
            Came::Header(_) => true,
            Came::List { of, .. } => !is_below(of),
            Came::Proof { id, .. } if is_below(id) => false,
            Came::Proof { id, .. } if chain.link(id).is_some() => true,
            // Shares as deep as the base are judged only once a link above needs them.
            Came::Proof { encoded, .. } => !self.is_low(encoded, chain),
        }
    }

    fn is_low(&self, encoded: &[u8], chain: &Chain) -> bool {
        let parent = Proof::decode(encoded).ok().and_then(|proof| chain.link(&proof.share.parent));
        parent.is_none_or(|parent| parent.height < self.last)
    }

    /// Shares as deep as the base that a list names, which come right after it.
    pub(crate) fn awaited<J: Journal + ?Sized>(
        &self,
        came: &Came,
        journal: &J,
        chain: &Chain,
    ) -> Result<Vec<Came>, J::Error> {
        let Came::List { of, list } = came else { return Ok(Vec::new()) };
        let reach = self.last.0.saturating_add(chain.params().listing_depth);
        if chain.link(of).is_none_or(|link| link.height.0 > reach) {
            return Ok(Vec::new());
        }
        let mut awaited = Vec::new();
        for id in list {
            let Some(encoded) = journal.get(RecordKind::Proof, &id.0)? else { continue };
            if chain.link(id).is_none() && self.is_low(&encoded, chain) {
                awaited.push(Came::Proof { id: *id, encoded });
            }
        }
        Ok(awaited)
    }
}

/// Writes Bitcoin's headers, the links that the node shows newcomers, and their credits.
///
/// # Errors
/// The journal cannot be read or lacks something, or the file cannot be written.
pub(crate) fn write_base<J: Journal + ?Sized>(
    journal: &J,
    chain: &Chain,
    writer: &mut Writer<impl Write>,
) -> Result<Written, ExportError<J::Error>>
where
    J::Error: 'static,
{
    for header in headers_above_root(chain.bitcoin()) {
        writer.line(&Line::Header(HeaderLine { header: RawHeader(header), verdict: None }))?;
    }
    let first = chain.lowest_shown();
    let last = newest_base(journal)?.map_or(Height(0), |last| last.min(chain.height().below(1)));
    let lacks = |what: &str| ExportError::Lacks(what.to_owned());
    let base = |line| Line::Base(line);
    let beginning = chain.beginning_at(first).filter(|_| first <= last);
    let beginning = beginning.ok_or_else(|| lacks("the links below the oldest one that it shows"))?;
    writer.line(&base(BaseLine::Begins(BeginsLine { begins: RawBytes(beginning.encode()) })))?;
    let listed_from = last.below(chain.params().listing_depth.saturating_add(2));
    for height in (first.0..=last.child().0).map(Height) {
        let id = chain.main_at(height).ok_or_else(|| lacks("a link"))?;
        let proof = journal.get(RecordKind::Proof, &id.0).map_err(ExportError::Journal)?;
        let proof = proof.ok_or_else(|| lacks(&format!("the proof of link {id}")))?;
        let list = match journal.get(RecordKind::List, &id.0).map_err(ExportError::Journal)? {
            Some(list) if (listed_from..=last).contains(&height) => encode::decode_list(&list).ok(),
            _ => None,
        };
        let list = list.map(|list| list.into_iter().map(Id::from).collect());
        writer.line(&base(BaseLine::Link(BaseLinkLine { base_link: RawProof(proof), list })))?;
    }
    let mut from = first;
    while from <= last.child() {
        let to = Height(from.0.saturating_add(CHUNK_LINKS - 1)).min(last.child());
        let chunk = chain.chunk_of(from, to).ok_or_else(|| lacks("what a link credited"))?;
        writer.line(&base(BaseLine::Rows(BaseRowsLine { base_rows: RawBytes(chunk.encode()) })))?;
        from = to.child();
    }
    writer.line(&base(BaseLine::End(BaseEndLine { base: last.0 })))?;
    let first_record = chain.main_at(last.below(chain.params().listing_depth).max(first));
    Ok(Written { last, first_record: first_record.ok_or_else(|| lacks("a link"))? })
}

/// Height of the last link in the base chunks.
fn newest_base<J: Journal + ?Sized>(journal: &J) -> Result<Option<Height>, ExportError<J::Error>>
where
    J::Error: 'static,
{
    let newest = journal.bases().last().transpose().map_err(ExportError::Journal)?;
    let chunk = newest.and_then(|record| Chunk::decode(&record.bytes).ok());
    let count = |chunk: &Chunk| u32::try_from(chunk.links.len()).unwrap_or(u32::MAX);
    Ok(chunk.map(|chunk| Height(chunk.start.height.0.saturating_add(count(&chunk)))))
}

/// Bitcoin's headers above the root, up to the one with the most work, lowest first.
#[must_use]
pub fn headers_above_root(bitcoin: &BitcoinHeaders) -> Vec<Header> {
    let root = bitcoin.root().height;
    let mut headers = Vec::new();
    let mut at = Some(bitcoin.best());
    while let Some(known) = at.filter(|known| known.height > root) {
        headers.push(known.header);
        at = bitcoin.get(&known.header.prev_blockhash);
    }
    headers.reverse();
    headers
}
