//! Names of onion services: base32 (RFC 4648) in lowercase, 56 characters for 35 bytes.

/// Bytes of an onion service's name, version 3: key 32, checksum 2, version 1.
pub const ONION_BYTES: usize = 35;

const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Characters of a name.
const CHARS: usize = ONION_BYTES * 8 / 5;

pub(super) fn encode(name: &[u8; ONION_BYTES]) -> String {
    let bit = |at: usize| name.get(at / 8).map_or(0, |byte| usize::from(byte >> (7 - at % 8) & 1));
    let value = |char: usize| (0..5).fold(0, |value, at| value << 1 | bit(5 * char + at));
    (0..CHARS).filter_map(|char| LETTERS.get(value(char)).map(|letter| char::from(*letter))).collect()
}

pub(super) fn decode(text: &str) -> Option<[u8; ONION_BYTES]> {
    let mut out = [0; ONION_BYTES];
    if text.len() != CHARS {
        return None;
    }
    for (char, letter) in text.bytes().enumerate() {
        let value = LETTERS.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        for at in (0..5).filter(|at| value >> (4 - at) & 1 == 1) {
            let bit = 5 * char + at;
            *out.get_mut(bit / 8)? |= 1 << (7 - bit % 8);
        }
    }
    Some(out)
}
