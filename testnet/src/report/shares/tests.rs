use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

use super::{Known, Tally, work_of};
use crate::api_client::{Fate, Share};
use crate::miner::{Submit, Verdict};

/// Returns an id with this many leading zero bytes in Bitcoin's notation.
fn id(number: u8, zero_bytes: usize) -> BlockHash {
    let mut bytes = [0xff; 32];
    bytes[32 - zero_bytes..].fill(0);
    bytes[0] = number;
    BlockHash::from_byte_array(bytes)
}

fn submit(id: BlockHash, verdict: Verdict) -> Submit {
    Submit { id, verdict, hashes: 0 }
}

#[test]
fn the_work_of_an_id_is_what_its_zeros_cost() {
    let work = work_of(&id(0xff, 2));
    assert!((65_535.0..65_537.0).contains(&work), "{work}");
}

#[test]
fn every_proof_is_counted_once_and_where_it_belongs() {
    let fates = [Fate::Link, Fate::Listed, Fate::Pending, Fate::Held, Fate::Expired, Fate::Refused, Fate::Unknown];
    let mut tally = Tally::default();
    let taken: Vec<BlockHash> = (0..7).map(|number| id(number, 2)).collect();
    let submits: Vec<Submit> = taken.iter().map(|id| submit(*id, Verdict::Accepted)).collect();
    tally.add(&submits);
    // The same proof in another journal is the same share.
    tally.add(&submits[..1]);
    let easy = id(7, 1);
    tally.add(&[submit(easy, Verdict::Accepted)]);
    let stale = Verdict::Refused { code: 21, text: "the job is 31 s old".to_owned() };
    tally.add(&[submit(id(8, 2), stale), submit(id(9, 2), Verdict::Unanswered)]);
    assert_eq!(tally.taken().count(), 8);

    let rule = |fate| (fate == Fate::Refused).then(|| "SC-108".to_owned());
    let mut known: Vec<Known> =
        taken.iter().zip(fates).map(|(id, fate)| Known { id: *id, share: Share { fate, rule: rule(fate) } }).collect();
    known.push(Known { id: easy, share: Share { fate: Fate::Unknown, rule: None } });
    let report = tally.finish(&known, 50_000.0);

    assert_eq!((report.found, report.listed, report.pending), (7, 2, 1));
    assert_eq!((report.held, report.expired, report.lost, report.unanswered, report.below_target), (1, 1, 1, 1, 1));
    let refused: Vec<_> = report.refused.into_iter().collect();
    assert_eq!(refused, [("SC-108".to_owned(), 1), ("stratum 21: stale or unknown job".to_owned(), 1)]);
    assert_eq!(report.lost_ids, [taken[6].to_string()]);
}
