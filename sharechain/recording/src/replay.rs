//! Replays lines into a chain, and compares the recording with what the rules give.

mod ancestors;
mod begin;
mod changes;
mod check;

use std::collections::BTreeMap;
use std::io::BufRead;

use bitcoin::block::Header;
use sharechain::chain::{Fate, ListState, Outcome};
use sharechain::change_set::{ChangeSet, Source};
use sharechain::check::binding::BoundProof;
use sharechain::check::list::check_root;
use sharechain::limits::{BITCOIN_FUTURE_SECONDS, LIST_MAX};
use sharechain::{Chain, Proof, RuleError, ShareId, Timestamp};

use crate::base::{BaseReader, Unverified};
use crate::compare::{Difference, Differences};
use crate::line::{HeaderLine, Line, ListLine, NowLine, ProofLine};
use crate::read::{ReadError, Reader};
use crate::start::Start;
use crate::value::Id;
use crate::verdict::{HeaderVerdict, ListVerdict, ProofVerdict};

/// Clock before the first `now`: no time is too far ahead.
const NO_CLOCK: Timestamp = Timestamp(u32::MAX);

/// Number of lines replayed, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All lines, including the first.
    pub lines: u64,
    /// Bitcoin headers.
    pub headers: u64,
    /// Proofs.
    pub proofs: u64,
    /// Lists.
    pub lists: u64,
    /// Claims.
    pub claims: u64,
}

/// An item that must be valid or complete by the end.
#[derive(Clone, Copy, Debug)]
enum Due {
    Header(Id),
    Proof(Id),
    List(Id),
}

/// The state after some lines of a recording.
///
/// A chain drops held proofs after a while; a replay must not. So the replay also stores everything that waits for a
/// list, a header or the clock, and inserts it again. More than [`HELD_MAX`](sharechain::limits::HELD_MAX) held proofs
/// at one time are too many for the chain, but no node records that many.
#[derive(Debug)]
pub struct Replay {
    chain: Chain,
    differences: Differences,
    counts: Counts,
    now: Timestamp,
    due: Vec<(u64, Due)>,
    /// Held proofs, in all versions that arrived, by id.
    held: BTreeMap<ShareId, Vec<Proof>>,
    /// Lists of proofs that are not valid yet, by id.
    lists: BTreeMap<ShareId, Vec<Vec<ShareId>>>,
    /// Headers whose previous header is missing or whose time is too far ahead.
    headers: Vec<Header>,
    /// The base while it is read.
    base: Option<BaseReader>,
    unverified: Option<Unverified>,
    /// Changes since the last call of [`Self::take_changes`]; none unless the caller keeps changes.
    changes: Option<Vec<ChangeSet>>,
}

impl Replay {
    /// Creates a replay whose chain holds only genesis.
    ///
    /// # Errors
    /// A text, if the Bitcoin headers are not a chain or are too few.
    pub fn new(start: Start) -> Result<Self, String> {
        let headers = start.headers()?;
        Ok(Self {
            chain: Chain::new(start.params, headers),
            differences: Differences::default(),
            counts: Counts { lines: 1, ..Counts::default() },
            now: NO_CLOCK,
            due: Vec::new(),
            held: BTreeMap::new(),
            lists: BTreeMap::new(),
            headers: Vec::new(),
            base: None,
            unverified: None,
            changes: None,
        })
    }

    /// Replays a whole recording. Calls `progress` with the number of each line.
    ///
    /// # Errors
    /// [`ReadError`] if the input is not a recording.
    pub fn of(from: impl BufRead, mut progress: impl FnMut(u64)) -> Result<Self, ReadError> {
        let (start, mut reader) = Reader::new(from)?;
        let mut replay = Self::new(start).map_err(|problem| ReadError::Bad { line: 1, problem })?;
        while let Some((number, line)) = reader.next_line()? {
            match line {
                Line::Base(line) => {
                    replay.play_base(line).map_err(|problem| ReadError::Bad { line: number, problem })?;
                }
                line => replay.play(number, line),
            }
            progress(number);
        }
        replay.finish();
        Ok(replay)
    }

    /// Replays a line; `number` counts from 1. Parts of a base are ignored: see [`Self::play_base`].
    pub fn play(&mut self, number: u64, line: Line) {
        self.counts.lines += 1;
        match line {
            Line::Header(line) => self.play_header(number, &line),
            Line::Proof(line) => self.play_proof(number, line),
            Line::List(line) => self.play_list(number, line),
            Line::Now(line) => self.play_now(&line),
            Line::Claim(claim) => {
                self.counts.claims += 1;
                self.check_claim(number, &claim);
            }
            Line::Base(_) => {}
        }
    }

    /// The chain in its current state.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Number of lines replayed so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Differences found so far. Complete and sorted by line after [`Self::finish`].
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        self.differences.as_slice()
    }

    /// Ends the replay. Items without a recorded verdict that were held must be valid or complete by now.
    pub fn finish(&mut self) {
        for (number, due) in std::mem::take(&mut self.due) {
            match due {
                Due::Header(id) => {
                    let known = self.chain.bitcoin().get(&id.block()).is_some();
                    let found = if known { HeaderVerdict::Valid } else { HeaderVerdict::Held };
                    self.differences.compare(number, "header", Some(id), &HeaderVerdict::Valid, &found);
                }
                Due::Proof(id) => {
                    let found = self.proof_state(id);
                    self.differences.compare(number, "verdict", Some(id), &ProofVerdict::Valid, &found);
                }
                Due::List(id) => {
                    let found = self.list_state(Some(id));
                    if found != ListVerdict::Ignored {
                        self.differences.compare(number, "list_verdict", Some(id), &ListVerdict::Complete, &found);
                    }
                }
            }
        }
        self.differences.sort();
    }

    fn play_now(&mut self, line: &NowLine) {
        self.now = Timestamp(line.now);
        self.add_waiting_headers();
        let changes = self.chain.tick(self.now);
        self.note(changes);
        self.hold_again();
        self.give_waiting_lists();
    }

    fn play_header(&mut self, number: u64, line: &HeaderLine) {
        self.counts.headers += 1;
        let header = line.header.0;
        let id = Id::from(header.block_hash());
        let found = self.header(header);
        if line.verdict.is_none() && found == HeaderVerdict::Held {
            self.due.push((number, Due::Header(id)));
        } else {
            let claimed = line.verdict.unwrap_or(HeaderVerdict::Valid);
            self.differences.compare(number, "header", Some(id), &claimed, &found);
        }
    }

    fn header(&mut self, header: Header) -> HeaderVerdict {
        if !self.is_ready(&header) {
            self.headers.push(header);
            return HeaderVerdict::Held;
        }
        let changes = self.chain.insert_bitcoin_header(header, self.now);
        self.note(changes);
        if self.chain.bitcoin().get(&header.block_hash()).is_none() {
            return HeaderVerdict::Invalid;
        }
        self.add_waiting_headers();
        self.give_waiting_lists();
        HeaderVerdict::Valid
    }

    fn is_ready(&self, header: &Header) -> bool {
        let early = i64::from(header.time) > i64::from(self.now.0) + i64::from(BITCOIN_FUTURE_SECONDS);
        !early && self.chain.bitcoin().get(&header.prev_blockhash).is_some()
    }

    /// Inserts stored headers that are ready. Ignores those that break a rule: everything that builds on them stays
    /// held.
    fn add_waiting_headers(&mut self) {
        while let Some(at) = self.headers.iter().position(|header| self.is_ready(header)) {
            let header = self.headers.swap_remove(at);
            let changes = self.chain.insert_bitcoin_header(header, self.now);
            self.note(changes);
        }
    }

    fn play_proof(&mut self, number: u64, line: ProofLine) {
        self.counts.proofs += 1;
        let (id, found) = match Proof::decode(&line.proof.0) {
            Ok(proof) => (Some(Id::from(proof.id())), self.insert(proof, number)),
            Err(rule) => (None, rule.into()),
        };
        self.give_waiting_lists();
        match id {
            Some(id) if line.verdict.is_none() && matches!(found, ProofVerdict::Held | ProofVerdict::Known) => {
                self.due.push((number, Due::Proof(id)));
            }
            _ => {
                let claimed = line.verdict.unwrap_or(ProofVerdict::Valid);
                self.differences.compare(number, "verdict", id, &claimed, &found);
            }
        }
        if let Some(list) = line.list {
            self.take_list(number, id, list, line.list_verdict);
        }
    }

    /// Judges a proof in the order of protocol §11. Each line is its own source, so no version of a held proof
    /// displaces another.
    fn insert(&mut self, proof: Proof, number: u64) -> ProofVerdict {
        let id = proof.id();
        if self.knows(&id) {
            return ProofVerdict::Known;
        }
        if let Some(rule) = self.chain.refusal(&id) {
            return rule.into();
        }
        let outcome = match self.give(proof.clone(), number) {
            Ok(outcome) => outcome,
            Err(rule) => return rule.into(),
        };
        match outcome {
            Outcome::Accepted(_) => ProofVerdict::Valid,
            Outcome::Known(_) => ProofVerdict::Known,
            Outcome::Invalid(rule) => rule.into(),
            Outcome::Unlistable => ProofVerdict::Unlistable,
            Outcome::Held(_) => {
                let chain = &self.chain;
                self.held.retain(|id, _| matches!(chain.fate(id), Fate::Held(_)));
                self.held.entry(id).or_default().push(proof);
                ProofVerdict::Held
            }
        }
    }

    fn give(&mut self, proof: Proof, number: u64) -> Result<Outcome, RuleError> {
        let easiest = self.chain.params().easiest_share_target;
        let bound = BoundProof::bind(proof, easiest, self.chain.consensus_id())?;
        let outcome = self.chain.insert_requested(bound, None, Source(number), self.now);
        if let (Some(_), Outcome::Accepted(changes) | Outcome::Known(changes)) = (&self.changes, &outcome) {
            self.note(changes.clone());
        }
        Ok(outcome)
    }

    /// Inserts held proofs again that the chain dropped because it had held them too long.
    fn hold_again(&mut self) {
        let chain = &self.chain;
        let dropped: Vec<ShareId> =
            self.held.keys().filter(|id| matches!(chain.fate(id), Fate::Unknown)).copied().collect();
        for id in dropped {
            let versions = self.held.remove(&id).unwrap_or_default();
            for (source, proof) in (0..).zip(versions) {
                if matches!(self.give(proof.clone(), source), Ok(Outcome::Held(_))) {
                    self.held.entry(id).or_default().push(proof);
                }
            }
        }
    }

    fn play_list(&mut self, number: u64, line: ListLine) {
        self.take_list(number, Some(line.list_of), line.list, line.list_verdict);
    }

    fn take_list(&mut self, number: u64, id: Option<Id>, list: Vec<Id>, claimed: Option<ListVerdict>) {
        self.counts.lists += 1;
        let list: Vec<ShareId> = list.into_iter().map(Id::share).collect();
        let given = id.map_or(Ok(()), |id| self.give_list(id.share(), list));
        let found = given.map_or_else(ListVerdict::from, |()| self.list_state(id));
        match id {
            Some(id) if claimed.is_none() && matches!(found, ListVerdict::Held | ListVerdict::Ignored) => {
                self.due.push((number, Due::List(id)));
            }
            _ => {
                let claimed = claimed.unwrap_or(ListVerdict::Complete);
                self.differences.compare(number, "list_verdict", id, &claimed, &found);
            }
        }
    }

    /// Adds the list of a proof, which need not be known yet.
    fn give_list(&mut self, id: ShareId, list: Vec<ShareId>) -> Result<(), RuleError> {
        if list.len() > LIST_MAX {
            return Err(RuleError::ListTooLong);
        }
        if self.chain.link(&id).is_some() {
            let changes = self.chain.supply_list(id, list, self.now)?;
            self.note(changes);
            self.give_waiting_lists();
            return Ok(());
        }
        if self.is_no_link(&id) {
            return Ok(());
        }
        for Proof { share, .. } in self.held.get(&id).into_iter().flatten() {
            check_root(share.shares_count, &share.shares_root, &list)?;
        }
        self.lists.entry(id).or_default().push(list);
        Ok(())
    }

    /// Adds the lists that arrived before their links to the links that have become valid. Drops wrong lists: any peer
    /// may have sent them.
    fn give_waiting_lists(&mut self) {
        loop {
            let came: Vec<ShareId> = self.lists.keys().filter(|id| self.chain.link(id).is_some()).copied().collect();
            if came.is_empty() {
                return;
            }
            for id in came {
                for list in self.lists.remove(&id).unwrap_or_default() {
                    if let Ok(changes) = self.chain.supply_list(id, list, self.now) {
                        self.note(changes);
                    }
                }
            }
        }
    }

    /// True if the id was found valid before.
    fn knows(&self, id: &ShareId) -> bool {
        self.chain.link(id).is_some() || self.chain.credit(id).is_some()
    }

    /// True if the id is invalid, or is a share and not a link. Its list has no meaning.
    fn is_no_link(&self, id: &ShareId) -> bool {
        self.chain.refusal(id).is_some() || (self.chain.credit(id).is_some() && self.chain.link(id).is_none())
    }

    /// Current verdict on an id.
    fn proof_state(&self, id: Id) -> ProofVerdict {
        let id = id.share();
        if self.knows(&id) {
            return ProofVerdict::Valid;
        }
        match self.chain.fate(&id) {
            Fate::Refused(rule) => rule.into(),
            Fate::Held(_) => ProofVerdict::Held,
            _ => ProofVerdict::Unlistable,
        }
    }

    /// Current verdict on a link's list.
    fn list_state(&self, id: Option<Id>) -> ListVerdict {
        let is_link = |id: &ShareId| *id != self.chain.params().genesis_id() && !self.is_no_link(id);
        let Some(id) = id.map(Id::share).filter(is_link) else { return ListVerdict::Ignored };
        match self.chain.link(&id).map(|link| &link.list) {
            Some(ListState::Complete(_)) => ListVerdict::Complete,
            Some(ListState::Invalid(rule)) => (*rule).into(),
            Some(ListState::Missing | ListState::Waiting(_)) | None => ListVerdict::Held,
        }
    }
}
