//! First bytes of requests. A response has the first byte of its request.

pub(super) const TIP: u8 = 1;
pub(super) const LINK_HEADERS: u8 = 2;
pub(super) const PROOFS: u8 = 3;
pub(super) const HEADERS: u8 = 4;
pub(super) const PENDING: u8 = 5;
pub(super) const BEGINNING: u8 = 6;
pub(super) const ROWS: u8 = 7;
pub(super) const TRANSACTIONS: u8 = 8;
pub(super) const BLOCK_PIECE: u8 = 9;
pub(super) const RECORDS: u8 = 10;
pub(super) const NEW_RECORDS: u8 = 11;
