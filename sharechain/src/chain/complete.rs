//! Lists of links. When everything that a link lists is known and valid, the link is complete and counts for fork
//! choice.

use super::branch::Branch;
use super::{Call, Chain, Complete, List, ListState, Missing};
use crate::check::list::{ListContext, check_list, earned};
use crate::credit::Credit;
use crate::error::RuleError;
use crate::target;
use crate::units::{Height, ShareId, Weight};
use crate::window::{Row, Rows, ScriptIndex};

impl ListContext for Branch<'_> {
    fn contains(&self, id: &ShareId, height: Height) -> bool {
        Branch::contains(self, id, height)
    }

    fn lists_or_is(&self, id: &ShareId) -> bool {
        Branch::lists_or_is(self, id)
    }

    fn bitcoin_height_max(&self, height: Height) -> u32 {
        self.link_at(height).map_or(0, |link| link.bitcoin_height_max)
    }
}

/// Reason why a link is not complete.
enum Incomplete {
    NotWaiting,
    Missing(Missing),
    Invalid(RuleError),
}

impl Chain {
    /// Stores a link's list, if it has none yet. Completes the link if nothing else is missing.
    pub(super) fn give_list(&mut self, id: ShareId, list: Option<Vec<ShareId>>, call: &mut Call) {
        let bound = self.too_deep();
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

    /// Judges a link's list. Reports rules that already make it void before anything that it waits for.
    fn completed(&self, id: &ShareId) -> Result<Complete, Incomplete> {
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
        let before = parent.complete().ok_or(Incomplete::Missing(Missing::List(link.parent)))?;
        let mut items = Vec::with_capacity(list.len());
        for item in list.iter() {
            let credit = self.credits.get(item).ok_or(Incomplete::Missing(Missing::Proof(*item)))?;
            items.push((*item, credit));
        }
        let branch = Branch::new(self, link.parent).ok_or_else(overflow)?;
        check_list(&items, link.height, &branch, &self.params).map_err(Incomplete::Invalid)?;
        let credited = self.credited(id, &items, &branch).ok_or_else(overflow)?;
        let count = u64::try_from(list.len()).unwrap_or(u64::MAX);
        let live_since = self.finality.live_height();
        Ok(Complete {
            list: list.clone(),
            rows: rows_of(&credited),
            signals: before.signals.after(link.height, credited.iter().map(|credit| (credit.signals, credit.weight))),
            // SC-304 counts credited proofs: the listed ones and the link itself.
            listed_total: before.listed_total.saturating_add(count).saturating_add(1),
            sequence: self.sequence,
            live_since,
            live_total: before.live_total.saturating_add(u64::from(live_since.is_some())),
            omits: false,
        })
    }

    /// Credits of a link: SC-410 for the proofs that it lists, SC-411 for the link itself.
    fn credited(&self, id: &ShareId, items: &[(ShareId, &Credit)], branch: &Branch<'_>) -> Option<Vec<Credited>> {
        let link = self.links.get(id)?;
        let own = self.credits.get(id)?;
        let listed = items.iter().map(|(_, credit)| {
            let weight = earned(credit, link.height, branch, &self.params);
            Credited { script: credit.script, weight, signals: credit.signals }
        });
        // SC-411: A link earns its own weight plus the weight of SC-113. A miner on an old parent loses that bonus.
        let weight = own.weight.plus(target::link_bonus(link.target, link.bits, &self.params));
        let itself = Credited { script: own.script, weight, signals: own.signals };
        Some(listed.chain([itself]).collect())
    }
}

/// Credit of one proof in one link.
struct Credited {
    script: ScriptIndex,
    weight: Weight,
    signals: u32,
}

/// Sums the credits by script.
fn rows_of(credited: &[Credited]) -> Rows {
    let row = |credit: &Credited| Row { script: credit.script, weight: credit.weight, shares: 1 };
    Rows::new(credited.iter().map(row).collect())
}
