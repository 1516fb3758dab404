//! The state of the embedded Bitcoin: the engine, the known chain, the pool, the template.
//!
//! A judgment takes the engine's own lock and runs on a blocking thread. Answers read a separate view and never wait
//! for a judgment.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bitcoin::block::Header;
use bitcoin::{Block, BlockHash};
use tokio::sync::watch;

use super::engine::{Engine, EngineError, Judgement, Verdict};
use super::index::{Index, Status};
use super::pool::Pool;
use super::template::Template;
use crate::limits::{POOL_TRANSACTIONS_MAX, WALLET_UNCONFIRMED_MAX};
use crate::wallet::Wallet;

/// The data for answers.
pub(super) struct View {
    /// Headers and the active chain.
    pub index: Index,
    /// Unconfirmed transactions.
    pub pool: Pool,
    wallet: Wallet,
}

/// The state that the RPC methods work on.
pub(super) struct State {
    engine: Engine,
    view: RwLock<View>,
    template: watch::Sender<Arc<Template>>,
    /// Keeps the view's changes in the order of the engine's judgments.
    submitting: Mutex<()>,
    started: Instant,
}

impl State {
    /// Opens the chain in `dir`.
    ///
    /// # Errors
    /// [`EngineError`] if the engine cannot be opened or its chain cannot be read.
    pub(super) fn open(dir: &Path) -> Result<Self, EngineError> {
        let engine = Engine::open(dir)?;
        let mut view = View { index: Index::new(), pool: Pool::default(), wallet: Wallet::new() };
        follow(&engine, &mut view)?;
        let template = Arc::new(Template::build(&view.index, &view.pool));
        Ok(Self {
            engine,
            view: RwLock::new(view),
            template: watch::Sender::new(template),
            submitting: Mutex::default(),
            started: Instant::now(),
        })
    }

    /// Judges a block, connects it if it is valid, and rebuilds the template. Blocks the thread for some milliseconds.
    ///
    /// # Errors
    /// [`EngineError`] if the engine itself fails.
    pub(super) fn submit(&self, block: &Block) -> Result<Verdict, EngineError> {
        let _in_order = self.submitting.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = block.block_hash();
        let Judgement { verdict, checked } = self.engine.judge(block)?;
        let found_invalid = checked.contains(&(hash, false)) && self.engine.knows(&hash);
        let mut view = self.write();
        if found_invalid || !matches!(verdict, Verdict::Invalid(_)) {
            view.index.insert(block.header, block.txdata.len(), Status::Stored);
        }
        for (hash, valid) in checked {
            let status = if valid { Status::Valid } else { Status::Invalid };
            if let Some(entry) = view.index.get(&hash) {
                let (header, count) = (entry.header, entry.transaction_count);
                view.index.insert(header, count, status);
            }
        }
        if follow(&self.engine, &mut view)? {
            self.publish(&view);
        }
        Ok(verdict)
    }

    /// Judges a header. `Err` in the result is the engine's reason.
    ///
    /// # Errors
    /// [`EngineError`] if the engine itself fails.
    pub(super) fn submit_header(&self, header: &Header) -> Result<Result<(), String>, EngineError> {
        let _in_order = self.submitting.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = self.engine.judge_header(header)?;
        if judged.is_ok() {
            self.write().index.insert(*header, 0, Status::HeaderOnly);
        }
        Ok(judged)
    }

    /// Lets the wallet create one transaction, unless enough of them are unconfirmed.
    pub(super) fn make_transaction(&self) {
        let mut view = self.write();
        if view.pool.waiting().len() >= WALLET_UNCONFIRMED_MAX {
            return;
        }
        if let Some(spend) = view.wallet.spend() {
            view.pool.add(&spend);
            self.publish(&view);
        }
    }

    /// Lets the wallet create transactions until this many wait. Returns how many wait.
    pub(super) fn fill(&self, transactions: usize) -> usize {
        let mut view = self.write();
        while view.pool.waiting().len() < transactions.min(POOL_TRANSACTIONS_MAX) {
            let Some(spend) = view.wallet.spend_largest() else { break };
            view.pool.add(&spend);
        }
        self.publish(&view);
        view.pool.waiting().len()
    }

    /// Returns the view for answers. It is held for microseconds.
    pub(super) fn view(&self) -> RwLockReadGuard<'_, View> {
        // No writer panics halfway through a change.
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the engine, for stored blocks and structural checks.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns a receiver of the current template and its changes.
    pub(super) fn templates(&self) -> watch::Receiver<Arc<Template>> {
        self.template.subscribe()
    }

    /// Returns the seconds since this server started.
    pub(super) fn uptime_s(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    fn write(&self) -> RwLockWriteGuard<'_, View> {
        self.view.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, view: &View) {
        self.template.send_replace(Arc::new(Template::build(&view.index, &view.pool)));
    }
}

/// Returns the seconds since the Unix epoch, as in block headers.
pub(super) fn now_s() -> u32 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX)
}

/// Updates the view to the engine's active chain. Returns whether the tip moved.
fn follow(engine: &Engine, view: &mut View) -> Result<bool, EngineError> {
    let (old_tip, old_entry) = view.index.tip();
    // The last height at which both chains agree.
    let old_height = old_entry.height as usize;
    let mut fork = old_height;
    let mut tail = engine.active_from(fork);
    while tail.first() != view.index.at_height(fork).as_ref() && fork > 0 {
        fork -= 1;
        tail = engine.active_from(fork);
    }
    let new: Vec<BlockHash> = tail.into_iter().skip(1).collect();
    let reorganised = fork < old_height;
    if new.is_empty() && !reorganised {
        return Ok(false);
    }
    if reorganised {
        tracing::warn!(%old_tip, fork_height = fork, "the embedded Bitcoin reorganizes");
        view.pool.clear();
        view.wallet = Wallet::new();
    }
    let mut connected: Vec<Block> = Vec::new();
    for hash in &new {
        if let Some(block) = engine.block(hash)? {
            view.index.insert(block.header, block.txdata.len(), Status::Valid);
            connected.push(block);
        }
    }
    view.index.set_active(fork + 1, &new);
    if reorganised {
        show_again(engine, view, fork)?;
    }
    for (height, block) in (fork as u32 + 1..).zip(&connected) {
        view.pool.connect(block);
        view.wallet.connect(height, block);
    }
    Ok(true)
}

/// Shows a new wallet the part of the chain that remains.
fn show_again(engine: &Engine, view: &mut View, up_to: usize) -> Result<(), EngineError> {
    for height in 1..=up_to {
        let Some(hash) = view.index.at_height(height) else { break };
        if let Some(block) = engine.block(&hash)? {
            view.wallet.connect(height as u32, &block);
        }
    }
    Ok(())
}
