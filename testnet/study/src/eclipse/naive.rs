//! A book without buckets, sources, anchors, and netgroups.

use p2p_proto::limits::{NEW_BUCKETS, NEW_PLACES, OUTBOUND_TARGET, TRIED_BUCKETS, TRIED_PLACES};
use rand::Rng;
use sim::rng::{SimRng, stream};

use super::Counts;
use super::world::{HONEST, LIFE_H, Population, TOLD_A_MINUTE};

/// As many records as the real book has room for.
const ROOM: usize = NEW_BUCKETS * NEW_PLACES + TRIED_BUCKETS * TRIED_PLACES;

/// Hosts of the attacker for each that can be dialed: it makes up records for all addresses of its netgroups, which lead to
/// the same machines.
const ADDRESSES_A_HOST: usize = 64;

/// Dials before the node gives up.
const DIALS_MAX: usize = 10_000;

struct Naive {
    /// Numbers of nodes, several times for hostile ones with several addresses.
    known: Vec<usize>,
    /// How often each node is known.
    copies: Vec<usize>,
    rng: SimRng,
}

impl Naive {
    fn learn(&mut self, node: usize) {
        if self.copies[node] >= if node < HONEST { 1 } else { ADDRESSES_A_HOST } {
            return;
        }
        self.copies[node] += 1;
        if self.known.len() < ROOM {
            self.known.push(node);
        } else {
            let at = self.rng.random_range(0..self.known.len());
            self.copies[std::mem::replace(&mut self.known[at], node)] -= 1;
        }
    }

    /// Dials random nodes until there are enough. Returns the peers.
    fn dial(&mut self, population: &Population) -> Vec<usize> {
        let mut peers: Vec<usize> = Vec::new();
        for _ in 0..DIALS_MAX {
            let drawn = self.known[self.rng.random_range(0..self.known.len())];
            if population.nodes[drawn].is_online && !peers.contains(&drawn) {
                peers.push(drawn);
            }
            if peers.len() == OUTBOUND_TARGET {
                break;
            }
        }
        peers
    }
}

/// Simulates one world, as [`super::world::run`] does. Counts its restarts.
pub(super) fn run(groups: usize, seed: u64, restarts: usize) -> Counts {
    let mut rng = stream(seed, "eclipse", 0);
    let mut population = Population::new(groups, &mut rng);
    let copies = vec![0; population.nodes.len()];
    let mut naive = Naive { known: Vec::new(), copies, rng: stream(seed, "eclipse, naive", 0) };
    (0..3).for_each(|_| naive.learn(rng.random_range(0..HONEST)));
    let mut counts = Counts::default();
    let mut peers = naive.dial(&population);
    for life in 0..=restarts {
        for hour in 0..if life == 0 { 24 } else { LIFE_H } {
            let part = super::as_f64(naive.known.iter().filter(|known| **known >= HONEST).count());
            let part = part / super::as_f64(naive.known.len());
            for peer in peers.clone() {
                for about in population.answer(peer, part, &mut rng) {
                    naive.learn(about);
                }
            }
            // 48 connections tell a record in ten seconds each; a tenth of that is enough to fill the book.
            for _ in 0..if hour < 3 { 48 * 6 * TOLD_A_MINUTE } else { 0 } {
                let about = population.hostile(&mut rng);
                naive.learn(about);
            }
            population.churn(&mut rng);
        }
        population.churn(&mut rng);
        peers = naive.dial(&population);
        if life > 0 {
            let hostile = peers.iter().filter(|peer| **peer >= HONEST).count();
            counts.count(peers.len(), hostile);
        }
    }
    counts
}
