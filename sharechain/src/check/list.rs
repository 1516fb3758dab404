//! Checks of a link's list, and the credit of each listed proof. The chain answers queries through [`ListContext`];
//! this file decides.

use std::collections::BTreeSet;

use crate::credit::Credit;
use crate::encode::shares_root;
use crate::error::RuleError;
use crate::limits::LIST_MAX;
use crate::params::ChainParams;
use crate::units::{Height, ShareId, U256, Weight};

/// Queries that the checks of a list make about the branch that ends in the link's parent.
pub trait ListContext {
    /// True if the link `id` at `height` is on the branch.
    fn contains(&self, id: &ShareId, height: Height) -> bool;
    /// True if a link of the branch lists `id` or is `id`.
    fn lists_or_is(&self, id: &ShareId) -> bool;
    /// Bitcoin's chain work at the previous block of the branch's link at `height`, hashes. Never falls along a branch
    /// (SC-208).
    fn bitcoin_work(&self, height: Height) -> U256;
}

/// Checks that a list is bounded and that the share header commits to it: SC-009 and SC-401. `count` and `root` are
/// those of the share header.
///
/// # Errors
/// The broken rule. The link's id is not invalid: a peer may have sent a wrong list with an honest proof.
pub fn check_root(count: u16, root: &[u8; 32], list: &[ShareId]) -> Result<(), RuleError> {
    if list.len() > LIST_MAX {
        return Err(RuleError::ListTooLong);
    }
    // SC-401: The list is the one to which the share header commits by root and count.
    if usize::from(count) != list.len() || shares_root(list) != *root {
        return Err(RuleError::ListRoot);
    }
    Ok(())
}

/// Checks whether the link at `link_height` may list one proof: SC-403 to SC-405. `earlier` holds the ids that come
/// before it in the same list.
///
/// # Errors
/// The first broken rule.
pub fn check_listable(
    id: &ShareId,
    credit: &Credit,
    link_height: Height,
    earlier: &BTreeSet<ShareId>,
    context: &impl ListContext,
    params: &ChainParams,
) -> Result<(), RuleError> {
    // SC-403: Each listed proof's anchor is on the link's chain and at most `listing_depth` links below the link.
    let depth = link_height.above(credit.anchor_height);
    if depth > params.listing_depth || !context.contains(&credit.anchor, credit.anchor_height) {
        return Err(RuleError::ListAnchor);
    }
    // SC-404: Each listed proof's parent is on the branch, was listed by an earlier link, or comes earlier in the list.
    if !earlier.contains(&credit.parent)
        && !context.lists_or_is(&credit.parent)
        && !context.contains(&credit.parent, Height(credit.height.0.saturating_sub(1)))
    {
        return Err(RuleError::ListParent);
    }
    // SC-405: No earlier link of the branch lists the proof or is the proof itself.
    if context.lists_or_is(id) {
        return Err(RuleError::ListRepeats);
    }
    Ok(())
}

/// Checks a whole list whose proofs are all known and valid: SC-402 to SC-405.
///
/// # Errors
/// The first broken rule, in order of the list.
pub fn check_list(
    list: &[(ShareId, &Credit)],
    link_height: Height,
    context: &impl ListContext,
    params: &ChainParams,
) -> Result<(), RuleError> {
    let mut earlier = BTreeSet::new();
    let mut last = None;
    for (id, credit) in list {
        // SC-402: The list is strictly ascending by (height, id). So a parent comes before its children, and no id
        // comes twice.
        let key = (credit.height, *id);
        if last.is_some_and(|last| last >= key) {
            return Err(RuleError::ListOrder);
        }
        last = Some(key);
        check_listable(id, credit, link_height, &earlier, context, params)?;
        earlier.insert(*id);
    }
    Ok(())
}

/// Returns the weight that a listed proof earns (SC-410): its weight if its anchor is at most `credit_depth` links
/// below the listing link and at most `stale_depth` links have passed since the first link with more Bitcoin work;
/// otherwise 0.
#[must_use]
pub fn earned(credit: &Credit, link_height: Height, context: &impl ListContext, params: &ChainParams) -> Weight {
    let in_time = link_height.above(credit.anchor_height) <= params.credit_depth;
    // The first link with more Bitcoin work is at most `stale_depth` below if and only if no deeper link has more.
    let fresh = match link_height.0.checked_sub(params.stale_depth.saturating_add(1)) {
        None => true,
        Some(height) => context.bitcoin_work(Height(height)) <= credit.bitcoin_work,
    };
    if in_time && fresh { credit.weight } else { Weight::ZERO }
}
