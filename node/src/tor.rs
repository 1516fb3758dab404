//! The node's onion service, set up at Tor's control port or given by the operator.
//!
//! ```text
//! control.rs   the commands of Tor's control protocol that this needs
//! ```
//!
//! Tor removes the service when the control connection closes, so the task keeps it open, and sets the service up again
//! after a restart of Tor. The key stays in the data folder, so that the address does too.

mod control;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use node_core::sentence;
use p2p::Handle;
use tracing::{debug, warn};

use crate::config::{OnionConfig, OnionService, Secret};
use crate::files;
use crate::limits::{ONION_KEY_BYTES_MAX, TOR_PAUSE};
use control::{Control, TorError};

/// Name of the key's file in the data folder.
const FILE: &str = "onion.key";

/// Public port of the onion service: the usual port of a node.
const PORT: u16 = 3381;

/// Keeps the onion service while the node runs, and tells the network its address.
pub(crate) async fn run(config: OnionConfig, data_dir: PathBuf, network: Handle) {
    match config.service {
        OnionService::Given(address) => {
            // An error means that the node is stopping.
            let _ = network.onion(address).await;
            std::future::pending().await
        }
        OnionService::Tor { control, password } => {
            let key = data_dir.join(FILE);
            let mut told = false;
            loop {
                let ended = serve(control, password.as_ref(), &key, config.listen, &network).await;
                if told {
                    debug!(error = sentence(&ended), "the onion service is set up again soon");
                } else {
                    warn!(error = sentence(&ended), %control, "no onion service; it is tried again until Tor answers");
                }
                told = true;
                tokio::time::sleep(TOR_PAUSE).await;
            }
        }
    }
}

/// Sets the service up and waits until the connection to Tor ends.
async fn serve(
    address: SocketAddr,
    password: Option<&Secret>,
    path: &Path,
    target: SocketAddr,
    network: &Handle,
) -> TorError {
    match set_up(address, password, path, target).await {
        Err(error) => error,
        Ok((mut control, name)) => {
            // An error means that the node is stopping.
            let _ = network.onion(format!("/onion3/{name}:{PORT}")).await;
            control.ended().await
        }
    }
}

async fn set_up(
    address: SocketAddr,
    password: Option<&Secret>,
    path: &Path,
    target: SocketAddr,
) -> Result<(Control, String), TorError> {
    let failed = |source| TorError::Key { path: path.to_owned(), source };
    let known = read(path).map_err(failed)?;
    let mut control = Control::connect(address).await?;
    control.authenticate(password).await?;
    let service = control.add_onion(known.as_deref(), PORT, target).await?;
    if let Some(key) = service.new_key {
        files::replace(path, key.expose().as_bytes(), files::PRIVATE).map_err(failed)?;
    }
    Ok((control, service.name))
}

/// The key as Tor writes it; none if there is none yet.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(file) if file.len() > ONION_KEY_BYTES_MAX => Err(io::ErrorKind::InvalidData.into()),
        Ok(_) => fs::read_to_string(path).map(|text| Some(text.trim().to_owned())),
    }
}
