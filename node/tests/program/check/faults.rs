//! Faults that a check must find, whether or not `shoal run` starts with them.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::thread;

use node::config::{Network, Outputs};
use node::store::{Record, RecordKind, Store};
use tempfile::TempDir;

use super::{Ill, bitcoind, findings, shoal};

/// Findings of a check that knows the user and password of a bitcoind.
fn check_with(home: &Path, arguments: &[&str]) -> Output {
    let credentials = ["check", "--json", "--bitcoind-user=u", "--bitcoind-password=p"];
    shoal(home).args(credentials).args(arguments).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_fees_and_height_are_compared_with_what_bitcoind_says() {
    let home = TempDir::new().unwrap();
    let found = async |ill: Ill, network: &str, name: &str| {
        let url = format!("--bitcoind-url=http://{}", bitcoind(ill).await);
        findings(&check_with(home.path(), &[&url, network, "--new-pool"]), name)
    };
    let local = "--network=local";
    assert_eq!(found(Ill::default(), local, "clock").await, [(true, "within 60 s of bitcoind's".to_owned())]);
    for (ill, words) in [
        (Ill { clock_s: 3_600, ..Ill::default() }, ["this machine's clock is 3600 s behind", "clock is 3599 s behind"]),
        (
            Ill { clock_s: -10_800, ..Ill::default() },
            ["clock is 10800 s ahead of bitcoind's", "clock is 10801 s ahead"],
        ),
        (Ill { peers_s: 90, ..Ill::default() }, ["bitcoind's clock is 90 s behind its peers'"; 2]),
    ] {
        let (ok, found) = found(ill, local, "clock").await.remove(0);
        // A second may pass between two readings of a clock.
        assert!(!ok && words.iter().any(|words| found.contains(words)) && found.contains("NTP"), "{found}");
    }
    let (ok, words) = found(Ill { waiting: 40_000, ..Ill::default() }, local, "template").await.remove(0);
    assert!(!ok && words.contains("0% full, though 40000 more wait") && words.contains("`blockmaxweight`"), "{words}");
    assert!(found(Ill { waiting: 900, ..Ill::default() }, local, "template").await[0].0, "a few may pay too little");
    let (ok, words) = found(Ill::default(), "--network=rehearsal", "start").await.remove(0);
    assert!(!ok && words.contains("starts at Bitcoin height 1048320, and bitcoind has 10 blocks"), "{words}");
}

#[test]
fn a_short_key_and_a_damaged_database_are_found() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    let check = |name: &str| {
        let data_dir = format!("--data-dir={}", data.display());
        findings(&check_with(home.path(), &["--network=local", &data_dir]), name).remove(0)
    };
    let key = data.join("identity.key");
    assert!(check("identity").0 && !key.exists(), "a check creates no key");
    for bytes in [0, 31, 33] {
        fs::write(&key, vec![7; bytes]).unwrap();
        let (ok, words) = check("identity");
        assert!(!ok && words.contains(&format!("has {bytes} bytes, but a key has 32; restore it")), "{words}");
    }
    fs::write(&key, [7; 32]).unwrap();
    assert!(check("identity").0);
    assert!(check("disk").1.contains("MB left"));
    let store = data.join("store");
    fill(&store);
    let (ok, words) = check("database");
    assert!(ok && words.contains("records can be read"), "{words}");
    // Of another user, or broken in another way: this user is root in some tests, who may write everything else.
    fs::remove_file(store.join("LOG")).unwrap();
    std::os::unix::fs::symlink("LOG", store.join("LOG")).unwrap();
    let (ok, words) = check("database");
    assert!(!ok && words.contains("store/LOG cannot be written by this user"), "{words}");
    fs::remove_file(store.join("LOG")).unwrap();
    damage(&store);
    let (ok, words) = check("database");
    assert!(!ok && words.contains("is damaged; `shoal db repair` keeps what is sound"), "{words}");
}

/// `shoal run` failed with each of them, after a check without a complaint.
#[test]
fn files_and_ports_that_stop_a_start_are_found() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    let data_dir = format!("--data-dir={}", data.display());
    let check = |arguments: &[&str], name: &str| {
        let arguments = [&["--network=local", &data_dir][..], arguments].concat();
        findings(&check_with(home.path(), &arguments), name)
    };
    fs::write(data.join("stratum.key"), [0; 31]).unwrap();
    let v2 = "--stratum-listeners=127.0.0.1:0 v2";
    assert!(check(&[], "identity").iter().all(|(ok, _)| *ok), "no miner needs it");
    for (bytes, words) in [(31, "stratum.key has 31 bytes"), (32, "does not hold a key for miners")] {
        fs::write(data.join("stratum.key"), vec![0; bytes]).unwrap();
        let (ok, found) = check(&[v2], "identity").remove(1);
        assert!(!ok && found.contains(words) && found.contains("move it away to get a new one"), "{found}");
    }
    assert!(check(&[], "token").is_empty());
    fs::create_dir(data.join("api-token")).unwrap();
    let (ok, found) = check(&[], "token").remove(0);
    assert!(!ok && found.contains("api-token cannot be read or written; check its permissions"), "{found}");

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let [miners, all] = [free.to_string(), format!("0.0.0.0:{}", free.port())];
    let found = check(&[&format!("--stratum-listen={miners}"), &format!("--api-listen={all}")], "api");
    let [(false, words)] = &found[..] else { panic!("{found:?}") };
    assert!(words.contains("is set twice; set another port, in `api.listen` or `stratum.listen`"), "{words}");
    let peers = format!("--p2p-listen={miners}");
    let found = check(&[&peers, &peers], "p2p").into_iter().filter(|(_, words)| words.contains("twice"));
    let twice = format!("TCP {miners} is set twice; set another port, in `p2p.listen`");
    assert_eq!(found.collect::<Vec<_>>(), [(false, twice)], "a key is named once");
}

fn fill(store: &Path) {
    let store = Store::open(store, Network::Local.chain_params(Outputs::default()).consensus_id()).unwrap();
    for number in 0..2_000_u32 {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
        store.append(&[Record { kind: RecordKind::Proof, id, bytes: id.repeat(8) }]).unwrap();
    }
    store.flush().unwrap();
}

/// Inverts four bytes of the largest table.
fn damage(store: &Path) {
    let tables = fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    let tables = tables.filter(|path| path.extension().is_some_and(|ending| ending == "sst"));
    let largest = tables.max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4].iter_mut().for_each(|byte| *byte = !*byte);
    fs::write(&largest, bytes).unwrap();
}

#[test]
fn a_password_that_every_user_can_read_is_found() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("shoal.toml");
    let check = |text: &str, mode: u32| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let output = shoal(home.path()).args(["check", "--json", "--config"]).arg(&file).output().unwrap();
        findings(&output, "config").remove(0)
    };
    let secret = "network = \"local\"\n[bitcoind]\nuser = \"u\"\npassword = \"hunter2\"\n";
    let (ok, words) = check(secret, 0o644);
    assert!(!ok && words.contains("run `chmod 600 ") && !words.contains("hunter2"), "{words}");
    assert!(check(secret, 0o600).0 && check(secret, 0o640).0, "its group may be the service's");
    assert!(check("network = \"local\"\n", 0o644).0, "nothing in it is secret");
}

/// bitcoind closes a connection on which nothing comes.
#[test]
fn the_port_for_peers_in_the_url_is_named() {
    let home = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:18444").unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| drop(stream.unwrap())));
    let output = check_with(home.path(), &["--network=regtest", "--bitcoind-url=http://127.0.0.1:18444"]);
    let (ok, words) = findings(&output, "bitcoind").remove(0);
    assert!(!ok && words.contains("talks with its peers") && words.contains("18443"), "{words}");
}
