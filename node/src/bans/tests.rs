use std::time::{Duration, Instant};

use p2p::BanView;
use p2p_proto::PeerId;
use p2p_proto::bans::Banned;

use super::{FILE, Saved, SavedBan, in_force, load, write};

fn ban(what: Banned, left_s: u64) -> BanView {
    let until = Instant::now() + Duration::from_secs(left_s);
    BanView { what, until, by_operator: true, reason: "noise, \"quoted\"".to_owned() }
}

fn left_s(ban: &BanView) -> u64 {
    ban.until.saturating_duration_since(Instant::now()).as_secs()
}

#[test]
fn bans_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    assert!(load(dir.path()).is_empty(), "none yet");
    let range: Banned = "203.0.113.0/24".parse().unwrap();
    let bans = [ban(Banned::Peer(PeerId([7; 32])), 600), ban(range, 86_400)];
    write(&dir.path().join(FILE), &bans).unwrap();
    let again = load(dir.path());
    assert_eq!(again.len(), 2);
    for (old, new) in bans.iter().zip(&again) {
        assert_eq!((old.what, old.by_operator, &old.reason), (new.what, new.by_operator, &new.reason));
        assert!(left_s(new).abs_diff(left_s(old)) <= 2);
    }
}

#[test]
fn a_wrong_clock_makes_no_ban_longer() {
    let saved = || Saved {
        saved_unix_s: 1_000_000,
        bans: [100, 5_000]
            .map(|left_s| SavedBan {
                what: "203.0.113.7".to_owned(),
                left_s,
                by_operator: false,
                reason: String::new(),
            })
            .into(),
    };
    let left = |now| in_force(saved(), now).iter().map(|ban| left_s(ban) + 1).collect::<Vec<_>>();
    assert_eq!(left(1_000_000), [100, 5_000]);
    assert_eq!(left(1_000_040), [60, 4_960]);
    assert_eq!(left(1_001_000), [4_000], "over while the node was off");
    assert_eq!(left(0), [100, 5_000], "the clock was set back, or ran ahead before");
    assert!(left(u32::MAX).is_empty());
}

#[test]
fn an_unreadable_file_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), "{\"saved_unix_s\": 5, \"bans\": [{").unwrap();
    assert!(load(dir.path()).is_empty());
    assert!(!dir.path().join(FILE).exists() && dir.path().join("bans.unreadable").exists());
}
