//! Connections to the database: TLS across a network, unless the URL forbids it.

use std::fmt;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use crate::error::ArchiveError;
use crate::limits::{IDLE_TIMEOUT_MS, LOGIN_TIMEOUT, STATEMENT_TIMEOUT_MS};
use crate::socket::{Allowance, Socket};

/// PostgreSQL's port.
const PORT: u16 = 5432;

/// Name of the schema, so that a database can hold other things beside it.
pub const SCHEMA: &str = "shoal";

/// Where the archive is: a URL of PostgreSQL, which may have a password. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct ArchiveUrl(Config);

impl FromStr for ArchiveUrl {
    type Err = ArchiveError;

    /// Reads `postgres://USER:PASSWORD@HOST/DATABASE?sslmode=require`, or the key words of libpq.
    fn from_str(text: &str) -> Result<Self, ArchiveError> {
        let mut config: Config = text.parse().map_err(|_| ArchiveError::Url)?;
        // One that is read-only or has another address than its name is left to the operator.
        let is_plain =
            config.get_hostaddrs().is_empty() && config.get_target_session_attrs() == TargetSessionAttrs::Any;
        if config.get_hosts().is_empty() || config.get_dbname().is_none() || !is_plain {
            return Err(ArchiveError::Url);
        }
        // The default sends the password in the clear to a server that says it has no TLS, or to who stands between.
        if config.get_ssl_mode() == SslMode::Prefer {
            let is_local = config.get_hosts().iter().all(is_local);
            config.ssl_mode(if is_local { SslMode::Disable } else { SslMode::Require });
        }
        config.application_name("shoal");
        Ok(Self(config))
    }
}

/// True for a server on this machine.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

impl fmt::Debug for ArchiveUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[redacted] at {:?}", self.0.get_hosts())
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) client: Client,
    /// What the server may send.
    pub(crate) allowance: Allowance,
    /// Notified for each notification from the server, and when the connection has ended.
    pub(crate) news: Arc<Notify>,
    /// Ends its statements.
    pub(crate) canceler: Canceler,
}

/// Ends the running statement of a connection, over a connection of its own, as PostgreSQL wants it.
pub(crate) struct Canceler {
    host: Host,
    port: u16,
    is_plain: bool,
    token: CancelToken,
}

impl fmt::Debug for Canceler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canceler")
    }
}

impl Canceler {
    /// Asks the server to end the statement. It may end later, or have ended before.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub(crate) async fn cancel(&self) -> Result<(), ArchiveError> {
        let socket = Socket::open(&self.host, self.port).await.map_err(ArchiveError::Silent)?;
        if self.is_plain {
            self.token.cancel_query_raw(socket, NoTls).await?;
        } else {
            self.token.cancel_query_raw(socket, tls(&self.host)?).await?;
        }
        Ok(())
    }
}

impl ArchiveUrl {
    /// Connects. The connection ends when the client is dropped, or when the server has sent
    /// [`ANSWERS_BYTES_MAX`](crate::limits::ANSWERS_BYTES_MAX).
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    pub async fn connect(&self) -> Result<Client, ArchiveError> {
        self.open().await.map(|connected| connected.client)
    }

    /// As [`Self::connect`], with what the server may send, and what it tells unasked.
    pub(crate) async fn open(&self) -> Result<Connected, ArchiveError> {
        self.open_within(LOGIN_TIMEOUT).await
    }

    async fn open_within(&self, limit: Duration) -> Result<Connected, ArchiveError> {
        let late = |_| ArchiveError::Silent(ErrorKind::TimedOut.into());
        timeout(limit, self.log_in()).await.map_err(late)?
    }

    /// Connects to the first host that lets this program in.
    async fn log_in(&self) -> Result<Connected, ArchiveError> {
        let (hosts, ports) = (self.0.get_hosts(), self.0.get_ports());
        let mut last = ArchiveError::Url;
        for (index, host) in hosts.iter().enumerate() {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(PORT);
            match self.log_in_at(host, port).await {
                Ok(found) => return Ok(found),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn log_in_at(&self, host: &Host, port: u16) -> Result<Connected, ArchiveError> {
        let socket = Socket::open(host, port).await.map_err(ArchiveError::Silent)?;
        let (allowance, news) = (socket.allowance(), Arc::new(Notify::new()));
        let is_plain = self.0.get_ssl_mode() == SslMode::Disable;
        let client = if is_plain {
            let (client, connection) = self.0.connect_raw(socket, NoTls).await.map_err(ArchiveError::of_login)?;
            tokio::spawn(drive(connection, Arc::clone(&news)));
            client
        } else {
            let tls = tls(host)?;
            let (client, connection) = self.0.connect_raw(socket, tls).await.map_err(ArchiveError::of_login)?;
            tokio::spawn(drive(connection, Arc::clone(&news)));
            client
        };
        let settings = format!(
            "set search_path to {SCHEMA}; set client_min_messages = warning; set statement_timeout = {STATEMENT_TIMEOUT_MS}; \
             set idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}"
        );
        client.batch_execute(&settings).await?;
        let canceler = Canceler { host: host.clone(), port, is_plain, token: client.cancel_token() };
        Ok(Connected { client, allowance, news, canceler })
    }
}

/// Moves a connection's bytes. What goes wrong here, the client's next call returns.
async fn drive<S, T>(mut connection: Connection<S, T>, news: Arc<Notify>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            news.notify_one();
        }
    }
    drop(connection);
    news.notify_one();
}

/// TLS with a host that checks its certificate by the system's.
fn tls(host: &Host) -> Result<<MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect, ArchiveError> {
    // A Unix socket has no name to check, and no TLS.
    let Host::Tcp(name) = host else { return Err(ArchiveError::Url) };
    // By name: another library may have installed a provider, or none.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let verified = versions.and_then(BuilderVerifierExt::with_platform_verifier);
    let mut tls = MakeRustlsConnect::new(verified.map_err(ArchiveError::Certificates)?.with_no_client_auth());
    MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, name).map_err(|_| ArchiveError::Url)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::limits::ANSWERS_BYTES_MAX;

    fn mode(url: &str) -> SslMode {
        url.parse::<ArchiveUrl>().unwrap().0.get_ssl_mode()
    }

    #[tokio::test]
    async fn an_archives_password_never_leaves_the_machine_in_the_clear() {
        for url in ["postgres://u:secret@db.example/d", "postgres://u:secret@127.0.0.1,db.example/d?sslmode=prefer"] {
            assert_eq!(mode(url), SslMode::Require, "{url}");
        }
        for url in ["postgres://u@localhost/d", "postgres://u@[::1]:5/d", "postgres://u@%2Frun%2Fpg/d"] {
            assert_eq!(mode(url), SslMode::Disable, "{url}");
        }
        assert_eq!(mode("postgres://u:secret@db.example/d?sslmode=disable"), SslMode::Disable);

        // A server that says it has no TLS hears nothing after its answer.
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let heard = tokio::spawn(async move {
            let (mut socket, _) = server.accept().await.unwrap();
            let mut asked = [0; 8];
            socket.read_exact(&mut asked).await.unwrap();
            socket.write_all(b"N").await.unwrap();
            let mut rest = Vec::new();
            let _end = socket.read_to_end(&mut rest).await;
            rest
        });
        let url: ArchiveUrl = format!("postgres://u:secret@127.0.0.1:{port}/d?sslmode=require").parse().unwrap();
        let error = url.connect().await.unwrap_err();
        assert!(matches!(error, ArchiveError::NoTls) && !error.is_away(), "each attempt reports it: {error:?}");
        assert!(heard.await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_missing_password_is_an_error_of_its_own() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut socket, _) = server.accept().await.unwrap();
            // AuthenticationCleartextPassword.
            socket.write_all(b"R\0\0\0\x08\0\0\0\x03").await.unwrap();
            let _end = socket.read_to_end(&mut Vec::new()).await;
        });
        let url: ArchiveUrl = format!("postgres://u@127.0.0.1:{port}/d").parse().unwrap();
        let error = url.connect().await.unwrap_err();
        assert!(matches!(error, ArchiveError::Login(_)) && !error.is_away(), "each attempt reports it: {error:?}");
    }

    #[tokio::test]
    async fn a_server_that_takes_connections_and_says_nothing_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        // The kernel accepts the connection; no program reads from it.
        let _server = tokio::net::UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let host = folder.path().display().to_string().replace('/', "%2F");
        let url: ArchiveUrl = format!("postgres://u:secret@{host}/d").parse().unwrap();
        let error = url.open_within(Duration::from_millis(200)).await.unwrap_err();
        assert!(error.is_away() && matches!(error, ArchiveError::Silent(_)), "{error:?}");
    }

    /// A server that announces 2 GiB before anybody has logged in, and sends them.
    #[tokio::test]
    async fn a_server_that_sends_without_end_fills_no_memory() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let sent = tokio::spawn(async move {
            let (mut socket, _) = server.accept().await.unwrap();
            socket.write_all(b"N\x7f\xff\xff\xf0").await.unwrap();
            let (mut sent, part) = (0, vec![0; 1 << 16]);
            while sent < 1 << 30 && socket.write_all(&part).await.is_ok() {
                sent += part.len();
            }
            sent
        });
        let url: ArchiveUrl = format!("postgres://u:secret@127.0.0.1:{port}/d").parse().unwrap();
        assert!(matches!(url.connect().await, Err(ArchiveError::Connect(_))));
        let (sent, in_sockets) = (sent.await.unwrap(), 16 << 20);
        assert!(sent <= ANSWERS_BYTES_MAX + in_sockets, "{sent} bytes");
    }

    #[test]
    fn an_archives_url_is_shown_without_its_password() {
        let url: ArchiveUrl = "postgres://u:secret@db.example/d".parse().unwrap();
        assert!(format!("{url:?}").contains("db.example"));
        assert!(!format!("{url:?}").contains("secret"));
        for bad in
            ["postgres://u:secret@db.example:port/d", "secret", "postgres://u:secret@/d", "postgres://u:secret@h"]
        {
            let error = bad.parse::<ArchiveUrl>().unwrap_err();
            assert!(
                !node_core::sentence(&error).contains("secret") && !format!("{error:?}").contains("secret"),
                "{bad}"
            );
        }
    }
}
