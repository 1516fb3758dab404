//! The cost of an event. Run with `cargo nextest run --release --workspace --run-ignored only --no-capture -E
//! 'test(world::tests::cost)'`.

use std::sync::Arc;
use std::time::Instant;

use crate::ids::{MinerId, NodeId};
use crate::scenario::Scenario;
use crate::time::Micros;
use crate::world::{Context, Environment, Event, Node, Schedule};

/// Approximate bytes of a share on the line.
const SIZE_BYTES: u32 = 700;

/// Hashes per share: 3.2 shares per second in a pool of 128 hashes per second.
const HASHES: f64 = 40.0;

/// A node that only forwards messages that are new to it.
struct Relay {
    peers: Vec<NodeId>,
    newest: u64,
    /// One bit for each of the last messages: set if it was heard.
    seen: [u64; 64],
}

struct Counter {
    next: u64,
    deliveries: u64,
}

impl Environment<Relay> for Counter {
    type Timer = ();

    fn on_timer(&mut self, (): (), _: &mut Schedule<Relay>) {}
}

impl Relay {
    fn pass(&mut self, message: u64, except: Option<NodeId>, context: &mut Context<'_, Self>) {
        let shared = Arc::new(message);
        for peer in self.peers.iter().filter(|peer| Some(**peer) != except) {
            context.schedule.send(context.id, *peer, Arc::clone(&shared), SIZE_BYTES);
        }
    }
}

impl Node for Relay {
    type Message = u64;
    type Timer = ();
    type Environment = Counter;

    fn on_event(&mut self, event: Event<Self>, context: &mut Context<'_, Self>) {
        match event {
            Event::Start => {
                let count = u32::try_from(context.schedule.miners().len()).unwrap();
                let own = |miner: &u32| context.schedule.miners()[*miner as usize].node == context.id;
                let own: Vec<_> = (0..count).filter(own).collect();
                own.into_iter().for_each(|miner| context.schedule.work(MinerId(miner), Some(HASHES)));
            }
            Event::Connected(peer) => self.peers.push(peer),
            Event::Disconnected(peer) => self.peers.retain(|other| *other != peer),
            Event::Found(_) => {
                context.environment.next += 1;
                let message = context.environment.next;
                self.seen[message as usize % 64] = message;
                self.pass(message, None, context);
            }
            Event::Message { from, message } => {
                context.environment.deliveries += 1;
                self.newest = self.newest.max(*message);
                let seen = &mut self.seen[*message as usize % 64];
                if *seen != *message {
                    *seen = *message;
                    self.pass(*message, Some(from), context);
                }
            }
            _ => {}
        }
    }
}

#[test]
#[ignore = "prints a figure, asserts little"]
fn a_hundred_relays_for_two_hours() {
    let scenario = Scenario::parse(include_str!("../../../../scenarios/hundred.toml")).unwrap();
    let drawn = scenario.draw(1);
    let relays = drawn.nodes.iter().map(|_| Relay { peers: Vec::new(), newest: 0, seen: [0; 64] }).collect();
    let mut world = drawn.world(relays, Counter { next: 0, deliveries: 0 }, 1);
    let begin = Instant::now();
    world.run(Micros::from_secs(7_200));
    let elapsed = begin.elapsed();
    let Counter { next: shares, deliveries } = world.environment;
    println!(
        "{shares} shares, {} steps, {deliveries} deliveries in {elapsed:.2?}: {:.0} ns a delivery, {:.1} million steps a second",
        world.steps(),
        elapsed.as_nanos() as f64 / deliveries as f64,
        world.steps() as f64 / elapsed.as_secs_f64() / 1e6,
    );
    assert!(deliveries > shares * 500);
}
