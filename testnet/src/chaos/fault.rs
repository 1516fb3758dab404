//! The kinds of faults, and how they are drawn.

use std::time::Duration;

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use tokio::time::sleep;

use super::ChaosError;
use super::scene::{PLACES, Scene};

/// A kind of fault. It happens at one of the two nodes or its bitcoind, and ends before the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// bitcoind is killed and started again.
    Stop,
    /// bitcoind hangs.
    Pause,
    /// bitcoind's operator takes its tip back for a while, so that another branch grows.
    Reorganize,
    /// The node runs with a clock that is an hour or three ahead.
    Clock,
    /// The disk of the node's data is full.
    Disk,
    /// The nodes, and the bitcoinds, do not reach each other.
    Network,
}

impl Fault {
    pub(super) const ALL: [Self; 6] =
        [Self::Stop, Self::Pause, Self::Reorganize, Self::Clock, Self::Disk, Self::Network];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Reorganize => "reorganize",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Network => "network",
        }
    }

    /// Lets it happen, and ends it.
    pub(super) async fn happen(self, scene: &mut Scene, place: usize) -> Result<(), ChaosError> {
        match self {
            Self::Stop => {
                scene.kill_bitcoind(place).await;
                sleep(Duration::from_secs(4)).await;
                scene.start_bitcoind(place).await?;
            }
            Self::Pause => {
                // Longer than it takes to be noticed.
                scene.pause_bitcoind(place, true);
                sleep(Duration::from_secs(15)).await;
                scene.pause_bitcoind(place, false);
            }
            Self::Reorganize => {
                let rpc = scene.rpc(place);
                let tip = rpc.call_str("getbestblockhash", json!([])).await?;
                rpc.call("invalidateblock", json!([tip])).await?;
                sleep(Duration::from_secs(5)).await;
                rpc.call("reconsiderblock", json!([tip])).await?;
            }
            Self::Clock => {
                let ahead_h = if place == 0 { 1 } else { 3 };
                scene.restart_node(place, Some(ahead_h)).await?;
                sleep(Duration::from_secs(8)).await;
                scene.restart_node(place, None).await?;
            }
            Self::Disk => {
                scene.fill_disk(place)?;
                sleep(Duration::from_secs(6)).await;
                scene.free_disk(place)?;
            }
            Self::Network => {
                scene.set_connected(false);
                sleep(Duration::from_secs(8)).await;
                scene.set_connected(true);
            }
        }
        Ok(())
    }
}

/// Draws faults: every kind once before any comes again.
pub(super) struct Bag {
    rng: ChaCha8Rng,
    left: Vec<Fault>,
}

impl Bag {
    pub(super) const fn new(rng: ChaCha8Rng) -> Self {
        Self { rng, left: Vec::new() }
    }

    /// The next fault, and where it happens.
    pub(super) fn draw(&mut self) -> (Fault, usize) {
        if self.left.is_empty() {
            self.left = Fault::ALL.to_vec();
            self.left.shuffle(&mut self.rng);
        }
        let fault = self.left.pop().unwrap_or(Fault::Stop);
        (fault, self.rng.random_range(0..PLACES))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_kind_comes_once_in_a_round_and_a_seed_repeats_it() {
        let draw = || {
            let mut bag = Bag::new(ChaCha8Rng::seed_from_u64(7));
            (0..18).map(|_| bag.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        for round in draw().chunks(Fault::ALL.len()) {
            assert!(Fault::ALL.iter().all(|kind| round.iter().any(|(fault, _)| fault == kind)));
        }
    }
}
