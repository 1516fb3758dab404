//! Two explorers behind a reverse proxy that caches, over the archive of one of a network's nodes.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use archive::LocalServer;

use crate::harness::{Up, free_port};

/// Time in which a node has archived what it knows, and the explorers have read it.
const ARCHIVED: Duration = Duration::from_secs(60);

/// A database, two explorers and a proxy.
pub(crate) struct Explorers {
    port: u16,
    _processes: [Process; 3],
    _server: LocalServer,
}

/// A process that ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.0.kill().is_err();
        let _status = self.0.wait();
    }
}

fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_shoal-testnet")).with_file_name(name)
}

impl Explorers {
    /// Gives the last node an archive, and starts everything else.
    pub(crate) fn start(up: &Up) -> Self {
        let server = LocalServer::create(&up.dir().join("archive"), &["fsync=off", "shared_buffers=32MB"]).unwrap();
        let folders = fs::read_dir(up.dir()).unwrap().map(|entry| entry.unwrap().path());
        let name = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("node-").map(str::to_owned);
        let (name, folder) = folders.filter_map(|path| Some((name(&path)?, path))).max().unwrap();
        up.must(&["kill", &name]);
        let file = folder.join("shoal.toml");
        let config = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{config}\n[archive]\nurl = \"{}\"\n", server.url_text())).unwrap();
        up.must(&["restart", &name]);
        let ports = [(); 3].map(|()| free_port().port());
        let [port, one, two] = ports;
        // The archive begins with the node's first words to it.
        let began = Instant::now();
        let explorers = [one, two].map(|port| {
            loop {
                let mut explorer = explorer(up, &server, port);
                std::thread::sleep(Duration::from_secs(1));
                if explorer.0.try_wait().unwrap().is_none() {
                    return explorer;
                }
                assert!(began.elapsed() < ARCHIVED, "no explorer starts; see {}", up.dir().display());
            }
        });
        let [first, second] = explorers;
        let processes = [first, second, proxy(up.dir(), ports)];
        Self { port, _processes: processes, _server: server }
    }

    /// Where they are.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until they answer.
    pub(crate) fn wait(&self) {
        let began = Instant::now();
        while !is_ready(self.port) {
            assert!(began.elapsed() < ARCHIVED, "the explorers are not ready");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn is_ready(port: u16) -> bool {
    let Ok(mut line) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = String::new();
    line.write_all(b"GET /ready HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n").is_ok()
        && line.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

fn explorer(up: &Up, server: &LocalServer, port: u16) -> Process {
    let log = fs::File::create(up.dir().join(format!("explorer-{port}.log"))).unwrap();
    let mut command = Command::new(program("shoal"));
    command.args(["explorer", "--network", "local", "--api-trusted-proxies", "127.0.0.1", "--api-listen"]);
    command.arg(format!("127.0.0.1:{port}")).args(["--api-requests-a-second", "1000"]);
    command.env_clear().env("SHOAL_ARCHIVE_URL", server.url_text()).stdin(Stdio::null());
    Process(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
}

/// As `node/docs/explorer.md` sets it up, on other ports.
fn proxy(folder: &Path, [port, one, two]: [u16; 3]) -> Process {
    let folder = folder.join("nginx");
    fs::create_dir(&folder).unwrap();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|kind| format!("{kind}_temp_path {}/{kind};", folder.display())).join("\n");
    let config = format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
        events {{}}
        http {{
            access_log off; {temporary}
            proxy_cache_path {folder}/cache keys_zone=shoal:1m;
            upstream explorers {{ server 127.0.0.1:{one}; server 127.0.0.1:{two}; keepalive 8; }}
            proxy_http_version 1.1;
            proxy_set_header Connection '';
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            server {{
                listen 127.0.0.1:{port};
                location / {{ proxy_pass http://explorers; proxy_cache shoal; proxy_cache_lock on; }}
                location = /api/v1/events {{ proxy_pass http://explorers; proxy_buffering off; }}
            }}
        }}",
        folder = folder.display()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).unwrap();
    // Debian keeps it where only root looks.
    let debian = Path::new("/usr/sbin/nginx");
    let mut nginx = Command::new(if debian.exists() { debian } else { Path::new("nginx") });
    nginx.arg("-e").arg(folder.join("error.log")).arg("-c").arg(file).arg("-p").arg(&folder);
    Process(nginx.stdin(Stdio::null()).spawn().unwrap())
}
