//! Exports a journal as a recording, with the claims of its share-chain; see `specs/recording.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{ScriptBuf, WPubkeyHash};
use recording::{
    Came, ClaimLimits, HeaderLine, Id, Line, ListLine, ListVerdict, RawHeader, Start, Writer, claims, lines_of,
};
use sharechain::bitcoin_headers::Root;
use sharechain::chain::ListState;
use sharechain::{Chain, ChainParams, Height, Proof, ShareId, encode};

use crate::export_base::write_base;
use crate::journal::{Journal, Record, RecordKind};

pub use crate::export_base::{ExportError, headers_above_root};

/// True if a journal still has the first links, so that a recording of it begins there.
///
/// # Errors
/// The journal cannot be read.
pub fn is_whole<J: Journal + ?Sized>(journal: &J, params: &ChainParams) -> Result<bool, J::Error> {
    let genesis = params.genesis_id();
    for record in journal.replay() {
        let record = record?;
        let proof = (record.kind == RecordKind::Proof).then(|| Proof::decode(&record.bytes).ok()).flatten();
        if proof.is_some_and(|proof| proof.share.parent == genesis) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes all records of a journal, and the claims of `chain`, which was built from it. Returns the number of lines. `root`
/// are the Bitcoin headers that the first records need, and `bitcoin` those above it, lowest first. If the journal has forgotten
/// the first links, the recording begins with a base instead; see `export_base.rs`.
///
/// A node does not store the headers that its bitcoind had when it started. So those up to the last one that the journal
/// lacks come first.
///
/// Invalid lists and lists that wait forever come last, lower links first. The journal does not say how they were
/// judged on arrival; after all the others, their verdicts are the current ones.
///
/// # Errors
/// The journal cannot be read, or the file cannot be written.
pub fn write<J: Journal + ?Sized>(
    journal: &J,
    chain: &mut Chain,
    root: Root,
    bitcoin: &[Header],
    about: Option<&str>,
    to: impl Write,
) -> Result<u64, ExportError<J::Error>>
where
    J::Error: 'static,
{
    let is_whole = is_whole(journal, chain.params()).map_err(ExportError::Journal)?;
    let root = if is_whole { root } else { chain.bitcoin().root() };
    let start = Start { params: chain.params().clone(), root };
    let mut writer = Writer::new(to, &start, about)?;
    let base = if is_whole { None } else { Some(write_base(journal, chain, &mut writer)?) };
    let mut written = BTreeSet::new();
    for header in not_kept(journal, bitcoin).map_err(ExportError::Journal)?.iter().filter(|_| is_whole) {
        written.insert(header.block_hash());
        writer.line(&Line::Header(HeaderLine { header: RawHeader(*header), verdict: None }))?;
    }
    let first = base.as_ref().map(|base| base.first_record);
    let mut last = BTreeMap::new();
    let records = journal.replay_from(first.as_ref().map(|id| &id.0)).map(|record| record.map(came));
    let above = records.filter(|came| match came {
        Ok(Some(Came::Header(header))) if written.contains(&header.block_hash()) => false,
        Ok(Some(came)) => base.as_ref().is_none_or(|base| base.needs(came, chain)),
        _ => true,
    });
    let came = above.filter_map(|came| match came {
        Ok(Some(Came::List { of, list })) => match incomplete(chain, &of) {
            Some((height, verdict)) => {
                last.insert((height, of), (list, verdict));
                None
            }
            None => Some(Ok(Came::List { of, list })),
        },
        other => other.transpose(),
    });
    let with_awaited = came.flat_map(|came| {
        let awaited = match (&came, &base) {
            (Ok(came), Some(base)) => base.awaited(came, journal, chain),
            _ => Ok(Vec::new()),
        };
        let awaited = awaited.map_or_else(|error| vec![Err(error)], |all| all.into_iter().map(Ok).collect());
        std::iter::once(came).chain(awaited)
    });
    for line in lines_of(with_awaited) {
        writer.line(&line.map_err(ExportError::Journal)?)?;
    }
    for ((_, of), (list, verdict)) in last {
        let list = list.into_iter().map(Id::from).collect();
        writer.line(&Line::List(ListLine { list_of: of.into(), list, list_verdict: Some(verdict) }))?;
    }
    for claim in claims(chain, ClaimLimits::default(), &claimed_finder()) {
        writer.line(&Line::Claim(claim))?;
    }
    Ok(writer.finish()?)
}

/// The headers up to the last one that the journal lacks.
fn not_kept<'a, J: Journal + ?Sized>(journal: &J, bitcoin: &'a [Header]) -> Result<&'a [Header], J::Error> {
    let mut count = 0;
    for (index, header) in bitcoin.iter().enumerate() {
        let id = ShareId::from(header.block_hash());
        if journal.get(RecordKind::Header, &id.0)?.is_none() {
            count = index + 1;
        }
    }
    Ok(bitcoin.get(..count).unwrap_or_default())
}

/// A record as a recorded input; none for records that are not part of the share-chain.
fn came(Record { kind, id, bytes }: Record) -> Option<Came> {
    match kind {
        RecordKind::Proof => Some(Came::Proof { id: ShareId(id), encoded: bytes }),
        RecordKind::List => encode::decode_list(&bytes).ok().map(|list| Came::List { of: ShareId(id), list }),
        RecordKind::Header => deserialize::<Header>(&bytes).ok().map(Came::Header),
        RecordKind::Block | RecordKind::Refusal | RecordKind::Meta | RecordKind::Base | RecordKind::Window => None,
    }
}

/// Height of a link whose list is not complete, and the verdict on the list.
fn incomplete(chain: &Chain, id: &ShareId) -> Option<(Height, ListVerdict)> {
    let link = chain.link(id)?;
    match link.list {
        ListState::Complete(_) => None,
        ListState::Invalid(rule) => Some((link.height, rule.into())),
        ListState::Missing | ListState::Waiting(_) => Some((link.height, ListVerdict::Held)),
    }
}

/// Finder of the proof whose outputs are claimed: a placeholder script, which is paid only while no other script is.
fn claimed_finder() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::all_zeros())
}
