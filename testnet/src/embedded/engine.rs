//! Bitcoin Core's consensus engine, as the judge of every block.
//!
//! `bitcoinkernel` says whether a block is valid, not why not; the reason in BIP-0022's words stands
//! only in the engine's log. Judgement is synchronous and logs on the calling thread, so the lines
//! of one judgement are captured there and the reason is read from them.

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

/// Reasons why the engine does not run or cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Its data folder has a name it cannot take.
    #[error("the path {0} is not UTF-8, which the consensus engine needs")]
    Path(PathBuf),
    /// Its data folder cannot be made.
    #[error("cannot create {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The engine itself failed.
    #[error("the consensus engine failed")]
    Kernel(#[from] KernelError),
    /// It returned a block that cannot be read.
    #[error("the consensus engine returned a block that cannot be read")]
    Unreadable(#[from] bitcoin::consensus::encode::Error),
}

/// What the engine says about a submitted block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Valid, and part of the active chain.
    Accepted,
    /// Known already.
    Duplicate,
    /// Stored, but nothing required to judge it in full: it is on a branch with less work.
    Inconclusive,
    /// Invalid, with the engine's reason in BIP-0022's words.
    Invalid(String),
}

/// One judgement: the verdict, and every block that was fully checked on the way (a reorganisation
/// checks several).
#[derive(Debug)]
pub(super) struct Judgement {
    /// What became of the submitted block.
    pub verdict: Verdict,
    /// Blocks that were fully checked, and whether they are valid.
    pub checked: Vec<(BlockHash, bool)>,
}

type Checked = Arc<Mutex<Vec<(BlockHash, bool)>>>;

/// The engine with its block and coin databases.
pub(super) struct Engine {
    // Dropped first: it uses the context.
    chain: ChainstateManager,
    _context: Context,
    params: ChainParams,
    checked: Checked,
    /// Judges one block at a time.
    judging: Mutex<()>,
}

impl Engine {
    /// Opens the engine on the databases in `dir`, which it creates when missing.
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
                // A body that does not belong to its header says nothing about the block.
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

    /// Judges a block and connects it if it is valid and best. Blocks the thread for milliseconds.
    ///
    /// # Errors
    /// [`EngineError`] if the engine cannot take it in at all.
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

    /// Judges a header and remembers it if it is valid. `Err` in the result is the engine's reason.
    ///
    /// # Errors
    /// [`EngineError`] if the engine cannot take it in at all.
    pub(super) fn judge_header(&self, header: &Header) -> Result<Result<(), String>, EngineError> {
        let kernel_header = bitcoinkernel::BlockHeader::new(&serialize(header))?;
        let _one_at_a_time = lock(&self.judging);
        let (result, log) = with_captured_log(|| self.chain.process_block_header(&kernel_header));
        Ok(match result? {
            ProcessBlockHeaderResult::Valid => Ok(()),
            ProcessBlockHeaderResult::Invalid(_) => Err(reason(&log, &header.block_hash())),
        })
    }

    /// Whether the engine finds nothing wrong with the block apart from its work and its place in
    /// the chain: sizes, merkle root, coinbase, transactions on their own, signature operations.
    ///
    /// # Errors
    /// [`EngineError`] if the engine cannot take it in at all.
    pub(super) fn check_structure(&self, block: &Block) -> Result<bool, EngineError> {
        let kernel_block = bitcoinkernel::Block::new(&serialize(block))?;
        let result = kernel_block.check(&self.params, BLOCK_CHECK_MERKLE);
        Ok(matches!(result, BlockCheckResult::Valid))
    }

    /// The active chain's hashes from height `from` on.
    pub(super) fn active_from(&self, from: usize) -> Vec<BlockHash> {
        let chain = self.chain.active_chain();
        (from..)
            .map_while(|height| chain.at_height(height))
            .map(|entry| BlockHash::from_byte_array(entry.block_hash().to_bytes()))
            .collect()
    }

    /// Whether the engine remembers the block's header, be the block valid or not.
    pub(super) fn knows(&self, hash: &BlockHash) -> bool {
        self.chain.get_block_tree_entry(&hash.to_byte_array().into()).is_some()
    }

    /// Reads a stored block, or none if the engine has only its header or does not know it.
    ///
    /// # Errors
    /// [`EngineError::Unreadable`] if what is stored is no block.
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
    /// Log lines of the judgement that runs on this thread.
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

/// Connects the engine's log, which is one for the process, once and for the process's life.
fn capture_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        bitcoinkernel::log::logging::set_logging_options(LoggingOptions {
            log_timestamps: false,
            ..LoggingOptions::default()
        });
        match bitcoinkernel::Logger::new(Capture) {
            Ok(logger) => {
                // Reasons for refused headers stand in the debug lines of this category.
                logger.set_level_category(LogCategory::Validation, LogLevel::Debug);
                logger.enable_category(LogCategory::Validation);
                std::mem::forget(logger);
            }
            Err(error) => tracing::warn!(?error, "reasons for refused blocks will be missing"),
        }
    });
}

fn with_captured_log<T>(judge: impl FnOnce() -> T) -> (T, String) {
    LINES.with_borrow_mut(|lines| *lines = Some(String::new()));
    let result = judge();
    let lines = LINES.with_borrow_mut(Option::take).unwrap_or_default();
    (result, lines)
}

/// Finds the reason in what the engine logged; "rejected" is BIP-0022's word for no reason given.
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
    // Nothing in here panics half way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
