//! The pool's mining: the finder of a proof, the link that it extends, and the list of a link.

use super::wave::{Kind, Wave, WaveId};

/// Number of links below the highest one in which a node's tip is searched. Older links are forgotten.
const LINKS_IN_SIGHT: u32 = 12;

/// Microseconds after which a node builds a new job without another reason (`JOB_INTERVAL` of `node-core`).
const JOB_INTERVAL_US: u64 = 20_000_000;

/// Microseconds after which a message that no link lists is forgotten: its cells, not its existence.
const FORGET_US: u64 = 300_000_000;

/// A miner's job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The link that it extends. `None` for genesis.
    pub parent: Option<WaveId>,
    /// Height of the proof to find.
    pub height: u32,
    /// The ids that it lists if the proof is a link.
    pub list: Vec<WaveId>,
    /// Number of valid shares that the node knows now and that its branch does not list.
    pub pending: usize,
}

/// The messages that matter to new ones.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// Recent links, oldest first.
    links: Vec<WaveId>,
    /// Shares and links that may be listed, oldest first.
    open: Vec<WaveId>,
    highest: u32,
}

impl Pool {
    /// Returns the job of a node's miners. `switch_us` is the time until a device works on the node's newest state.
    #[must_use]
    pub fn work(&self, waves: &[Wave], node: u32, now_us: u64, switch_us: u64) -> Work {
        let by_us = now_us.saturating_sub(switch_us);
        let known = |id: &&WaveId| waves[**id as usize].is_valid_at(node, by_us);
        // The highest link. Of several, the one that the node found valid first.
        let first = |id: &&WaveId| {
            let wave = &waves[**id as usize];
            (std::cmp::Reverse(wave.height), wave.valid_us(node).unwrap_or(wave.born_us))
        };
        let parent = self.links.iter().filter(known).min_by_key(first).copied();
        let since_us = parent.and_then(|id| waves[id as usize].valid_us(node)).unwrap_or(0);
        let built_us = by_us - by_us.saturating_sub(since_us) % JOB_INTERVAL_US;
        let free = |id: &&WaveId| !self.is_on_branch(waves, **id, parent);
        let open: Vec<WaveId> = self.open.iter().filter(free).copied().collect();
        let known_by = |moment_us: u64| move |id: &&WaveId| waves[**id as usize].is_valid_at(node, moment_us);
        Work {
            parent,
            height: parent.map_or(0, |id| waves[id as usize].height) + 1,
            list: open.iter().filter(known_by(built_us)).copied().collect(),
            pending: open.iter().filter(known_by(now_us)).count(),
        }
    }

    /// Returns whether a branch lists a proof or contains it as a link.
    fn is_on_branch(&self, waves: &[Wave], id: WaveId, tip: Option<WaveId>) -> bool {
        let has = |link: &WaveId| is_ancestor(waves, *link, tip);
        let wave = &waves[id as usize];
        (wave.kind == Kind::Link && has(&id)) || wave.listed_by.iter().any(has)
    }

    /// Records a new message, and forgets those that no longer matter. Returns the forgotten ones.
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
        // A link may still be open after it left `links`. It was forgotten then.
        let links = &self.links;
        self.open.retain(|id| waves[*id as usize].kind == Kind::Share || links.contains(id));
        forgotten
    }

    /// Returns the number of links on the branch of the highest link. Of several, the first one found.
    #[must_use]
    pub fn main_links(&self, waves: &[Wave]) -> u32 {
        let highest = self.links.iter().min_by_key(|id| (std::cmp::Reverse(waves[**id as usize].height), **id));
        highest.map_or(0, |id| waves[*id as usize].height)
    }
}

/// Returns whether a link is the tip or below it.
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
