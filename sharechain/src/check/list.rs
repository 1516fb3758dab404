//! What a link's list must satisfy, and what each listed share earns. The chain answers questions through
//! [`ListContext`]; this file decides.

use std::collections::BTreeSet;

use crate::credit::Credit;
use crate::encode::shares_root;
use crate::error::RuleError;
use crate::limits::LIST_MAX;
use crate::params::ChainParams;
use crate::units::{Height, ShareId, Weight};

/// What a list's checks ask about the branch that ends in the link's parent.
pub trait ListContext {
    /// True when the link `id` at `height` is on the branch.
    fn contains(&self, id: &ShareId, height: Height) -> bool;
    /// True when the branch lists `id`, or `id` is one of its links.
    fn lists_or_is(&self, id: &ShareId) -> bool;
    /// The greatest Bitcoin height of the branch up to the link at `height`.
    fn bitcoin_height_max(&self, height: Height) -> u32;
}

/// SC-009 and SC-401: the list is bounded and the one that the header commits to.
///
/// # Errors
/// The rule broken. It says nothing about the id: somebody may have sent another list with an honest header.
pub fn check_root(count: u16, root: &[u8; 32], list: &[ShareId]) -> Result<(), RuleError> {
    if list.len() > LIST_MAX {
        return Err(RuleError::ListTooLong);
    }
    // SC-401: count and root are those of the share header.
    if usize::from(count) != list.len() || shares_root(list) != *root {
        return Err(RuleError::ListRoot);
    }
    Ok(())
}

/// SC-403 to SC-405 for one proof: may the link at `link_height` list it? `earlier` holds what the same list has before it.
///
/// # Errors
/// The rule broken.
pub fn check_listable(
    id: &ShareId,
    credit: &Credit,
    link_height: Height,
    earlier: &BTreeSet<ShareId>,
    context: &impl ListContext,
    params: &ChainParams,
) -> Result<(), RuleError> {
    // SC-403: the anchor is on the link's chain and at most `listing_depth` links below the link.
    let depth = link_height.above(credit.anchor_height);
    if depth > params.listing_depth || !context.contains(&credit.anchor, credit.anchor_height) {
        return Err(RuleError::ListAnchor);
    }
    // SC-404: the parent is on the branch, was listed before, or stands earlier in the same list.
    if !earlier.contains(&credit.parent)
        && !context.lists_or_is(&credit.parent)
        && !context.contains(&credit.parent, Height(credit.height.0.saturating_sub(1)))
    {
        return Err(RuleError::ListParent);
    }
    // SC-405: no link of the branch lists it or is it.
    if context.lists_or_is(id) {
        return Err(RuleError::ListRepeats);
    }
    Ok(())
}

/// Checks SC-402 to SC-405 for a whole list whose proofs are all known and valid.
///
/// # Errors
/// The first rule broken.
pub fn check_list(
    list: &[(ShareId, &Credit)],
    link_height: Height,
    context: &impl ListContext,
    params: &ChainParams,
) -> Result<(), RuleError> {
    let mut earlier = BTreeSet::new();
    let mut last = None;
    for (id, credit) in list {
        // SC-402: strictly ascending by height and id, so that a parent stands before its children and nothing twice.
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

/// SC-410: what a listed proof earns. Its weight when its anchor is at most `credit_depth` links below the listing link
/// and at most `stale_depth` links have passed since the first link with a greater Bitcoin height; otherwise nothing.
#[must_use]
pub fn earned(credit: &Credit, link_height: Height, context: &impl ListContext, params: &ChainParams) -> Weight {
    let in_time = link_height.above(credit.anchor_height) <= params.credit_depth;
    // The first link with a greater Bitcoin height lies at most `stale_depth` below exactly when no link deeper has one.
    let fresh = match link_height.0.checked_sub(params.stale_depth.saturating_add(1)) {
        None => true,
        Some(height) => context.bitcoin_height_max(Height(height)) <= credit.bitcoin_height,
    };
    if in_time && fresh { credit.weight } else { Weight::ZERO }
}
