//! Jobs for miners, built by the program's real job builder, and the proofs that miners find.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::{BlockHash, ScriptBuf, Target};
use node_core::exchange::Input;
use node_core::jobs::{Contents, Job, JobBuilder, JobError, JobPosition, JobTemplate, Trigger, judge_found};
use node_core::relay::WholeBlock;
use sharechain::share::EXTRANONCE_BYTES;
use sharechain::{Outcome, ShareId, target};

use super::{Context, SimNode};
use crate::full::ledger::{Find, Verdict, expected_blocks};
use crate::full::strategist::Glance;
use crate::full::timer::Timer;
use crate::ids::MinerId;
use crate::plant::Plant;
use crate::strategy::{Fate, FoundProof};
use crate::time::Micros;

/// The bytes that miners roll. A random nonce is enough here.
const EXTRANONCE: [u8; EXTRANONCE_BYTES] = [0; EXTRANONCE_BYTES];

impl SimNode {
    /// Builds a new job template if one is due.
    pub(super) fn renew_work(&mut self, context: &mut Context<'_>) {
        let now = Duration::from_micros(context.schedule.now().0);
        let Some(alive) = &mut self.alive else { return };
        let tip = alive.engine.tip();
        if !alive.jobs.is_due(&tip, now) {
            return;
        }
        alive.jobs.begin(tip);
        let template = self.job_template(context);
        if let Some(alive) = &mut self.alive {
            alive.jobs.end(template.is_some(), now);
        }
        if let Some(template) = template {
            self.hand_out(&template, context);
        }
    }

    /// Builds a job template from the newest state. Returns `None` if the node has no work or no miners.
    fn job_template(&mut self, context: &mut Context<'_>) -> Option<Arc<JobTemplate>> {
        let tip = self.bitcoind.tip();
        if !self.follow(tip, context) {
            return None;
        }
        let now = context.schedule.now();
        let time = self.time(now);
        let bitcoin_height = context.environment.bitcoin.height(&tip);
        let alive = self.alive.as_mut()?;
        let trigger = Trigger { bitcoin_height, sync_trouble: alive.trouble.clone() };
        trigger.apply(&mut alive.engine).ok()?;
        let script = self.devices.first()?.script.clone();
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.bitcoin_tips, script: &script };
        let (parent, prev_block, header_time) = self.strategist.ask(glance, |strategy, view| {
            (strategy.parent(view), strategy.previous_block(view), strategy.header_time(view))
        });
        if !self.follow(prev_block, context) {
            return None;
        }
        let block = context.environment.bitcoin.template(&prev_block)?;
        let alive = self.alive.as_mut()?;
        let mut position = find_position(alive.engine.chain_mut(), &parent, &prev_block).ok()?;
        let listable = std::mem::take(&mut position.assignment.list);
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.bitcoin_tips, script: &script };
        position.assignment.list = self.strategist.ask(glance, |strategy, view| strategy.list(view, listable));
        let cost = position.coinbase_cost();
        let contents = alive.jobs.contents(&block, cost, || Arc::new(Contents::fit(&block, cost)));
        JobBuilder::finish(&mut alive.engine, block, contents, position, header_time, time).ok()
    }

    /// Gives each device its job.
    fn hand_out(&mut self, template: &Arc<JobTemplate>, context: &mut Context<'_>) {
        for index in 0..self.devices.len() {
            let script = self.payout(index, context);
            context.environment.ledger.register(&script, self.devices[index].miner);
            let job = Arc::new(Job::new(Arc::clone(template), script));
            let at_once = self.device_switch == Micros::ZERO;
            match self.devices[index].hand(job, at_once) {
                Some(job) => {
                    context.schedule.remind(context.id, self.device_switch, Timer::Switch { device: index, job })
                }
                None => self.work(index, context),
            }
        }
    }

    fn payout(&mut self, index: usize, context: &Context<'_>) -> ScriptBuf {
        let now = context.schedule.now();
        let time = self.time(now);
        let script = &self.devices[index].script;
        let Some(alive) = &self.alive else { return script.clone() };
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.bitcoin_tips, script };
        self.strategist.ask(glance, |strategy, view| strategy.payout(view))
    }

    pub(super) fn on_switch(&mut self, index: usize, job: u64, context: &mut Context<'_>) {
        if self.devices[index].switch(job) {
            self.work(index, context);
        }
    }

    /// Sets the number of hashes for the devices' next share, by the active part of their hashrate.
    fn work(&mut self, index: usize, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let time = self.time(now);
        let Some(alive) = &self.alive else { return };
        let device = &self.devices[index];
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.bitcoin_tips, script: &device.script };
        let power = self.strategist.ask(glance, |strategy, view| strategy.power(view));
        let hashes = device.hashes().map(|hashes| hashes / power.clamp(0.0, 1.0)).filter(|hashes| hashes.is_finite());
        context.schedule.work(device.miner, hashes);
    }

    /// Asks the strategy again which part of the hashrate is active.
    pub(super) fn set_power(&mut self, context: &mut Context<'_>) {
        for index in 0..self.devices.len() {
            self.work(index, context);
        }
    }

    /// A miner finds a share of the job that its devices work on.
    pub(super) fn on_found(&mut self, miner: MinerId, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let time = self.time(now);
        let Some(index) = self.devices.iter().position(|device| device.miner == miner) else { return };
        let Some((job, header)) = self.devices[index].find(&mut self.rng) else { return };
        let Some(alive) = &self.alive else { return };
        let hash = header.block_hash();
        let id = ShareId::from(hash);
        let position = &job.template.assignment.position;
        let found = FoundProof {
            id,
            parent: job.share.parent,
            is_link: id.as_number() <= position.link_target,
            is_block: Target::from_compact(header.bits).is_met_by(hash),
        };
        let params = &context.environment.params;
        let weight = expected_blocks(target::weight_of_share(position.share_target, header.bits, params));
        let bonus = if found.is_link {
            expected_blocks(target::link_bonus(position.link_target, header.bits, params))
        } else {
            0.0
        };
        let chain = alive.engine.chain();
        let script = &self.devices[index].script;
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.bitcoin_tips, script };
        let fate = self.strategist.ask(glance, |strategy, view| strategy.found(view, &found));
        if found.is_block {
            let bytes = job.block(&header, &EXTRANONCE);
            if context.environment.submit(&bytes, context.schedule).is_some() {
                self.on_block(hash, context);
            }
        }
        if fate == Fate::Withhold {
            self.strategist.withhold(id);
        }
        let Some(alive) = &mut self.alive else { return };
        let lost = self.plant == Some(Plant::LostShare) && !found.is_link && id.0[0] % 4 == 0;
        let verdict = if lost {
            Verdict::Accepted
        } else {
            verdict(&judge_found(&mut alive.engine, &job, header, EXTRANONCE, time))
        };
        if found.is_block {
            let block = Arc::new(WholeBlock::of_job(&job, &header, &EXTRANONCE));
            let proof = Box::new(job.proof(header, EXTRANONCE));
            self.hear(Input::Found { proof, nonce: u64::from(header.nonce), block });
        }
        context.environment.ledger.found(Find {
            id,
            miner,
            at: now,
            weight,
            bonus,
            is_link: found.is_link,
            is_block: found.is_block,
            withheld: fate == Fate::Withhold,
            verdict,
        });
    }
}

fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Accepted(_) => Verdict::Accepted,
        Outcome::Known(_) => Verdict::Repeated,
        Outcome::Held(_) => Verdict::Held,
        Outcome::Unlistable => Verdict::Unlistable,
        Outcome::Invalid(rule) => Verdict::Invalid(*rule),
    }
}

/// Finds the position on the chain's choice of parent, or on the strategy's.
fn find_position(
    chain: &mut sharechain::Chain,
    parent: &ShareId,
    prev_block: &BlockHash,
) -> Result<JobPosition, JobError> {
    if *parent == chain.build_on() {
        JobPosition::find(chain, prev_block)
    } else {
        JobPosition::find_on(chain, parent, prev_block)
    }
}
