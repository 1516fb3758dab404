//! Lists of links. When everything that a link lists is known and valid, the link is complete and counts for fork
//! choice.

use bitcoin::BlockHash;

use super::branch::Branch;
use super::{Call, Chain, Complete, List, ListState, Missing, Unpayable};
use crate::check::list::{ListContext, check_list, earned};
use crate::credit::Credit;
use crate::error::RuleError;
use crate::state::{self, Commitment, HistoryLink, State};
use crate::target;
use crate::units::{Height, ShareId, U256, Weight};
use crate::window::{Row, Rows};

impl ListContext for Branch<'_> {
    fn contains(&self, id: &ShareId, height: Height) -> bool {
        Branch::contains(self, id, height)
    }

    fn lists_or_is(&self, id: &ShareId) -> bool {
        Branch::lists_or_is(self, id)
    }

    fn bitcoin_work(&self, height: Height) -> U256 {
        self.link_at(height).map_or(U256::ZERO, |link| link.position.bitcoin_work)
    }
}

/// Reason why a link is not complete.
enum Incomplete {
    NotWaiting,
    Missing(Missing),
    Invalid(RuleError),
}

impl From<Unpayable> for Incomplete {
    fn from(unpayable: Unpayable) -> Self {
        match unpayable {
            Unpayable::Missing(missing) => Self::Missing(missing),
            // The anchor of a link is an ancestor of its parent, which is complete.
            Unpayable::Abandoned(_) => Self::Invalid(RuleError::ParentListInvalid),
            Unpayable::Rule(rule) => Self::Invalid(rule),
        }
    }
}

impl Chain {
    /// Stores a link's list, if it has none yet. Completes the link if nothing else is missing.
    ///
    /// A list that was not `requested` is dropped if the link's branch is too light to matter: see
    /// [`Chain::is_worth_its_list`].
    pub(super) fn give_list(&mut self, id: ShareId, list: Option<Vec<ShareId>>, requested: bool, call: &mut Call) {
        let bound = self.too_deep();
        if !requested && !self.is_worth_its_list(&id) {
            return;
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        if !matches!(link.list, ListState::Missing) || bound.is_some_and(|bound| link.height <= bound) {
            return;
        }
        let Some(list) = list else { return };
        for item in &list {
            if !self.credits.contains(item) {
                self.wanted.await_proof(*item, id);
            }
        }
        link.list = ListState::Waiting(list.clone().into());
        call.changes.lists.push((id, list));
        self.try_complete(id, call);
    }

    /// Completes a link if nothing is missing. Otherwise records what it waits for.
    pub(super) fn try_complete(&mut self, id: ShareId, call: &mut Call) {
        let body = match self.completed(&id) {
            Ok(complete) => ListState::Complete(complete),
            Err(Incomplete::Invalid(rule)) => ListState::Invalid(rule),
            Err(Incomplete::Missing(missing)) => return self.wanted.wait(missing, id),
            Err(Incomplete::NotWaiting) => return,
        };
        let valid = matches!(body, ListState::Complete(_));
        let Some(link) = self.links.get_mut(&id) else { return };
        let before = core::mem::replace(&mut link.list, body);
        let list = if let ListState::Waiting(list) = before { list } else { List::default() };
        self.wanted.remove_link(link.height, id, &list);
        call.queue.push_back(Missing::List(id));
        if !valid {
            self.wanted.stop_waiting(&id);
        } else {
            self.sequence = self.sequence.saturating_add(1);
            call.changes.completed.push(id);
            self.note_omission(id, call.now);
            self.advance_to(id, call);
        }
    }

    /// True if the link's list breaks a rule.
    pub(super) fn is_void(&self, id: &ShareId) -> bool {
        self.links.get(id).is_some_and(|link| matches!(link.list, ListState::Invalid(_)))
    }

    /// Incomplete children of a link, whether their lists are known or not.
    pub(super) fn incomplete_children(&self, id: &ShareId) -> Vec<ShareId> {
        let Some(height) = self.links.get(id).map(|link| link.height.child()) else { return Vec::new() };
        let is_child = |child: &ShareId| self.links.get(child).is_some_and(|link| link.parent == *id);
        self.wanted.at(height).filter(is_child).collect()
    }

    /// Judges a link's list. Broken rules that make it void come before anything missing.
    fn completed(&mut self, id: &ShareId) -> Result<Complete, Incomplete> {
        let overflow = || Incomplete::Invalid(RuleError::Overflow);
        let (list, credited) = self.checked_list(id)?;
        let link = self.links.get(id).ok_or_else(overflow)?;
        let (parent, previous, state_root) = (link.parent, link.previous_block, link.state_root);
        // SC-408: The state root is the one that follows from the window that the link pays by, the credits of its
        // list, and the links and signals below it.
        let state = self.state(&parent, &previous, &credited.listed)?;
        if state.root() != state_root {
            return Err(Incomplete::Invalid(RuleError::StateRoot));
        }
        self.complete_with(id, list, &credited, state.window).ok_or_else(overflow)
    }

    /// Judges a link's list up to SC-407 and its entries. Returns the list and its credits.
    fn checked_list(&self, id: &ShareId) -> Result<(List, Credited), Incomplete> {
        let overflow = || Incomplete::Invalid(RuleError::Overflow);
        let link = self.links.get(id).ok_or(Incomplete::NotWaiting)?;
        let list = match &link.list {
            ListState::Complete(_) | ListState::Invalid(_) => return Err(Incomplete::NotWaiting),
            // SC-407: The parent's list is valid.
            _ if self.is_void(&link.parent) => return Err(Incomplete::Invalid(RuleError::ParentListInvalid)),
            ListState::Missing => return Err(Incomplete::NotWaiting),
            ListState::Waiting(list) => list,
        };
        // SC-406: No listed proof is invalid.
        if list.iter().any(|item| self.refused.get(item).is_some()) {
            return Err(Incomplete::Invalid(RuleError::ListInvalid));
        }
        let parent = self.links.get(&link.parent).ok_or_else(overflow)?;
        if parent.complete().is_none() {
            return Err(Incomplete::Missing(Missing::List(link.parent)));
        }
        let mut items = Vec::with_capacity(list.len());
        for item in list.iter() {
            let credit = self.credits.get(item).ok_or(Incomplete::Missing(Missing::Proof(*item)))?;
            items.push((*item, credit));
        }
        let branch = Branch::new(self, link.parent).ok_or_else(overflow)?;
        check_list(&items, link.height, &branch, &self.params).map_err(Incomplete::Invalid)?;
        let own = self.credits.get(id).ok_or_else(overflow)?;
        // SC-411: A link earns its own weight plus the weight of SC-113. A miner on an old parent loses that bonus.
        let weight = own.weight.plus(target::link_bonus(link.target, link.bits, &self.params));
        let listed = self.credited(items.iter().map(|(_, credit)| *credit), link.height, &branch);
        Ok((list.clone(), Credited { listed, own: Row { script: own.script, weight, shares: 1 } }))
    }

    /// The credits of a link at `height` on a branch to the proofs that it lists (SC-410), one row each.
    fn credited<'a>(&self, listed: impl Iterator<Item = &'a Credit>, height: Height, branch: &Branch<'_>) -> Vec<Row> {
        let row = |credit: &Credit| {
            let weight = earned(credit, height, branch, &self.params);
            Row { script: credit.script, weight, shares: 1 }
        };
        listed.map(row).collect()
    }

    /// Data of a link whose list and state root are valid. `None` if a sum leaves its range.
    fn complete_with(
        &self,
        id: &ShareId,
        list: List,
        credited: &Credited,
        window: Commitment<Weight>,
    ) -> Option<Complete> {
        let link = self.links.get(id)?;
        let own = self.credits.get(id)?;
        let before = self.links.get(&link.parent)?.complete()?;
        let count = u64::try_from(list.len()).unwrap_or(u64::MAX);
        let listed_total = before.listed_total.checked_add(count)?.checked_add(1)?;
        let live_since = self.settled.live_height();
        let history = before.history.with(&HistoryLink {
            height: link.height,
            id: *id,
            target: link.target,
            time: link.time,
            chain_work: link.chain_work,
            proofs: listed_total,
            snapshot: link.position.least_snapshot,
        })?;
        Some(Complete {
            list,
            rows: Rows::new(credited.listed.iter().copied().chain([credited.own]).collect()),
            signals: before.signals.after(link.height, own.signals),
            own_signals: own.signals,
            listed_total,
            window,
            history,
            sequence: self.sequence,
            live_since,
            live_total: before.live_total.saturating_add(u64::from(live_since.is_some())),
            omits: false,
        })
    }

    /// The state that a link commits to, given its parent, its previous block and what its list credits.
    fn state(&mut self, parent: &ShareId, previous: &BlockHash, listed: &[Row]) -> Result<State, Unpayable> {
        let window = self.window_commitment(parent, previous)?;
        let rows = Rows::new(listed.to_vec());
        let script = |row: Row| Some((self.scripts.script(row.script)?, row.weight));
        let mut weights = rows.iter().map(script).collect::<Option<Vec<_>>>().ok_or(RuleError::Overflow)?;
        weights.sort_unstable_by_key(|(script, _)| *script);
        let credits = state::of_weights(weights).ok_or(RuleError::Overflow)?;
        let missing = Unpayable::Missing(Missing::List(*parent));
        let complete = self.links.get(parent).and_then(|link| link.complete()).ok_or(missing)?;
        let history = complete.history.commitment().ok_or(RuleError::Overflow)?;
        Ok(State { window, credits, history, signals: complete.signals.commitment() })
    }

    /// The state root of new work with this parent, previous block and list (SC-408).
    ///
    /// # Errors
    /// [`Unpayable::Missing`] if something is not known yet, such as the parent's list. Otherwise as
    /// [`Chain::payouts`].
    pub fn state_root(
        &mut self,
        parent: &ShareId,
        previous: &BlockHash,
        list: &[ShareId],
    ) -> Result<[u8; 32], Unpayable> {
        Ok(self.state_with(parent, previous, list)?.root())
    }

    /// Like [`Chain::state_root`], but returns the parts of the root.
    pub(super) fn state_with(
        &mut self,
        parent: &ShareId,
        previous: &BlockHash,
        list: &[ShareId],
    ) -> Result<State, Unpayable> {
        let height = self.links.get(parent).ok_or(Unpayable::Missing(Missing::Proof(*parent)))?.height.child();
        let known = |id: &ShareId| self.credits.get(id).ok_or(Unpayable::Missing(Missing::Proof(*id)));
        let credits = list.iter().map(known).collect::<Result<Vec<_>, _>>()?;
        let branch = Branch::new(self, *parent).ok_or(Unpayable::Missing(Missing::Proof(*parent)))?;
        let listed = self.credited(credits.into_iter(), height, &branch);
        self.state(parent, previous, &listed)
    }
}

/// The credits of a link: one row for each listed proof, and its own.
struct Credited {
    listed: Vec<Row>,
    own: Row,
}
