//! The window that a Bitcoin block of the pool pays by, as records, for payout proofs of the block.

use sharechain::ShareId;
use sharechain::payout_proof::BlockWindow;

use crate::journal::{Journal, Record, RecordKind};
use crate::limits::WINDOW_PART_BYTES;

/// Bytes before the first part: the number of parts.
const COUNT_BYTES: usize = 2;

/// A block's window as records. Few windows need more than one.
#[must_use]
pub fn to_records(window: &BlockWindow) -> Vec<Record> {
    let id = window.proof.id();
    let bytes = window.encode();
    let parts: Vec<&[u8]> = bytes.chunks(WINDOW_PART_BYTES).collect();
    let count = u16::try_from(parts.len()).unwrap_or(u16::MAX).to_le_bytes();
    let record = |(number, part): (u16, &[u8])| {
        let bytes = if number == 0 { [&count, part].concat() } else { part.to_vec() };
        Record { kind: RecordKind::Window, id: part_id(&id, number), bytes }
    };
    (0..).zip(parts).map(record).collect()
}

/// Reads the window of a block. `None` if the journal does not have all of it.
///
/// # Errors
/// The disk cannot be read, or a record is damaged.
pub fn read<J: Journal>(journal: &J, id: &ShareId) -> Result<Option<BlockWindow>, J::Error> {
    let get = |number| journal.get(RecordKind::Window, &part_id(id, number));
    let Some(first) = get(0)? else { return Ok(None) };
    let Some((count, part)) = first.split_first_chunk::<COUNT_BYTES>() else { return Ok(None) };
    let mut bytes = part.to_vec();
    for number in 1..u16::from_le_bytes(*count) {
        let Some(part) = get(number)? else { return Ok(None) };
        bytes.extend_from_slice(&part);
    }
    Ok(BlockWindow::decode(&bytes).ok())
}

/// Id of a part: that of the block, with the number of the part in it.
fn part_id(id: &ShareId, number: u16) -> [u8; 32] {
    let mut id = id.0;
    for (byte, number) in id.iter_mut().zip(number.to_le_bytes()) {
        *byte ^= number;
    }
    id
}
