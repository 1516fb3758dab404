//! The keys for bitcoind; see `keys.rs`.

use super::key::{Key, Shape};

/// bitcoind's address.
pub const BITCOIND_URL: Key = Key::one(
    ["bitcoind.url", "bitcoind-url", "SHOAL_BITCOIND_URL"],
    "URL",
    "URL of bitcoind's JSON-RPC: http://, https:// or unix:/PATH [default: http://127.0.0.1 with the network's default port]",
);
/// bitcoind's cookie file.
pub const BITCOIND_COOKIE_FILE: Key = Key::one(
    ["bitcoind.cookie_file", "bitcoind-cookie-file", "SHOAL_BITCOIND_COOKIE_FILE"],
    "FILE",
    "bitcoind's cookie file [default: bitcoind's own default under ~/.bitcoin]",
);
/// bitcoind's user.
pub const BITCOIND_USER: Key = Key::one(
    ["bitcoind.user", "bitcoind-user", "SHOAL_BITCOIND_USER"],
    "NAME",
    "User of bitcoind's JSON-RPC, instead of the cookie file",
);
/// bitcoind's password.
pub const BITCOIND_PASSWORD: Key = Key::one(
    ["bitcoind.password", "bitcoind-password", "SHOAL_BITCOIND_PASSWORD"],
    "PASSWORD",
    "Password of that user; flags are visible to other users of this machine, so prefer the file",
)
.secret();
/// bitcoind's time limit.
pub const BITCOIND_TIMEOUT_S: Key = Key::one(
    ["bitcoind.timeout_s", "bitcoind-timeout-s", "SHOAL_BITCOIND_TIMEOUT_S"],
    "SECONDS",
    "Time limit of one call to bitcoind, seconds [default: 30]",
);
/// Authorities of an encrypted connection to bitcoind.
pub const BITCOIND_TLS_CA: Key = Key::one(
    ["bitcoind.tls_ca", "bitcoind-tls-ca", "SHOAL_BITCOIND_TLS_CA"],
    "FILE",
    "PEM file with the only certificate authorities to trust at an https:// URL [default: the system's]",
);
/// bitcoind's ZMQ publisher.
pub const BITCOIND_ZMQ: Key = Key::one(
    ["bitcoind.zmq", "bitcoind-zmq", "SHOAL_BITCOIND_ZMQ"],
    "ADDRESS",
    "Address of bitcoind's zmqpubhashblock, like tcp://127.0.0.1:28332, to hear of new blocks at once [default: none]",
);
/// More bitcoinds.
pub const BITCOIND_FALLBACK: Key = Key::one(
    ["bitcoind.fallback", "bitcoind-fallback", "SHOAL_BITCOIND_FALLBACK"],
    "BITCOIND",
    "More bitcoinds, in the order in which they are used, like \"http://10.0.0.5:8332 user=shoal password=...\"; repeatable [default: none]",
)
.shaped(Shape::Many)
.secret();
