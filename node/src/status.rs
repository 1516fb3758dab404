//! `shoal status`.

use crate::config::Config;
use crate::error::NodeError;

/// Prints what a running node does, as JSON if `json`.
///
/// # Errors
/// The node cannot be reached.
pub async fn status(_config: Config, _json: bool) -> Result<(), NodeError> {
    Err(NodeError::NotBuilt("status"))
}
