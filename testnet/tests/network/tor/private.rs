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

/// Settings of every tor, except its role.
fn common(dir: &Path, name: &str) -> String {
    let home = dir.join(name);
    format!(
        "TestingTorNetwork 1\nDataDirectory {home}\nNickname {name}\nLog notice file {home}/log\nAssumeReachable 1\n\
         ShutdownWaitLength 0\nPathsNeededToBuildCircuits 0.67\nTestingDirAuthVoteExit *\nTestingDirAuthVoteHSDir *\n\
         TestingDirAuthVoteGuard *\n",
        home = home.display()
    )
}

/// A running private network. Clients are in the network namespace of all.
pub(crate) struct Tor {
    dir: PathBuf,
    _processes: Vec<Running>,
}

/// One client: a SOCKS port, and a control port with a cookie.
pub(crate) struct Client {
    pub(crate) name: &'static str,
    pub(crate) socks: String,
    pub(crate) control: u16,
}

impl Tor {
    /// Starts the network, and clients. Waits until they can build circuits.
    pub(crate) fn start(space: &Space, dir: &Path, clients: &[Client]) -> Self {
        let dir = dir.join("tor");
        let mut authorities = String::new();
        let mut files = Vec::new();
        for number in 0..AUTHORITIES {
            let (name, text) = authority(&dir, number, &mut authorities);
            files.push((name, text));
        }
        for number in 0..RELAYS {
            let name = format!("relay{number}");
            let mut text = common(&dir, &name);
            let port = OR_PORT + AUTHORITIES + number;
            write!(text, "Address 127.0.0.1\nORPort 127.0.0.1:{port}\nSocksPort 0\nExitRelay 1\nExitPolicy accept *:*\nExitPolicyRejectPrivate 0\n").unwrap();
            files.push((name, text));
        }
        for client in clients {
            let mut text = common(&dir, client.name);
            let cookie = dir.join(client.name).join("cookie");
            write!(
                text,
                "SocksPort {}\nControlPort 127.0.0.1:{}\nCookieAuthentication 1\nCookieAuthFile {}\n",
                client.socks,
                client.control,
                cookie.display()
            )
            .unwrap();
            files.push((client.name.to_owned(), text));
        }
        let mut processes = Vec::new();
        for (name, text) in files {
            private(&dir.join(&name));
            let path = dir.join(format!("{name}.torrc"));
            fs::write(&path, text + &authorities).unwrap();
            let mut command = space.command("tor");
            processes.push(Running::start(command.arg("-f").arg(&path), &dir.join(format!("{name}.log"))));
        }
        let tor = Self { dir, _processes: processes };
        tor.wait(clients);
        tor
    }

    fn wait(&self, clients: &[Client]) {
        let started = Instant::now();
        let log = |name: &str| fs::read_to_string(self.dir.join(name).join("log")).unwrap_or_default();
        while !clients.iter().all(|client| log(client.name).contains("Bootstrapped 100%")) {
            assert!(started.elapsed() < BOOTSTRAP, "tor does not start: {}\n{}", log("auth0"), log(clients[0].name));
            std::thread::sleep(Duration::from_millis(500));
        }
        eprintln!("tor bootstrapped after {:.1} s", started.elapsed().as_secs_f64());
    }
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
