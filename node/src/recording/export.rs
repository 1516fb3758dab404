//! Exports a journal to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use node_core::engine::Engine;
use node_core::export::{ExportError, headers_above_root, is_whole, write};
use sharechain::Chain;

use super::error::RecordingError;
use super::open_store;
use crate::bitcoind::Bitcoind;
use crate::clock::now;
use crate::config::Config;
use crate::error::NodeError;
use crate::headers;
use crate::store::Store;

/// `shoal export`: exports the database of a stopped node to a file.
///
/// # Errors
/// The database is in use or empty, bitcoind cannot be queried, the file cannot be written, or standard output is
/// closed.
pub(crate) async fn export(config: &Config, path: &Path) -> Result<(), NodeError> {
    let params = config.chain_params();
    let consensus_id = params.consensus_id();
    // Opening would create a database if there is none.
    if matches!(Store::inspect(&config.store_path(), consensus_id), Ok(false)) {
        return Err(RecordingError::Nothing.into());
    }
    let store = Arc::new(open_store(&config.store_path(), consensus_id)?);
    let bitcoind = Bitcoind::new(&config.bitcoind, config.network)?;
    if store.journal(0).next().is_none() {
        return Err(RecordingError::Nothing.into());
    }
    // A recording of the whole share-chain needs Bitcoin's headers from its beginning.
    let is_whole = is_whole(&*store, &params)?;
    let base = if is_whole { None } else { headers::newest_base_height(&store)? };
    let headers = headers::load_up_to_tip(&bitcoind, &params, base).await?;
    let (root, vouched) = (headers.root(), headers_above_root(&headers));
    let mut engine = Engine::open(Chain::new(params, headers), Arc::clone(&store), now())?;
    let file = |source| RecordingError::File { path: path.to_owned(), source };
    let to = BufWriter::new(File::create(path).map_err(file)?);
    let about = format!("shoal {} export", env!("CARGO_PKG_VERSION"));
    let lines = write(&*store, engine.chain_mut(), root, &vouched, Some(&about), to).map_err(|error| match error {
        ExportError::Journal(error) => NodeError::Store(error),
        ExportError::Write(error) => RecordingError::Write(error).into(),
        ExportError::Lacks(what) => RecordingError::Lacks(what).into(),
    })?;
    let mut out = io::stdout();
    writeln!(out, "{lines} lines written to {}; the tip is at height {}", path.display(), engine.tip().height)?;
    if !is_whole {
        writeln!(out, "this node is pruned: the recording begins at height {}", engine.chain().lowest_shown())?;
    }
    Ok(())
}
