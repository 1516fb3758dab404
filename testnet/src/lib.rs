//! A local multi-node Shoal network on an embedded Bitcoin or a real bitcoind.
