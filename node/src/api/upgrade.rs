//! Upgrades of the rules that miners signal: a part of `/api/v1/status`.

use serde::{Deserialize, Serialize};
use sharechain::signals::{self, State as UpgradeState};
use utoipa::ToSchema;

/// An upgrade of the rules and its progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Upgrade {
    /// Its bit in the signals of share headers, 0 to 31.
    pub bit: u8,
    /// True if this version knows it. Otherwise this node does not know all rules that the pool uses or will use.
    pub known: bool,
    /// Its stage.
    pub state: UpgradeStateName,
    /// Part of this period's links that signal it, 0 to 1; none once it is locked in.
    pub signalled: Option<f64>,
    /// Consecutive periods since its last change of stage in which at least half of the links signaled it; none once it
    /// is active. Twelve that average 90%, or 120 that average 75%, bring it to the next stage.
    pub good_periods: Option<u32>,
    /// Height of the last link of the period that locked it in; none unless it is locked in.
    pub locked_in_height: Option<u32>,
    /// Height of the first link that it applies to; none until it is active.
    pub active_from_height: Option<u32>,
}

/// Stage of an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpgradeStateName {
    /// Some links signal it.
    Counting,
    /// Enough links signaled it. It becomes active once as many do so again; a period below half ends the lock-in.
    LockedIn,
    /// It applies, permanently.
    Active,
}

impl Upgrade {
    pub(super) fn of((bit, state): (u8, UpgradeState)) -> Self {
        let of_state = |state| Self {
            bit,
            known: signals::KNOWN >> bit & 1 == 1,
            state,
            signalled: None,
            good_periods: None,
            locked_in_height: None,
            active_from_height: None,
        };
        match state {
            UpgradeState::Counting { links, of, good_periods } => Self {
                signalled: Some(f64::from(links) / f64::from(of.max(1))),
                good_periods: Some(good_periods),
                ..of_state(UpgradeStateName::Counting)
            },
            UpgradeState::LockedIn { since, good_periods } => Self {
                locked_in_height: Some(since.0),
                good_periods: Some(good_periods),
                ..of_state(UpgradeStateName::LockedIn)
            },
            UpgradeState::Active { from } => {
                Self { active_from_height: Some(from.0), ..of_state(UpgradeStateName::Active) }
            }
        }
    }

    /// True if this version is, or probably will be, too old.
    #[must_use]
    pub fn asks_for_a_newer_program(&self) -> bool {
        !self.known && self.state != UpgradeStateName::Counting
    }
}
