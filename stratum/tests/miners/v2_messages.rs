//! Stratum v2 byte for byte: what devices send, written down from the specification, and what the server answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hex::{DisplayHex, FromHex};
use stratum::v2::{CloseReason, Frame, Session};
use stratum::{Authority, Difficulty, limits};

use crate::common::{self, OneWork};

/// A session that is driven by hand.
struct Driven {
    session: Session,
    now: Instant,
}

impl Driven {
    fn new(pool: &Arc<OneWork>) -> Self {
        let now = Instant::now();
        Self { session: Session::alone(Arc::clone(pool) as _, now), now }
    }

    /// Sends a frame in hex, and returns the answers in hex.
    fn send(&mut self, hex: &str) -> Result<Vec<String>, CloseReason> {
        let bytes = Vec::from_hex(&hex.replace(' ', "")).unwrap();
        let handled = self.session.handle(Frame::from_plain(&bytes).expect("one frame"), self.now);
        let answers = self.answers();
        handled.map(|()| answers)
    }

    fn answers(&mut self) -> Vec<String> {
        while self.session.next_job(self.now).is_some() {}
        let mut bytes = self.session.take_output();
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let length = 6 + usize::from(bytes[3]) + usize::from(bytes[4]) * 256;
            let rest = bytes.split_off(length);
            frames.push(bytes.to_lower_hex_string());
            bytes = rest;
        }
        frames
    }
}

/// `SetupConnection` of a Bitaxe for a standard channel: mining, version 2, standard jobs and version rolling, host
/// 10.0.0.5, port 3336, "bitaxe", "BM1370", no firmware, no device.
const SETUP: &str =
    "000000 240000 00 0200 0200 05000000 08 31302e302e302e35 080d 06 626974617865 06 424d31333730 00 00";
/// The same for an extended channel.
const SETUP_EXTENDED: &str =
    "000000 240000 00 0200 0200 04000000 08 31302e302e302e35 080d 06 626974617865 06 424d31333730 00 00";
/// `SetupConnection.Success`: version 2, no flags.
const SET_UP: &str = "000001060000020000000000";

/// `OpenStandardMiningChannel` number 1 for alice.rig1 with 1 TH/s and any target.
fn open_standard() -> String {
    format!("000010 330000 01000000 0a 616c6963652e72696731 a5d46853 {}", "ff".repeat(32))
}

/// `OpenExtendedMiningChannel` of the same, with 2 bytes to roll.
fn open_extended() -> String {
    format!("000013 350000 01000000 0a 616c6963652e72696731 a5d46853 {} 0200", "ff".repeat(32))
}

#[test]
fn a_bitaxe_shakes_hands_and_gets_a_standard_job_and_its_block() {
    let pool = OneWork::new();
    let mut driven = Driven::new(&pool);
    assert_eq!(driven.send(SETUP).unwrap(), [SET_UP]);
    let answers = driven.send(&open_standard()).unwrap();
    let [opened, job, tip] = answers.as_slice() else { panic!("{answers:?}") };
    let target = common::share_target().to_le_bytes().to_lower_hex_string();
    // Request 1, channel 2, the target, an extranonce of 16 bytes, group 1.
    assert!(opened.starts_with(&format!("0000113d00000100000002000000{target}10")), "{opened}");
    assert!(opened.ends_with("000000000000000001000000"), "{opened}");
    // A channel's message, channel 2, some job, no time yet, the version, a root.
    assert!(job.starts_with("0080152d000002000000"), "{job}");
    let (id, rest) = job[20..].split_at(8);
    assert!(rest.starts_with("00 00000020".replace(' ', "").as_str()) && rest.len() == 10 + 64, "{job}");
    let work = pool.set(|_| {});
    let (time, bits) = (work.time.to_le_bytes(), work.bits.to_consensus().to_le_bytes());
    let prev: [u8; 32] = *work.prev_block.as_ref();
    let expected = format!("00802030000002000000{id}{}{}{}", prev.as_hex(), time.as_hex(), bits.as_hex());
    assert_eq!(*tip, expected);
}

#[test]
fn an_extended_job_has_the_coinbase_around_the_extranonce() {
    let pool = OneWork::new();
    let work = pool.set(|_| {});
    let mut driven = Driven::new(&pool);
    driven.send(SETUP_EXTENDED).unwrap();
    let answers = driven.send(&open_extended()).unwrap();
    let [opened, job, _] = answers.as_slice() else { panic!("{answers:?}") };
    // 8 bytes to roll after a prefix of 8.
    let target = common::share_target().to_le_bytes().to_lower_hex_string();
    assert!(opened.starts_with(&format!("00001437000001000000 02000000 {target}0800 08").replace(' ', "")), "{opened}");
    let path: String = work.branch.iter().map(|node| node.to_lower_hex_string()).collect();
    let end = [&work.outputs[..], &work.coinb2].concat();
    let length = |bytes: &[u8]| (bytes.len() as u16).to_le_bytes().to_lower_hex_string();
    let (start_bytes, end_bytes) = (work.coinb1.to_lower_hex_string(), end.to_lower_hex_string());
    let (start_length, end_length) = (length(&work.coinb1), length(&end));
    // No time yet, the version, which may be rolled, 3 nodes, and the two parts.
    let expected = format!("00000000200103{path}{start_length}{start_bytes}{end_length}{end_bytes}");
    assert!(job.starts_with("00801f") && job[28..] == expected, "{job}\n{expected}");
}

#[test]
fn a_share_of_difficulty_0_is_answered_byte_for_byte() {
    let pool = OneWork::new();
    pool.set(|parts| parts.share_target = bitcoin::Target::from_be_bytes([0xff; 32]));
    let mut driven = Driven::new(&pool);
    driven.send(SETUP).unwrap();
    let answers = driven.send(&open_standard()).unwrap();
    let job = answers[1][20..28].to_owned();
    let time = common::TIME.to_le_bytes().to_lower_hex_string();
    // Channel 2, number 9, the job, nonce 5, time, version: difficulty is capped by the share target, so it counts.
    let submit = format!("00801a18000002000000 09000000 {job} 05000000 {time} 00000020");
    // Channel 2, up to number 9, one share, difficulty rounded up to 1.
    assert_eq!(
        driven.send(&submit).unwrap(),
        ["00801c140000020000000900000001000000 0100000000000000".replace(' ', "")]
    );
    assert_eq!(pool.found().len(), 1);
    let rejected = |code: &str| {
        let text = code.as_bytes().to_lower_hex_string();
        format!("00801d{:02x}0000 02000000 09000000 {:02x}{text}", 9 + code.len(), code.len()).replace(' ', "")
    };
    assert_eq!(driven.send(&submit).unwrap(), [rejected("duplicate-share")]);
    let other = format!("00801a18000002000000 09000000 ffffff7f 05000000 {time} 00000020");
    assert_eq!(driven.send(&other).unwrap(), [rejected("invalid-job-id")]);
    // A custom job: channel 2, request 3.
    let custom = driven.send("008022 080000 02000000 03000000").unwrap();
    assert_eq!(custom, ["00802419000002000000 03000000 106a642d6e6f742d737570706f72746564".replace(' ', "")]);
}

#[test]
fn setups_for_something_else_are_refused_with_the_code() {
    let pool = OneWork::new();
    for (setup, flags, code) in [
        (SETUP.replacen("00 0200 0200", "01 0200 0200", 1), "00000000", "unsupported-protocol"),
        (SETUP.replacen("0200 0200", "0300 0400", 1), "00000000", "protocol-version-mismatch"),
        (SETUP.replacen("05000000", "0f000000", 1), "0a000000", "unsupported-feature-flags"),
    ] {
        let mut driven = Driven::new(&pool);
        assert!(matches!(driven.send(&setup), Err(CloseReason::Setup(_))));
        let bytes = Vec::from_hex(&setup.replace(' ', "")).unwrap();
        let mut driven = Driven::new(&pool);
        assert!(driven.session.handle(Frame::from_plain(&bytes).unwrap(), driven.now).is_err());
        let text = code.as_bytes().to_lower_hex_string();
        let expected = format!("000002{:02x}0000{flags}{:02x}{text}", 5 + code.len(), code.len());
        assert_eq!(driven.answers(), [expected]);
    }
}

#[test]
fn deadlines_and_keepalive_are_those_of_v1() {
    let pool = OneWork::new();
    let mut driven = Driven::new(&pool);
    let start = driven.now;
    let just_before = limits::HANDSHAKE - Duration::from_millis(1);
    assert_eq!(driven.session.tick(start + just_before), Ok(()));
    assert_eq!(driven.session.tick(start + limits::HANDSHAKE), Err(CloseReason::Handshake(30)));
    // A proxy may wait for its miners.
    driven.send(SETUP).unwrap();
    assert_eq!(driven.session.tick(start + limits::HANDSHAKE), Ok(()));
    assert_eq!(driven.session.tick(start + limits::IDLE), Err(CloseReason::Idle(1_800)));
    driven.send(&open_standard()).unwrap();
    let mut jobs = Vec::new();
    for ticks in 1..=40 {
        driven.now = start + limits::TICK * ticks;
        driven.session.tick(driven.now).unwrap();
        jobs.extend(driven.answers());
    }
    // Two minutes: two keepalives, each with a root and a time of its own, since some devices begin their nonces anew.
    jobs.retain(|frame| frame.starts_with("008015"));
    assert!(jobs.len() >= 2, "{jobs:?}");
    let roots: std::collections::HashSet<_> = jobs.iter().map(|job| job[job.len() - 64..].to_owned()).collect();
    assert_eq!(roots.len(), jobs.len());
    assert!(jobs.iter().all(|job| job[28..30] == *"01"), "they start at once");
    pool.withdraw();
    driven.session.handle_change().unwrap();
    assert_eq!(driven.answers(), [""; 0]);
    driven.now += Duration::from_secs(120);
    driven.session.tick(driven.now).unwrap();
    assert_eq!(driven.answers(), [""; 0], "no job is repeated without work");
    let idle = driven.session.tick(start + limits::IDLE);
    assert_eq!(idle, Err(CloseReason::Idle(1_800)));
}

#[test]
fn updates_of_a_channel_do_not_each_cost_a_job() {
    let pool = OneWork::new();
    pool.set(|parts| parts.share_target = Difficulty::floor(1e9).target());
    let mut driven = Driven::new(&pool);
    driven.send(SETUP).unwrap();
    driven.send(&open_standard()).unwrap();
    let mut jobs = 0;
    for step in 1..=1_000u16 {
        // A terahash a second, and a hundredth of it more each time: another difficulty.
        let rate = (1e12 * (1.0 + f32::from(step) / 100.0)).to_le_bytes().to_lower_hex_string();
        let frames = driven.send(&format!("008016 280000 02000000 {rate} {}", "ff".repeat(32))).unwrap();
        jobs += frames.iter().filter(|frame| frame.starts_with("008015")).count();
    }
    assert_eq!(jobs, 16, "each has up to 44 KB, and the message that causes it 46 bytes");
    driven.now += limits::TICK;
    driven.session.tick(driven.now).unwrap();
    let kinds: Vec<_> = driven.answers().iter().map(|frame| frame[..6].to_owned()).collect();
    assert_eq!(kinds, ["008021", "008015"], "the newest word counts all the same");
    driven.session.tick(driven.now).unwrap();
    assert_eq!(driven.answers(), [""; 0], "once");
}

#[test]
fn the_key_is_written_as_sri_writes_it() {
    // From the documentation of SRI's roles: the secret key mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2n.
    let secret = bitcoin::base58::decode_check("mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2n").unwrap();
    let authority = Authority::from_secret(secret.try_into().unwrap()).unwrap();
    assert_eq!(authority.public_key_text(), "9auqWEzQDVyd2oe1JVGFLMLHZtCo2FFqZwtKA5gd9xbuEu7PH72");
    assert!(Authority::from_secret([0; 32]).is_err() && Authority::from_secret([0xff; 32]).is_err());
    assert!(!format!("{authority:?}").contains("mkDL"), "the secret is not shown");
}
