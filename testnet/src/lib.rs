//! A local multi-node Shoal network on an embedded Bitcoin or a real bitcoind.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod api_client;
pub mod bitcoind;
pub mod cli;
pub mod embedded;
pub mod faults;
pub mod limits;
pub mod miner;
pub mod network;
pub mod premine;
pub mod report;
pub mod rpc;
pub mod signet;
pub mod sim;
pub mod study;
pub mod table;
pub mod up;
pub mod wallet;

/// An error and everything that caused it, in one sentence.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let words = source.to_string();
        // Wrappers often repeat what they wrap.
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = source.source();
    }
    text
}
