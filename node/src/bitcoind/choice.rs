//! Chooses among several bitcoinds: the one whose chain has the most work, or the first among equals.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::Work;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use super::claim::{Claims, Judged, Proving};
use super::client::Bitcoind;
use super::state::{FeedState, Source};
use crate::limits::RETURN_AFTER;

/// A task that chooses a bitcoind, and publishes its state. If none works, the one in use stays.
pub(super) struct Chooser {
    /// The client whose calls follow the choice.
    pub(super) bitcoind: Bitcoind,
    /// The state of each bitcoind, in configured order.
    pub(super) sources: Vec<Source>,
    /// Wakes this task.
    pub(super) news: Arc<Notify>,
    pub(super) state: watch::Sender<FeedState>,
    pub(super) heard: watch::Sender<Instant>,
    pub(super) proving: Proving,
}

/// A bitcoind that has a current template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Well {
    /// Work of the chain that its template extends; none if unproven.
    work: Option<Work>,
    /// How long it has worked.
    for_time: Duration,
}

/// The index of the bitcoind to use; none if none works.
///
/// One that has just come back is not preferred before [`RETURN_AFTER`], unless it has more work.
fn choose(all: &[Option<Well>]) -> Option<usize> {
    let rank = |well: &Well, index: usize| (well.work, well.for_time >= RETURN_AFTER, Reverse(index));
    let well = all.iter().enumerate().filter_map(|(index, well)| Some((index, well.as_ref()?)));
    well.max_by_key(|(index, well)| rank(well, *index)).map(|(index, _)| index)
}

impl Chooser {
    pub(super) async fn run(self) {
        let mut claims = Claims::new(self.bitcoind.each(), self.proving.clone());
        let mut since: Vec<Option<Instant>> = vec![None; self.sources.len()];
        let (mut used, mut lost) = (self.bitcoind.used(), false);
        loop {
            let now = Instant::now();
            let judged = self.judged(&mut claims, now);
            for (Judged { state, .. }, since) in judged.iter().zip(&mut since) {
                let is_well = state.template.is_some() && state.trouble.is_none();
                *since = is_well.then(|| since.unwrap_or(now));
            }
            let well: Vec<_> = judged.iter().zip(&since).map(|(of, since)| well(of.work, *since, now)).collect();
            let chosen = choose(&well);
            if let Some(index) = chosen.filter(|index| *index != used) {
                lost = self.tell(used, index, judged[used].state.trouble.as_deref(), lost);
                self.bitcoind.switch_to(index);
                used = index;
            }
            self.publish(&judged[used].state, *self.sources[used].heard.borrow());
            let stays = since.iter().flatten().map(|since| *since + RETURN_AFTER).filter(|stays| *stays > now).min();
            tokio::select! {
                () = self.news.notified() => {}
                () = claims.settled() => {}
                () = sleep_until(stays.unwrap_or(now)), if stays.is_some() => {}
            }
        }
    }

    fn judged(&self, claims: &mut Claims, now: Instant) -> Vec<Judged> {
        let states = self.sources.iter().map(|source| source.state.borrow().clone());
        states.enumerate().map(|(index, state)| claims.judge(index, state, now)).collect()
    }

    fn publish(&self, state: &FeedState, heard: Instant) {
        self.heard.send_if_modified(|old| std::mem::replace(old, heard) != heard);
        self.state.send_if_modified(|old| {
            let same = match (&old.template, &state.template) {
                (None, None) => true,
                (Some(old), Some(new)) => Arc::ptr_eq(old, new),
                _ => false,
            };
            let changed = !same || old.trouble != state.trouble;
            *old = state.clone();
            changed
        });
    }

    /// Reports a lasting change to the operator: one bitcoind often knows a block moments before another. Returns true
    /// if the one left has a problem.
    fn tell(&self, from: usize, to: usize, trouble: Option<&str>, was_lost: bool) -> bool {
        let urls: Vec<_> = self.bitcoind.each().map(|bitcoind| bitcoind.url().to_string()).collect();
        let (from_url, to_url) = (&urls[from], &urls[to]);
        match trouble {
            Some(trouble) => warn!(from = from_url, to = to_url, reason = trouble, "another bitcoind is used"),
            None if was_lost && to < from => info!(from = from_url, to = to_url, "a bitcoind is used again"),
            None => debug!(from = from_url, to = to_url, "another bitcoind is used"),
        }
        trouble.is_some() || (was_lost && to > from)
    }
}

fn well(work: Option<Work>, since: Option<Instant>, now: Instant) -> Option<Well> {
    since.map(|since| Well { work, for_time: now.saturating_duration_since(since) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn work(number: u8) -> Work {
        Work::from_be_bytes([[0; 31].as_slice(), &[number]].concat().try_into().unwrap())
    }

    fn some_well() -> impl Strategy<Value = Option<Well>> {
        let well = (prop::option::of(0_u8..4), 0_u64..20)
            .prop_map(|(number, seconds)| Well { work: number.map(work), for_time: Duration::from_secs(seconds) });
        prop::option::of(well)
    }

    proptest! {
        #[test]
        fn the_bitcoind_with_the_most_work_is_used(all in prop::collection::vec(some_well(), 1..6)) {
            let best = all.iter().flatten().map(|well| well.work).max();
            let Some(chosen) = choose(&all) else {
                prop_assert_eq!(best, None);
                return Ok(());
            };
            let used = all[chosen].expect("it is well");
            prop_assert_eq!(Some(used.work), best);
            // An earlier one with as much work has only just come back.
            for earlier in all[..chosen].iter().flatten().filter(|earlier| earlier.work == used.work) {
                prop_assert!(earlier.for_time < RETURN_AFTER && used.for_time >= RETURN_AFTER);
            }
        }
    }

    #[test]
    fn a_bitcoind_that_comes_back_is_used_again_when_it_stays() {
        let well = |number, seconds| Some(Well { work: Some(work(number)), for_time: Duration::from_secs(seconds) });
        assert_eq!(choose(&[well(5, 100), well(5, 100)]), Some(0));
        assert_eq!(choose(&[None, well(5, 100)]), Some(1), "the first is gone");
        assert_eq!(choose(&[well(4, 1), well(5, 100)]), Some(1), "it is behind");
        assert_eq!(choose(&[well(5, 1), well(5, 100)]), Some(1), "it has just come back");
        assert_eq!(choose(&[well(5, 10), well(5, 100)]), Some(0), "it stays");
        assert_eq!(choose(&[well(6, 1), well(5, 100)]), Some(0), "it has a newer block");
        assert_eq!(choose(&[None, None]), None);
    }
}
