//! Bitcoin Core's consensus engine, which judges every block.
//!
//! `bitcoinkernel` tells whether a block is valid, but not why. The reason in BIP-0022's words is only in the engine's
//! log. The engine is synchronous and logs on the calling thread, so the log lines of one judgment are captured there
//! and the reason is read from them.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Once, PoisonError};

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::Hash;
use bitcoin::{Block, BlockHash};
use bitcoinkernel::log::logging::LoggingOptions;
use bitcoinkernel::prelude::*;
use bitcoinkernel::{
    BLOCK_CHECK_MERKLE, BlockCheckResult, BlockValidationResult, BlockValidationStateRef, ChainParams,
    ChainstateManager, Context, ContextBuilder, KernelError, LogCategory, LogLevel, ProcessBlockHeaderResult,
    ProcessBlockResult, ValidationMode,
};

use crate::signet;

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The path of its data folder is not UTF-8.
    #[error("the path {0} is not UTF-8, which the consensus engine requires")]
    Path(PathBuf),
    /// Its data folder cannot be created.
    #[error("cannot create {path}")]
    Folder {
        /// Path of the folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The engine itself failed.
    #[error("the consensus engine failed")]
    Kernel(#[from] KernelError),
    /// The engine returned a block that cannot be decoded.
    #[error("the consensus engine returned a block that cannot be decoded")]
    Unreadable(#[from] bitcoin::consensus::encode::Error),
}

/// The engine's verdict about a submitted block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Valid, and part of the active chain.
    Accepted,
    /// The engine knows it already.
    Duplicate,
    /// Stored, but not fully checked, because it is on a branch with less work.
    Inconclusive,
    /// Invalid, with the engine's reason in BIP-0022's words.
    Invalid(String),
}

/// The result of one judgment: the verdict, and all blocks that were fully checked. A reorganization checks several.
#[derive(Debug)]
pub(super) struct Judgement {
    /// The verdict about the submitted block.
    pub verdict: Verdict,
    /// Blocks that were fully checked, and whether each is valid.
    pub checked: Vec<(BlockHash, bool)>,
}

type Checked = Arc<Mutex<Vec<(BlockHash, bool)>>>;

/// The engine with its block and coin databases.
pub(super) struct Engine {
    // Dropped first, because it uses the context.
    chain: ChainstateManager,
    _context: Context,
    params: ChainParams,
    checked: Checked,
    /// Serializes judgments.
    judging: Mutex<()>,
}

impl Engine {
    /// Opens the engine on the databases in `dir`, which are created if they are missing.
    ///
    /// # Errors
    /// [`EngineError`] if the folder cannot be used.
    pub(super) fn open(dir: &Path) -> Result<Self, EngineError> {
        capture_log();
        let blocks_dir = dir.join("blocks");
        std::fs::create_dir_all(&blocks_dir)
            .map_err(|source| EngineError::Folder { path: blocks_dir.clone(), source })?;
        let path = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| EngineError::Path(path.to_owned()));
        let checked = Checked::default();
        let seen = checked.clone();
        let context = ContextBuilder::new()
            .signet(&signet::CHALLENGE)
            .with_block_checked_validation(move |block: bitcoinkernel::Block, state: BlockValidationStateRef<'_>| {
                // If a body does not match its header, the block itself may still be valid.
                if state.result() != BlockValidationResult::Mutated {
                    let hash = BlockHash::from_byte_array(block.hash().to_bytes());
                    lock(&seen).push((hash, state.mode() == ValidationMode::Valid));
                }
            })
            .build()?;
        let chain =
            ChainstateManager::builder(&context, &path(dir)?, &path(&blocks_dir)?)?.worker_threads(1).build()?;
        chain.import_blocks()?;
        Ok(Self {
            chain,
            _context: context,
            params: ChainParams::new_signet(&signet::CHALLENGE),
            checked,
            judging: Mutex::new(()),
        })
    }

    /// Judges a block, and connects it if it is valid and best. Blocks the thread for milliseconds.
    ///
    /// # Errors
    /// [`EngineError`] if the engine cannot process it.
    pub(super) fn judge(&self, block: &Block) -> Result<Judgement, EngineError> {
        let hash = block.block_hash();
        let kernel_block = bitcoinkernel::Block::new(&serialize(block))?;
        let _one_at_a_time = lock(&self.judging);
        lock(&self.checked).clear();
        let (result, log) = with_captured_log(|| self.chain.process_block(&kernel_block));
        let checked = std::mem::take(&mut *lock(&self.checked));
        let verdict = match checked.iter().rev().find(|(seen, _)| *seen == hash) {
            _ if result == ProcessBlockResult::Duplicate => Verdict::Duplicate,
            Some((_, true)) => Verdict::Accepted,
            Some((_, false)) => Verdict::Invalid(reason(&log, &hash)),
            None if result == ProcessBlockResult::Rejected => Verdict::Invalid(reason(&log, &hash)),
            None => Verdict::Inconclusive,
        };
        Ok(Judgement { verdict, checked })
    }

    /// Judges a header, and stores it if it is valid. `Err` in the result is the engine's reason.
    ///
    /// # Errors
    /// [`EngineError`] if the engine cannot process it.
    pub(super) fn judge_header(&self, header: &Header) -> Result<Result<(), String>, EngineError> {
        let kernel_header = bitcoinkernel::BlockHeader::new(&serialize(header))?;
        let _one_at_a_time = lock(&self.judging);
        let (result, log) = with_captured_log(|| self.chain.process_block_header(&kernel_header));
        Ok(match result? {
            ProcessBlockHeaderResult::Valid => Ok(()),
            ProcessBlockHeaderResult::Invalid(_) => Err(reason(&log, &header.block_hash())),
        })
    }

    /// Checks a block without its work and its place in the chain: sizes, merkle root, coinbase, each transaction on
    /// its own, signature operations.
    ///
    /// # Errors
    /// [`EngineError`] if the engine cannot process it.
    pub(super) fn check_structure(&self, block: &Block) -> Result<bool, EngineError> {
        let kernel_block = bitcoinkernel::Block::new(&serialize(block))?;
        let result = kernel_block.check(&self.params, BLOCK_CHECK_MERKLE);
        Ok(matches!(result, BlockCheckResult::Valid))
    }

    /// Returns the active chain's hashes from height `from` on.
    pub(super) fn active_from(&self, from: usize) -> Vec<BlockHash> {
        let chain = self.chain.active_chain();
        (from..)
            .map_while(|height| chain.at_height(height))
            .map(|entry| BlockHash::from_byte_array(entry.block_hash().to_bytes()))
            .collect()
    }

    /// Returns whether the engine knows the block's header, even if the block is invalid.
    pub(super) fn knows(&self, hash: &BlockHash) -> bool {
        self.chain.get_block_tree_entry(&hash.to_byte_array().into()).is_some()
    }

    /// Reads a stored block. `None` if the engine has only its header or does not know it.
    ///
    /// # Errors
    /// [`EngineError::Unreadable`] if the stored block cannot be decoded.
    pub(super) fn block(&self, hash: &BlockHash) -> Result<Option<Block>, EngineError> {
        if *hash == signet::genesis().block_hash() {
            return Ok(Some(signet::genesis()));
        }
        let Some(entry) = self.chain.get_block_tree_entry(&hash.to_byte_array().into()) else {
            return Ok(None);
        };
        match self.chain.read_block_data(&entry) {
            Ok(block) => Ok(Some(deserialize(&block.consensus_encode()?)?)),
            Err(_only_a_header) => Ok(None),
        }
    }
}

thread_local! {
    /// Log lines of the judgment on this thread.
    static LINES: RefCell<Option<String>> = const { RefCell::new(None) };
}

struct Capture;

impl bitcoinkernel::log::Log for Capture {
    fn log(&self, message: &str) {
        tracing::trace!(target: "bitcoinkernel", "{}", message.trim_end());
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.push_str(message);
            }
        });
    }
}

/// Captures the engine's log, once for the life of the process. There is one log per process.
fn capture_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        bitcoinkernel::log::logging::set_logging_options(LoggingOptions {
            log_timestamps: false,
            ..LoggingOptions::default()
        });
        match bitcoinkernel::Logger::new(Capture) {
            Ok(logger) => {
                // The reasons for rejected headers are in the debug lines of this category.
                logger.set_level_category(LogCategory::Validation, LogLevel::Debug);
                logger.enable_category(LogCategory::Validation);
                std::mem::forget(logger);
            }
            Err(error) => tracing::warn!(?error, "reasons for rejected blocks will be missing"),
        }
    });
}

fn with_captured_log<T>(judge: impl FnOnce() -> T) -> (T, String) {
    LINES.with_borrow_mut(|lines| *lines = Some(String::new()));
    let result = judge();
    let lines = LINES.with_borrow_mut(Option::take).unwrap_or_default();
    (result, lines)
}

/// Finds the reason in the engine's log. "rejected" is BIP-0022's word if there is no reason.
fn reason(log: &str, hash: &BlockHash) -> String {
    let connect = format!("ConnectBlock {hash} failed, ");
    // Headers: "Consensus::CheckBlockHeader: <hash>, <reason>".
    let header = format!("{hash}, ");
    let after = |marker: &str| log.lines().find_map(|line| line.split_once(marker)).map(|(_, reason)| reason);
    let found = after("AcceptBlock FAILED (")
        .map(|reason| reason.strip_suffix(')').unwrap_or(reason))
        .or_else(|| after(&connect))
        .or_else(|| after(&header));
    match found {
        Some(found) => found.split(", ").next().unwrap_or(found).trim().to_owned(),
        None => "rejected".to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // No code here panics halfway through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
