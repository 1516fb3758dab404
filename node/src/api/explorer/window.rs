//! The PPLNS window that ends at the tip (SC-303), moved link by link.

use std::collections::HashMap;
use std::sync::Arc;

use archive::ArchiveError;
use archive::limits::WINDOW_LINKS;
use archive::read::{Archive, Link, Sorted};
use bitcoin::ScriptBuf;
use sharechain::window::Sum;
use sharechain::{ChainParams, ShareId, Weight};

use crate::api::windows::Standing;

/// Number of new links above which the window is summed again instead of moved.
const FAR: u32 = 2_000;

/// Number of links above the counted ones at which the count is advanced.
const COUNT_FAR: u32 = 4_000;

/// The window. Scripts have numbers in the database.
#[derive(Debug, Default)]
pub(super) struct Window {
    newest: Option<(u32, ShareId)>,
    oldest: u32,
    proofs: u64,
    total: u128,
    sums: HashMap<i32, (u128, u64)>,
    scripts: HashMap<i32, ScriptBuf>,
    /// Credits of the lowest link.
    bottom: Option<Sorted>,
    /// A height, and the number of proofs that links up to it credit.
    counted: Option<(u32, u64)>,
}

fn sum_of(link: &Sorted) -> (u128, u64) {
    link.credits
        .iter()
        .fold((0, 0), |(weight, proofs), (_, more, of)| (weight.saturating_add(*of), proofs.saturating_add(*more)))
}

impl Window {
    /// Moves the window to the tip. Returns its sums by payout script.
    pub(super) async fn up_to(
        &mut self,
        archive: &Archive,
        params: &ChainParams,
        tip: &Link,
        lowest: u32,
    ) -> Result<Arc<Standing>, ArchiveError> {
        let stays = match self.newest {
            Some((height, id)) if height <= tip.height && tip.height - height <= FAR => {
                archive.link_at(height).await?.is_some_and(|link| link.id == id)
            }
            _ => false,
        };
        // Empty until the end, so that the window is summed again after an error.
        let before = self.newest.take().filter(|_| stays);
        match before {
            Some((height, _)) => self.slide(archive, params, height, tip.height).await?,
            None => self.sum(archive, params, tip.height, lowest).await?,
        }
        self.read_scripts(archive).await?;
        let listed_total = self.count(archive, tip.height, lowest).await?;
        self.newest = Some((tip.height, tip.id));
        Ok(Arc::new(self.standing(tip, listed_total.unwrap_or(0))))
    }

    fn is_reached(&self, params: &ChainParams) -> bool {
        self.total >= params.window_weight.0 || self.proofs >= params.window_proofs
    }

    fn add(&mut self, link: &Sorted) {
        let (weight, proofs) = sum_of(link);
        (self.total, self.proofs) = (self.total.saturating_add(weight), self.proofs.saturating_add(proofs));
        for (script, proofs, weight) in &link.credits {
            let sum = self.sums.entry(*script).or_default();
            *sum = (sum.0.saturating_add(*weight), sum.1.saturating_add(*proofs));
        }
    }

    fn remove(&mut self, link: &Sorted) {
        let (weight, proofs) = sum_of(link);
        (self.total, self.proofs) = (self.total.saturating_sub(weight), self.proofs.saturating_sub(proofs));
        for (script, proofs, weight) in &link.credits {
            let Some(sum) = self.sums.get_mut(script) else { continue };
            *sum = (sum.0.saturating_sub(*weight), sum.1.saturating_sub(*proofs));
            if *sum == (0, 0) {
                self.sums.remove(script);
            }
        }
    }

    /// Sums the window from the tip down.
    async fn sum(
        &mut self,
        archive: &Archive,
        params: &ChainParams,
        tip: u32,
        lowest: u32,
    ) -> Result<(), ArchiveError> {
        let (scripts, counted) = (std::mem::take(&mut self.scripts), self.counted);
        *self = Self { scripts, counted, ..Self::default() };
        let page = u32::try_from(WINDOW_LINKS).unwrap_or(1);
        let mut from = tip;
        loop {
            let to = from.saturating_sub(page - 1).max(lowest);
            for link in archive.credits_down(from, to).await? {
                self.add(&link);
                self.oldest = link.height;
                let reached = self.is_reached(params);
                self.bottom = Some(link);
                if reached {
                    return Ok(());
                }
            }
            if to <= lowest {
                // The window includes genesis, which credits nothing.
                if lowest == 1 {
                    (self.oldest, self.bottom) = (0, None);
                }
                return Ok(());
            }
            from = to - 1;
        }
    }

    /// Moves the window up to a higher tip.
    async fn slide(
        &mut self,
        archive: &Archive,
        params: &ChainParams,
        before: u32,
        tip: u32,
    ) -> Result<(), ArchiveError> {
        let new = archive.credits_down(tip, before + 1).await?;
        for link in new.iter().rev() {
            self.add(link);
            while self.oldest < link.height {
                let bottom = match self.bottom.take() {
                    Some(bottom) if bottom.height == self.oldest => bottom,
                    _ => archive
                        .credits_down(self.oldest, self.oldest)
                        .await?
                        .pop()
                        .unwrap_or(Sorted { height: self.oldest, credits: Vec::new() }),
                };
                let (weight, proofs) = sum_of(&bottom);
                let rest = (self.total.saturating_sub(weight), self.proofs.saturating_sub(proofs));
                if rest.0 < params.window_weight.0 && rest.1 < params.window_proofs {
                    self.bottom = Some(bottom);
                    break;
                }
                self.remove(&bottom);
                self.oldest += 1;
            }
        }
        Ok(())
    }

    /// Reads the scripts that are new in the window, and drops old ones once they are the majority.
    async fn read_scripts(&mut self, archive: &Archive) -> Result<(), ArchiveError> {
        let new: Vec<i32> = self.sums.keys().copied().filter(|number| !self.scripts.contains_key(number)).collect();
        for page in new.chunks(10_000) {
            self.scripts.extend(archive.scripts(page).await?);
        }
        if self.scripts.len() > 2 * self.sums.len() + 1_000 {
            self.scripts.retain(|number, _| self.sums.contains_key(number));
        }
        Ok(())
    }

    /// Number of proofs that all links up to the tip credit (SC-304). None if the archive lacks some of these links.
    async fn count(&mut self, archive: &Archive, tip: u32, lowest: u32) -> Result<Option<u64>, ArchiveError> {
        if lowest != 1 {
            return Ok(None);
        }
        let (mut height, mut total) = self.counted.filter(|(height, _)| *height <= tip).unwrap_or((0, 0));
        let deep = tip.saturating_sub(FAR);
        // In steps, since there may be millions.
        while height.saturating_add(COUNT_FAR) < tip {
            let to = height.saturating_add(50_000).min(deep);
            let Some(more) = archive.listed(height + 1, to).await? else { return Ok(None) };
            (height, total) = (to, total.saturating_add(more));
            self.counted = Some((height, total));
        }
        let rest = if height == tip { Some(0) } else { archive.listed(height + 1, tip).await? };
        Ok(rest.map(|rest| total.saturating_add(rest)))
    }

    /// A height, and the number of proofs that links up to it credit.
    pub(super) fn counted(&self) -> (u32, u64) {
        self.counted.unwrap_or((0, 0))
    }

    fn standing(&self, tip: &Link, listed_total: u64) -> Standing {
        let named = self.sums.iter().filter_map(|(number, (weight, shares))| {
            let sum = Sum { weight: Weight(*weight), shares: *shares };
            Some((self.scripts.get(number)?.clone(), sum))
        });
        let mut earners: Vec<(ScriptBuf, Sum)> = named.collect();
        earners.sort_by(|(script_a, a), (script_b, b)| b.weight.cmp(&a.weight).then_with(|| script_a.cmp(script_b)));
        Standing {
            newest: tip.id,
            newest_height: tip.height,
            oldest_height: self.oldest,
            total: Weight(self.total),
            listed_total,
            earners,
        }
    }
}
