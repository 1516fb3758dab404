//! The node: events in, messages out.

use std::sync::Arc;

use super::device::Device;
use super::rules::Rules;
use super::strategy::Strategy;
use super::tree::{Job, ShareId, Tree};
use super::view::{Arrival, View};
use sim::faults::NodeFault;
use sim::ids::{MinerId, NodeId};
use sim::world::{Context, Environment, Event, Node, Schedule};

/// Largest number of shares in an answer: some minutes of the chain. A long gap takes several answers.
const ANSWER_SHARES: usize = 200;

/// Overhead of a message in bytes.
const FRAME_BYTES: u32 = 40;

/// The environment of all nodes of a share-chain.
#[derive(Debug)]
pub struct Pool {
    /// Its rules.
    pub rules: Rules,
    /// Hashrate of the whole pool in hashes per second, which sets the difficulty of shares.
    pub hashrate_hs: f64,
    /// All shares. A node looks only at those it has heard of.
    pub tree: Tree,
}

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Shares, lower ones first.
    Shares(Vec<ShareId>),
    /// A request for a share and those below it.
    Ask(ShareId),
}

/// A node with its miners.
#[derive(Debug)]
pub struct ClassicNode {
    peers: Vec<NodeId>,
    /// Whether it forwards messages. Needed unless all nodes are connected with each other.
    relays: bool,
    view: View,
    strategy: Strategy,
    devices: Vec<(MinerId, Device)>,
}

impl ClassicNode {
    /// Creates a node that knows only the first share.
    #[must_use]
    pub fn new(relays: bool, strategy: Strategy, devices: Vec<(MinerId, Device)>) -> Self {
        Self { peers: Vec::new(), relays, view: View::default(), strategy, devices }
    }

    fn found(&mut self, miner: MinerId, context: &mut Context<'_, Self>) {
        let now = context.schedule.now();
        let device = self.devices.iter_mut().find(|(id, _)| *id == miner);
        let Some(job) = device.and_then(|(_, device)| device.job(now)).cloned() else { return };
        let Pool { rules, tree, .. } = context.environment;
        let id = tree.add(rules, job, miner, now);
        let published = self.strategy.found(tree, &self.view, id);
        self.publish(published, context);
        self.send_jobs(context);
    }

    fn heard(&mut self, from: NodeId, shares: &[ShareId], context: &mut Context<'_, Self>) {
        let before = self.view.tip();
        let mut new = Vec::new();
        for &id in shares {
            match self.view.take_in(&context.environment.tree, &context.environment.rules, id) {
                Arrival::Known => {}
                Arrival::Waits { missing } => {
                    if !shares.contains(&missing) {
                        self.send(from, Message::Ask(missing), context);
                    }
                }
                Arrival::New(ids) => new.extend(ids),
            }
        }
        if new.is_empty() {
            return;
        }
        if self.relays {
            self.send_all(&new, Some(from), context);
        }
        if self.view.tip() != before {
            let published = self.strategy.heard(&context.environment.tree, &self.view);
            self.publish(published, context);
        }
        self.send_jobs(context);
    }

    /// Sends the miner's own shares to all peers.
    fn publish(&mut self, mut shares: Vec<ShareId>, context: &mut Context<'_, Self>) {
        let Pool { rules, tree, .. } = &*context.environment;
        for &id in &shares {
            self.view.take_in(tree, rules, id);
        }
        if rules.uncles.is_none() && matches!(self.strategy, Strategy::Honest) {
            // Where shares off the chain earn nothing, only a new tip is worth sending. Late work is sent to no peer.
            shares.retain(|&id| id == self.view.tip());
        }
        if !shares.is_empty() {
            self.send_all(&shares, None, context);
        }
    }

    fn send_jobs(&mut self, context: &mut Context<'_, Self>) {
        let Pool { rules, tree, .. } = &*context.environment;
        let parent = self.strategy.base(&self.view);
        let job = Job { parent, uncles: self.view.uncles(tree, rules, parent) };
        let now = context.schedule.now();
        let for_tip_only = rules.uncles.is_some_and(|uncles| !uncles.renew_jobs);
        for (_, device) in &mut self.devices {
            if !(for_tip_only && device.last().is_some_and(|last| last.parent == parent)) {
                device.send(&job, now);
            }
        }
    }

    /// Answers with a share and those below it that are not on every chain of the last minutes.
    fn answer(&self, to: NodeId, id: ShareId, context: &mut Context<'_, Self>) {
        if !self.view.knows(id) {
            return;
        }
        let tree = &context.environment.tree;
        let with_uncles = |id| std::iter::once(id).chain(tree.get(id).job.uncles.iter().rev().copied());
        let mut shares: Vec<ShareId> = tree.chain(id).flat_map(with_uncles).take(ANSWER_SHARES).collect();
        shares.reverse();
        self.send(to, Message::Shares(shares), context);
    }

    fn send(&self, to: NodeId, message: Message, context: &mut Context<'_, Self>) {
        let size = message.size_bytes(&context.environment.rules);
        context.schedule.send(context.id, to, Arc::new(message), size);
    }

    fn send_all(&self, shares: &[ShareId], but: Option<NodeId>, context: &mut Context<'_, Self>) {
        let message = Message::Shares(shares.to_vec());
        let size = message.size_bytes(&context.environment.rules);
        let message = Arc::new(message);
        for &peer in self.peers.iter().filter(|&&peer| Some(peer) != but) {
            context.schedule.send(context.id, peer, Arc::clone(&message), size);
        }
    }
}

impl Message {
    fn size_bytes(&self, rules: &Rules) -> u32 {
        let shares = match self {
            Self::Shares(ids) => u32::try_from(ids.len()).expect("an answer is bounded"),
            Self::Ask(_) => 0,
        };
        FRAME_BYTES + shares * rules.share_bytes
    }
}

impl Node for ClassicNode {
    type Message = Message;
    type Timer = ();
    type Environment = Pool;

    fn on_event(&mut self, event: Event<Self>, context: &mut Context<'_, Self>) {
        match event {
            Event::Start => {
                self.peers.clear();
                let Pool { rules, hashrate_hs, .. } = context.environment;
                let hashes = rules.interval.as_secs_f64() * *hashrate_hs;
                for (miner, _) in &self.devices {
                    context.schedule.work(*miner, Some(hashes));
                }
                self.send_jobs(context);
            }
            Event::Message { from, message } => match &*message {
                Message::Shares(shares) => self.heard(from, shares, context),
                Message::Ask(id) => self.answer(from, *id, context),
            },
            Event::Found(miner) => self.found(miner, context),
            Event::Connected(peer) => {
                if !self.peers.contains(&peer) {
                    self.peers.push(peer);
                }
                // If the tip cannot be connected, each side asks for the shares it missed.
                let tip = self.view.tip();
                if tip != ShareId::GENESIS {
                    self.send(peer, Message::Shares(vec![tip]), context);
                }
            }
            Event::Disconnected(peer) => self.peers.retain(|other| *other != peer),
            Event::Timer(()) | Event::Crash => {}
        }
    }

    fn on_fault(&mut self, fault: NodeFault, _context: &mut Context<'_, Self>) {
        if let NodeFault::DeviceSwitch(switch) = fault {
            for (_, device) in &mut self.devices {
                device.set_switch(switch);
            }
        }
    }
}

impl Environment<ClassicNode> for Pool {
    type Timer = ();

    fn on_timer(&mut self, (): (), _schedule: &mut Schedule<ClassicNode>) {}
}
