use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;
use crate::limits::{NEW_BUCKETS, NEW_BUCKETS_PER_SOURCE, NEW_PLACES, TRIED_BUCKETS_PER_GROUP, TRIED_PLACES};
use crate::record::{Record, Transport};

const POOL: [u8; 32] = [7; 32];
const NOW_S: u64 = 1_800_000_000;
const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 86_400;

fn book() -> Book {
    Book::new([5; 32], [6; 16])
}

fn key(number: u32) -> SigningKey {
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

fn at(ip: [u8; 4]) -> Address {
    Address::of_ip(Ipv4Addr::from(ip).into(), 3381, Transport::Tcp)
}

fn record_at(number: u32, address: Address, signed_at_s: u64) -> Checked {
    Record::sign(&key(number), POOL, &[address], "", (signed_at_s, DAY_S)).unwrap()
}

/// A record of a node in a netgroup of its own.
fn record(number: u32) -> Checked {
    let [a, b, ..] = number.to_le_bytes();
    record_at(number, at([20 + b, a, 1, 1]), NOW_S)
}

fn group(number: u8) -> Netgroup {
    Netgroup::Ip4([200, number])
}

/// Invariants of the book.
fn is_sound(book: &Book) {
    let (new, tried) = book.counts();
    assert_eq!(book.new.iter().flatten().count(), new);
    assert_eq!(book.tried.iter().flatten().count(), tried);
    for (table, groups, count) in [(Table::New, &book.groups.new, new), (Table::Tried, &book.groups.tried, tried)] {
        assert_eq!(groups.values().map(Vec::len).sum::<usize>(), count);
        for (group, peer) in groups.iter().flat_map(|(group, peers)| peers.iter().map(move |peer| (group, peer))) {
            let entry = &book.entries[peer];
            assert_eq!((entry.table, entry.at.netgroup()), (table, *group));
        }
    }
    for (peer, entry) in &book.entries {
        assert_eq!(book.at((entry.table, entry.place)), Some(*peer));
        assert_eq!(entry.record.peer, *peer);
    }
    assert!(book.collisions.len() <= COLLISIONS_MAX && book.anchors.len() <= ANCHORS);
}

#[test]
fn flooded_records_do_not_fill_the_book() {
    let mut book = book();
    for number in 0..200 {
        book.add(record(number), group(u8::try_from(number % 16).unwrap()), NOW_S);
    }
    let before = book.counts().0;
    assert!(before > 190, "{before} of 200 have a place");
    // One netgroup announces 20,000 nodes all over the internet.
    let mut told = Vec::new();
    for number in 10_000..30_000_u32 {
        let [a, b, c, _] = number.to_le_bytes();
        told.push(record_at(number, at([30 + c, b, a, 1]), NOW_S));
    }
    let added = told.into_iter().filter(|record| book.add(record.clone(), group(100), NOW_S) == Added::New).count();
    let places = usize::try_from(NEW_BUCKETS_PER_SOURCE).unwrap() * NEW_PLACES;
    assert!(added <= places && added < NEW_BUCKETS * NEW_PLACES / 8, "{added} of 20,000 got in");
    // None of them took the place of another.
    assert!((0..200).filter(|number| book.entry(&record(*number).peer).is_some()).count() == before);
    is_sound(&book);
}

#[test]
fn many_identities_of_one_host_take_one_place_each_table() {
    let mut book = book();
    for number in 0..1_000_u32 {
        let address = Address { port: 1_000 + u16::try_from(number).unwrap(), ..at([30, 1, 1, 1]) };
        let record = record_at(number, address, NOW_S);
        book.add(record.clone(), group(1), NOW_S);
        book.reached(&record.peer, &address, NOW_S);
    }
    let (new, tried) = book.counts();
    assert!(new <= 1 && tried == 1, "{new} and {tried} places of one host");
    is_sound(&book);
}

#[test]
fn one_netgroup_takes_a_thirty_second_of_the_tried_places() {
    let mut book = book();
    for number in 0..4_000_u32 {
        let [a, b, ..] = number.to_le_bytes();
        let record = record_at(number, at([30, 1, b, a]), NOW_S);
        book.add(record.clone(), group(u8::try_from(number % 64).unwrap()), NOW_S);
        book.reached(&record.peer, &at([30, 1, b, a]), NOW_S);
    }
    let most = usize::try_from(TRIED_BUCKETS_PER_GROUP).unwrap() * TRIED_PLACES;
    assert!(book.counts().1 <= most, "{:?}", book.counts());
    is_sound(&book);
}

#[test]
fn a_place_of_a_node_that_is_there_is_not_taken() {
    let mut book = book();
    let (old, new) = (record_at(1, at([30, 1, 1, 1]), NOW_S), record_at(2, at([30, 1, 1, 1]), NOW_S));
    let address = at([30, 1, 1, 1]);
    book.add(old.clone(), group(1), NOW_S);
    book.reached(&old.peer, &address, NOW_S);
    book.add(new.clone(), group(2), NOW_S);
    let mut now_s = NOW_S + 5 * HOUR_S;
    book.reached(&new.peer, &address, now_s);
    assert!(!book.entry(&new.peer).unwrap().is_tried());
    // The book has the old node tested, and that node answers.
    assert_eq!(book.to_test(now_s), Some(old.peer));
    book.reached(&old.peer, &address, now_s);
    book.settle_collisions(now_s);
    assert!(book.entry(&old.peer).unwrap().is_tried() && !book.entry(&new.peer).unwrap().is_tried());
    // Later, the old node does not answer the test.
    now_s += 5 * HOUR_S;
    book.reached(&new.peer, &address, now_s);
    book.attempt(&old.peer, true, now_s);
    book.settle_collisions(now_s + 30);
    assert!(book.entry(&old.peer).unwrap().is_tried(), "the test still runs");
    book.settle_collisions(now_s + 61);
    assert!(book.entry(&new.peer).unwrap().is_tried());
    assert!(!book.entry(&old.peer).is_some_and(Entry::is_tried));
    is_sound(&book);
}

#[test]
fn a_later_record_replaces_an_earlier_one_and_never_the_other_way() {
    let mut book = book();
    let (early, late) = (record_at(1, at([30, 1, 1, 1]), NOW_S), record_at(1, at([30, 1, 1, 2]), NOW_S + 700));
    assert_eq!(book.add(early.clone(), group(1), NOW_S), Added::New);
    assert_eq!(book.add(late.clone(), group(2), NOW_S), Added::Fresher(700));
    assert_eq!(book.add(early, group(1), NOW_S), Added::Known);
    assert_eq!(book.entry(&late.peer).unwrap().record(), &late);
    let nowhere = record_at(3, at([224, 0, 0, 1]), NOW_S);
    assert_eq!(book.add(nowhere, group(1), NOW_S), Added::Unroutable);
}

#[test]
fn nodes_without_a_sign_of_life_lose_their_place() {
    let mut book = book();
    let address = at([30, 1, 1, 1]);
    let old = record_at(1, address, NOW_S);
    book.add(old.clone(), group(1), NOW_S);
    let other = record_at(2, address, NOW_S + 31 * DAY_S);
    assert_eq!(book.add(other.clone(), group(1), NOW_S + 29 * DAY_S), Added::NoRoom);
    assert_eq!(book.add(other.clone(), group(1), NOW_S + 31 * DAY_S), Added::New);
    assert!(book.entry(&old.peer).is_none());
    for _ in 0..3 {
        book.attempt(&other.peer, true, NOW_S + 31 * DAY_S);
    }
    assert!(!book.entry(&other.peer).unwrap().is_terrible(NOW_S + 31 * DAY_S), "the answer may still come");
    assert!(book.entry(&other.peer).unwrap().is_terrible(NOW_S + 31 * DAY_S + 61));
    // A node that was reached before gets ten attempts and a week.
    book.reached(&other.peer, &address, NOW_S + 31 * DAY_S);
    for _ in 0..10 {
        book.attempt(&other.peer, true, NOW_S + 32 * DAY_S);
    }
    assert!(!book.entry(&other.peer).unwrap().is_terrible(NOW_S + 37 * DAY_S));
    assert!(book.entry(&other.peer).unwrap().is_terrible(NOW_S + 39 * DAY_S));
    is_sound(&book);
}

#[test]
fn selection_prefers_neither_table_and_passes_over_failures() {
    let mut book = book();
    for number in 0..400 {
        let record = record(number);
        book.add(record.clone(), group(u8::try_from(number % 64).unwrap()), NOW_S);
        if number < 40 {
            book.reached(&record.peer, &record.addresses[0], NOW_S - HOUR_S);
        }
    }
    let (mut tried, mut drawn) = (0, BTreeMap::<PeerId, u32>::new());
    for _ in 0..4_000 {
        let peer = book.select(false, NOW_S).unwrap();
        tried += u32::from(book.entry(&peer).unwrap().is_tried());
        *drawn.entry(peer).or_default() += 1;
    }
    assert!((1_800..2_200).contains(&tried), "{tried} of 4,000 are from the table of 40");
    let peer = *drawn.iter().max_by_key(|(_, count)| **count).unwrap().0;
    for _ in 0..8 {
        book.attempt(&peer, true, NOW_S - HOUR_S);
    }
    let again = (0..4_000).filter(|_| book.select(false, NOW_S) == Some(peer)).count();
    assert!(again < 20, "{again}, with eight failures");
    assert!((0..100).all(|_| !book.entry(&book.clone().select(true, NOW_S).unwrap()).unwrap().is_tried()));
}

#[test]
fn a_damaged_file_is_noticed_whatever_byte_it_is() {
    let mut book = book();
    for number in 0..20 {
        book.add(record(number), group(1), NOW_S);
    }
    let bytes = book.encode(&POOL);
    for at in (0..bytes.len()).step_by(7) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 0x10;
        assert!(Book::decode(&bytes, &POOL, [0; 16]).is_err(), "byte {at}");
    }
    assert!(Book::decode(&bytes[..bytes.len() / 2], &POOL, [0; 16]).is_err());
    assert_eq!(Book::decode(&bytes, &[8; 32], [0; 16]).err(), Some(BookError::OtherPool));
    assert_eq!(Book::decode(b"", &POOL, [0; 16]).err(), Some(BookError::Version));
}

#[test]
fn a_full_book_stays_within_its_bounds() {
    let mut book = book();
    let addresses: Vec<Address> = (1..=8).map(|last| at([30, 1, 1, last])).collect();
    let agent = "x".repeat(64);
    let mut largest = 0;
    for number in 0..2_000 {
        let record = Record::sign(&key(number), POOL, &addresses, &agent, (NOW_S, DAY_S)).unwrap();
        largest = largest.max(record.encode().len());
        book.add(record, group(u8::try_from(number % 256).unwrap()), NOW_S);
    }
    assert!(largest <= crate::limits::RECORD_BYTES_MAX);
    assert!(book.encode(&POOL).len() <= crate::limits::BOOK_BYTES_MAX);
}

/// A book with a node that was reached, a node that was not, and an anchor.
fn small_book() -> Book {
    let mut book = book();
    let (one, other) = (record(1), record(2));
    book.add(one.clone(), group(1), NOW_S);
    book.add(other, Netgroup::Ip6([1, 2, 3, 4]), NOW_S);
    book.reached(&one.peer, &one.addresses[0], NOW_S + 5);
    book.set_anchors(vec![one.peer]);
    book
}

/// Every later version reads files of version 1.
#[test]
fn a_book_of_version_1_opens() {
    const VERSION_1: &[u8] = include_bytes!("version_1.book");
    let opened = Book::decode(VERSION_1, &POOL, [0; 16]).unwrap();
    assert_eq!((opened.counts(), opened.anchors().len()), ((1, 1), 1));
    assert_eq!(opened.encode(&POOL), VERSION_1);
    assert_eq!(small_book().encode(&POOL), VERSION_1);
}

#[derive(Clone, Debug)]
enum Step {
    Add { number: u32, host: u8, source: u8, later_s: u64 },
    Attempt(u32),
    Reached { number: u32, host: u8 },
    Remove(u32),
    Settle,
    Anchors(Vec<u32>),
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0..40_u32;
    prop_oneof![
        6 => (number(), 0..20_u8, 0..4_u8, 0..90 * DAY_S)
            .prop_map(|(number, host, source, later_s)| Step::Add { number, host, source, later_s }),
        2 => number().prop_map(Step::Attempt),
        4 => (number(), 0..20_u8).prop_map(|(number, host)| Step::Reached { number, host }),
        1 => number().prop_map(Step::Remove),
        1 => Just(Step::Settle),
        1 => prop::collection::vec(number(), 0..8).prop_map(Step::Anchors),
        1 => Just(Step::Reload),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_book_is_sound_after_any_steps(steps in prop::collection::vec((step(), 0..5 * HOUR_S), 0..120)) {
        let (mut book, mut now_s) = (book(), NOW_S);
        let peer = |number: u32| PeerId(key(number).verifying_key().to_bytes());
        for (step, pause_s) in steps {
            now_s += pause_s;
            match step {
                Step::Add { number, host, source, later_s } => {
                    let _ = book.add(record_at(number, at([30, host, 1, 1]), NOW_S + later_s), group(source), now_s);
                }
                Step::Attempt(number) => book.attempt(&peer(number), true, now_s),
                Step::Reached { number, host } => book.reached(&peer(number), &at([30, host, 1, 1]), now_s),
                Step::Remove(number) => book.remove(&peer(number)),
                Step::Settle => book.settle_collisions(now_s),
                Step::Anchors(numbers) => book.set_anchors(numbers.into_iter().map(peer).collect()),
                Step::Reload => {
                    let bytes = book.encode(&POOL);
                    let again = Book::decode(&bytes, &POOL, [1; 16]).unwrap();
                    prop_assert_eq!(again.encode(&POOL), bytes);
                    prop_assert_eq!(again.counts(), book.counts());
                    book = again;
                }
            }
            is_sound(&book);
        }
        for _ in 0..20 {
            let drawn = book.select(false, now_s);
            let (new, tried) = book.counts();
            prop_assert!(drawn.is_none_or(|peer| book.entry(&peer).is_some()));
            prop_assert!(drawn.is_some() || new + tried < 8);
        }
    }
}

#[test]
fn a_netgroup_with_many_nodes_is_drawn_as_often_as_one_with_few() {
    let mut book = book();
    // A thousand nodes in one netgroup, announced by many, and one in each of nine other netgroups.
    for number in 1..10_u8 {
        book.add(record_at(5_000 + u32::from(number), at([46, number, 1, 1]), NOW_S), group(number), NOW_S);
    }
    for number in 0..1_000_u32 {
        let [_, _, a, b] = number.to_be_bytes();
        book.add(record_at(number, at([45, 1, 1 + a, b]), NOW_S), group(b), NOW_S);
    }
    assert!(book.counts().0 > 900, "{:?}", book.counts());
    let many = |book: &Book, peer: &PeerId| {
        book.entry(peer).unwrap().record().addresses[0].netgroup() == Netgroup::Ip4([45, 1])
    };
    let drawn = (0..4_000).filter(|_| {
        let peer = book.select(false, NOW_S).unwrap();
        many(&book, &peer)
    });
    let drawn = drawn.count();
    assert!((300..500).contains(&drawn), "{drawn} of 4,000");
}

#[test]
fn a_netgroup_with_many_nodes_fills_no_more_of_an_answer_than_others() {
    let mut book = book();
    for number in 0..100_u8 {
        book.add(record_at(5_000 + u32::from(number), at([46, number, 1, 1]), NOW_S), group(number), NOW_S);
    }
    for number in 0..1_000_u32 {
        let [_, _, a, b] = number.to_be_bytes();
        book.add(record_at(number, at([45, 1, 1 + a, b]), NOW_S), group(b), NOW_S);
    }
    let answer = book.sample(64, &[Scope::Public], NOW_S);
    let of_many = answer.iter().filter(|record| record.addresses[0].netgroup() == Netgroup::Ip4([45, 1])).count();
    assert!(answer.len() == 64 && of_many <= 1, "{of_many} of {}", answer.len());
    // With few netgroups, those with many nodes fill the rest.
    assert_eq!(book.sample(500, &[Scope::Public], NOW_S).len(), 500);
}
