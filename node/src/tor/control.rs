//! A client of Tor's control protocol (Tor's control-spec): authentication by cookie or password, and `ADD_ONION`.

use std::net::SocketAddr;
use std::path::PathBuf;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use bitcoin::hex::{DisplayHex, FromHex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::config::Secret;
use crate::limits::{TOR_LINE_BYTES_MAX, TOR_REPLY_LINES_MAX, TOR_TIMEOUT};

/// Length of Tor's cookie and of the nonces, bytes.
const COOKIE_BYTES: usize = 32;
/// Keys of the codes by which Tor and this node prove to each other that they know the cookie.
const SERVER_KEY: &[u8] = b"Tor safe cookie authentication server-to-controller hash";
const CLIENT_KEY: &[u8] = b"Tor safe cookie authentication controller-to-server hash";

/// Why there is no onion service.
#[derive(Debug, thiserror::Error)]
pub(super) enum TorError {
    #[error(
        "Tor's control port {address} cannot be reached; start Tor with `ControlPort`, or correct `p2p.tor_control`"
    )]
    Unreachable { address: SocketAddr, source: std::io::Error },
    #[error("Tor's control port closed the connection")]
    Closed(#[from] std::io::Error),
    #[error("Tor's control port did not answer within {} s", TOR_TIMEOUT.as_secs())]
    Silent,
    #[error("Tor's control port sent what this node does not understand")]
    Malformed,
    #[error("Tor refused {command}: {reply}")]
    Refused { command: &'static str, reply: String },
    #[error(
        "Tor's cookie {path} cannot be read; run the node as a user who may (Debian: group debian-tor), or set `p2p.tor_password`"
    )]
    Cookie { path: PathBuf, source: std::io::Error },
    #[error("the program at Tor's control port does not know Tor's cookie; it is not Tor")]
    Impostor,
    #[error(
        "Tor accepts neither its cookie nor an empty password; set `p2p.tor_password`, or `CookieAuthentication 1` in torrc"
    )]
    NeedsPassword,
    #[error("the onion service's key {path} cannot be read or written", path = path.display())]
    Key { path: PathBuf, source: std::io::Error },
    #[error("the system has no random bytes")]
    Random,
}

/// A connection to Tor's control port.
#[derive(Debug)]
pub(super) struct Control {
    lines: BufReader<OwnedReadHalf>,
    out: OwnedWriteHalf,
}

/// An onion service.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name, without `.onion`.
    pub(super) name: String,
    /// Its key, if Tor made it.
    pub(super) new_key: Option<Secret>,
}

/// The value of `NAME=value` or `NAME="value"` in a reply's line.
fn value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.split_once(name)?.1.strip_prefix('=')?;
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(value, _)| value),
        None => rest.split(' ').next(),
    }
}

fn code(key: &[u8], parts: [&[u8]; 3]) -> [u8; COOKIE_BYTES] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    parts.iter().for_each(|part| engine.input(part));
    Hmac::from_engine(engine).to_byte_array()
}

impl Control {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, TorError> {
        let connecting = timeout(TOR_TIMEOUT, TcpStream::connect(address)).await.map_err(|_| TorError::Silent)?;
        let stream = connecting.map_err(|source| TorError::Unreachable { address, source })?;
        let (read, out) = stream.into_split();
        Ok(Self { lines: BufReader::new(read), out })
    }

    async fn line(&mut self) -> Result<String, TorError> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(TOR_LINE_BYTES_MAX).unwrap_or(u64::MAX);
        (&mut self.lines).take(limit).read_until(b'\n', &mut bytes).await?;
        if bytes.is_empty() {
            return Err(TorError::Closed(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let text = String::from_utf8(bytes).map_err(|_| TorError::Malformed)?;
        text.strip_suffix("\r\n").map(str::to_owned).ok_or(TorError::Malformed)
    }

    /// The lines of a reply, without their status: `250-...` goes on, `250 ...` ends it.
    async fn reply(&mut self, command: &'static str) -> Result<Vec<String>, TorError> {
        let mut lines = Vec::new();
        while lines.len() < TOR_REPLY_LINES_MAX {
            let line = timeout(TOR_TIMEOUT, self.line()).await.map_err(|_| TorError::Silent)??;
            let (Some(status), Some(rest)) = (line.get(..3), line.get(4..)) else { return Err(TorError::Malformed) };
            if status != "250" {
                let reply = line.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
                return Err(TorError::Refused { command, reply });
            }
            lines.push(rest.to_owned());
            if line.get(3..4) == Some(" ") {
                return Ok(lines);
            }
        }
        Err(TorError::Malformed)
    }

    async fn ask(&mut self, command: &'static str, arguments: &str) -> Result<Vec<String>, TorError> {
        self.out.write_all(format!("{command}{arguments}\r\n").as_bytes()).await?;
        self.reply(command).await
    }

    /// Authenticates by the password, or as Tor allows: with nothing, or with its cookie.
    pub(super) async fn authenticate(&mut self, password: Option<&Secret>) -> Result<(), TorError> {
        if let Some(password) = password {
            let quoted = password.expose().replace('\\', "\\\\").replace('"', "\\\"");
            return self.ask("AUTHENTICATE", &format!(" \"{quoted}\"")).await.map(drop);
        }
        let info = self.ask("PROTOCOLINFO", " 1").await?;
        let auth = info.iter().find(|line| line.starts_with("AUTH ")).ok_or(TorError::Malformed)?;
        let methods: Vec<&str> = value(auth, "METHODS").ok_or(TorError::Malformed)?.split(',').collect();
        if methods.contains(&"NULL") {
            return self.ask("AUTHENTICATE", "").await.map(drop);
        }
        match value(auth, "COOKIEFILE").filter(|_| methods.contains(&"SAFECOOKIE")) {
            Some(path) => self.prove_cookie(PathBuf::from(path)).await,
            None => Err(TorError::NeedsPassword),
        }
    }

    /// Proves that this node can read the cookie without revealing it, since another program may be at the port.
    async fn prove_cookie(&mut self, path: PathBuf) -> Result<(), TorError> {
        let mut cookie = [0; COOKIE_BYTES];
        let read = async {
            let mut file = tokio::fs::File::open(&path).await?;
            file.read_exact(&mut cookie).await.map(drop)
        };
        read.await.map_err(|source| TorError::Cookie { path, source })?;
        let mut nonce = [0; COOKIE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| TorError::Random)?;
        let challenge = self.ask("AUTHCHALLENGE", &format!(" SAFECOOKIE {}", nonce.to_lower_hex_string())).await?;
        let hex = |name| {
            let text = challenge.first().and_then(|line| value(line, name)).ok_or(TorError::Malformed)?;
            <[u8; COOKIE_BYTES]>::from_hex(text).map_err(|_| TorError::Malformed)
        };
        let (server_code, server_nonce) = (hex("SERVERHASH")?, hex("SERVERNONCE")?);
        if code(SERVER_KEY, [&cookie, &nonce, &server_nonce]) != server_code {
            return Err(TorError::Impostor);
        }
        let own = code(CLIENT_KEY, [&cookie, &nonce, &server_nonce]);
        self.ask("AUTHENTICATE", &format!(" {}", own.to_lower_hex_string())).await.map(drop)
    }

    /// Sets up an onion service that connects to `target`, with this key or with a new one.
    pub(super) async fn add_onion(
        &mut self,
        key: Option<&str>,
        port: u16,
        target: SocketAddr,
    ) -> Result<Service, TorError> {
        let key = key.unwrap_or("NEW:ED25519-V3");
        let reply = self.ask("ADD_ONION", &format!(" {key} Port={port},{target}")).await?;
        let name = reply.iter().find_map(|line| line.strip_prefix("ServiceID=")).ok_or(TorError::Malformed)?;
        let new_key = reply.iter().find_map(|line| line.strip_prefix("PrivateKey=")).map(Secret::new);
        Ok(Service { name: name.to_owned(), new_key })
    }

    /// Waits until Tor closes the connection.
    pub(super) async fn ended(&mut self) -> TorError {
        loop {
            if let Err(error) = self.line().await {
                return error;
            }
        }
    }
}

#[cfg(test)]
mod tests;
