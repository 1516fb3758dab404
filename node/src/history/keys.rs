//! Keys of the rows. Numbers are big-endian, so that keys sort like numbers.
//!
//! | first byte | then                               | what                                            |
//! |------------|------------------------------------|-------------------------------------------------|
//! | 0          |                                    | the indexer's position                          |
//! | 1          | payee, sequence                    | a share or link of a payee, by arrival          |
//! | 2          | share, link                        | a link that lists a share                       |
//! | 3          | step, start                        | what the pool found in a time step              |
//! | 4          | payee, step, start                 | what a payee found in it                        |
//! | 5          | payee, height, block               | what a Bitcoin block pays a payee               |
//! | 6          | height, block                      | work of the pool up to a Bitcoin block          |
//! | 7          | number                             | an event of the event log                       |
//! | 8          | share                              | the event of a rejected share                   |
//! | 9          | number                             | a reorganization, by its event                  |
//! | 10         | payee                              | a payee of this node's miners                   |
//! | 11         |                                    | what was removed, and where the next step begins |
//! | 12         |                                    | the devices of this node's miners               |
//!
//! A *payee* is the first 16 bytes of the SHA-256 of a payout script.

use bitcoin::Script;
use bitcoin::hashes::{Hash, sha256};
use sharechain::ShareId;

pub(super) const CURSOR: &[u8] = &[0];
pub(super) const SHARE: u8 = 1;
pub(super) const LISTED: u8 = 2;
pub(super) const POOL_STEP: u8 = 3;
pub(super) const PAYEE_STEP: u8 = 4;
pub(super) const PAYMENT: u8 = 5;
pub(super) const EFFORT: u8 = 6;
pub(super) const EVENT: u8 = 7;
pub(super) const REFUSED: u8 = 8;
pub(super) const REORGANISED: u8 = 9;
pub(super) const OWN: u8 = 10;
pub(super) const REMOVED: &[u8] = &[11];
pub(super) const DEVICES: &[u8] = &[12];

/// First bytes of the rows that are derived from the journal.
pub(super) const DERIVED: std::ops::RangeInclusive<u8> = 0..=EFFORT;

/// Identifies a payout script in keys.
pub(super) type PayeeKey = [u8; 16];

pub(super) fn payee(script: &Script) -> PayeeKey {
    let hash = sha256::Hash::hash(script.as_bytes()).to_byte_array();
    let (first, _) = hash.split_at(16);
    first.try_into().expect("16 bytes were split off")
}

/// Concatenates a key from its parts.
pub(super) fn key(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

pub(super) fn share(payee: &PayeeKey, sequence: u64) -> Vec<u8> {
    key(SHARE, &[payee, &sequence.to_be_bytes()])
}

pub(super) fn listed(share: &ShareId, link: &ShareId) -> Vec<u8> {
    key(LISTED, &[&share.0, &link.0])
}

pub(super) fn pool_step(step_s: u32, start: u32) -> Vec<u8> {
    key(POOL_STEP, &[&step_s.to_be_bytes(), &start.to_be_bytes()])
}

pub(super) fn payee_step(payee: &PayeeKey, step_s: u32, start: u32) -> Vec<u8> {
    key(PAYEE_STEP, &[payee, &step_s.to_be_bytes(), &start.to_be_bytes()])
}

pub(super) fn payment(payee: &PayeeKey, height: u32, block: &ShareId) -> Vec<u8> {
    key(PAYMENT, &[payee, &height.to_be_bytes(), &block.0])
}

pub(super) fn effort(height: u32, block: &ShareId) -> Vec<u8> {
    key(EFFORT, &[&height.to_be_bytes(), &block.0])
}

/// The payee after the first byte of a key.
pub(super) fn payee_of(key: &[u8]) -> Option<PayeeKey> {
    key.get(1..)?.first_chunk().copied()
}

/// The length and the start of the time step at the end of a key, seconds.
pub(super) fn step_of(key: &[u8]) -> Option<(u32, u32)> {
    let (rest, start) = key.split_last_chunk::<4>()?;
    Some((last_u32(rest)?, u32::from_be_bytes(*start)))
}

/// The number in the last eight bytes of a key.
pub(super) fn last_u64(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// The number in the last four bytes of a key.
pub(super) fn last_u32(key: &[u8]) -> Option<u32> {
    key.last_chunk().copied().map(u32::from_be_bytes)
}

/// The id in the last 32 bytes of a key.
pub(super) fn last_id(key: &[u8]) -> Option<ShareId> {
    key.last_chunk().copied().map(ShareId)
}

/// The height and the id at the end of a key.
pub(super) fn height_and_id(key: &[u8]) -> Option<(u32, ShareId)> {
    let (rest, id) = key.split_last_chunk::<32>()?;
    Some((last_u32(rest)?, ShareId(*id)))
}
