//! What miners work on.

use super::Policy;

/// Action for miners that cannot work for the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reaction {
    /// Turn them away, so that they fail over to their next pool.
    #[default]
    Stop,
    /// Let each of them mine for its own payout address.
    Solo,
}

/// Why miners do not work for the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No peer for too long.
    Isolation,
    /// The rest of the pool leaves out this node's shares.
    Censorship,
    /// This machine's clock is so wrong that nodes drop each other's shares.
    Clock,
}

/// What miners work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Shares of the pool, if nothing else prevents that.
    Pool,
    /// Nothing: miners are turned away.
    Stop(Cause),
    /// Bitcoin blocks that pay their finder alone.
    Solo(Cause),
}

impl Work {
    /// Why it is not the pool's work.
    #[must_use]
    pub const fn cause(self) -> Option<Cause> {
        match self {
            Self::Pool => None,
            Self::Stop(cause) | Self::Solo(cause) => Some(cause),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision(Work);

impl Decision {
    pub(super) const NEW: Self = Self(Work::Pool);

    pub(super) const fn step(&mut self, cause: Option<Cause>, in_sync: bool, policy: &Policy) {
        self.0 = match cause {
            // A reconnected node first fetches what it missed. Until then, solo work beats none.
            None if matches!(self.0, Work::Solo(_)) && !in_sync => self.0,
            None => Work::Pool,
            Some(cause) => {
                let reaction = match cause {
                    Cause::Isolation => policy.on_isolation,
                    Cause::Censorship => policy.on_censorship,
                    // Bitcoin might reject solo blocks as well.
                    Cause::Clock => Reaction::Stop,
                };
                match reaction {
                    Reaction::Stop => Work::Stop(cause),
                    Reaction::Solo => Work::Solo(cause),
                }
            }
        };
    }

    pub(super) const fn work(self) -> Work {
        self.0
    }
}
