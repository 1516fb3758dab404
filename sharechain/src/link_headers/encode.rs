//! Encoding of a [`Beginning`], as it travels from a peer to a newcomer.

use super::Beginning;
use crate::encode::Reader;
use crate::error::RuleError;
use crate::signals::Signals;
use crate::state::{History, HistoryLink};

/// Maximum number of links before the first one: more than any network's anchors and medians need.
const RECENT_MAX: usize = 256;

impl Beginning {
    /// Canonical encoding: history, number of recent links, those links, signals.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.history.encode_into(&mut out);
        out.extend_from_slice(&u16::try_from(self.recent.len()).unwrap_or(u16::MAX).to_le_bytes());
        for link in &self.recent {
            link.encode_into(&mut out);
        }
        self.signals.encode_into(&mut out);
        out
    }

    /// Decodes a beginning that takes up all of `bytes`. Only the verification of rows shows whether it is true.
    ///
    /// # Errors
    /// The bytes end early or late, or the links are not consecutive.
    pub fn decode(bytes: &[u8]) -> Result<Self, RuleError> {
        let mut reader = Reader(bytes);
        let history = History::read(&mut reader)?;
        let count = usize::from(reader.u16()?);
        if count > RECENT_MAX {
            return Err(RuleError::TooLong);
        }
        let recent = (0..count).map(|_| HistoryLink::read(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        let follows = |pair: &[HistoryLink]| match pair {
            [below, link] => below.height.0.checked_add(1) == Some(link.height.0),
            _ => true,
        };
        // The last height leaves room for the links that follow.
        let has_room = recent.last().is_none_or(|last| last.height.0 < u32::MAX / 2);
        if !recent.windows(2).all(follows) || !has_room {
            return Err(RuleError::Overflow);
        }
        let signals = Signals::read(&mut reader)?;
        reader.end()?;
        Ok(Self { history, recent, signals })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::{Height, ShareId, Timestamp, U256, Work};

    fn beginning() -> impl Strategy<Value = Beginning> {
        (0_u32..300, any::<u32>(), any::<[u8; 32]>(), 0_usize..80).prop_map(|(links, bits, id, recent)| {
            let link = |number: u32| HistoryLink {
                height: Height(number),
                id: ShareId(id),
                target: U256::from_le_bytes(id) >> 1,
                time: Timestamp(number),
                chain_work: Work(U256::from(number)),
                proofs: u64::from(bits),
                snapshot: Height(number / 2),
            };
            let history = (1..=links).fold(History::default(), |history, number| history.with(&link(number)).unwrap());
            let signals = (1..=links).fold(Signals::default(), |signals, height| signals.after(Height(height), bits));
            let recent = (links + 1..).take(recent).map(link).collect();
            Beginning { history, recent, signals }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_decoded_is_what_was_encoded(beginning in beginning(), at in any::<prop::sample::Index>()) {
            let bytes = beginning.encode();
            let again = Beginning::decode(&bytes).unwrap();
            prop_assert_eq!(again.history.commitment(), beginning.history.commitment());
            prop_assert_eq!(&again.recent, &beginning.recent);
            prop_assert_eq!(&again.signals, &beginning.signals);
            prop_assert_eq!(again.encode(), bytes.clone());
            prop_assert!(Beginning::decode(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Beginning::decode(&bytes);
        }
    }
}
