//! The best policy that the search finds in a small model, played in the whole network.

use serde::Deserialize;
use sharechain::change_set::ChangeSet;
use sharechain::{Chain, Height, ShareId};

use super::tools::{ancestor, height, withheld_up_to};
use super::{Fate, FoundProof, Strategy, View};
use crate::mdp::{Action, Fork, Game, LinkPay, Policy, Rules, State, best};

/// The parameters of the model. They are given, not learned from the network.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    /// The miner's part of the hashrate, 0 to 1.
    alpha: f64,
    /// The part of the others' hashrate that follows its branch in a tie, 0 to 1.
    gamma: f64,
    /// See [`LinkPay::anchor_depth`].
    anchor_depth: usize,
    /// See [`LinkPay::bonus`].
    bonus: f64,
    /// See [`Game::longest`]. The policy is solved when the strategy is created.
    longest: usize,
}

/// A miner that follows a solved policy.
#[derive(Debug, Deserialize)]
#[serde(from = "Options")]
pub struct Mdp {
    policy: Policy,
    race: Option<Race>,
}

/// The miner's own branch and the public one.
#[derive(Clone, Copy, Debug)]
struct Race {
    /// Newest link of the own branch.
    tip: ShareId,
    /// The public tip that it competes with.
    rival: ShareId,
    fork: Fork,
}

impl Default for Options {
    fn default() -> Self {
        let LinkPay { anchor_depth, bonus, .. } = LinkPay::MAIN;
        Self { alpha: 0.4, gamma: 0.5, anchor_depth, bonus, longest: 100 }
    }
}

impl From<Options> for Mdp {
    fn from(options: Options) -> Self {
        let Options { alpha, gamma, anchor_depth, bonus, longest } = options;
        let rules = Rules::LinkPay(LinkPay { anchor_depth, bonus, ..LinkPay::MAIN });
        Self { policy: best(&Game { alpha, gamma, longest, rules }).policy, race: None }
    }
}

impl Race {
    /// Returns the state of the race in the policy's terms.
    fn state(&self, chain: &Chain) -> State {
        let (own, public) = (height(chain, &self.tip), height(chain, &self.rival));
        let mut common = own.min(public);
        let mut links = (ancestor(chain, &self.tip, common), ancestor(chain, &self.rival, common));
        while links.0 != links.1 && common > Height(0) {
            let below = |id: Option<ShareId>| id.and_then(|id| chain.link(&id)).map(|link| link.parent);
            links = (below(links.0), below(links.1));
            common = common.below(1);
        }
        let length = |tip: Height| tip.above(common) as usize;
        State { own: length(own), public: length(public), fork: self.fork, uncles: 0 }
    }
}

impl Mdp {
    /// Executes the policy's action. Returns the proofs to publish.
    fn act(&mut self, view: &View<'_>) -> Vec<ShareId> {
        let Some(race) = &mut self.race else { return Vec::new() };
        let state = race.state(view.chain);
        let public = height(view.chain, &race.rival);
        match self.policy.action(state) {
            // The shares found in the race still earn.
            Action::Adopt => {
                self.race = None;
                view.withheld.to_vec()
            }
            // All links have been shown.
            _ if state.is_start() => {
                self.race = None;
                view.withheld.to_vec()
            }
            Action::Override => {
                let shown = public.child();
                race.fork = Fork::Irrelevant;
                race.rival = ancestor(view.chain, &race.tip, shown).unwrap_or(race.tip);
                withheld_up_to(view, shown)
            }
            Action::Match => {
                race.fork = Fork::Active;
                withheld_up_to(view, public)
            }
            Action::Wait => Vec::new(),
        }
    }
}

impl Strategy for Mdp {
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        self.race.map_or_else(|| view.chain.build_on(), |race| race.tip)
    }

    fn found(&mut self, view: &mut View<'_>, found: &FoundProof) -> Fate {
        if !found.is_link {
            return if view.withheld.contains(&found.parent) { Fate::Withhold } else { Fate::Publish };
        }
        let race = self.race.get_or_insert(Race { tip: found.id, rival: view.public_tip, fork: Fork::Irrelevant });
        race.tip = found.id;
        if race.fork == Fork::Relevant {
            race.fork = Fork::Irrelevant;
        }
        // The next call acts on it, once the chain has the link.
        Fate::Withhold
    }

    fn heard(&mut self, view: &mut View<'_>, _changes: &ChangeSet) -> Vec<ShareId> {
        let Some(race) = &mut self.race else { return Vec::new() };
        let public = height(view.chain, &view.public_tip);
        let own = ancestor(view.chain, &race.tip, public) == Some(view.public_tip);
        if public > height(view.chain, &race.rival) && !own {
            (race.rival, race.fork) = (view.public_tip, Fork::Relevant);
        }
        self.act(view)
    }

    fn second(&mut self, view: &mut View<'_>) -> Vec<ShareId> {
        self.act(view)
    }
}
