//! From a file into an empty journal. Nothing in the file is believed: proofs, lists and headers pass the checks that they
//! would pass if peers sent them, and claims are not looked at.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::block::Header;
use node_core::engine::Engine;
use node_core::headers::is_settled;
use recording::{Id, Line, ProofLine, ReadError, Reader};
use sharechain::bitcoin_headers::Root;
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Chain, Outcome, Proof, RuleError, ShareId, Timestamp};

use super::{RecordingError, open_store};
use crate::bitcoind::Bitcoind;
use crate::clock::now;
use crate::config::Config;
use crate::error::NodeError;
use crate::headers;
use crate::store::Journal;

/// Time between two lines about how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// Lines of refusals that are printed, at most.
const REFUSALS_SHOWN: usize = 20;

/// What became of a recording's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// Proofs that are valid.
    pub proofs: u64,
    /// Links whose lists were given.
    pub lists: u64,
    /// Bitcoin headers, those that were known before included.
    pub headers: u64,
    /// Proofs that could not be judged at their line; most become valid later.
    pub held: u64,
    /// Proofs too old to be of use.
    pub unlistable: u64,
    /// Lines that a rule refuses: number and rule.
    pub refused: Vec<(u64, RuleError)>,
    /// Bitcoin headers left aside: beside the own bitcoind's chain, and not two blocks below its tip.
    pub unsettled: u64,
}

impl Import {
    /// Plays a line into an engine whose bitcoind is at `own_height`.
    fn play<J: Journal>(&mut self, engine: &mut Engine<J>, number: u64, line: Line, own_height: u32, now: Timestamp) {
        match line {
            Line::Header(line) => self.header(engine, line.header.0, own_height, now),
            Line::Proof(line) => self.proof(engine, number, line, now),
            Line::List(line) => self.list(engine, number, line.list_of, line.list, now),
            Line::Now(_) | Line::Claim(_) => {}
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
        // Each line is a source of its own, so that no version of a held proof displaces another.
        match engine.insert(bound, list, Source(number), now) {
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

/// Plays a recording, whose first line was read, into an engine whose bitcoind is at `own_height`.
///
/// # Errors
/// A line is not what the format allows; what stands before it was imported.
pub fn import<J: Journal>(
    reader: &mut Reader<impl BufRead>,
    engine: &mut Engine<J>,
    own_height: u32,
    now: Timestamp,
    mut progress: impl FnMut(u64, &Import),
) -> Result<Import, ReadError> {
    let mut import = Import::default();
    while let Some((number, line)) = reader.next_line()? {
        import.play(engine, number, line, own_height, now);
        // Nobody listens to what changed.
        drop(engine.take_events());
        progress(number, &import);
    }
    Ok(import)
}

/// `shoal import`: a file into the database of a node that has none yet. The own bitcoind's headers come first: those of
/// the file matter only where Bitcoin was reorganised.
///
/// # Errors
/// The file is no recording of this network, the database is not empty, or bitcoind cannot be asked.
pub(crate) async fn import_file(config: &Config, path: &Path) -> Result<(), NodeError> {
    let bad = |source| RecordingError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(|source| RecordingError::File { path: path.to_owned(), source })?;
    let (start, mut reader) = Reader::new(BufReader::new(file)).map_err(bad)?;
    let params = config.network.chain_params();
    let (found, expected) = (start.params.genesis_id(), params.genesis_id());
    if found != expected {
        return Err(RecordingError::OtherNetwork { found, expected }.into());
    }
    let bitcoind = Bitcoind::new(&config.bitcoind, config.network)?;
    let headers = headers::load(&bitcoind, &params.bitcoin).await?;
    let own_height = bitcoind.chain_status().await?.blocks;
    let (found, expected) = (newest(&start.root), newest(&headers.root()));
    if found != expected {
        return Err(RecordingError::OtherRoot { found, expected }.into());
    }
    let folder = |source| NodeError::DataDir { path: config.data_dir.clone(), source };
    std::fs::create_dir_all(&config.data_dir).map_err(folder)?;
    let store = Arc::new(open_store(&config.store_path(), params.consensus_id())?);
    if store.next_sequence() > 1 {
        return Err(RecordingError::NotEmpty { path: config.store_path() }.into());
    }
    let mut engine = Engine::open(Chain::new(params, headers), Arc::clone(&store), now())?;
    let own = bitcoind.headers(start.root.height.saturating_add(1)..own_height.saturating_add(1)).await?;
    engine.insert_bitcoin_headers(&own, now());
    let mut told = Instant::now();
    let result = import(&mut reader, &mut engine, own_height, now(), |line, import| {
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!("line {line}: {} proofs are valid", import.proofs);
        }
    });
    let import = result.map_err(bad)?;
    if engine.failure().is_some() {
        return Err(NodeError::Stopped);
    }
    store.flush()?;
    tell(&import, engine.chain());
    Ok(())
}

/// The header that a tree starts from.
fn newest(root: &Root) -> ShareId {
    root.headers.last().map_or(ShareId([0; 32]), |header| header.block_hash().into())
}

fn tell(import: &Import, chain: &Chain) {
    let Import { lists, headers, unlistable, refused, unsettled, .. } = import;
    println!("{headers} Bitcoin headers, {lists} lists; the tip is at height {}", chain.height());
    println!("{} proofs wait for something, {unlistable} are too old to be of use", chain.held_len());
    if *unsettled > 0 {
        println!(
            "{unsettled} Bitcoin headers are left to bitcoind: they are not two blocks below its tip, or lead nowhere"
        );
    }
    for (line, rule) in refused.iter().take(REFUSALS_SHOWN) {
        println!("line {line}: {rule}");
    }
    match refused.len() {
        0 => println!("nothing was refused"),
        count => println!("{count} lines were refused"),
    }
}
