//! All shares that were ever found.

use super::rules::{Rules, Uncles};
use sim::time::Micros;
use sim::world::MinerId;

/// A share, by its place in the [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(u32);

impl ShareId {
    /// The share that all chains begin with; nobody found it.
    pub const GENESIS: Self = Self(0);

    /// Its index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a miner works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The share that it builds on.
    pub parent: ShareId,
    /// The shares that it lists.
    pub uncles: Vec<ShareId>,
}

/// A share.
#[derive(Clone, Debug)]
pub struct Share {
    /// What it builds on and lists.
    pub job: Job,
    /// Who found it; nobody found the first.
    pub miner: Option<MinerId>,
    /// When.
    pub found: Micros,
    /// Shares below it on its chain.
    pub height: u32,
    /// What fork choice compares: shares on its chain, itself included, and uncles where they count.
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
    /// There are 2^32 shares.
    pub fn add(&mut self, rules: &Rules, job: Job, miner: MinerId, found: Micros) -> ShareId {
        let id = ShareId(u32::try_from(self.shares.len()).expect("a run finds fewer than 2^32 shares"));
        let parent = self.get(job.parent);
        let listed = if rules.uncles.is_some_and(|uncles| uncles.weigh) { job.uncles.len() } else { 0 };
        let work = parent.work + 1 + u32::try_from(listed).expect("a share lists a handful");
        let height = parent.height + 1;
        self.shares.push(Share { job, miner: Some(miner), found, height, work });
        id
    }

    /// A share.
    #[must_use]
    pub fn get(&self, id: ShareId) -> &Share {
        &self.shares[id.index()]
    }

    /// The share it builds on; the first builds on itself.
    #[must_use]
    pub fn parent(&self, id: ShareId) -> ShareId {
        self.get(id).job.parent
    }

    /// All shares that were found.
    pub fn found(&self) -> impl Iterator<Item = (ShareId, &Share)> {
        (0..).map(ShareId).zip(&self.shares).skip(1)
    }

    /// The chain below and with `tip`, from its top; without the first share.
    pub fn chain(&self, tip: ShareId) -> impl Iterator<Item = ShareId> + '_ {
        let above_genesis = |id: ShareId| (id != ShareId::GENESIS).then_some(id);
        std::iter::successors(above_genesis(tip), move |id| above_genesis(self.parent(*id)))
    }

    /// The heaviest of all shares, known to others or not; the first found on a tie.
    #[must_use]
    pub fn heaviest(&self) -> ShareId {
        let better = |best: ShareId, (id, share): (ShareId, &Share)| {
            if share.work > self.get(best).work { id } else { best }
        };
        self.found().fold(ShareId::GENESIS, better)
    }

    /// The share at a height on the chain of `tip`.
    #[must_use]
    pub fn at_height(&self, tip: ShareId, height: u32) -> Option<ShareId> {
        let mut id = tip;
        while self.get(id).height > height {
            id = self.parent(id);
        }
        (self.get(id).height == height).then_some(id)
    }

    /// Whether `id` is on the chain of `tip`.
    #[must_use]
    pub fn is_on_chain(&self, id: ShareId, tip: ShareId) -> bool {
        self.at_height(tip, self.get(id).height) == Some(id)
    }

    /// The uncles that a share on top of `parent` lists, out of those that its maker knows.
    #[must_use]
    pub fn uncles(&self, rules: &Uncles, parent: ShareId, known: impl Iterator<Item = ShareId>) -> Vec<ShareId> {
        known.filter(|&id| self.may_list(rules, parent, id)).take(rules.at_most).collect()
    }

    /// Whether a share on top of `parent` may list `uncle`: near enough, on a short branch beside its chain, not listed yet.
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
