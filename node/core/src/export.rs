//! Exports a journal as a recording, with the claims of its share-chain; see `specs/recording.md`.

use std::collections::BTreeMap;
use std::io::Write;

use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{ScriptBuf, WPubkeyHash};
use recording::{Came, ClaimLimits, Id, Line, ListLine, ListVerdict, Start, WriteError, Writer, claims, lines_of};
use sharechain::chain::ListState;
use sharechain::{Chain, Height, ShareId, encode};

use crate::journal::{Journal, Record, RecordKind};

/// Why a journal cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError<E: std::error::Error + 'static> {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(E),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Writes all records of a journal, and the claims of `chain`, which was built from it. Returns the number of lines.
///
/// Invalid lists and lists that wait forever come last, lower links first. The journal does not say how they were
/// judged on arrival; after all the others they are judged as they are now.
///
/// # Errors
/// The journal cannot be read, or the file cannot be written.
pub fn write<J: Journal + ?Sized>(
    journal: &J,
    chain: &mut Chain,
    about: Option<&str>,
    to: impl Write,
) -> Result<u64, ExportError<J::Error>>
where
    J::Error: 'static,
{
    let start = Start { params: chain.params().clone(), root: chain.bitcoin().root() };
    let mut writer = Writer::new(to, &start, about)?;
    let mut last = BTreeMap::new();
    let came = journal.replay().filter_map(|record| match record.map(came) {
        Ok(Some(Came::List { of, list })) => match incomplete(chain, &of) {
            Some((height, verdict)) => {
                last.insert((height, of), (list, verdict));
                None
            }
            None => Some(Ok(Came::List { of, list })),
        },
        other => other.transpose(),
    });
    for line in lines_of(came) {
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
