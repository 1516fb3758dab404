//! Queries of a chain that several strategies need.

use std::collections::BTreeSet;

use sharechain::{Chain, Height, ShareId, Work};

use super::View;

/// Returns a link's height, or genesis' height if the link is unknown.
#[must_use]
pub fn height(chain: &Chain, id: &ShareId) -> Height {
    chain.link(id).map_or(Height(0), |link| link.height)
}

/// Returns the work of a link and its ancestors, or zero if the link is unknown.
#[must_use]
pub fn work(chain: &Chain, id: &ShareId) -> Work {
    chain.link(id).map(|link| link.chain_work).unwrap_or_default()
}

/// Returns the ancestor of a link at a height, or the link itself.
#[must_use]
pub fn ancestor(chain: &Chain, id: &ShareId, at: Height) -> Option<ShareId> {
    let mut id = *id;
    loop {
        let link = chain.link(&id)?;
        match link.height {
            height if height == at => return Some(id),
            height if height < at => return None,
            // The main chain is indexed by height.
            height if chain.main_at(height) == Some(id) => return chain.main_at(at),
            _ => id = link.parent,
        }
    }
}

/// Returns the withheld proofs of this height and below, oldest first: all that others need to judge a withheld link
/// there.
#[must_use]
pub fn withheld_up_to(view: &View<'_>, at: Height) -> Vec<ShareId> {
    let low = |id: &&ShareId| view.chain.credit(id).is_none_or(|credit| credit.height <= at);
    view.withheld.iter().filter(low).copied().collect()
}

/// Returns the ids of `listable` that are `wanted` and need no unwanted one. A share needs its parent if the parent is
/// yet to be listed.
#[must_use]
pub fn keep(chain: &Chain, listable: &[ShareId], wanted: impl Fn(&ShareId) -> bool) -> Vec<ShareId> {
    let all: BTreeSet<&ShareId> = listable.iter().collect();
    let mut kept = BTreeSet::new();
    let parent = |id: &ShareId| chain.credit(id).map(|credit| credit.parent);
    let stays = |id: &&ShareId| {
        let stays = wanted(id) && parent(id).is_some_and(|parent| !all.contains(&parent) || kept.contains(&parent));
        if stays {
            kept.insert(**id);
        }
        stays
    };
    listable.iter().filter(stays).copied().collect()
}
