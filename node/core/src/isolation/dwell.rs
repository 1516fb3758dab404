//! Hysteresis: a state begins when its reading was bad for long enough, and ends when it was fine for long enough.

use p2p_proto::Millis;

use super::read::Reading;

/// How long readings must last, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// To begin a state.
    pub(super) begin_ms: u64,
    /// To end it.
    pub(super) end_ms: u64,
}

/// One kind of state over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dwell {
    /// First bad reading since the last calm.
    bad_since: Option<Millis>,
    /// First reading of the calm that may end it.
    calm_since: Option<Millis>,
    on: bool,
}

impl Dwell {
    /// Off.
    pub(super) const NEW: Self = Self { bad_since: None, calm_since: None, on: false };

    /// Takes a reading. Returns since when the state holds, if it does.
    ///
    /// A short calm ends nothing, so a flickering reading counts from its first bad one. Between bad and fine, a state
    /// neither begins nor ends.
    pub(super) fn step(&mut self, reading: Reading, patience: Patience, now: Millis) -> Option<Millis> {
        let calm = match reading {
            Reading::Bad => false,
            Reading::Fine => true,
            Reading::Unsure => !self.on,
        };
        if calm {
            let since = *self.calm_since.get_or_insert(now);
            if now.since(since) >= patience.end_ms {
                (self.bad_since, self.on) = (None, false);
            }
        } else {
            self.calm_since = None;
        }
        if reading == Reading::Bad {
            let since = *self.bad_since.get_or_insert(now);
            self.on |= now.since(since) >= patience.begin_ms;
        }
        self.bad_since.filter(|_| self.on)
    }

    pub(super) const fn is_on(self) -> bool {
        self.on
    }

    /// Milliseconds since the first bad reading since the last calm; 0 if there was none.
    pub(super) fn bad_for(self, now: Millis) -> u64 {
        self.bad_since.map_or(0, |since| now.since(since))
    }
}
