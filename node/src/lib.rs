//! The program shoal: share-chain, peers and miners wired to one bitcoind.
