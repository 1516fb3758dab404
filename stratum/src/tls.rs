//! TLS for miners that speak it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// The certificate of a server, with its key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has no certificate or key.
    #[error("cannot read {what} from {path}: it must be a PEM file that this program may read", path = path.display())]
    File {
        /// What the file must hold.
        what: &'static str,
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: pem::Error,
    },
    /// Certificate and key do not work.
    #[error("the certificate in {path} cannot be used with its key", path = path.display())]
    Unusable {
        /// Path of the certificate.
        path: PathBuf,
        /// The cause.
        source: rustls::Error,
    },
}

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its private key from PEM files.
    ///
    /// # Errors
    /// Returns which file cannot be used, and why.
    pub fn from_pem(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let fail = |what, path: &Path| {
            let path = path.to_owned();
            move |source| TlsError::File { what, path, source }
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(fail("a certificate", certificate))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(fail("a private key", key))?;
        let unusable = |source| TlsError::Unusable { path: certificate.to_owned(), source };
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(unusable)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Runs the handshake with a miner.
    ///
    /// # Errors
    /// The miner speaks no TLS that the server knows, or the socket fails.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, socket: S) -> io::Result<TlsStream<S>> {
        self.0.accept(socket).await
    }
}
