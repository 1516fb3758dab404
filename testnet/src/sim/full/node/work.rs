//! Drafts for miners, as `node/src/work/maker.rs` makes them, and what miners find.

use std::sync::Arc;

use bitcoin::{BlockHash, ScriptBuf, Target};
use node::bitcoind::BlockTemplate;
use node::found::judge_found;
use node::limits::{DRAFT_INTERVAL, DRAFT_RETRY};
use node::work::{Body, Draft, DraftError, Order, Place};
use p2p::Gossip;
use sharechain::{Outcome, ShareId, target};

use super::{Context, SimNode, Timer};
use crate::sim::full::audit::blocks;
use crate::sim::full::ledger::{Find, Verdict};
use crate::sim::full::mind::Glance;
use crate::sim::plant::Plant;
use crate::sim::strategy::{Fate, Found};
use crate::sim::time::Micros;
use crate::sim::world::MinerId;

/// The bytes that miners roll; here a random nonce is enough.
const EXTRANONCE: [u8; stratum::EXTRANONCE_BYTES] = [0; stratum::EXTRANONCE_BYTES];

/// What the node remembers from one draft to the next.
#[derive(Debug)]
pub(super) struct Desk {
    /// Something that a draft follows from has changed.
    pub(super) dirty: bool,
    /// Tips of Bitcoin that the own bitcoind knows, the one that it follows first.
    pub(super) bitcoin_tips: Vec<BlockHash>,
    /// A new draft is due then.
    due: Micros,
    body: Option<(Arc<BlockTemplate>, u64, Arc<Body>)>,
}

impl Desk {
    pub(super) fn new(bitcoin_tips: Vec<BlockHash>) -> Self {
        Self { dirty: true, bitcoin_tips, due: Micros::ZERO, body: None }
    }

    fn body(&mut self, template: &Arc<BlockTemplate>, coinbase_weight: u64) -> Arc<Body> {
        if let Some((of, weight, body)) = &self.body
            && Arc::ptr_eq(of, template)
            && *weight == coinbase_weight
        {
            return Arc::clone(body);
        }
        let body = Arc::new(Body::fit(template, coinbase_weight));
        self.body = Some((Arc::clone(template), coinbase_weight, Arc::clone(&body)));
        body
    }
}

impl SimNode {
    /// Makes a new draft if what the last one follows from has changed, or if it is old.
    pub(super) fn renew_work(&mut self, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let Some(alive) = &mut self.alive else { return };
        let tip = alive.engine.tip();
        if !alive.desk.dirty && tip == alive.tip && now < alive.desk.due {
            return;
        }
        alive.tip = tip;
        alive.desk.dirty = false;
        let draft = self.draft(context);
        let pause = if draft.is_some() { DRAFT_INTERVAL } else { DRAFT_RETRY };
        if let Some(alive) = &mut self.alive {
            alive.desk.due = now + Micros(u64::try_from(pause.as_micros()).unwrap_or(u64::MAX));
        }
        if let Some(draft) = draft {
            self.hand_out(&draft, context);
        }
    }

    /// Tells the share-chain where the own bitcoind is. False if it cannot be followed.
    fn note_bitcoin(&mut self, context: &mut Context<'_>) -> bool {
        let tip = self.bitcoind.tip();
        if !self.follow(tip, context) {
            return false;
        }
        let height = context.environment.bitcoin.height(&tip);
        if let Some(alive) = &mut self.alive {
            alive.engine.note_own_bitcoin_height(height, alive.trouble.is_none());
        }
        true
    }

    /// A draft of what is newest; none while the node has no work for its miners, or no miners.
    fn draft(&mut self, context: &mut Context<'_>) -> Option<Arc<Draft>> {
        if !self.note_bitcoin(context) || self.alive.as_ref()?.trouble.is_some() {
            return None;
        }
        let now = context.schedule.now();
        let time = self.time(now);
        let script = self.devices.first()?.script.clone();
        let alive = self.alive.as_ref()?;
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.desk.bitcoin_tips, script: &script };
        let (parent, prev_block, header_time) = self.mind.ask(glance, |strategy, view| {
            (strategy.parent(view), strategy.previous_block(view), strategy.header_time(view))
        });
        if !self.follow(prev_block, context) {
            return None;
        }
        let template = context.environment.bitcoin.template(&prev_block)?;
        let alive = self.alive.as_mut()?;
        let mut place = find_place(alive.engine.chain_mut(), &parent, &prev_block).ok()?;
        let listable = std::mem::take(&mut place.assignment.list);
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.desk.bitcoin_tips, script: &script };
        place.assignment.list = self.mind.ask(glance, |strategy, view| strategy.list(view, listable));
        let body = alive.desk.body(&template, place.coinbase_weight());
        let draft = Draft::new(template, body, place, header_time).ok()?;
        draft.check(alive.engine.chain_mut(), time).ok()?;
        Some(draft)
    }

    /// Gives every machine its part of a draft.
    fn hand_out(&mut self, draft: &Arc<Draft>, context: &mut Context<'_>) {
        for index in 0..self.devices.len() {
            let script = self.payout(index, context);
            context.environment.ledger.register(&script, self.devices[index].miner);
            let order = Arc::new(Order::new(Arc::clone(draft), script));
            let at_once = self.device_switch == Micros::ZERO;
            match self.devices[index].hand(order, at_once) {
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
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.desk.bitcoin_tips, script };
        self.mind.ask(glance, |strategy, view| strategy.payout(view))
    }

    pub(super) fn on_switch(&mut self, index: usize, job: u64, context: &mut Context<'_>) {
        if self.devices[index].switch(job) {
            self.work(index, context);
        }
    }

    /// Says how much work the next share of these machines takes, with the part of them that works.
    fn work(&mut self, index: usize, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let time = self.time(now);
        let Some(alive) = &self.alive else { return };
        let device = &self.devices[index];
        let chain = alive.engine.chain();
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.desk.bitcoin_tips, script: &device.script };
        let power = self.mind.ask(glance, |strategy, view| strategy.power(view));
        let hashes = device.hashes().map(|hashes| hashes / power.clamp(0.0, 1.0)).filter(|hashes| hashes.is_finite());
        context.schedule.work(device.miner, hashes);
    }

    /// Asks the strategy again how much of the machines works.
    pub(super) fn set_power(&mut self, context: &mut Context<'_>) {
        for index in 0..self.devices.len() {
            self.work(index, context);
        }
    }

    /// A miner finds a share of what its machines work on.
    pub(super) fn on_found(&mut self, miner: MinerId, context: &mut Context<'_>) {
        let now = context.schedule.now();
        let time = self.time(now);
        let Some(index) = self.devices.iter().position(|device| device.miner == miner) else { return };
        let Some((order, header)) = self.devices[index].find(&mut self.rng) else { return };
        let Some(alive) = &self.alive else { return };
        let hash = header.block_hash();
        let id = ShareId::from(hash);
        let position = &order.draft.assignment.position;
        let found = Found {
            id,
            parent: order.share.parent,
            is_link: id.as_number() <= position.link_target,
            is_block: Target::from_compact(header.bits).is_met_by(hash),
        };
        let params = &context.environment.params;
        let weight = blocks(target::weight_of_share(position.share_target, header.bits, params));
        let bonus =
            if found.is_link { blocks(target::link_bonus(position.link_target, header.bits, params)) } else { 0.0 };
        let chain = alive.engine.chain();
        let script = &self.devices[index].script;
        let glance = Glance { chain, time, now, bitcoin_tips: &alive.desk.bitcoin_tips, script };
        let fate = self.mind.ask(glance, |strategy, view| strategy.found(view, &found));
        if found.is_block {
            self.on_own_block(order.block(&header, &EXTRANONCE), hash, context);
        }
        if fate == Fate::Withhold {
            self.mind.withhold(id);
        }
        let Some(alive) = &mut self.alive else { return };
        let lost = self.plant == Some(Plant::LostShare) && !found.is_link && id.0[0] % 4 == 0;
        let verdict = if lost {
            Verdict::Accepted
        } else {
            verdict(&judge_found(&mut alive.engine, &order, header, EXTRANONCE, time))
        };
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

    /// A Bitcoin block goes to bitcoind and to peers at once, whatever the share-chain says.
    fn on_own_block(&mut self, bytes: Vec<u8>, hash: BlockHash, context: &mut Context<'_>) {
        if context.environment.submit(&bytes, context.schedule).is_some() {
            self.on_block(hash, context);
        }
        self.publish(Gossip::BitcoinBlock(bytes), context);
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

/// Where the program would build, or where the strategy wants to.
fn find_place(chain: &mut sharechain::Chain, parent: &ShareId, prev_block: &BlockHash) -> Result<Place, DraftError> {
    if *parent == chain.build_on() { Place::find(chain, prev_block) } else { Place::find_on(chain, parent, prev_block) }
}
