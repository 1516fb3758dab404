//! A Stratum v1 server for ASICs: it knows jobs and submissions, never the share-chain.
