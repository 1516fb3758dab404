//! Mail, handed to the operator's mail server by SMTP.
//!
//! `smtps://` is TLS from the start; `smtp://` begins in the clear and must switch to TLS by STARTTLS (RFC 3207),
//! unless the server is on this machine. A password never leaves this machine in the clear.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use lettre::Message;
use lettre::message::header::ContentType;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use reqwest::Url;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};
use tokio_socks::tcp::Socks5Stream;

use crate::config::MailConfig;
use crate::connection_words;
use crate::lan::is_here;
use crate::limits::{MAIL_ANSWER_BYTES_MAX, MAIL_TIMEOUT};

/// Ports of `smtp://` and `smtps://` (RFC 6409, RFC 8314).
const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;

/// Why a mail was not handed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum MailError {
    #[error("the mail server cannot be reached: {}", connection_words::of_io(.0).unwrap_or("check its name and port"))]
    Unreachable(io::Error),
    #[error("the proxy cannot connect to the mail server")]
    Proxy(tokio_socks::Error),
    #[error("the mail server did not accept the mail within {} s", MAIL_TIMEOUT.as_secs())]
    Slow,
    #[error("the mail server's certificate is not valid for its name, or it speaks no TLS at this port")]
    Tls(io::Error),
    #[error("TLS cannot be used")]
    NoTls(rustls::Error),
    #[error("the mail server offers no STARTTLS; use smtps:// if it has TLS from the start")]
    NoStartTls,
    #[error("the mail server rejects the user or the password{}", code(.0))]
    Login(smtp::Error),
    #[error("the mail server rejects the mail{}", code(.0))]
    Rejected(smtp::Error),
    #[error("the mail cannot be written")]
    Written(lettre::error::Error),
}

/// The server's code. Its own words may repeat the message.
fn code(error: &smtp::Error) -> String {
    error.status().map_or_else(String::new, |code| format!(": it answered {code}"))
}

/// Hands a mail to the server.
pub(super) async fn send(
    config: &MailConfig,
    proxy: Option<p2p::Proxy>,
    title: &str,
    text: String,
) -> Result<(), MailError> {
    let mail = config.to.iter().cloned().fold(Message::builder().from(config.from.clone()), |mail, to| mail.to(to));
    let mail =
        mail.subject(title).message_id(None).header(ContentType::TEXT_PLAIN).body(text).map_err(MailError::Written)?;
    let handing = hand_over(config, proxy, &mail);
    tokio::time::timeout(MAIL_TIMEOUT, handing).await.map_err(|_| MailError::Slow)?
}

async fn hand_over(config: &MailConfig, proxy: Option<p2p::Proxy>, mail: &Message) -> Result<(), MailError> {
    let MailConfig { server, login, .. } = config;
    let (host, hello) = (server.host_str().unwrap_or_default(), ClientId::default());
    let stream = connect(server, proxy).await?;
    let rejected = MailError::Rejected;
    let mut connection = if server.scheme() == "smtps" {
        let stream = Box::new(Secured(secure(host, stream).await?));
        AsyncSmtpConnection::connect_with_transport(stream, &hello).await.map_err(rejected)?
    } else {
        let mut connection =
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.map_err(rejected)?;
        if connection.can_starttls() {
            let parameters = TlsParameters::new_rustls(host.to_owned()).map_err(rejected)?;
            let failed = |error: smtp::Error| MailError::Tls(io::Error::other(error));
            connection.starttls(parameters, &hello).await.map_err(failed)?;
        } else if !is_here(server) {
            return Err(MailError::NoStartTls);
        }
        connection
    };
    if let Some((user, password)) = login {
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await.map_err(MailError::Login)?;
    }
    connection.send(mail.envelope(), &mail.formatted()).await.map_err(rejected)?;
    // The mail is accepted: the answer to QUIT does not matter.
    let _ = connection.quit().await;
    Ok(())
}

/// Connects to the server, through the proxy unless it is on this machine.
async fn connect(server: &Url, proxy: Option<p2p::Proxy>) -> Result<Bounded, MailError> {
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = server.port().unwrap_or(if server.scheme() == "smtps" { SUBMISSIONS } else { SUBMISSION });
    let stream = match proxy.filter(|_| !is_here(server)) {
        None => TcpStream::connect((host, port)).await.map_err(MailError::Unreachable)?,
        Some(proxy) => {
            let through = Socks5Stream::connect_with_password(proxy.address, (host, port), "webhooks", "shoal");
            through.await.map_err(MailError::Proxy)?.into_inner()
        }
    };
    Ok(Bounded { stream, left: MAIL_ANSWER_BYTES_MAX })
}

async fn secure(host: &str, stream: Bounded) -> Result<TlsStream<Bounded>, MailError> {
    let config = ClientConfig::with_platform_verifier().map_err(MailError::NoTls)?;
    let invalid = |_| MailError::Unreachable(io::ErrorKind::InvalidInput.into());
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(invalid)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(MailError::Tls)
}

/// A connection that ends if the server sends more than any mail needs: lettre buffers a line until it ends.
#[derive(Debug)]
struct Bounded {
    stream: TcpStream,
    /// Bytes that the server may still send.
    left: usize,
}

impl AsyncTokioStream for Bounded {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        let read = into.filled().len().saturating_sub(before);
        let too_much = || io::Error::new(io::ErrorKind::InvalidData, "the mail server sends too much");
        self.left = self.left.checked_sub(read).ok_or_else(too_much)?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A connection with TLS, in the form that lettre expects.
struct Secured(TlsStream<Bounded>);

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secured")
    }
}

impl AsyncTokioStream for Secured {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Secured {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
