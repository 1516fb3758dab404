//! A whole node with two real bitcoinds, whose only connection is the node: when the first is gone, miners go on within seconds; the
//! blocks that they find then reach the first when it is back.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testnet::bitcoind::RealBitcoin;
use testnet::network::Chain;
use testnet::rpc::Rpc;
use tokio::runtime::Runtime;

use crate::harness::{Up, working};
use crate::line::Line;

const SOON: Duration = Duration::from_secs(60);

/// Puts a line between the node and its bitcoind, gives it a second one, and returns the line, a client of the first bitcoind, and
/// the address for miners.
fn with_second(up: &mut Up, second: &RealBitcoin) -> (Line, Rpc, SocketAddr) {
    let path = up.dir().join("node-A/shoal.toml");
    let mut config: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    let first: SocketAddr =
        config["bitcoind"]["url"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    let rpc = Rpc::new(first, Path::new(config["bitcoind"]["cookie_file"].as_str().unwrap()).to_owned());
    let line = Line::new(first);
    config["bitcoind"]["url"] = format!("http://{}", line.address).into();
    let (address, cookie) = (second.rpc_address(), second.cookie_path().display());
    let bitcoind = config["bitcoind"].as_table_mut().unwrap();
    bitcoind.insert("fallback".to_owned(), vec![format!("http://{address} cookie_file={cookie}")].into());
    up.must(&["kill", "A"]);
    std::fs::write(path, config.to_string()).unwrap();
    up.must(&["restart", "A"]);
    (line, rpc, config["stratum"]["listen"].as_str().unwrap().parse().unwrap())
}

/// Connects a device, again and again until it has a job: the node may just be starting.
fn device(server: SocketAddr) -> BufReader<TcpStream> {
    let began = Instant::now();
    loop {
        if let Some(lines) = try_device(server) {
            return lines;
        }
        assert!(began.elapsed() < SOON, "no job for a device");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn try_device(server: SocketAddr) -> Option<BufReader<TcpStream>> {
    let mut socket = TcpStream::connect(server).ok()?;
    socket.set_read_timeout(Some(SOON)).ok()?;
    let say = |method: &str, params: Value| format!("{}\n", json!({ "id": 1, "method": method, "params": params }));
    let user = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx.rig";
    socket.write_all(say("mining.subscribe", json!(["cgminer/4.12"])).as_bytes()).ok()?;
    socket.write_all(say("mining.authorize", json!([user, "x"])).as_bytes()).ok()?;
    let mut lines = BufReader::new(socket);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if is_job(&line) {
            return Some(lines);
        }
    }
}

fn is_job(line: &str) -> bool {
    line.contains("mining.notify\"") && line.contains("\"params\"")
}

/// The longest time that a device is without a new job until then, and whether it loses its connection.
fn longest_pause(lines: BufReader<TcpStream>, until: Instant) -> (Duration, bool) {
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    for line in lines.lines() {
        let Ok(line) = line else { return (longest, true) };
        if is_job(&line) {
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
        if Instant::now() > until {
            return (longest, false);
        }
    }
    (longest, true)
}

#[test]
fn miners_go_on_when_a_bitcoind_is_gone_and_no_block_is_lost() {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let second = runtime.block_on(RealBitcoin::start(Chain::Local, folder.path(), port)).unwrap();
    let height = |rpc: &Rpc| runtime.block_on(rpc.call("getblockcount", json!([]))).unwrap().as_u64().unwrap();
    let best = |rpc: &Rpc| runtime.block_on(rpc.call_str("getbestblockhash", json!([]))).unwrap();
    let mut up = Up::start(&["--nodes", "1", "--miners", "1", "--bitcoin", "bitcoind", "--hashrate", "800k"]);
    up.wait_for("the node working", SOON, |status| working(status) == 1);
    let (mut line, first, stratum) = with_second(&mut up, &second);
    let lines = device(stratum);
    up.wait_for("both bitcoinds with one tip", SOON, |status| {
        working(status) == 1 && best(&first) == best(second.rpc())
    });

    let jobs = std::thread::spawn(move || longest_pause(lines, Instant::now() + Duration::from_secs(15)));
    std::thread::sleep(Duration::from_secs(1));
    line.cut();
    let (longest, lost) = jobs.join().unwrap();
    println!("the longest time without a job was {longest:?}");
    assert!(!lost && longest < Duration::from_secs(10), "{longest:?}, lost {lost}");
    let before = height(&first);
    up.wait_for("a block at the second", SOON, |status| working(status) == 1 && height(second.rpc()) > before);

    line.mend();
    up.wait_for("the first with the same tip", SOON, |_| height(&first) > before && best(&first) == best(second.rpc()));
    up.wait_for("work", SOON, |status| working(status) == 1);
    up.must(&["stop"]);
    assert!(up.end(SOON).success(), "{}", up.log());
    up.check(&["--agreed", "--lost-max", "0"]);
    runtime.block_on(second.stop());
}
