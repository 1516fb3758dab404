//! Stratum v2 over real sockets, with a client on SRI's codec.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use binary_sv2::{Seq0255, Sv2Option};
use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use mining_sv2::{CloseChannel, NewExtendedMiningJob, UpdateChannel};
use stratum::{Authority, Readiness, Refusal, limits};

use crate::common::{self, OneWork, Running, serve_with};
use crate::sv2::{self, Line, Miner, Wish, ask, set_up};

const USER: &str = "alice.rig1";

/// A server with a v2 listener, and what drives it.
struct House {
    _runtime: tokio::runtime::Runtime,
    running: Running,
}

fn authority() -> Authority {
    Authority::from_secret([7; 32]).unwrap()
}

fn house() -> House {
    house_with(|_| {})
}

fn house_with(edit: impl FnOnce(&mut stratum::Config)) -> House {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let running = runtime.block_on(serve_with(|config| {
        config.listeners[0].v2 = Some(authority());
        edit(config);
    }));
    House { _runtime: runtime, running }
}

impl House {
    fn addr(&self) -> SocketAddr {
        self.running.addr
    }

    fn pool(&self) -> &OneWork {
        &self.running.pool
    }

    fn open(&self, wish: &Wish) -> Result<Miner, String> {
        Miner::open(self.addr(), Some(authority().public_key()), wish)
    }
}

#[test]
fn shares_of_both_kinds_of_channel_reach_the_pool_with_their_extranonce_and_are_counted_as_those_of_v1() {
    let house = house();
    for wish in [Wish::standard(USER), Wish::extended(USER)] {
        let before = house.pool().found().len();
        let mut miner = house.open(&wish).unwrap();
        let mined = miner.mine(5).unwrap();
        let found = house.pool().found().split_off(before);
        assert_eq!(found.len(), 5, "{wish:?}");
        for (share, found) in mined.iter().zip(found) {
            assert_eq!((share.hash, &*found.worker, &*found.account), (*found.hash.as_ref(), USER, &b"alice"[..]));
            assert!(found.meets_share);
            assert_eq!(found.extranonce[..8], miner.prefix[..8], "the channel's own space");
        }
        let snapshot = house.running.stats.snapshot();
        let shown = &snapshot.connections[0];
        assert_eq!((shown.workers[0].as_str(), shown.submits.accepted, shown.submits.shares), (USER, 5, 5));
        assert_eq!(shown.agent, "test");
        assert_eq!(shown.coinbase_bytes.is_some(), !wish.is_standard);
        drop(miner);
        let since = Instant::now();
        while !house.running.stats.snapshot().connections.is_empty() {
            assert!(since.elapsed() < Duration::from_secs(10), "the channel leaves with its connection");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    assert_eq!(house.running.stats.snapshot().totals.accepted, 10);
}

#[test]
fn a_new_tip_sends_a_future_job_and_then_its_block_and_other_work_a_job_that_starts_at_once() {
    let house = house();
    for wish in [Wish::standard(USER), Wish::extended(USER)] {
        let mut miner = house.open(&wish).unwrap();
        let job = if wish.is_standard { 0x15 } else { 0x1f };
        assert_eq!(miner.seen, [job, 0x20], "the first job waits for its block");
        miner.seen.clear();
        let old = miner.mine(1).unwrap().remove(0);
        house.pool().set(|parts| parts.prev_block = BlockHash::from_byte_array([miner.tips as u8; 32]));
        while miner.tips < 2 {
            miner.step(Duration::from_secs(10)).unwrap();
        }
        assert_eq!(miner.seen[miner.seen.len() - 2..], [job, 0x20]);
        miner.mine(1).unwrap();
        // Late work keeps its credit, and a repeated share does not earn twice.
        assert_eq!(miner.submit(&old).unwrap(), Err("duplicate-share".to_owned()));
        miner.seen.clear();
        let before = miner.active;
        house.pool().set(|parts| parts.prev_block = BlockHash::from_byte_array([1; 32]));
        while miner.active == before {
            miner.step(Duration::from_secs(10)).unwrap();
        }
        assert_eq!(miner.seen[0], job);
        house.pool().set(|_| {});
    }
}

#[test]
fn each_rejected_share_has_its_code() {
    let house = house();
    let mut miner = house.open(&Wish::extended(USER)).unwrap();
    let share = miner.mine(1).unwrap().remove(0);
    let edited = |edit: fn(&mut sv2::Share)| {
        let mut share = share.clone();
        edit(&mut share);
        share
    };
    for (share, code) in [
        (share.clone(), "duplicate-share"),
        (edited(|share| share.job_id ^= 0x55), "invalid-job-id"),
        (edited(|share| share.nonce ^= 1), "difficulty-too-low"),
        (edited(|share| share.version ^= 1), "invalid-non-rollable-version-bit"),
        (edited(|share| share.extranonce = vec![1; 7]), "bad-extranonce-size"),
        (edited(|share| share.time = 1), "invalid-share"),
    ] {
        assert_eq!(miner.submit(&share).unwrap(), Err(code.to_owned()));
    }
    miner.channel_id += 1;
    assert_eq!(miner.submit(&share).unwrap(), Err("invalid-channel-id".to_owned()));
    let rejected = house.running.stats.snapshot().totals.rejected;
    assert_eq!((rejected.duplicate, rejected.stale, rejected.low_difficulty), (1, 2, 1));
    assert_eq!((rejected.version, rejected.time), (1, 1));
}

#[test]
fn rolled_version_bits_count_and_others_do_not() {
    let house = house();
    let mut miner = house.open(&Wish::standard(USER)).unwrap();
    let job = miner.active.unwrap();
    miner.jobs.get_mut(&job).unwrap().version |= 0x0000_2000;
    miner.mine(2).unwrap();
    assert!(house.pool().found().iter().all(|found| found.header.version.to_consensus() == 0x2000_2000));
}

#[test]
fn only_the_server_with_the_key_is_believed() {
    let house = house();
    let other = Authority::from_secret([8; 32]).unwrap().public_key();
    assert!(Line::connect(house.addr(), Some(other)).is_err());
    assert!(Line::connect(house.addr(), Some(authority().public_key())).is_ok());
    assert!(Line::connect(house.addr(), None).is_ok(), "a device without a key may mine too");
}

#[test]
fn without_work_a_device_gets_a_sentence_instead_of_a_setup_and_connected_ones_are_closed_with_it() {
    let house = house();
    let mut miner = house.open(&Wish::standard(USER)).unwrap();
    let mut waiting = Line::connect(house.addr(), None).unwrap();
    set_up(&mut waiting, 0, "test").unwrap();
    let refusal = Refusal("no work: bitcoind does not answer".to_owned());
    house.pool().set_readiness(Readiness::Paused(refusal.clone()));
    assert_eq!(house.open(&Wish::standard(USER)).err(), Some(refusal.0.clone()));
    ask(&mut waiting, 7, &Wish::extended(USER));
    assert_eq!(Miner::opened(waiting).err(), Some(refusal.0.clone()));
    miner.mine(1).expect("a connected miner goes on");
    ask(&mut miner.line, 8, &Wish::standard(USER));
    assert_eq!(miner.line.read().map(|(kind, _)| kind), Ok(0x12), "no further channel");
    miner.mine(1).expect("nor does that end its own");
    house.pool().set_readiness(Readiness::Stopped(refusal.clone()));
    let ended = std::iter::repeat_with(|| miner.step(Duration::from_secs(10))).find_map(Result::err);
    assert_eq!(ended, Some(format!("channel closed: {refusal}")));
    assert_eq!(miner.line.receive(Duration::from_secs(10)).err(), Some("the connection has ended".to_owned()));
}

#[test]
fn wishes_that_cannot_be_met_are_refused_with_their_code() {
    let house = house();
    let hard = Wish { max_target: [0; 32], ..Wish::standard(USER) };
    for (wish, code) in [
        (Wish::standard("mallory.x"), "unknown-user: mallory is an address of another network"),
        (Wish { flags: 0b001, ..Wish::extended(USER) }, "extended-channels-not-supported-for-standard-jobs"),
        (Wish { min_extranonce_size: 9, ..Wish::extended(USER) }, "min-extranonce-size-too-large"),
        (Wish { hashrate: f32::NAN, ..Wish::standard(USER) }, "invalid-nominal-hashrate"),
        (Wish { flags: 0b010, ..Wish::extended(USER) }, "unsupported-feature-flags"),
        (hard, "max-target-out-of-range"),
    ] {
        let refused = house.open(&wish).err().unwrap();
        assert!(refused.starts_with(code), "{wish:?}: {refused}");
    }
    assert_eq!(house.running.stats.snapshot().connections.len(), 0);
}

#[test]
fn coinbases_that_a_device_cannot_hold_are_no_trouble_in_a_standard_channel() {
    let house = house();
    house.pool().set(|parts| parts.outputs = std::sync::Arc::from([2; 700]));
    // The table of programs says that stock Antminers hold 755 bytes.
    let antminer = |wish: Wish| Wish { vendor: "antminer".to_owned(), ..wish };
    let refused = house.open(&antminer(Wish::extended(USER))).err().unwrap();
    assert!(refused.contains("holds a coinbase of 755 bytes") && refused.contains("standard channel"), "{refused}");
    house.open(&antminer(Wish::standard(USER))).unwrap().mine(1).unwrap();
}

#[test]
fn a_device_that_hashes_another_coinbase_is_told_so() {
    let house = house();
    let mut miner = house.open(&Wish::extended(USER)).unwrap();
    let job = miner.active.unwrap();
    miner.jobs.get_mut(&job).unwrap().coinbase.as_mut().unwrap().end.truncate(20);
    let mut closed = None;
    for _ in 0..10_000 {
        // Its target is far below what 16 random headers reach.
        let Some(share) = miner.find(100_000) else { continue };
        match miner.submit(&share) {
            Ok(answer) => drop(answer),
            Err(reason) => {
                closed = Some(reason);
                break;
            }
        }
    }
    let closed = closed.unwrap();
    assert!(closed.contains("none of the last 16 shares fits its job"), "{closed}");
}

#[test]
fn channels_of_one_connection_have_their_own_users_and_close_one_by_one() {
    let house = house();
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0b100, "proxy").unwrap();
    for user in ["alice.a", "bob.b", "carol.c"] {
        ask(&mut line, 7, &Wish::extended(user));
    }
    let (mut opened, mut jobs) = (0, 0);
    while jobs < 3 {
        match line.read().unwrap().0 {
            0x14 => opened += 1,
            0x1f => jobs += 1,
            _ => {}
        }
    }
    assert_eq!(opened, 3);
    let users = || house.running.stats.snapshot().connections.iter().map(|one| one.workers[0].clone()).collect();
    let shown: Vec<String> = users();
    assert_eq!(shown, ["alice.a", "bob.b", "carol.c"]);
    // Channel ids follow that of the group, 1.
    line.send(0x18, true, CloseChannel { channel_id: 3, reason_code: "".try_into().unwrap() });
    let since = Instant::now();
    loop {
        let shown: Vec<String> = users();
        if shown == ["alice.a", "carol.c"] {
            break;
        }
        assert!(since.elapsed() < Duration::from_secs(10), "{shown:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn channels_count_as_connections_of_their_address() {
    let house = house_with(|config| config.connections_per_ip_max = 3);
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0b100, "proxy").unwrap();
    for _ in 0..4 {
        ask(&mut line, 7, &Wish::standard(USER));
    }
    let mut opened = 0;
    let refused = loop {
        match line.read().unwrap() {
            (0x11, _) => opened += 1,
            (0x12, payload) => break payload,
            _ => {}
        }
    };
    assert_eq!(opened, 3, "the first one has the connection's place");
    let text = String::from_utf8_lossy(&refused[5..]).into_owned();
    assert!(text.starts_with("channel-capacity-exhausted: too many connections from your address"), "{text}");
}

#[test]
fn handshakes_of_one_address_are_limited() {
    let house = house_with(|config| config.handshakes_burst = 3.0);
    let mut miner = house.open(&Wish::standard(USER)).unwrap();
    // Any 64 bytes are a key, which the server answers after half a millisecond of work.
    let answered = |number: u8| {
        let mut socket = TcpStream::connect(house.addr()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // The server may have closed it already.
        socket.write_all(&[number; 64]).is_ok() && socket.read_exact(&mut [0; 234]).is_ok()
    };
    let began = Instant::now();
    let count: f64 = (0..200).filter(|number| answered(*number)).map(|_| 1.0).sum();
    let most = 2.0 + limits::HANDSHAKES_PER_SECOND * began.elapsed().as_secs_f64();
    assert!((2.0..=most + 1.0).contains(&count), "{count} handshakes, and not {most}");
    assert!(house.running.stats.snapshot().connections_refused > 0);
    miner.mine(1).unwrap();
}

#[test]
fn what_channels_cost_counts_for_their_address() {
    let house = house_with(|config| config.messages_burst = 50.0);
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0b100, "proxy").unwrap();
    let start = Instant::now();
    for _ in 0..100 {
        ask(&mut line, 7, &Wish::standard(USER));
    }
    let mut opened = 0;
    while opened < 100 {
        opened += u32::from(line.read().unwrap().0 == 0x11);
    }
    let cost = f64::from(opened * (1 + limits::JOB_MESSAGES)) - 50.0;
    let least = cost / limits::ADDRESS_MESSAGES_PER_SECOND - 0.1;
    assert!(start.elapsed().as_secs_f64() > least, "{:?}", start.elapsed());
}

#[test]
fn a_proxy_with_too_many_devices_keeps_those_that_fit() {
    let house = house_with(|config| config.connections_per_ip_max = 3);
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0b100, "proxy").unwrap();
    let devices = limits::STRIKES_MAX + 8;
    for _ in 0..devices {
        ask(&mut line, 7, &Wish::standard(USER));
    }
    let mut refused = 0;
    while refused < devices - 3 {
        refused += u32::from(line.read().unwrap().0 == 0x12);
    }
    assert_eq!(house.running.stats.snapshot().connections.len(), 3);
    ask(&mut line, 7, &Wish::standard(USER));
    assert_eq!(line.read().map(|(kind, _)| kind), Ok(0x12), "the connection goes on");
}

#[test]
fn a_payload_that_does_not_come_ends_the_connection() {
    let house = house_with(|config| config.timeouts.partial_line = Duration::from_secs(1));
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0, "test").unwrap();
    ask(&mut line, 7, &Wish::standard(USER));
    // A sealed header has 22 bytes. Its payload stays away.
    line.send_part(0x18, true, CloseChannel { channel_id: 1, reason_code: "".try_into().unwrap() }, 22);
    let closed = std::iter::repeat_with(|| line.read().unwrap()).find(|(kind, _)| *kind == 0x18).unwrap();
    let reason = String::from_utf8_lossy(&closed.1[5..]).into_owned();
    assert_eq!(reason, "incomplete message: the rest did not arrive within 1 s");
}

#[test]
fn a_device_that_updates_its_rate_gets_its_target_and_never_one_that_loses_shares() {
    let house = house();
    let mut miner = house.open(&Wish::standard(USER)).unwrap();
    let share_target = common::share_target().to_le_bytes();
    assert_eq!(miner.target, share_target, "the share target caps the difficulty");
    let update = |miner: &mut Miner, nominal_hash_rate: f32, max: &[u8; 32]| {
        let (channel_id, maximum_target) = (miner.channel_id, max.into());
        miner.line.send(0x16, true, UpdateChannel { channel_id, nominal_hash_rate, maximum_target });
    };
    // 1 H/s: the lowest difficulty below the share target's.
    update(&mut miner, 1.0, &[0xff; 32]);
    miner.step(Duration::from_secs(10)).unwrap();
    let easier = miner.target;
    assert!(easier.iter().rev().gt(share_target.iter().rev()));
    assert_eq!(miner.seen.last(), Some(&0x21), "SetTarget before the job that it holds for");
    miner.mine(1).unwrap();
    // Its own maximum counts, up to the share target.
    update(&mut miner, 1.0, &share_target);
    while miner.target != share_target {
        miner.step(Duration::from_secs(10)).unwrap();
    }
    update(&mut miner, 1.0, &[0; 32]);
    assert_eq!(miner.line.read().map(|(kind, _)| kind), Ok(0x15));
    assert_eq!(miner.line.read().map(|(kind, _)| kind), Ok(0x17));
}

#[test]
fn hostile_bytes_end_their_connection_and_no_other() {
    let house = house();
    let mut good = house.open(&Wish::standard(USER)).unwrap();
    let ended = |mut line: Line| {
        let since = Instant::now();
        while line.receive(Duration::from_secs(10)).is_ok() {
            assert!(since.elapsed() < Duration::from_secs(10), "the connection ends");
        }
    };
    // Not sealed.
    let mut line = Line::connect(house.addr(), None).unwrap();
    line.send_raw(&[0x55; 200]);
    ended(line);
    // A share before SetupConnection.
    let mut line = Line::connect(house.addr(), None).unwrap();
    let close = |channel_id| CloseChannel { channel_id, reason_code: "".try_into().unwrap() };
    line.send(0x18, true, close(1));
    ended(line);
    // Too long: the server never buffers it.
    let mut line = Line::connect(house.addr(), None).unwrap();
    let long = vec![0; limits::FRAME_BYTES_MAX + 1];
    let job = NewExtendedMiningJob {
        channel_id: 2,
        job_id: 1,
        min_ntime: Sv2Option::new(None),
        version: 0,
        version_rolling_allowed: true,
        merkle_path: Seq0255::new(Vec::new()).unwrap(),
        coinbase_tx_prefix: long.as_slice().try_into().unwrap(),
        coinbase_tx_suffix: [].as_slice().try_into().unwrap(),
    };
    line.send(0x1f, true, job);
    ended(line);
    // A payload that is not its type's.
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0, "test").unwrap();
    line.send(0x10, false, close(1));
    ended(line);
    // Unknown messages are ignored.
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0, "test").unwrap();
    line.send(0xee, false, close(1));
    ask(&mut line, 7, &Wish::standard(USER));
    assert!(Miner::opened(line).is_ok());
    good.mine(1).unwrap();
}

#[test]
fn refused_wishes_are_bounded_by_strikes_and_messages_by_a_rate() {
    let house = house();
    let mut line = Line::connect(house.addr(), None).unwrap();
    set_up(&mut line, 0, "test").unwrap();
    for _ in 0..=limits::STRIKES_MAX + 8 {
        ask(&mut line, 7, &Wish::standard("mallory.x"));
    }
    let mut refused = 0;
    while let Ok(Some((kind, _))) = line.receive(Duration::from_secs(10)) {
        refused += u32::from(kind == 0x12);
    }
    assert!((limits::STRIKES_MAX..=limits::STRIKES_MAX + 2).contains(&refused), "{refused}");
    let mut miner = house.open(&Wish::standard(USER)).unwrap();
    for _ in 0..6_000 {
        miner.line.send(0xee, false, CloseChannel { channel_id: 1, reason_code: "".try_into().unwrap() });
    }
    let ended = std::iter::repeat_with(|| miner.step(Duration::from_secs(10))).find_map(Result::err).unwrap();
    assert!(ended.contains("too many messages"), "{ended}");
}
