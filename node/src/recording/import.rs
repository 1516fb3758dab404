//! Imports a file into an empty journal. The file is not trusted: proofs, lists and headers pass the same checks as
//! from peers, and claims are ignored.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::block::Header;
use node_core::engine::Engine;
use node_core::headers::is_settled;
use recording::{Base, BaseLine, BaseReader, Id, Line, ProofLine, ReadError, Reader, Unverified};
use sharechain::bitcoin_headers::Root;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Chain, Height, Outcome, Proof, RuleError, ShareId, Timestamp};

use super::error::RecordingError;
use super::open_store;
use crate::bitcoind::Bitcoind;
use crate::clock::now;
use crate::config::Config;
use crate::error::NodeError;
use crate::headers;
use crate::store::Journal;

/// Interval between progress lines.
const PROGRESS: Duration = Duration::from_secs(5);

/// Maximum number of rejections printed.
const REFUSALS_SHOWN: usize = 20;

/// Results of importing a recording's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Number of valid proofs.
    pub proofs: u64,
    /// Number of lists.
    pub lists: u64,
    /// Number of Bitcoin headers, including those already known.
    pub headers: u64,
    /// Number of proofs that were held at their line; most become valid later.
    pub held: u64,
    /// Number of proofs that are too old to be listed.
    pub unlistable: u64,
    /// Rejected lines: line number and rule.
    pub refused: Vec<(u64, RuleError)>,
    /// Number of ignored Bitcoin headers: off bitcoind's active chain, and not two blocks below its tip.
    pub unsettled: u64,
    /// The unverified part of a pruned node's recording.
    pub unverified: Option<Unverified>,
}

/// Adds a part of the base that the recording of a pruned node begins with. Starts from the base once it is complete.
fn begin<J: Journal>(
    reader: &mut Option<BaseReader>,
    engine: &mut Engine<J>,
    line: BaseLine,
    now: Timestamp,
) -> Result<Option<Unverified>, String> {
    let chain = engine.chain();
    if chain.height() > Height(0) {
        return Err("a base comes before all proofs, and once".to_owned());
    }
    let base = BaseReader::take(reader, line, chain.params(), chain.bitcoin(), now)?;
    let Some(Base { chain, lists, proofs, unverified }) = base else { return Ok(None) };
    engine.start_from(chain, lists, proofs);
    Ok(Some(unverified))
}

impl Import {
    /// Feeds a line to an engine whose bitcoind is at `own_height`.
    fn play<J: Journal>(&mut self, engine: &mut Engine<J>, number: u64, line: Line, own_height: u32, now: Timestamp) {
        match line {
            Line::Header(line) => self.header(engine, line.header.0, own_height, now),
            Line::Proof(line) => self.proof(engine, number, line, now),
            Line::List(line) => self.list(engine, number, line.list_of, line.list, now),
            Line::Now(_) | Line::Claim(_) | Line::Base(_) => {}
        }
    }

    fn header<J: Journal>(&mut self, engine: &mut Engine<J>, header: Header, own_height: u32, now: Timestamp) {
        let bitcoin = engine.chain().bitcoin();
        let previous = bitcoin.get(&header.prev_blockhash).map(|known| known.height);
        if bitcoin.get(&header.block_hash()).is_some() {
            self.headers += 1;
        } else if previous.is_some_and(|height| is_settled(height.saturating_add(1), own_height)) {
            engine.insert_bitcoin_headers(&[header], now);
            self.headers += 1;
        } else {
            self.unsettled += 1;
        }
    }

    fn proof<J: Journal>(&mut self, engine: &mut Engine<J>, number: u64, line: ProofLine, now: Timestamp) {
        let easiest = engine.chain().params().easiest_share_target;
        let bound = Proof::decode(&line.proof.0)
            .and_then(|proof| BoundProof::bind(proof, easiest, engine.chain().consensus_id()));
        let bound = match bound {
            Ok(bound) => bound,
            Err(rule) => return self.refused.push((number, rule)),
        };
        let list = line.list.map(share_ids);
        self.lists += u64::from(list.is_some());
        // Each line is its own source, so that no version of a held proof displaces another.
        match engine.insert_requested(bound, list, Source(number), now) {
            Outcome::Accepted(_) => self.proofs += 1,
            Outcome::Known(_) => {}
            Outcome::Held(_) => self.held += 1,
            Outcome::Unlistable => self.unlistable += 1,
            Outcome::Invalid(rule) => self.refused.push((number, rule)),
        }
    }

    fn list<J: Journal>(&mut self, engine: &mut Engine<J>, number: u64, of: Id, list: Vec<Id>, now: Timestamp) {
        match engine.supply_list(of.share(), share_ids(list), now) {
            Ok(()) => self.lists += 1,
            Err(rule) => self.refused.push((number, rule)),
        }
    }
}

fn share_ids(list: Vec<Id>) -> Vec<ShareId> {
    list.into_iter().map(Id::share).collect()
}

/// Feeds a recording, whose first line was already read, to an engine whose bitcoind is at `own_height`.
///
/// # Errors
/// A line is malformed; the lines before it were imported.
pub fn import<J: Journal>(
    reader: &mut Reader<impl BufRead>,
    engine: &mut Engine<J>,
    own_height: u32,
    now: Timestamp,
    mut progress: impl FnMut(u64, &Import),
) -> Result<Import, ReadError> {
    let mut import = Import::default();
    let mut base = None;
    while let Some((number, line)) = reader.next_line()? {
        match line {
            Line::Base(line) => {
                let begun = begin(&mut base, engine, line, now);
                import.unverified = begun.map_err(|problem| ReadError::Bad { line: number, problem })?;
            }
            line => import.play(engine, number, line, own_height, now),
        }
        // There are no listeners.
        drop(engine.take_events());
        progress(number, &import);
    }
    Ok(import)
}

/// `shoal import`: imports a file into the empty database of a stopped node. bitcoind's headers come first; those of
/// the file matter only where Bitcoin was reorganized.
///
/// # Errors
/// The file is not a recording of this network, the database is not empty, or bitcoind cannot be queried.
pub(crate) async fn import_file(config: &Config, path: &Path) -> Result<(), NodeError> {
    let bad = |source| RecordingError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(|source| RecordingError::File { path: path.to_owned(), source })?;
    let (start, mut reader) = Reader::new(BufReader::new(file)).map_err(bad)?;
    let params = config.chain_params();
    let (found, expected) = (start.params.genesis_id(), params.genesis_id());
    if found != expected {
        return Err(RecordingError::OtherNetwork { found, expected }.into());
    }
    let bitcoind = Bitcoind::new(&config.bitcoind, config.network)?;
    let headers = headers::load(&bitcoind, &params, None).await?;
    let own_height = bitcoind.chain_status().await?.blocks;
    let (found, expected) = (newest(&start.root), newest(&headers.root()));
    // A pruned node's recording begins later; its links are verified with the headers of this node's bitcoind.
    if found != expected && start.root.height <= headers.root().height {
        return Err(RecordingError::OtherRoot { found, expected }.into());
    }
    let folder = |source| NodeError::DataDir { path: config.data_dir.clone(), source };
    std::fs::create_dir_all(&config.data_dir).map_err(folder)?;
    let store = Arc::new(open_store(&config.store_path(), params.consensus_id())?);
    if store.next_sequence() > 1 {
        return Err(RecordingError::NotEmpty { path: config.store_path() }.into());
    }
    let mut engine = Engine::open(Chain::new(params, headers), Arc::clone(&store), now())?;
    let first = engine.chain().bitcoin().root().height.saturating_add(1);
    let own = bitcoind.headers(first..own_height.saturating_add(1)).await?;
    engine.insert_bitcoin_headers(&own, now());
    let mut told = Instant::now();
    let result = import(&mut reader, &mut engine, own_height, now(), |line, import| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            let _ = writeln!(io::stderr(), "line {line}: {} valid proofs so far", import.proofs);
        }
    });
    let import = result.map_err(bad)?;
    if engine.failure().is_some() {
        return Err(NodeError::Stopped);
    }
    store.flush()?;
    Ok(tell(&import, engine.chain())?)
}

/// The newest header of a root.
fn newest(root: &Root) -> ShareId {
    root.headers.last().map_or(ShareId([0; 32]), |header| header.block_hash().into())
}

fn tell(import: &Import, chain: &Chain) -> io::Result<()> {
    let Import { lists, headers, unlistable, refused, unsettled, .. } = import;
    let mut out = io::stdout().lock();
    writeln!(out, "{headers} Bitcoin headers, {lists} lists; the tip is at height {}", chain.height())?;
    writeln!(out, "{} proofs are still held, {unlistable} are too old to be listed", chain.held_len())?;
    if let Some(unverified) = import.unverified {
        writeln!(out, "{}", super::not_shown(unverified))?;
    }
    if *unsettled > 0 {
        writeln!(
            out,
            "{unsettled} Bitcoin headers are ignored: they are not two blocks below bitcoind's tip, or their parent is \
             unknown"
        )?;
    }
    for (line, rule) in refused.iter().take(REFUSALS_SHOWN) {
        writeln!(out, "line {line}: {rule}")?;
    }
    match refused.len() {
        0 => writeln!(out, "no line was rejected"),
        count => writeln!(out, "{count} lines were rejected"),
    }
}
