//! Gossip, sync and peer scoring for the share-chain, over libp2p.
