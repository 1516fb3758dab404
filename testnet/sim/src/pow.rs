//! Real proof of work. The world draws the time of a find, and then the header is hashed until it meets its target. So
//! no check is ever off, and the luck of links and blocks follows from the hash.

use bitcoin::Target;
use bitcoin::block::Header;
use sharechain::U256;

use crate::hash::HeaderHasher;

#[cfg(test)]
mod tests;

/// Increments the nonce until the header's hash meets `target`. Simulated targets take a few hashes, those of Bitcoin
/// some hundred thousand. A header without unused nonces gets a later time.
pub fn grind(header: &mut Header, target: U256) {
    let target = Target::from_le_bytes(target.to_le_bytes());
    loop {
        if let Some(nonce) = HeaderHasher::new(header).search(target, header.nonce, u32::MAX) {
            header.nonce = nonce;
            return;
        }
        header.time += 1;
    }
}
