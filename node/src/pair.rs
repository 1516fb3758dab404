//! `shoal pair`: links and QR codes that open this node's pages with its token, so that they show its owner's devices.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::{fs, io};

use crate::config::Config;
use crate::error::NodeError;
use crate::lan::{own_addresses, reached_at};
use crate::qr;

/// Prints a link for each address at which the API is reached, and the first one as a QR code. The token is behind a `#`: a
/// browser sends that to nobody, and the pages remove it from the address.
///
/// # Errors
/// The node has no token yet, or the links cannot be printed.
pub(crate) fn pair(config: &Config) -> Result<(), NodeError> {
    let token = token(&config.data_dir)?;
    let listen = config.api.listen;
    let addresses = reached_at(listen, own_addresses()).into_iter();
    let links: Vec<_> =
        addresses.map(|ip| format!("http://{}/#token={token}", SocketAddr::new(ip, listen.port()))).collect();
    let mut out = io::stdout().lock();
    if let Some(first) = links.first() {
        writeln!(out, "{}", qr::lines(first))?;
    }
    for link in &links {
        writeln!(out, "{link}")?;
    }
    writeln!(out, "Whoever opens such a link sees the names and numbers of this node's workers, and can ban peers.")?;
    if listen.ip().is_loopback() {
        writeln!(
            out,
            "It works on this machine only; for a phone in your network, set `api.listen` to 0.0.0.0:{}.",
            listen.port()
        )?;
    }
    Ok(())
}

fn token(data_dir: &Path) -> Result<String, NodeError> {
    let path = data_dir.join(crate::api::TOKEN_FILE);
    let text = fs::read_to_string(&path).map_err(|source| NodeError::NoToken { path, source })?;
    Ok(text.trim().to_owned())
}
