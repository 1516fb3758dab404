//! Smaller variants of a scenario, to reduce a failing one.

use super::{Constants, Fault, Hours, Scenario, Who};

/// Shortest duration that is tried, in seconds.
const DURATION_S_MIN: f64 = 30.0;

impl Scenario {
    /// Returns variants that are smaller in one respect each, largest steps first: fewer faults, a shorter time, fewer
    /// nodes, honest miners, shorter faults, usual settings. All of them pass [`Scenario::check`]. Empty if the
    /// scenario cannot shrink.
    #[must_use]
    pub fn shrinks(&self) -> Vec<Self> {
        let mut variants = self.fewer_faults();
        variants.extend(self.shorter());
        variants.extend(self.fewer_nodes());
        variants.extend(self.more_honest());
        variants.extend(self.milder_faults());
        variants.extend(self.plainer());
        variants.retain(|variant| variant != self && variant.check().is_ok());
        variants
    }

    fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut copy = self.clone();
        change(&mut copy);
        copy
    }

    fn fewer_faults(&self) -> Vec<Self> {
        let count = self.faults.len();
        let mut variants = Vec::new();
        if count > 1 {
            variants.push(self.changed(|it| it.faults.clear()));
            variants.push(self.changed(|it| it.faults.truncate(count / 2)));
            variants.push(self.changed(|it| drop(it.faults.drain(..count / 2))));
        }
        variants.extend((0..count).map(|index| self.changed(|it| drop(it.faults.remove(index)))));
        variants
    }

    fn shorter(&self) -> Vec<Self> {
        let parts = [0.5, 0.75, 0.9].map(|part| (self.duration_s * part).round());
        let parts = parts.into_iter().filter(|duration_s| *duration_s >= DURATION_S_MIN);
        parts.map(|duration_s| self.changed(|it| it.cut_to(duration_s))).collect()
    }

    /// Ends the scenario earlier. Later faults are dropped.
    fn cut_to(&mut self, duration_s: f64) {
        self.duration_s = duration_s;
        self.faults.retain(|fault| fault.at_s() < duration_s);
    }

    fn fewer_nodes(&self) -> Vec<Self> {
        let mut variants = Vec::new();
        for index in 0..self.nodes.len() {
            variants.extend(self.without_group(index));
            let count = self.nodes[index].count;
            for fewer in [count / 2, count.saturating_sub(1)] {
                if fewer > 0 && self.node_count() > 2 {
                    variants.push(self.changed(|it| it.nodes[index].count = fewer).with_numbers_in_range());
                }
            }
        }
        variants
    }

    fn without_group(&self, index: usize) -> Option<Self> {
        let name = self.nodes[index].name.clone();
        let others = self.miners.iter().filter(|miners| self.on(miners) != name).cloned().collect::<Vec<_>>();
        if others.is_empty() || self.nodes.len() < 2 {
            return None;
        }
        let gone = |miners: &str| !others.iter().any(|other| other.name == miners);
        let concerns = |fault: &Fault| match fault {
            Fault::Hashrate { miners: Some(miners), .. } => gone(miners),
            _ => fault.who().is_some_and(|who| *who == Who::Group(name.clone())),
        };
        let mut smaller = self.changed(|it| {
            it.faults.retain(|fault| !concerns(fault));
            it.nodes.remove(index);
        });
        smaller.miners = others;
        Some(smaller.with_numbers_in_range())
    }

    /// Removes nodes that no longer exist from all faults.
    fn with_numbers_in_range(mut self) -> Self {
        let count = self.node_count();
        self.faults.retain_mut(|fault| match fault.who_mut() {
            Some(Who::Nodes(numbers)) => {
                numbers.retain(|number| (*number as usize) < count);
                !numbers.is_empty()
            }
            _ => true,
        });
        self
    }

    fn more_honest(&self) -> Vec<Self> {
        let dishonest = (0..self.miners.len()).filter(|index| self.miners[*index].strategy != "honest");
        let honest = dishonest.map(|index| {
            self.changed(|it| {
                let on = it.on(&it.miners[index]).to_owned();
                let same = (0..it.miners.len()).filter(|other| it.on(&it.miners[*other]) == on).collect::<Vec<_>>();
                for other in same {
                    it.miners[other].strategy = "honest".into();
                    it.miners[other].options.clear();
                }
            })
        });
        honest.collect()
    }

    fn milder_faults(&self) -> Vec<Self> {
        let halves = (0..self.faults.len()).filter_map(|index| {
            let for_s = self.faults[index].for_s().filter(|for_s| *for_s >= 2.0)?;
            Some(self.changed(|it| {
                if let Some(of) = it.faults[index].for_s_mut() {
                    *of = (for_s / 2.0).round();
                }
            }))
        });
        halves.collect()
    }

    fn plainer(&self) -> Vec<Self> {
        let mut variants = vec![
            self.changed(|it| it.constants = Constants::default()),
            self.changed(|it| it.miners.iter_mut().for_each(|miners| miners.hours = Hours::Always)),
        ];
        variants.extend((0..self.nodes.len()).map(|index| {
            self.changed(|it| {
                let group = &mut it.nodes[index];
                *group = super::Nodes::usual(&group.name, group.count);
                group.clock_skew_s = 0.0;
            })
        }));
        variants
    }
}
