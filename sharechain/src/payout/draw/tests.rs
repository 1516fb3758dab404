use bitcoin::ScriptBuf;
use proptest::prelude::*;

use super::*;

const SEED: [u8; 32] = [7; 32];

fn keyed() -> sha256::HashEngine {
    keyed_engine(&Tag::Draw.hash(&[&SEED]))
}

/// Scripts with these weights, in the order of the lottery.
fn line(weights: &[u128]) -> Vec<(ScriptBuf, u128)> {
    let keyed = keyed();
    let mut scripts: Vec<_> = (1..=weights.len()).map(|n| ScriptBuf::from_bytes(n.to_le_bytes().to_vec())).collect();
    scripts.sort_by_key(|script| keyed_hash(&keyed, script.as_bytes()));
    scripts.into_iter().zip(weights.iter().copied()).collect()
}

fn claims(line: &[(ScriptBuf, u128)]) -> Vec<Claim<'_>> {
    line.iter().map(|(script, weight)| Claim { script, weight: *weight }).collect()
}

/// No known hashes have the same prefix, so the test makes two tickets that do.
#[test]
fn equal_beginnings_are_told_apart_by_whole_hashes() {
    let (keyed, line) = (keyed(), line(&[1, 1, 1]));
    let claims = claims(&line);
    let tickets: Vec<_> = claims.iter().map(|claim| Ticket { prefix: 0, claim }).collect();
    for (place, ticket) in tickets.iter().enumerate() {
        for (other_place, other) in tickets.iter().enumerate() {
            assert_eq!(ticket.order(other, &keyed), place.cmp(&other_place));
        }
    }
}

/// At every position in a batch, and also with more tickets than fit into one block.
#[test]
fn places_are_those_of_the_rule() {
    let (keyed, bytes) = (keyed(), [0x51; 80]);
    let scripts: Vec<_> = (0..bytes.len()).map(|length| ScriptBuf::from_bytes(bytes[..length].to_vec())).collect();
    let claims: Vec<_> = scripts.iter().map(|script| Claim { script, weight: 1 }).collect();
    let tickets = Ticket::of_all(&claims, &keyed);
    assert_eq!(tickets.len(), claims.len());
    for (ticket, script) in tickets.iter().zip(&scripts) {
        assert_eq!(ticket.claim.script, script.as_script());
        assert_eq!(ticket.prefix, prefix_of(&keyed_hash(&keyed, script.as_bytes())), "{} bytes", script.len());
    }
}

proptest! {
    /// Covers points at the ends of claims, and a division remainder that has room for one more point.
    #[test]
    fn crumbs_are_drawn_as_the_rules_say(weights in prop::collection::vec(1..6_u128, 1..80), count in 1..20_usize) {
        let (line, sum) = (line(&weights), weights.iter().sum::<u128>());
        let step = sum / count as u128;
        prop_assume!(weights.iter().all(|weight| *weight <= step));
        let start = first_point(&keyed(), step).unwrap();
        let hit = |point: u128| {
            let mut end = 0;
            line.iter().find(|(_, weight)| {
                end += weight;
                point < end
            })
        };
        let expected: Vec<_> = (0..count as u128).map(|j| hit(start + j * step).unwrap().0.as_script()).collect();
        prop_assert_eq!(draw(&claims(&line), &SEED, step, count), Ok(expected));
    }
}
