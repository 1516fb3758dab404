//! Sets up logging to standard error, so that standard output has only results.

use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::LogFormat;
use crate::log_limit::LogLimit;

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
    /// The thread that reports omitted lines does not start.
    #[error("the thread of the log does not start")]
    Thread(#[source] std::io::Error),
}

/// Filter for libraries whose `info` lines do not concern an operator. A filter that names one of them takes
/// precedence.
const QUIET: &str = "libp2p=warn";

/// Changes what a running process logs.
#[derive(Clone, Debug)]
pub struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// Logs by another filter from now on.
    ///
    /// # Errors
    /// The filter is not valid.
    pub fn set(&self, filter: &str) -> Result<(), LoggingError> {
        // Fails only after logging has shut down, when no filter matters.
        let _ = self.0.reload(parsed(filter)?);
        Ok(())
    }
}

/// Starts logging for the whole process.
///
/// # Errors
/// The filter is not valid, or logging is already set up.
pub fn init(filter: &str, format: LogFormat) -> Result<LogLevel, LoggingError> {
    use tracing_subscriber::util::SubscriberInitExt;

    let limit = LogLimit::default();
    let (subscriber, level) = subscriber(filter, format, std::io::stderr, limit.clone())?;
    subscriber.try_init().map_err(LoggingError::Twice)?;
    limit.report_forever().map_err(LoggingError::Thread)?;
    Ok(level)
}

fn parsed(filter: &str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::try_new(format!("{QUIET},{filter}"))
        .map_err(|source| LoggingError::Filter { filter: filter.to_owned(), source })
}

/// The layer that writes the log to `writer`.
pub(crate) fn subscriber<W>(
    filter: &str,
    format: LogFormat,
    writer: W,
    limit: LogLimit,
) -> Result<(Box<dyn Subscriber + Send + Sync>, LogLevel), LoggingError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (env_filter, level) = reload::Layer::new(parsed(filter)?);
    let filter = env_filter.and(limit);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry();
    let subscriber: Box<dyn Subscriber + Send + Sync> = match format {
        LogFormat::Text => Box::new(registry.with(lines.with_filter(filter))),
        LogFormat::Json => Box::new(registry.with(lines.json().flatten_event(true).with_filter(filter))),
    };
    Ok((subscriber, LogLevel(level)))
}
