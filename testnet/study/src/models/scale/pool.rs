//! What the pool mines: who finds a proof, which link it extends, and what a link lists.

use super::wave::{Kind, Wave, WaveId};

/// Links below the highest one among which a node's tip is looked for, and after which a link's cells are forgotten.
const LINKS_IN_SIGHT: u32 = 12;

/// Microseconds after which a node makes new work though nothing forces it (`DRAFT_INTERVAL` of `shoal`).
const DRAFT_INTERVAL_US: u64 = 20_000_000;

/// Microseconds after which a message that nobody lists is forgotten: its cells, not that it was.
const FORGET_US: u64 = 300_000_000;

/// What a miner works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The link it extends; none for genesis.
    pub parent: Option<WaveId>,
    /// Height of what it finds.
    pub height: u32,
    /// What it lists if it turns out to be a link.
    pub list: Vec<WaveId>,
    /// Valid shares that the node knows and that its branch does not list, by now.
    pub pending: usize,
}

/// The messages that matter to new ones.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// Links in chain_view, oldest first.
    links: Vec<WaveId>,
    /// Shares and links that may be listed, oldest first.
    open: Vec<WaveId>,
    highest: u32,
}

impl Pool {
    /// What a node's miners work on. `switch_us` is what it takes until a device works on what its node knows.
    #[must_use]
    pub fn work(&self, waves: &[Wave], node: u32, now_us: u64, switch_us: u64) -> Work {
        let by_us = now_us.saturating_sub(switch_us);
        let known = |id: &&WaveId| waves[**id as usize].is_valid_at(node, by_us);
        // The highest; of several the one that it found valid first.
        let first = |id: &&WaveId| {
            let wave = &waves[**id as usize];
            (std::cmp::Reverse(wave.height), wave.valid_us(node).unwrap_or(wave.born_us))
        };
        let parent = self.links.iter().filter(known).min_by_key(first).copied();
        let since_us = parent.and_then(|id| waves[id as usize].valid_us(node)).unwrap_or(0);
        let drafted_us = by_us - by_us.saturating_sub(since_us) % DRAFT_INTERVAL_US;
        let free = |id: &&WaveId| !self.is_on_branch(waves, **id, parent);
        let open: Vec<WaveId> = self.open.iter().filter(free).copied().collect();
        let known_by = |moment_us: u64| move |id: &&WaveId| waves[**id as usize].is_valid_at(node, moment_us);
        Work {
            parent,
            height: parent.map_or(0, |id| waves[id as usize].height) + 1,
            list: open.iter().filter(known_by(drafted_us)).copied().collect(),
            pending: open.iter().filter(known_by(now_us)).count(),
        }
    }

    /// Whether a branch lists a proof or contains it as a link.
    fn is_on_branch(&self, waves: &[Wave], id: WaveId, tip: Option<WaveId>) -> bool {
        let has = |link: &WaveId| is_ancestor(waves, *link, tip);
        let wave = &waves[id as usize];
        (wave.kind == Kind::Link && has(&id)) || wave.listed_by.iter().any(has)
    }

    /// Takes note of a message that was just made, and forgets what no longer matters; returns what is forgotten.
    pub fn note(&mut self, waves: &mut [Wave], id: WaveId, now_us: u64) -> Vec<WaveId> {
        self.open.push(id);
        let wave = &waves[id as usize];
        if wave.kind == Kind::Share {
            return Vec::new();
        }
        self.highest = self.highest.max(wave.height);
        self.links.push(id);
        for listed in wave.list.clone() {
            waves[listed as usize].listed_by.push(id);
        }
        self.forget(waves, now_us)
    }

    fn forget(&mut self, waves: &[Wave], now_us: u64) -> Vec<WaveId> {
        let deepest = self.highest.saturating_sub(LINKS_IN_SIGHT);
        let is_deep = |id: &WaveId| waves[*id as usize].height < deepest;
        let mut forgotten = Vec::new();
        self.open.retain(|id| {
            let wave = &waves[*id as usize];
            let over = wave.listed_by.iter().any(is_deep) || wave.born_us + FORGET_US < now_us;
            if over && wave.kind == Kind::Share {
                forgotten.push(*id);
            }
            !over
        });
        self.links.retain(|id| {
            if is_deep(id) {
                forgotten.push(*id);
            }
            !is_deep(id)
        });
        // A link may still be open after it went out of chain_view; it was forgotten then.
        let links = &self.links;
        self.open.retain(|id| waves[*id as usize].kind == Kind::Share || links.contains(id));
        forgotten
    }

    /// Links of the branch that ends in the highest link; the first made of several.
    #[must_use]
    pub fn main_links(&self, waves: &[Wave]) -> u32 {
        let highest = self.links.iter().min_by_key(|id| (std::cmp::Reverse(waves[**id as usize].height), **id));
        highest.map_or(0, |id| waves[*id as usize].height)
    }
}

/// Whether a link is the tip or lies below it.
fn is_ancestor(waves: &[Wave], link: WaveId, tip: Option<WaveId>) -> bool {
    let height = waves[link as usize].height;
    let mut at = tip;
    while let Some(id) = at {
        let wave = &waves[id as usize];
        if wave.height <= height {
            return id == link;
        }
        at = wave.parent;
    }
    false
}

#[cfg(test)]
mod tests;
