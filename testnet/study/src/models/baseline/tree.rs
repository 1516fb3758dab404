//! All shares that were ever found.

use super::rules::{Rules, Uncles};
use sim::ids::MinerId;
use sim::time::Micros;

/// A share, by its index in the [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(u32);

impl ShareId {
    /// The first share of all chains. No miner found it.
    pub const GENESIS: Self = Self(0);

    /// Returns the index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A miner's job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The parent share.
    pub parent: ShareId,
    /// The shares to list as uncles.
    pub uncles: Vec<ShareId>,
}

/// A share.
#[derive(Clone, Debug)]
pub struct Share {
    /// The parent and the listed uncles.
    pub job: Job,
    /// The finder. `None` for the first share.
    pub miner: Option<MinerId>,
    /// Time of the find.
    pub found: Micros,
    /// Number of shares below it on its chain.
    pub height: u32,
    /// The weight for fork choice: shares on its chain, itself included, and uncles where they count.
    pub work: u32,
}

/// All shares, in the order in which they were found.
#[derive(Clone, Debug)]
pub struct Tree {
    shares: Vec<Share>,
}

impl Default for Tree {
    fn default() -> Self {
        let job = Job { parent: ShareId::GENESIS, uncles: Vec::new() };
        Self { shares: vec![Share { job, miner: None, found: Micros::ZERO, height: 0, work: 0 }] }
    }
}

impl Tree {
    /// Adds a share that was just found.
    ///
    /// # Panics
    /// If there are 2^32 shares.
    pub fn add(&mut self, rules: &Rules, job: Job, miner: MinerId, found: Micros) -> ShareId {
        let id = ShareId(u32::try_from(self.shares.len()).expect("a run finds fewer than 2^32 shares"));
        let parent = self.get(job.parent);
        let listed = if rules.uncles.is_some_and(|uncles| uncles.weigh) { job.uncles.len() } else { 0 };
        let work = parent.work + 1 + u32::try_from(listed).expect("a share lists a handful");
        let height = parent.height + 1;
        self.shares.push(Share { job, miner: Some(miner), found, height, work });
        id
    }

    /// Returns a share.
    #[must_use]
    pub fn get(&self, id: ShareId) -> &Share {
        &self.shares[id.index()]
    }

    /// Returns the parent. The first share is its own parent.
    #[must_use]
    pub fn parent(&self, id: ShareId) -> ShareId {
        self.get(id).job.parent
    }

    /// Returns all shares that miners found.
    pub fn found(&self) -> impl Iterator<Item = (ShareId, &Share)> {
        (0..).map(ShareId).zip(&self.shares).skip(1)
    }

    /// Returns the chain of `tip` from its top, without the first share.
    pub fn chain(&self, tip: ShareId) -> impl Iterator<Item = ShareId> + '_ {
        let above_genesis = |id: ShareId| (id != ShareId::GENESIS).then_some(id);
        std::iter::successors(above_genesis(tip), move |id| above_genesis(self.parent(*id)))
    }

    /// Returns the heaviest of all shares, hidden ones included. On a tie, returns the first one found.
    #[must_use]
    pub fn heaviest(&self) -> ShareId {
        let better = |best: ShareId, (id, share): (ShareId, &Share)| {
            if share.work > self.get(best).work { id } else { best }
        };
        self.found().fold(ShareId::GENESIS, better)
    }

    /// Returns the share at a height on the chain of `tip`.
    #[must_use]
    pub fn at_height(&self, tip: ShareId, height: u32) -> Option<ShareId> {
        let mut id = tip;
        while self.get(id).height > height {
            id = self.parent(id);
        }
        (self.get(id).height == height).then_some(id)
    }

    /// Returns whether `id` is on the chain of `tip`.
    #[must_use]
    pub fn is_on_chain(&self, id: ShareId, tip: ShareId) -> bool {
        self.at_height(tip, self.get(id).height) == Some(id)
    }

    /// Returns the uncles that a share on top of `parent` lists, out of the shares that its finder knows.
    #[must_use]
    pub fn uncles(&self, rules: &Uncles, parent: ShareId, known: impl Iterator<Item = ShareId>) -> Vec<ShareId> {
        known.filter(|&id| self.may_list(rules, parent, id)).take(rules.at_most).collect()
    }

    /// Returns whether a share on top of `parent` may list `uncle`: near enough, on a short side branch, not listed
    /// yet.
    #[must_use]
    pub fn may_list(&self, rules: &Uncles, parent: ShareId, uncle: ShareId) -> bool {
        let height = self.get(parent).height + 1;
        let near = |id: ShareId| self.get(id).height + rules.depth >= height;
        if !near(uncle) {
            return false;
        }
        let Some(mut on_chain) = self.at_height(parent, self.get(uncle).height) else {
            return false;
        };
        let listed = self.chain(parent).take_while(|&id| near(id)).any(|id| self.get(id).job.uncles.contains(&uncle));
        if on_chain == uncle || listed {
            return false;
        }
        let mut beside = uncle;
        for _ in 0..rules.branch {
            if !near(on_chain) {
                return false;
            }
            (on_chain, beside) = (self.parent(on_chain), self.parent(beside));
            if on_chain == beside {
                return true;
            }
        }
        false
    }
}
