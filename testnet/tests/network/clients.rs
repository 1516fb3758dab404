//! Programs of other people at a real node: para, which mines on processors, once directly over Stratum v1 and once behind SRI's
//! translator over v2. Their shares earn, and they come back after a new tip, an outage of bitcoind and a restart of the node.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::node;
use crate::v2_scene::Scene;

/// Paths of the programs. The Makefile installs them and sets these.
const TRANSLATOR: &str = "SHOAL_TRANSLATOR";
const PARA: &str = "SHOAL_PARA";

/// Whom the two miners work for.
const DIRECT: &str = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx";
const BEHIND: &str = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7";

/// Hashrate of each miner: a tenth of a core.
const HASHRATE: &str = "150K";

/// Accepted shares that show that a miner mines.
const SHARES: usize = 3;

/// A program that ends with the test. Until then, the test starts it again if it exits.
struct Running {
    command: Command,
    child: Child,
    log: PathBuf,
    started: Instant,
}

impl Running {
    fn start(variable: &str, name: &str, scene: &Scene, args: &[&str]) -> Self {
        let Some(program) = std::env::var_os(variable).filter(|program| Path::new(program).is_file()) else {
            panic!("{variable} names no program of that kind; run this test by `make test`, which installs it");
        };
        let log = scene.up.dir().join(format!("{name}.log"));
        let file = File::create(&log).unwrap();
        let mut command = Command::new(program);
        command.args(args).env("RUST_LOG", "info").stdin(Stdio::null());
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap();
        Self { command, child, log, started: Instant::now() }
    }

    /// A miner of processors.
    fn miner(name: &str, scene: &Scene, server: SocketAddr, address: &str) -> Self {
        let (server, user) = (server.to_string(), format!("{address}.{name}"));
        let who = ["miner", &server, "--username", &user, "--password", "x"];
        Self::start(PARA, name, scene, &[&who[..], &["--cpu-cores", "1", "--throttle", HASHRATE]].concat())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Number of shares that the miner was told are accepted.
    fn accepted(&self) -> usize {
        self.log().matches("submitted successfully").count()
    }

    fn start_again_if_ended(&mut self) {
        if self.child.try_wait().unwrap().is_some() && self.started.elapsed() > Duration::from_secs(1) {
            self.child = self.command.spawn().unwrap();
            self.started = Instant::now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the translator's configuration: that of its examples but for addresses and rates.
fn configure(scene: &Scene, listen: SocketAddr) -> PathBuf {
    let url = scene.url();
    let key = url.rsplit_once('/').unwrap().1;
    let text = format!(
        "downstream_address = \"{}\"\ndownstream_port = {}\n\
         max_supported_version = 2\nmin_supported_version = 2\ndownstream_extranonce2_size = 8\n\
         verify_payout = false\naggregate_channels = false\nsupported_extensions = [2]\n\
         [downstream_difficulty_config]\nmin_individual_miner_hashrate = 50000.0\nshares_per_minute = 60.0\n\
         enable_vardiff = false\njob_keepalive_interval_secs = 60\n\
         [[upstreams]]\naddress = \"127.0.0.1\"\nport = {}\nauthority_pubkey = \"{key}\"\n\
         user_identity = \"{BEHIND}.farm\"\n",
        listen.ip(),
        listen.port(),
        scene.v2.port()
    );
    let path = scene.up.dir().join("translator.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// All three programs.
struct Clients {
    translator: Running,
    miners: [Running; 2],
}

impl Clients {
    fn start(scene: &Scene) -> Self {
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = configure(scene, listen);
        let translator = Running::start(TRANSLATOR, "translator", scene, &["-c", config.to_str().unwrap()]);
        let direct = Running::miner("direct", scene, scene.v1, DIRECT);
        Self { translator, miners: [direct, Running::miner("behind", scene, listen, BEHIND)] }
    }

    /// Waits until the node has accepted more shares of both miners.
    fn mine(&mut self, limit: Duration, mut is_enough: impl FnMut() -> bool) {
        let began = Instant::now();
        let before = self.miners.each_ref().map(Running::accepted);
        let has_more = |(miner, before): (&Running, usize)| miner.accepted() >= before + SHARES;
        while !(self.miners.iter().zip(before).all(has_more) && is_enough()) {
            let logs = || [&self.translator, &self.miners[0], &self.miners[1]].map(Running::log).join("\n\n");
            assert!(began.elapsed() < limit, "no shares in {limit:?}: {}", logs());
            self.translator.start_again_if_ended();
            // A miner that finds no listener ends.
            self.miners.iter_mut().for_each(Running::start_again_if_ended);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn miners_of_other_people_earn_and_survive_a_tip_an_outage_and_a_restart() {
    let mut scene = Scene::start();
    let mut clients = Clients::start(&scene);
    clients.mine(Duration::from_secs(60), || scene.pays(&[DIRECT, BEHIND]));
    let blocks = || scene.up.status().unwrap()["blocks"].as_array().unwrap().len();
    let before = blocks();
    clients.mine(Duration::from_secs(60), || blocks() > before);
    clients.mine(Duration::from_secs(30), || true);

    scene.line.cut();
    let limit = Duration::from_secs(60);
    scene.up.wait_for("all miners gone", limit, |status| node(status, "A")["hashrate_hs"] == 0.0);
    scene.line.mend();
    clients.mine(Duration::from_secs(60), || true);

    scene.up.must(&["kill", "A"]);
    scene.up.must(&["restart", "A"]);
    clients.mine(Duration::from_secs(60), || true);
    drop(clients);
    scene.up.must(&["stop"]);
    assert!(scene.up.end(Duration::from_secs(60)).success(), "{}", scene.up.log());
    scene.up.check(&["--agreed", "--lost-max", "0"]);
}
