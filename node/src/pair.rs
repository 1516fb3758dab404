//! Pairs a browser with the node: a link and a QR code that work once, and give the browser the node's token.
//!
//! The link has a code after a `#`, which browsers do not send to any server; the pages remove it from the address.
//! They send it to the node, which answers with the token (`api/pair.rs`) and forgets the code. The code is in a file
//! of the data folder, so that any command can make one, even before the node starts.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;

use crate::api::{TOKEN_FILE, Token};
use crate::clock::now;
use crate::config::Config;
use crate::error::NodeError;
use crate::files;
use crate::lan::{is_near, own_addresses, reached_at};
use crate::limits::PAIR_S;
use crate::qr;

/// The code that pairs the next browser, and when it ends, seconds since 1970.
const CODE_FILE: &str = "pairing-code";

/// Exists once a browser is paired.
const PAIRED_FILE: &str = "paired";

/// Random bytes of a code.
const BYTES: usize = 16;

/// `shoal pair`: prints a link for each address at which the pages are reached, and the first one as a QR code.
///
/// # Errors
/// The data folder cannot be used, or the links cannot be printed.
pub(crate) fn pair(config: &Config) -> Result<(), NodeError> {
    let folder = |source| NodeError::DataDir { path: config.data_dir.clone(), source };
    fs::create_dir_all(&config.data_dir).map_err(folder)?;
    let unusable = |source| NodeError::Token { path: config.data_dir.join(TOKEN_FILE), source };
    Token::load(&config.data_dir).map_err(unusable)?;
    let mut out = io::stdout().lock();
    show(config, &mut out)?;
    Ok(())
}

/// `shoal run`: does the same for a node without a paired browser, if its pages are not open to everyone. Returns true
/// if it printed links.
///
/// # Errors
/// The data folder cannot be used, or the links cannot be printed.
pub(crate) fn first(config: &Config, out: &mut impl Write) -> io::Result<bool> {
    let listen = config.api.listen.ip();
    let wanted = !config.api.public
        && !config.data_dir.join(PAIRED_FILE).exists()
        && (listen.is_unspecified() || is_near(listen));
    if wanted {
        show(config, out)?;
    }
    Ok(wanted)
}

fn show(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let listen = config.api.listen;
    let code = new_code(&config.data_dir)?;
    let mut addresses: Vec<_> = reached_at(listen, own_addresses()).into_iter().filter(|ip| is_near(*ip)).collect();
    if addresses.is_empty() && listen.ip().is_unspecified() {
        // A machine without a local network still reaches itself.
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    let link = |ip: &IpAddr| format!("http://{}/#pair={code}", SocketAddr::new(*ip, listen.port()));
    let links: Vec<_> = addresses.iter().map(link).collect();
    if let Some(first) = links.first() {
        writeln!(out, "{}", qr::lines(first))?;
    }
    for link in &links {
        writeln!(out, "{link}")?;
    }
    let minutes = PAIR_S / 60;
    writeln!(
        out,
        "This link works once, within {minutes} min, while the node runs. The browser that opens it is remembered:"
    )?;
    writeln!(
        out,
        "it sees the names and numbers of this node's workers, and can ban peers. `shoal pair` makes another."
    )?;
    if listen.ip().is_loopback() {
        let port = listen.port();
        writeln!(
            out,
            "It works on this machine only; for a phone in your network, set `api.listen` to 0.0.0.0:{port}."
        )?;
    }
    Ok(())
}

/// Makes a code, which replaces the last one.
fn new_code(data_dir: &Path) -> io::Result<String> {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let code = random.to_lower_hex_string();
    let ends = now().0.saturating_add(PAIR_S);
    files::replace(&data_dir.join(CODE_FILE), format!("{code} {ends}\n").as_bytes(), files::PRIVATE)?;
    Ok(code)
}

/// The token, for a code that was not used and has not ended at `now`, seconds since 1970; none for any other. The code
/// is then used up.
///
/// # Errors
/// The data folder cannot be read or written.
pub(crate) fn redeem(data_dir: &Path, code: &str, now: u32) -> io::Result<Option<String>> {
    let path = data_dir.join(CODE_FILE);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let Some((known, ends)) = text.trim().split_once(' ') else { return Ok(None) };
    // Comparing hashes reveals nothing about the code by its timing.
    let is_it = sha256::Hash::hash(known.as_bytes()) == sha256::Hash::hash(code.as_bytes());
    if !is_it || ends.parse().is_ok_and(|ends: u32| now >= ends) {
        return Ok(None);
    }
    // If two requests have the same code, the one that removes the file wins.
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        removed => removed?,
    }
    fs::write(data_dir.join(PAIRED_FILE), "")?;
    Ok(Some(fs::read_to_string(data_dir.join(TOKEN_FILE))?.trim().to_owned()))
}

#[cfg(test)]
mod tests;
