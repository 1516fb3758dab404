//! Connections to the database: TLS across a network, unless the URL forbids it.

use std::fmt;
use std::future::poll_fn;
use std::str::FromStr;
use std::sync::Arc;

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use crate::error::ArchiveError;
use crate::limits::{CONNECT_TIMEOUT, IDLE_TIMEOUT_MS, STATEMENT_TIMEOUT_MS};

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
        if config.get_hosts().is_empty() || config.get_dbname().is_none() {
            return Err(ArchiveError::Url);
        }
        // The default sends the password in the clear to a server that says it has no TLS, or to who stands between.
        if config.get_ssl_mode() == SslMode::Prefer {
            let is_local = config.get_hosts().iter().all(is_local);
            config.ssl_mode(if is_local { SslMode::Disable } else { SslMode::Require });
        }
        config.connect_timeout(CONNECT_TIMEOUT);
        config.tcp_user_timeout(CONNECT_TIMEOUT);
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

impl ArchiveUrl {
    /// Connects. The connection ends when the client is dropped.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    pub async fn connect(&self) -> Result<Client, ArchiveError> {
        self.connect_and_listen().await.map(|(client, _)| client)
    }

    /// As [`ArchiveUrl::connect`], with what is notified for each notification from the server, and when the connection has
    /// ended.
    ///
    /// # Errors
    /// As [`ArchiveUrl::connect`].
    pub(crate) async fn connect_and_listen(&self) -> Result<(Client, Arc<Notify>), ArchiveError> {
        let news = Arc::new(Notify::new());
        let client = if self.0.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = self.0.connect(NoTls).await.map_err(ArchiveError::Connect)?;
            tokio::spawn(drive(connection, Arc::clone(&news)));
            client
        } else {
            let tls = MakeRustlsConnect::new(tls()?);
            let (client, connection) = self.0.connect(tls).await.map_err(ArchiveError::Connect)?;
            tokio::spawn(drive(connection, Arc::clone(&news)));
            client
        };
        let settings = format!(
            "set search_path to {SCHEMA}; set client_min_messages = warning; set statement_timeout = {STATEMENT_TIMEOUT_MS}; \
             set idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}"
        );
        client.batch_execute(&settings).await?;
        Ok((client, news))
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

/// TLS that checks the server's certificate by the system's.
fn tls() -> Result<ClientConfig, ArchiveError> {
    // By name: another library may have installed a provider, or none.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let verified = versions.and_then(BuilderVerifierExt::with_platform_verifier);
    Ok(verified.map_err(ArchiveError::Certificates)?.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

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
        assert!(matches!(url.connect().await, Err(ArchiveError::Connect(_))));
        assert!(heard.await.unwrap().is_empty());
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
