//! Finds a running bitcoind, its network and its cookie.

use std::path::{Path, PathBuf};

use super::answers::Answers;
use crate::bitcoind::Bitcoind;
use crate::config::{Config, ConfigError, Network, keys};

/// Networks in the order of the search. Only a flag selects main, since its coins have value.
const NETWORKS: [Network; 4] = [Network::Testnet4, Network::Signet, Network::Local, Network::Regtest];

/// The words if no bitcoind is found.
const NONE: &str = "\
No bitcoind of a test network answers on this machine with the cookies that can be read. Name yours by
--bitcoind-url and --bitcoind-cookie-file, or --bitcoind-user and --bitcoind-password, or choose --network.";

/// Fills in the network and the cookie of a bitcoind that answers, unless flags name them, and says what it found.
///
/// # Errors
/// The findings and the flags do not form a valid configuration.
pub(super) async fn find(answers: &mut Answers) -> Result<String, ConfigError> {
    let networks = if answers.has(&keys::NETWORK) { vec![answers.config()?.network] } else { NETWORKS.to_vec() };
    for network in networks {
        let mut tried = answers.clone();
        tried.try_set(&keys::NETWORK, network.name())?;
        for cookie in cookies(&tried, network) {
            let mut tried = tried.clone();
            if let Some(cookie) = &cookie {
                tried.try_set(&keys::BITCOIND_COOKIE_FILE, cookie)?;
            }
            let config = tried.config()?;
            if let Some(agent) = answers_as(&config).await {
                *answers = tried;
                return Ok(format!("Found {agent} on {network} at {}{}.", config.bitcoind.url, by(cookie.as_deref())));
            }
        }
    }
    Ok(NONE.to_owned())
}

fn by(cookie: Option<&str>) -> String {
    cookie.map_or_else(String::new, |cookie| format!(", by the cookie {cookie}"))
}

/// Cookie files to try; none means the credentials from flags.
fn cookies(answers: &Answers, network: Network) -> Vec<Option<String>> {
    let named = [&keys::BITCOIND_COOKIE_FILE, &keys::BITCOIND_USER];
    if named.iter().any(|key| answers.has(key)) {
        return vec![None];
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let usual = network.cookie_file(&home);
    let below = usual.strip_prefix(home.join(".bitcoin")).unwrap_or(Path::new(".cookie")).to_owned();
    // The paths of a manual installation, the snap, the service file, and packages of node boxes.
    let snap = network.cookie_file(&home.join("snap/bitcoin-core/common"));
    let services = ["/var/lib/bitcoind", "/home/bitcoin/.bitcoin", "/mnt/hdd/bitcoin", "/data/bitcoin"];
    let services = services.map(|folder| Path::new(folder).join(&below));
    let found = [usual, snap].into_iter().chain(services).filter(|path| std::fs::File::open(path).is_ok());
    found.filter_map(|path| path.to_str().map(|path| Some(path.to_owned()))).collect()
}

/// The user agent of the configured bitcoind, if it answers and is on the configured network.
async fn answers_as(config: &Config) -> Option<String> {
    let client = Bitcoind::new(&config.bitcoind, config.network).ok()?;
    let status = client.chain_status().await.ok()?;
    status.verify_network(config.network).ok()?;
    Some(client.node_info().await.ok()?.user_agent.escape_default().to_string())
}
