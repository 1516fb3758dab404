//! What can stop the program, and its exit code.

use std::error::Error;

use crate::bitcoind::BitcoindError;
use crate::config::ConfigError;
use crate::logging::LoggingError;
use crate::store::StoreError;

/// What stopped the program.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// bitcoind cannot be used.
    #[error(transparent)]
    Bitcoind(#[from] BitcoindError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Logging cannot be set up.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// The runtime cannot be started, or no signal can be waited for.
    #[error("the system refuses what the program needs to run")]
    System(#[from] std::io::Error),
    /// `shoal check` found something; it has said what.
    #[error("the check failed")]
    CheckFailed {
        /// Whether it was the configuration itself.
        config: bool,
    },
    /// A part of the program that does not exist yet.
    #[error("`shoal {0}` is not built into this version")]
    NotBuilt(&'static str),
}

impl NodeError {
    /// The program's exit code: 2 if the configuration is wrong, otherwise 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::CheckFailed { config: true } => 2,
            _ => 1,
        }
    }
}

/// One sentence: the error, and after colons what caused it.
pub fn sentence(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        // Some libraries repeat their cause in their own words.
        if !sentence.ends_with(&words) {
            sentence.push_str(": ");
            sentence.push_str(&words);
        }
        source = cause.source();
    }
    sentence
}
