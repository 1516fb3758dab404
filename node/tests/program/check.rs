//! The program itself: `shoal check`, exit codes, and which settings override which.

mod faults;

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tempfile::TempDir;

fn shoal(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
    command.env_clear().env("HOME", home);
    // Port 0 is any free port.
    command.args(["--stratum-listen=127.0.0.1:0", "--p2p-listen=127.0.0.1:0", "--api-listen=127.0.0.1:0"]);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Findings with this name, and whether they are good.
fn findings(output: &Output, name: &str) -> Vec<(bool, String)> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["name"] == name);
    findings.map(|f| (f["ok"].as_bool().unwrap(), f["words"].as_str().unwrap().to_owned())).collect()
}

/// Differences from a healthy bitcoind.
#[derive(Clone, Copy, Default)]
struct Ill {
    /// Seconds by which its clock is ahead of this machine's.
    clock_s: i64,
    /// Seconds by which its peers' clocks are ahead of its own.
    peers_s: i64,
    /// Transactions that wait for a block.
    waiting: u64,
}

impl Ill {
    fn answer(self, method: &str) -> Value {
        let hash = "00".repeat(32);
        let target = format!("0377ae{}", "00".repeat(27));
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let time = i64::try_from(since.as_secs()).unwrap() + self.clock_s;
        match method {
            "getnetworkinfo" => json!({
                "version": 290_000, "subversion": "/Satoshi:29.0.0/", "connections": 3, "timeoffset": self.peers_s,
            }),
            "getblockchaininfo" => json!({
                "chain": "signet", "blocks": 10, "headers": 10, "bestblockhash": hash,
                "initialblockdownload": false, "signet_challenge": "51",
            }),
            "getmempoolinfo" => json!({ "size": self.waiting }),
            _ => json!({
                "version": 4, "previousblockhash": hash, "height": 11, "bits": "1e0377ae", "curtime": time,
                "target": format!("0000{}", &target[..60]), "mintime": 8, "coinbasevalue": 50, "transactions": [],
                "sigoplimit": 80_000, "signet_challenge": "51",
            }),
        }
    }
}

/// The smallest server that `shoal check` accepts as a bitcoind.
async fn bitcoind(ill: Ill) -> SocketAddr {
    let answer = move |Json(request): Json<Value>| async move {
        let result = ill.answer(request["method"].as_str().unwrap());
        Json(json!({ "id": 0, "result": result }))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await.unwrap() });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_node_passes() {
    let home = TempDir::new().unwrap();
    let url = format!("--bitcoind-url=http://{}", bitcoind(Ill::default()).await);
    let check = |json: &[&str]| {
        let mut command = shoal(home.path());
        command.args([
            "--network=local",
            "--new-pool",
            "--bitcoind-user=u",
            "--bitcoind-password=hunter2",
            &url,
            "check",
        ]);
        command.args(json).output().unwrap()
    };
    let output = check(&[]);
    let lines = text(&output.stdout);
    assert!(output.status.success(), "{lines}");
    assert!(lines.lines().count() >= 10 && lines.lines().all(|line| line.starts_with("✓ ")), "{lines}");
    assert!(!lines.contains("hunter2"));
    let output = check(&["--json"]);
    assert_eq!(findings(&output, "template"), [(true, "block 11 with 0 transactions".to_owned())]);
    assert!(!home.path().join(".shoal").exists(), "a check changes nothing");
}

#[test]
fn an_unreachable_bitcoind_fails_with_one_line() {
    let home = TempDir::new().unwrap();
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = shoal(home.path());
    command.args(["check", "--json", "--bitcoind-user=u", "--bitcoind-password=p"]);
    let output = command.arg(format!("--bitcoind-url=http://{unused}")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found = findings(&output, "bitcoind");
    assert!(matches!(&found[..], [(false, words)] if words.contains("cannot be reached at")), "{found:?}");
    assert!(
        found[0].1.ends_with(": nothing listens there") && !found[0].1.contains("os error"),
        "own words: {found:?}"
    );
}

/// A node without peers hands out no work, even if everything else is good.
#[test]
fn peers_are_dialed_and_a_node_that_reaches_none_will_have_no_work() {
    let home = TempDir::new().unwrap();
    let check = |arguments: &[&str]| {
        let output = shoal(home.path()).args(["check", "--json", "--network=local"]).args(arguments).output().unwrap();
        findings(&output, "peers").remove(0)
    };
    let (ok, words) = check(&[]);
    assert!(!ok && words.contains("hands out no work") && words.contains("p2p.peers"), "{words}");
    assert!(check(&["--new-pool"]).0, "the first node of a pool has none");

    let answering = |answer: &'static [u8]| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // The other side may close the connection first.
                let _ = stream.unwrap().write_all(answer);
            }
        });
        format!("--p2p-peers=/ip4/127.0.0.1/tcp/{port}")
    };
    let (node, other) = (answering(b"\x13/multistream/1.0.0\n"), answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = format!("--p2p-peers=/ip4/127.0.0.1/tcp/{unused}");
    let (ok, words) = check(&[&dead, &other]);
    assert!(!ok && words.contains("no configured peer answers"), "{words}");
    assert!(words.contains("nothing listens there") && words.contains("something other than a node"), "{words}");
    let (ok, words) = check(&[&dead, &node]);
    assert!(ok && words.starts_with("1 of 2 answer; ") && words.contains("nothing listens there"), "{words}");
}

#[test]
fn a_pairing_link_carries_a_code_where_no_server_sees_it_and_not_the_token() {
    let home = TempDir::new().unwrap();
    let pair = |listen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shoal"));
        command.env_clear().env("HOME", home.path()).args(["pair", "--data-dir"]).arg(home.path());
        command.arg(format!("--api-listen={listen}")).output().unwrap()
    };
    let shown = text(&pair("127.0.0.1:3380").stdout);
    let code = fs::read_to_string(home.path().join("pairing-code")).unwrap();
    let code = code.split(' ').next().unwrap();
    assert!(shown.lines().any(|line| line == format!("http://127.0.0.1:3380/#pair={code}")), "{shown}");
    let token = fs::read_to_string(home.path().join("api-token")).unwrap();
    assert!(code.len() == 32 && !shown.contains(token.trim()), "{shown}");
    assert!(shown.contains("works on this machine only") && shown.contains('\u{2588}'), "{shown}");
    let shown = text(&pair("0.0.0.0:3380").stdout);
    assert!(shown.contains(":3380/#pair=") && !shown.contains("0.0.0.0:3380/"), "{shown}");
    assert!(!shown.contains(code), "each link has a code of its own");
}

#[test]
fn ports_in_use_fail() {
    let home = TempDir::new().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let sockets = std::iter::repeat_with(|| UdpSocket::bind("127.0.0.1:0").unwrap());
    let free_for_tcp = |udp: &UdpSocket| TcpListener::bind(udp.local_addr().unwrap()).is_ok();
    let udp = sockets.take(100).find(free_for_tcp).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_shoal"))
        .args(["check", "--json", "--api-listen=127.0.0.1:0"])
        .arg(format!("--stratum-listen={}", tcp.local_addr().unwrap()))
        .arg(format!("--p2p-listen={}", udp.local_addr().unwrap()))
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stratum = findings(&output, "stratum");
    assert!(matches!(&stratum[..], [(false, words)] if words.contains("is in use")), "{stratum:?}");
    let p2p: Vec<bool> = findings(&output, "p2p").into_iter().map(|(ok, _)| ok).collect();
    assert_eq!(p2p, [true, false], "TCP is free, UDP is not");
}

/// The start fails before the node requests headers: this stand-in for bitcoind has none.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_fails_at_once_when_a_port_for_peers_is_in_use() {
    let home = TempDir::new().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("--bitcoind-url=http://{}", bitcoind(Ill::default()).await);
    for used in [tcp.local_addr().unwrap(), udp.local_addr().unwrap()] {
        let output = Command::new(env!("CARGO_BIN_EXE_shoal"))
            .args(["run", "--network=local", "--bitcoind-user=u", "--bitcoind-password=p", &url])
            .args(["--api-listen=127.0.0.1:0", "--stratum-listen=127.0.0.1:0", "--log=off"])
            .arg(format!("--p2p-listen={used}"))
            .env_clear()
            .env("HOME", home.path())
            .output()
            .unwrap();
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(&format!("the connection to other nodes cannot listen on {used}; stop")), "{words}");
    }
}

#[test]
fn a_database_in_use_fails() {
    let home = TempDir::new().unwrap();
    let path = home.path().join(".shoal/testnet4/store");
    let consensus_id = node::config::Network::Testnet4.chain_params(node::config::Outputs::Standard).consensus_id();
    let store = node::store::Store::open(&path, consensus_id).unwrap();
    let database = || findings(&shoal(home.path()).args(["check", "--json"]).output().unwrap(), "database");
    let found = database();
    assert!(matches!(&found[..], [(false, words)] if words.contains("in use by another process")), "{found:?}");
    drop(store);
    assert!(database()[0].0);
}

#[test]
fn a_variable_that_is_no_setting_is_refused() {
    let home = TempDir::new().unwrap();
    let output = shoal(home.path()).env("SHOAL_NETWROK", "main").arg("run").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("SHOAL_NETWROK; did you mean SHOAL_NETWORK?"), "{}", text(&output.stderr));
}

#[test]
fn a_data_dir_that_cannot_be_used_fails() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let mut command = shoal(home.path());
    let output = command.args(["check", "--json", "--data-dir"]).arg(file.join("data")).output().unwrap();
    let found = findings(&output, "data_dir");
    assert!(matches!(&found[..], [(false, words)] if words.contains("not writable")), "{found:?}");
}

#[test]
fn a_database_of_another_network_fails() {
    let home = TempDir::new().unwrap();
    let path = home.path().join(".shoal/testnet4/store");
    drop(node::store::Store::open(&path, [9; 32]).unwrap());
    let output = shoal(home.path()).args(["check", "--json"]).output().unwrap();
    let found = findings(&output, "database");
    assert!(matches!(&found[..], [(false, words)] if words.contains("another share-chain")), "{found:?}");
}

#[test]
fn a_wrong_configuration_is_one_sentence_and_code_2() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("shoal.toml");
    fs::write(&file, "network = \"main\"\nlisten = \"0.0.0.0:1\"\n").unwrap();
    let run = |command: &str| shoal(home.path()).arg(command).arg("--config").arg(&file).output().unwrap();
    for command in ["run", "status"] {
        let output = run(command);
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(words.contains("shoal.toml line 2: unknown key `listen`; did you mean `"), "{words}");
    }
    let output = run("check");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).starts_with("✗ config "), "{}", text(&output.stdout));
    assert!(output.stderr.is_empty());
}

/// Two small pools would be two cheap targets.
#[test]
fn a_wide_pool_on_main_does_not_start() {
    let home = TempDir::new().unwrap();
    let run = |command: &str| shoal(home.path()).args([command, "--network=main", "--outputs=wide"]).output().unwrap();
    let output = run("run");
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
    assert!(words.contains("`outputs = \"wide\"` is not launched on main, because two small pools"), "{words}");
    assert!(!home.path().join(".shoal").exists(), "nothing was created");
    let report = run("check");
    assert!(
        text(&report.stdout).starts_with("✗ config    `outputs = \"wide\"` is not launched"),
        "{}",
        text(&report.stdout)
    );
}

#[test]
fn a_missing_config_file_is_an_error_only_if_it_was_named() {
    let home = TempDir::new().unwrap();
    let output = shoal(home.path()).args(["check", "--json", "--config=/nowhere/shoal.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = shoal(home.path()).args(["check", "--json"]).output().unwrap();
    assert!(findings(&output, "config")[0].0);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join(".shoal")).unwrap();
    fs::write(home.path().join(".shoal/shoal.toml"), "network = \"main\"\n").unwrap();
    let network = |env: &str, flags: &[&str]| {
        let mut command = shoal(home.path());
        let output = command.env("SHOAL_NETWORK", env).args(["check", "--json"]).args(flags).output().unwrap();
        findings(&output, "config")[0].1.split(',').next().unwrap().to_owned()
    };
    assert_eq!(network("", &[]), "network main");
    assert_eq!(network("signet", &[]), "network signet");
    assert_eq!(network("signet", &["--network", "local"]), "network local");
    let output = shoal(home.path()).env("SHOAL_NETWORK", "moon").arg("run").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("the environment variable SHOAL_NETWORK: `network` cannot be \"moon\""));
}
