//! A private Tor network of loopback authorities and relays, with Debian's `tor` (`TestingTorNetwork`).

use std::fmt::Write;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::spaces::{Running, Space};

const AUTHORITIES: u16 = 3;
const RELAYS: u16 = 4;

/// First port of the relays' connections, and of the authorities' directories.
const OR_PORT: u16 = 7000;
const DIR_PORT: u16 = 7100;

/// The first consensus takes some 10 s, and building circuits as long.
const BOOTSTRAP: Duration = Duration::from_secs(120);

/// Settings of every tor, except its role. Vanguards exclude most of so few relays: many a client would find no path.
fn common(dir: &Path, name: &str) -> String {
    let home = dir.join(name);
    format!(
        "TestingTorNetwork 1\nDataDirectory {home}\nNickname {name}\nLog notice file {home}/log\nAssumeReachable 1\n\
         ShutdownWaitLength 0\nPathsNeededToBuildCircuits 0.67\nTestingDirAuthVoteExit *\nTestingDirAuthVoteHSDir *\n\
         VanguardsLiteEnabled 0\n\
         TestingDirAuthVoteGuard *\n",
        home = home.display()
    )
}

/// A running private network. Clients are in the network namespace of all.
pub(crate) struct Tor {
    dir: PathBuf,
    /// They end when this is dropped.
    processes: Vec<Running>,
}

/// One client: a SOCKS port, and a control port with a cookie.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) socks: String,
    pub(crate) control: u16,
}

impl Tor {
    /// Starts the network, and clients once all relays are known: a client that begins with fewer puts onion services at
    /// places that others do not look at. Waits until the clients can build circuits.
    pub(crate) fn start(space: &Space, dir: &Path, clients: &[Client]) -> Self {
        let mut tor = Self { dir: dir.join("tor"), processes: Vec::new() };
        let mut authorities = String::new();
        let mut files: Vec<_> = (0..AUTHORITIES).map(|number| authority(&tor.dir, number, &mut authorities)).collect();
        files.extend((0..RELAYS).map(|number| relay(&tor.dir, number)));
        tor.run(space, files, &authorities);
        tor.wait("a consensus of all relays", || {
            let consensus = tor.read("auth0/cached-microdesc-consensus");
            consensus.lines().filter(|line| line.starts_with("r ")).count() == usize::from(AUTHORITIES + RELAYS)
        });
        tor.run(space, clients.iter().map(|client| client.file(&tor.dir)).collect(), &authorities);
        let ready = |client: &Client| tor.read(&format!("{}/log", client.name)).contains("Bootstrapped 100%");
        tor.wait("circuits of all clients", || clients.iter().all(ready));
        tor
    }

    fn run(&mut self, space: &Space, files: Vec<(String, String)>, authorities: &str) {
        for (name, text) in files {
            private(&self.dir.join(&name));
            let path = self.dir.join(format!("{name}.torrc"));
            fs::write(&path, text + authorities).unwrap();
            let log = self.dir.join(format!("{name}.log"));
            self.processes.push(Running::start(space.command("tor").arg("-f").arg(&path), &log));
        }
    }

    /// A file of a tor, empty if it does not exist yet.
    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir.join(path)).unwrap_or_default()
    }

    fn wait(&self, what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(
                started.elapsed() < BOOTSTRAP,
                "tor: no {what}: {}\n{}",
                self.read("auth0/log"),
                self.read("one/log")
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        eprintln!("tor: {what} after {:.1} s", started.elapsed().as_secs_f64());
    }
}

impl Client {
    fn file(&self, dir: &Path) -> (String, String) {
        let mut text = common(dir, self.name);
        let cookie = dir.join(self.name).join("cookie");
        write!(
            text,
            "SocksPort {}\nControlPort 127.0.0.1:{}\nCookieAuthentication 1\nCookieAuthFile {}\n",
            self.socks,
            self.control,
            cookie.display()
        )
        .unwrap();
        (self.name.to_owned(), text)
    }
}

fn relay(dir: &Path, number: u16) -> (String, String) {
    let name = format!("relay{number}");
    let mut text = common(dir, &name);
    let port = OR_PORT + AUTHORITIES + number;
    write!(
        text,
        "Address 127.0.0.1\nORPort 127.0.0.1:{port}\nSocksPort 0\nExitRelay 1\nExitPolicy accept *:*\n\
         ExitPolicyRejectPrivate 0\n"
    )
    .unwrap();
    (name, text)
}

/// A folder for this user alone, as tor wants it.
fn private(path: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).unwrap();
}

/// Makes an authority's keys. Adds its line for all others.
fn authority(dir: &Path, number: u16, lines: &mut String) -> (String, String) {
    let name = format!("auth{number}");
    let keys = dir.join(&name).join("keys");
    private(&dir.join(&name));
    private(&keys);
    let (or, directory) = (OR_PORT + number, DIR_PORT + number);
    let mut command = Command::new("tor-gencert");
    command.args(["--create-identity-key", "-m", "12", "--passphrase-fd", "0", "-a"]);
    command.arg(format!("{}:{directory}", Ipv4Addr::LOCALHOST));
    command.arg("-i").arg(keys.join("authority_identity_key")).arg("-s").arg(keys.join("authority_signing_key"));
    command.arg("-c").arg(keys.join("authority_certificate"));
    let made = command.stdin(Stdio::null()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let certificate = fs::read_to_string(keys.join("authority_certificate")).unwrap();
    let identity = certificate.lines().find_map(|line| line.strip_prefix("fingerprint ")).unwrap();
    let mut text = common(dir, &name);
    write!(
        text,
        "Address 127.0.0.1\nORPort 127.0.0.1:{or}\nDirPort 127.0.0.1:{directory}\nSocksPort 0\nAuthoritativeDirectory 1\n\
         V3AuthoritativeDirectory 1\nContactInfo none@example.org\nTestingV3AuthInitialVotingInterval 5\n\
         V3AuthVotingInterval 10\nTestingV3AuthInitialVoteDelay 2\nTestingV3AuthInitialDistDelay 2\nV3AuthVoteDelay 2\n\
         V3AuthDistDelay 2\nExitPolicy reject *:*\n"
    )
    .unwrap();
    let path = dir.join(format!("{name}.torrc"));
    fs::write(&path, &text).unwrap();
    // Any authority will do to print the key's fingerprint.
    let nobody = format!("nobody orport=1 no-v2 v3ident={identity} 127.0.0.1:1 {}", "F".repeat(40));
    let mut command = Command::new("tor");
    command.arg("-f").arg(&path).args(["--list-fingerprint", "--quiet", "--DirAuthority", &nobody]);
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let fingerprint = said.lines().last().and_then(|line| line.split_once(' ')).unwrap().1.replace(' ', "");
    writeln!(lines, "DirAuthority {name} orport={or} no-v2 v3ident={identity} 127.0.0.1:{directory} {fingerprint}")
        .unwrap();
    (name, text)
}
