//! Every key once: name in the file, flag, environment variable, help.
//!
//! This table defines the flags of the command line, the keys of the file, and the test that `shoal.example.toml` names
//! them all.

pub use super::bitcoind_keys::{
    BITCOIND_COOKIE_FILE, BITCOIND_FALLBACK, BITCOIND_PASSWORD, BITCOIND_TIMEOUT_S, BITCOIND_TLS_CA, BITCOIND_URL,
    BITCOIND_USER, BITCOIND_ZMQ,
};
pub use super::key::{Key, Shape};
pub use super::notify_keys::{
    NOTIFY_DISCORD, NOTIFY_EVENTS, NOTIFY_MAIL_FROM, NOTIFY_MAIL_TO, NOTIFY_NTFY, NOTIFY_NTFY_TOKEN, NOTIFY_PAGES_URL,
    NOTIFY_SLACK, NOTIFY_SMTP, NOTIFY_SMTP_PASSWORD, NOTIFY_SMTP_USER, NOTIFY_TELEGRAM_CHATS, NOTIFY_TELEGRAM_SERVER,
    NOTIFY_TELEGRAM_TOKEN, WEBHOOKS_EVENTS, WEBHOOKS_SECRET, WEBHOOKS_URLS,
};
pub use super::owner_keys::{POWER_PAUSE, POWER_TIME_ZONE, STRATUM_FEE_ADDRESS, STRATUM_FEE_PERCENT};

/// The archive's database.
pub const ARCHIVE_URL: Key = Key::one(
    ["archive.url", "archive-url", "SHOAL_ARCHIVE_URL"],
    "URL",
    "PostgreSQL database for the share-chain's history, like postgres://shoal:PASSWORD@db.example/shoal; flags are visible to other users of this machine [default: none]",
)
.secret();
/// The Bitcoin network.
pub const NETWORK: Key = Key::one(
    ["network", "network", "SHOAL_NETWORK"],
    "NETWORK",
    "Bitcoin network: main, signet, local (a test network on a custom signet), testnet4, regtest, or rehearsal (main's constants with easy work) [default: testnet4]",
);
/// The name of a private pool.
pub const POOL: Key = Key::one(
    ["pool", "pool", "SHOAL_POOL"],
    "NAME",
    "Name of a private pool: 1 to 32 of a-z, 0-9 and - [default: none, the public pool]",
);
/// Maximum number of payouts in a coinbase.
pub const OUTPUTS: Key = Key::one(
    ["outputs", "outputs", "SHOAL_OUTPUTS"],
    "SIZE",
    "Payouts that a coinbase holds: standard (48) or wide (1,000, on test networks) [default: standard]",
);
/// The data folder.
pub const DATA_DIR: Key = Key::one(
    ["data_dir", "data-dir", "SHOAL_DATA_DIR"],
    "FOLDER",
    "Folder for the database and the node's identity [default: ~/.shoal/NETWORK, with -wide and .POOL after it if set]",
);
/// Default payout address.
pub const ADDRESS: Key = Key::one(
    ["address", "address", "SHOAL_ADDRESS"],
    "ADDRESS",
    "Payout address for the work of miners that give no address",
);
/// Permission to hand out work without peers.
pub const NEW_POOL: Key = Key::one(
    ["new_pool", "new-pool", "SHOAL_NEW_POOL"],
    "BOOL",
    "Hand out work even without peers; only to start a new pool [default: false]",
)
.shaped(Shape::Switch);
/// A link that the share-chain must contain.
pub const TRUST: Key = Key::one(
    ["trust", "trust", "SHOAL_TRUST"],
    "LINK",
    "Id of a link that the share-chain must contain, from a node that you trust; or none [default: this release's]",
);
/// Work of miners while the node is cut off.
pub const ON_ISOLATION: Key = Key::one(
    ["on_isolation", "on-isolation", "SHOAL_ON_ISOLATION"],
    "WHAT",
    "What miners do once no peer has been connected for 30 link intervals: stop (they turn to their next pool) or solo [default: stop]",
);
/// Work of miners while the rest of the pool leaves out this node's shares.
pub const ON_CENSORSHIP: Key = Key::one(
    ["on_censorship", "on-censorship", "SHOAL_ON_CENSORSHIP"],
    "WHAT",
    "What miners do when the rest of the pool leaves out this node's valid shares: stop or solo [default: stop]",
);
/// The part of the share-chain that the database keeps.
pub const STORE_KEEP: Key = Key::one(
    ["store.keep", "store-keep", "SHOAL_STORE_KEEP"],
    "WHAT",
    "What the database keeps: window (what payouts and newcomers need) or all [default: window]",
);
/// Log filter.
pub const LOG: Key = Key::one(
    ["log", "log", "SHOAL_LOG"],
    "FILTER",
    "Log level: error, warn, info, debug or trace; also by part, like info,p2p=debug [default: info]",
);
/// Log format.
pub const LOG_FORMAT: Key =
    Key::one(["log_format", "log-format", "SHOAL_LOG_FORMAT"], "FORMAT", "Log format: text or json [default: text]");
/// Address for miners.
pub const STRATUM_LISTEN: Key = Key::one(
    ["stratum.listen", "stratum-listen", "SHOAL_STRATUM_LISTEN"],
    "IP:PORT",
    "Address for miners [default: 0.0.0.0:3333]",
);
/// More addresses for miners.
pub const STRATUM_LISTENERS: Key = Key::one(
    ["stratum.listeners", "stratum-listeners", "SHOAL_STRATUM_LISTENERS"],
    "LISTENER",
    "More addresses for miners, with options, like \"0.0.0.0:3334 start=1000000 min=524288 tls\"; repeatable [default: none]",
)
.shaped(Shape::Many);
/// Certificate for miners that speak TLS.
pub const STRATUM_TLS_CERTIFICATE: Key = Key::one(
    ["stratum.tls_certificate", "stratum-tls-certificate", "SHOAL_STRATUM_TLS_CERTIFICATE"],
    "FILE",
    "PEM file with the certificate of listeners with the option tls [default: none]",
);
/// Key of that certificate.
pub const STRATUM_TLS_KEY: Key = Key::one(
    ["stratum.tls_key", "stratum-tls-key", "SHOAL_STRATUM_TLS_KEY"],
    "FILE",
    "PEM file with the private key of that certificate [default: none]",
);
/// Coinbases that mining programs can hold.
pub const STRATUM_COINBASE_LIMITS: Key = Key::one(
    ["stratum.coinbase_limits", "stratum-coinbase-limits", "SHOAL_STRATUM_COINBASE_LIMITS"],
    "AGENT=BYTES",
    "Longest coinbase that a mining program holds, by the beginning of its user agent, like \"antminer s19=755\" or \"nicehash=any\"; repeatable [default: what this program knows]",
)
.shaped(Shape::Many);
/// Addresses for other nodes.
pub const P2P_LISTEN: Key = Key::one(
    ["p2p.listen", "p2p-listen", "SHOAL_P2P_LISTEN"],
    "IP:PORT",
    "Address for other nodes, over TCP and QUIC; repeatable [default: 0.0.0.0:3381 and [::]:3381]",
)
.shaped(Shape::Many);
/// Nodes to connect to.
pub const P2P_PEERS: Key = Key::one(
    ["p2p.peers", "p2p-peers", "SHOAL_P2P_PEERS"],
    "MULTIADDR",
    "Nodes to connect to, like /ip4/192.0.2.7/tcp/3381; repeatable [default: none]",
)
.shaped(Shape::Many);
/// Discovery in the local network.
pub const P2P_MDNS: Key = Key::one(
    ["p2p.mdns", "p2p-mdns", "SHOAL_P2P_MDNS"],
    "BOOL",
    "Discover other nodes in the local network by mDNS [default: false]",
)
.shaped(Shape::Switch);
/// Maximum upload to other nodes.
pub const P2P_MAX_UPLOAD: Key = Key::one(
    ["p2p.max_upload", "p2p-max-upload", "SHOAL_P2P_MAX_UPLOAD"],
    "RATE",
    "Maximum upload to other nodes, like \"2 MB/s\" or \"16 Mbit/s\", or unlimited; gossip comes first [default: 10 MB/s]",
);
/// Discovery on the internet.
pub const P2P_DISCOVER: Key = Key::one(
    ["p2p.discover", "p2p-discover", "SHOAL_P2P_DISCOVER"],
    "BOOL",
    "Discover other nodes of the pool, and be discovered by them [default: true]",
)
.shaped(Shape::Switch);
/// Seeds.
pub const P2P_SEEDS: Key = Key::one(
    ["p2p.seeds", "p2p-seeds", "SHOAL_P2P_SEEDS"],
    "MULTIADDR",
    "Nodes to ask for others if the address book gives nothing; repeatable [default: this release's]",
)
.shaped(Shape::Many);
/// DNS seeds.
pub const P2P_DNS_SEEDS: Key = Key::one(
    ["p2p.dns_seeds", "p2p-dns-seeds", "SHOAL_P2P_DNS_SEEDS"],
    "NAME",
    "Names whose TXT records list nodes, asked if the address book gives nothing; repeatable [default: this release's]",
)
.shaped(Shape::Many);
/// Own addresses.
pub const P2P_EXTERNAL_ADDRESS: Key = Key::one(
    ["p2p.external_address", "p2p-external-address", "SHOAL_P2P_EXTERNAL_ADDRESS"],
    "IP:PORT",
    "Address at which other nodes can reach this one, if its own sockets do not show it; repeatable [default: none]",
)
.shaped(Shape::Many);
/// Ports mapped by the router.
pub const P2P_UPNP: Key = Key::one(
    ["p2p.upnp", "p2p-upnp", "SHOAL_P2P_UPNP"],
    "BOOL",
    "Ask the router, by UPnP, to forward the ports for other nodes to this one [default: true]",
)
.shaped(Shape::Switch);
/// Relays.
pub const P2P_RELAY: Key = Key::one(
    ["p2p.relay", "p2p-relay", "SHOAL_P2P_RELAY"],
    "BOOL",
    "Be reachable through relays while no node can connect directly, and be a relay while they can [default: true]",
)
.shaped(Shape::Switch);
/// SOCKS5 proxy.
pub const P2P_PROXY: Key = Key::one(
    ["p2p.proxy", "p2p-proxy", "SHOAL_P2P_PROXY"],
    "IP:PORT",
    "SOCKS5 proxy for connections to onion services, like Tor's 127.0.0.1:9050 [default: none]",
);
/// Everything through the proxy.
pub const P2P_PROXY_ONLY: Key = Key::one(
    ["p2p.proxy_only", "p2p-proxy-only", "SHOAL_P2P_PROXY_ONLY"],
    "BOOL",
    "Connect to other nodes and receivers of events through the proxy only, and be reached at the onion service only [default: false]",
)
.shaped(Shape::Switch);
/// Address of an onion service that the operator set up.
pub const P2P_ONION_ADDRESS: Key = Key::one(
    ["p2p.onion_address", "p2p-onion-address", "SHOAL_P2P_ONION_ADDRESS"],
    "NAME.onion:PORT",
    "Onion service that you set up for this node; it must connect to p2p.onion_listen [default: none]",
);
/// Where the onion service connects.
pub const P2P_ONION_LISTEN: Key = Key::one(
    ["p2p.onion_listen", "p2p-onion-listen", "SHOAL_P2P_ONION_LISTEN"],
    "IP:PORT",
    "Loopback address that the onion service connects to [default: 127.0.0.1:3382]",
);
/// Tor's control port.
pub const P2P_TOR_CONTROL: Key = Key::one(
    ["p2p.tor_control", "p2p-tor-control", "SHOAL_P2P_TOR_CONTROL"],
    "IP:PORT",
    "Tor's control port, like 127.0.0.1:9051, to set up an onion service of this node [default: none]",
);
/// Password of Tor's control port.
pub const P2P_TOR_PASSWORD: Key = Key::one(
    ["p2p.tor_password", "p2p-tor-password", "SHOAL_P2P_TOR_PASSWORD"],
    "PASSWORD",
    "Password of Tor's control port, if it does not use a cookie; flags are visible to other users of this machine",
)
.secret();
/// Address of the HTTP API.
pub const API_LISTEN: Key = Key::one(
    ["api.listen", "api-listen", "SHOAL_API_LISTEN"],
    "IP:PORT",
    "Address of the web pages and the read-only HTTP API [default: 127.0.0.1:3380]",
);
/// Origins of web sites that may read the API.
pub const API_CORS_ORIGINS: Key = Key::one(
    ["api.cors_origins", "api-cors-origins", "SHOAL_API_CORS_ORIGINS"],
    "ORIGIN",
    "Web sites whose pages may read the API, like https://example.org; repeatable [default: none]",
)
.shaped(Shape::Many);
/// Request rate of one client.
pub const API_REQUESTS_A_SECOND: Key = Key::one(
    ["api.requests_a_second", "api-requests-a-second", "SHOAL_API_REQUESTS_A_SECOND"],
    "COUNT",
    "Average number of requests per second that one client may make [default: 100]",
);
/// Serves the API to everyone.
pub const API_PUBLIC: Key = Key::one(
    ["api.public", "api-public", "SHOAL_API_PUBLIC"],
    "BOOL",
    "Serve the pages to everyone, as an explorer: no worker's data, not even with the token, and answers that caches may keep [default: false]",
)
.shaped(Shape::Switch);
/// URL of a block at a Bitcoin explorer.
pub const API_EXPLORER: Key = Key::one(
    ["api.explorer", "api-explorer", "SHOAL_API_EXPLORER"],
    "URL",
    "Bitcoin explorer that blocks link to, like https://mempool.space/block/{hash} [default: none]",
);
/// Reverse proxies trusted to name their clients.
pub const API_TRUSTED_PROXIES: Key = Key::one(
    ["api.trusted_proxies", "api-trusted-proxies", "SHOAL_API_TRUSTED_PROXIES"],
    "IP",
    "Addresses or ranges of reverse proxies whose X-Forwarded-For counts, like 127.0.0.1 or 10.0.0.0/8; repeatable [default: none]",
)
.shaped(Shape::Many);
/// All keys, in the order of the example file.
pub const KEYS: &[&Key] = &[
    &NETWORK,
    &POOL,
    &OUTPUTS,
    &DATA_DIR,
    &ADDRESS,
    &NEW_POOL,
    &ON_ISOLATION,
    &ON_CENSORSHIP,
    &TRUST,
    &STORE_KEEP,
    &ARCHIVE_URL,
    &LOG,
    &LOG_FORMAT,
    &BITCOIND_URL,
    &BITCOIND_COOKIE_FILE,
    &BITCOIND_USER,
    &BITCOIND_PASSWORD,
    &BITCOIND_TIMEOUT_S,
    &BITCOIND_TLS_CA,
    &BITCOIND_ZMQ,
    &BITCOIND_FALLBACK,
    &STRATUM_LISTEN,
    &STRATUM_LISTENERS,
    &STRATUM_TLS_CERTIFICATE,
    &STRATUM_TLS_KEY,
    &STRATUM_COINBASE_LIMITS,
    &STRATUM_FEE_PERCENT,
    &STRATUM_FEE_ADDRESS,
    &POWER_PAUSE,
    &POWER_TIME_ZONE,
    &P2P_LISTEN,
    &P2P_PEERS,
    &P2P_MDNS,
    &P2P_MAX_UPLOAD,
    &P2P_DISCOVER,
    &P2P_SEEDS,
    &P2P_DNS_SEEDS,
    &P2P_EXTERNAL_ADDRESS,
    &P2P_UPNP,
    &P2P_RELAY,
    &P2P_PROXY,
    &P2P_PROXY_ONLY,
    &P2P_ONION_ADDRESS,
    &P2P_ONION_LISTEN,
    &P2P_TOR_CONTROL,
    &P2P_TOR_PASSWORD,
    &API_LISTEN,
    &API_CORS_ORIGINS,
    &API_REQUESTS_A_SECOND,
    &API_TRUSTED_PROXIES,
    &API_PUBLIC,
    &API_EXPLORER,
    &WEBHOOKS_URLS,
    &WEBHOOKS_SECRET,
    &WEBHOOKS_EVENTS,
    &NOTIFY_EVENTS,
    &NOTIFY_PAGES_URL,
    &NOTIFY_NTFY,
    &NOTIFY_NTFY_TOKEN,
    &NOTIFY_TELEGRAM_CHATS,
    &NOTIFY_TELEGRAM_TOKEN,
    &NOTIFY_TELEGRAM_SERVER,
    &NOTIFY_DISCORD,
    &NOTIFY_SLACK,
    &NOTIFY_MAIL_TO,
    &NOTIFY_MAIL_FROM,
    &NOTIFY_SMTP,
    &NOTIFY_SMTP_USER,
    &NOTIFY_SMTP_PASSWORD,
];

/// Finds a key by its name in the file.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().copied().find(|key| key.name == name)
}

/// True if `name` is a table of the file.
pub fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.split_once('.').is_some_and(|(table, _)| table == name))
}

/// The key or table that `name` was probably meant to be.
pub fn nearest(name: &str) -> &'static str {
    let tables = KEYS.iter().filter_map(|key| key.name.split_once('.')).map(|(table, _)| table);
    // A key written outside its table is more likely than one with a similar name.
    let misplaced = KEYS.iter().find(|key| key.name.split_once('.').is_some_and(|(_, last)| last == name));
    match misplaced {
        Some(key) => key.name,
        None => KEYS
            .iter()
            .map(|key| key.name)
            .chain(tables)
            .min_by_key(|candidate| strsim::damerau_levenshtein(candidate, name))
            .unwrap_or(NETWORK.name),
    }
}
