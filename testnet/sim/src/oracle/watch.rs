//! Runs a scenario under all oracles.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;
use sharechain::{Chain, Height, ShareId, Weight};

use super::agreement::{Convergence, Settled};
use super::book::Book;
use super::calm::Calm;
use super::chain_view::{ChainView, window_of};
use super::fates::Fates;
use super::money::{Money, check_next};
use super::proofs::{Proofs, check_found};
use super::{Finding, Oracle, Violation, memory, payout, state_root};
use crate::full::{BuildError, SimNode, build};
use crate::ids::NodeId;
use crate::plant::{Plant, Planted};
use crate::scenario::Scenario;
use crate::time::Micros;
use crate::world::{Step, World};

/// Simulated time between two checks of all nodes.
const ROUND: Micros = Micros::from_secs(10);

/// Number of remembered windows, for comparison with other nodes: the tips of the last ten minutes.
const WINDOWS_MAX: usize = 64;

/// The node with a planted bug. It is not the first one, which starts before all others, because some bugs need peers.
const PLANTED: NodeId = NodeId(1);

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Steps of the world.
    pub steps: u64,
    /// Number of proofs found.
    pub finds: u64,
    /// Height of the highest main chain.
    pub links: u32,
    /// The broken invariant, if any. The run ends there.
    pub violation: Option<Violation>,
}

/// Runs a scenario until it ends or an invariant breaks. `plant` adds a bug to one node.
///
/// # Errors
/// If a strategy does not exist or does not have the given options.
pub fn watch(scenario: &Scenario, seed: u64, plant: Option<Plant>) -> Result<Watched, BuildError> {
    let mut world = build(scenario, seed)?;
    if let (Some(plant), Some(node)) = (plant, world.nodes.get_mut(PLANTED.index())) {
        node.plant(plant);
    }
    let mut oracles = Oracles::new(&world, scenario, seed);
    let end = Micros::from_secs_f64(scenario.duration_s);
    let violation = oracles.watch(&mut world, end).err();
    let heights = world.nodes.iter().filter_map(|node| Some(node.chain()?.height().0));
    let links = heights.max().unwrap_or(0);
    Ok(Watched { steps: world.steps(), finds: world.environment.ledger.finds().len() as u64, links, violation })
}

/// The oracles' facts about one node.
#[derive(Debug)]
struct Known {
    /// Its main chain when last checked, genesis first.
    main: Vec<ShareId>,
    /// Height up to which its settled links were compared.
    settled: Height,
    planted: Planted,
}

/// All oracles of one run.
#[derive(Debug)]
pub struct Oracles {
    seed: u64,
    book: Book,
    calm: Calm,
    nodes: Vec<Known>,
    windows: BTreeMap<ShareId, BTreeMap<ScriptBuf, Weight>>,
    money: Money,
    proofs: Proofs,
    fates: Fates,
    settled: Settled,
    convergence: Convergence,
    next_round: Micros,
    rounds: u64,
}

impl Oracles {
    /// Creates the oracles for a world that has made no step.
    #[must_use]
    pub fn new(world: &World<SimNode>, scenario: &Scenario, seed: u64) -> Self {
        let genesis = world.environment.params.genesis_id();
        let known =
            |node: &SimNode| Known { main: vec![genesis], settled: Height(0), planted: Planted::new(node.planted()) };
        Self {
            seed,
            book: Book::new(world.environment.params.clone()),
            calm: Calm::of(scenario),
            nodes: world.nodes.iter().map(known).collect(),
            windows: BTreeMap::new(),
            money: Money::default(),
            proofs: Proofs::default(),
            fates: Fates::default(),
            settled: Settled::default(),
            convergence: Convergence::new(world.nodes.len()),
            next_round: ROUND,
            rounds: 0,
        }
    }

    /// Runs the world until `end` and checks it after every step.
    ///
    /// # Errors
    /// The first broken invariant.
    pub fn watch(&mut self, world: &mut World<SimNode>, end: Micros) -> Result<(), Violation> {
        while let Some(step) = world.step(end) {
            self.after(world, step)?;
        }
        self.round(world).map_err(|(node, finding)| self.violation(world, node, finding))
    }

    /// Checks the changes of a step, and all nodes from time to time.
    ///
    /// # Errors
    /// A broken invariant.
    pub fn after(&mut self, world: &mut World<SimNode>, step: Step) -> Result<(), Violation> {
        if let Some(node) = step.node {
            self.look_at(world, node).map_err(|finding| self.violation(world, Some(node), finding))?;
        }
        if world.schedule.now() >= self.next_round {
            self.next_round = world.schedule.now() + ROUND;
            self.round(world).map_err(|(node, finding)| self.violation(world, node, finding))?;
        }
        Ok(())
    }

    fn violation(&self, world: &World<SimNode>, node: Option<NodeId>, finding: Finding) -> Violation {
        let Finding { oracle, what } = finding;
        Violation { oracle, seed: self.seed, step: world.steps(), at: world.schedule.now(), node, what }
    }

    /// Checks the node that an event happened to.
    fn look_at(&mut self, world: &mut World<SimNode>, id: NodeId) -> Result<(), Finding> {
        let node = &world.nodes[id.index()];
        self.convergence.note(id, node.chain().is_some(), world.schedule.now());
        self.proofs.check(world)?;
        // Another node may have found the block. The planted node alone may find none.
        let plant = world.nodes.get(PLANTED.index()).and_then(SimNode::planted);
        self.money.check(&self.book, node, &world.environment, plant)?;
        memory::check(node)?;
        let Some(chain) = node.chain() else { return Ok(()) };
        let known = &mut self.nodes[id.index()];
        if known.main.last() == Some(&chain.tip()) {
            return Ok(());
        }
        let first_new = common_len(&known.main, chain);
        known.main.truncate(first_new);
        for height in first_new..=chain.height().0 as usize {
            let chain_view = ChainView::new(chain, node.planted());
            let link = chain.main_at(Height(u32::try_from(height).unwrap_or(u32::MAX)));
            let Some(link) = link else { break };
            known.main.push(link);
            check_link(link, &chain_view, node, world, &mut self.book)?;
        }
        if node.strategist().is_honest() {
            known.settled = self.settled.check(chain, known.settled, node.planted())?;
        }
        self.compare_window(world, id)
    }

    /// Checks that nodes with the same tip have the same window, and that the book gives it too.
    fn compare_window(&mut self, world: &mut World<SimNode>, id: NodeId) -> Result<(), Finding> {
        let Some(chain) = world.nodes[id.index()].chain_mut() else { return Ok(()) };
        let tip = chain.tip();
        let Some(window) = window_of(chain, &tip, &mut self.nodes[id.index()].planted) else { return Ok(()) };
        if self.windows.len() >= WINDOWS_MAX {
            self.windows.clear();
        }
        let due = match self.windows.get(&tip) {
            Some(due) => due,
            None => {
                let Some(due) = payout::window(&self.book, &tip) else { return Ok(()) };
                self.windows.entry(tip).or_insert(due)
            }
        };
        if *due == window {
            return Ok(());
        }
        Err(Oracle::State.finds(format!("the window at link {tip} is {window:?}, and {due:?} by the book")))
    }

    /// Checks all nodes.
    fn round(&mut self, world: &mut World<SimNode>) -> Result<(), (Option<NodeId>, Finding)> {
        let World { nodes, environment, .. } = world;
        for (index, node) in nodes.iter_mut().enumerate() {
            memory::check_pending(node, environment).map_err(|finding| (Some(NodeId::of(index)), finding))?;
        }
        // One node per round is compared with the book, because that takes a while.
        let turn = usize::try_from(self.rounds).unwrap_or(usize::MAX) % nodes.len();
        self.rounds += 1;
        check_next(&self.book, &mut nodes[turn], environment.bitcoin.headers())
            .map_err(|finding| (Some(NodeId::of(turn)), finding))?;
        self.check_all(world).map_err(|finding| (None, finding))
    }

    fn check_all(&mut self, world: &World<SimNode>) -> Result<(), Finding> {
        self.proofs.check_refusals(world)?;
        self.fates.check(world, &self.calm)?;
        self.convergence.check(world, &self.calm)
    }
}

/// Returns the number of links, from genesis on, that a chain still has on its main chain.
fn common_len(main: &[ShareId], chain: &Chain) -> usize {
    let mut len = main.len().min(chain.height().0 as usize + 1);
    while len > 1 && chain.main_at(Height(u32::try_from(len - 1).unwrap_or(u32::MAX))) != main.get(len - 1).copied() {
        len -= 1;
    }
    len
}

/// Checks a link that entered a node's main chain.
fn check_link(
    id: ShareId,
    chain_view: &ChainView<'_>,
    node: &SimNode,
    world: &World<SimNode>,
    book: &mut Book,
) -> Result<(), Finding> {
    let link = chain_view.link(&id).map_err(|what| Oracle::State.finds(what))?;
    check_found(&id, &link, node, &world.environment)?;
    if book.check(id, &link, chain_view)? {
        state_root::check(book, &id, &link, chain_view)?;
    }
    for item in link.list.iter().chain([&id]) {
        if !chain_view.is_listed_at(item, Height(link.height), &id) && !chain_view.is_deep(&id) {
            return Err(Oracle::State.finds(format!("the node does not know that link {id} credits {item}")));
        }
    }
    Ok(())
}
