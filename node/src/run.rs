//! `shoal run`.

use crate::config::Config;
use crate::error::NodeError;

/// Runs the node until it is told to stop.
///
/// # Errors
/// What kept it from starting, or stopped it.
pub async fn run(_config: Config) -> Result<(), NodeError> {
    Err(NodeError::NotBuilt("run"))
}
