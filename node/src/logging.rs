//! Sets up logging to standard error, so that standard output has only results.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

use crate::config::LogFormat;

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The filter is not valid.
    #[error("the log filter {filter:?} is not valid")]
    Filter {
        /// The filter.
        filter: String,
        /// Cause from the parser.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Logging was already set up in this process.
    #[error("logging was set up twice")]
    Twice(#[source] TryInitError),
}

/// Filter for libraries whose `info` lines do not concern an operator. A filter that names one of them takes
/// precedence.
const QUIET: &str = "libp2p=warn";

/// Starts logging for the whole process.
///
/// # Errors
/// The filter is not valid, or logging is already set up.
pub fn init(filter: &str, format: LogFormat) -> Result<(), LoggingError> {
    use tracing_subscriber::util::SubscriberInitExt;

    let env_filter = EnvFilter::try_new(format!("{QUIET},{filter}"))
        .map_err(|source| LoggingError::Filter { filter: filter.to_owned(), source })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(env_filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    }
    .map_err(LoggingError::Twice)
}
