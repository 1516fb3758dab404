use super::super::rules::P2POOL;
use super::super::tree::Job;
use super::super::view::View;
use super::*;
use sim::ids::MinerId;
use sim::time::Micros;

/// A table of shares, the public's view of them, and one selfish miner.
struct Game {
    tree: Tree,
    public: View,
    strategy: Strategy,
}

impl Game {
    fn new(name: &str) -> Self {
        Self { tree: Tree::default(), public: View::default(), strategy: Strategy::named(name).unwrap() }
    }

    fn share(&mut self, parent: ShareId, miner: u32) -> ShareId {
        self.tree.add(&P2POOL, Job { parent, uncles: Vec::new() }, MinerId(miner), Micros::ZERO)
    }

    /// The miner finds a share. Returns how many it publishes.
    fn finds(&mut self) -> usize {
        let id = self.share(self.strategy.base(&self.public), 0);
        let published = self.strategy.found(&self.tree, &self.public, id);
        self.show(&published)
    }

    /// The others find a share on the public tip. Returns how many the miner publishes.
    fn others_find(&mut self) -> usize {
        let id = self.share(self.public.tip(), 1);
        self.public.take_in(&self.tree, &P2POOL, id);
        let published = self.strategy.heard(&self.tree, &self.public);
        self.show(&published)
    }

    fn show(&mut self, published: &[ShareId]) -> usize {
        for &id in published {
            self.public.take_in(&self.tree, &P2POOL, id);
        }
        published.len()
    }

    /// Returns the finders of the shares on the public chain, lowest first.
    fn chain(&self) -> Vec<u32> {
        let mut miners: Vec<u32> =
            self.tree.chain(self.public.tip()).filter_map(|id| self.tree.get(id).miner).map(|miner| miner.0).collect();
        miners.reverse();
        miners
    }
}

#[test]
fn a_selfish_miner_overrides_when_its_lead_shrinks_to_one() {
    let mut game = Game::new("selfish");
    assert_eq!([game.finds(), game.finds()], [0, 0]);
    assert_eq!(game.others_find(), 2);
    assert_eq!(game.chain(), [0, 0]);
}

#[test]
fn a_selfish_miner_matches_and_wins_the_tie_with_its_next_share() {
    let mut game = Game::new("selfish");
    game.finds();
    assert_eq!(game.others_find(), 1);
    assert_eq!(game.chain(), [1], "first seen");
    assert_eq!(game.finds(), 1);
    assert_eq!(game.chain(), [0, 0]);
}

#[test]
fn a_selfish_miner_gives_up_behind_the_others() {
    let mut game = Game::new("selfish");
    game.finds();
    game.others_find();
    assert_eq!(game.others_find(), 0);
    assert_eq!(game.strategy.base(&game.public), game.public.tip());
    assert_eq!(game.chain(), [1, 1]);
}

#[test]
fn with_a_long_lead_it_shows_as_much_as_matches() {
    let mut game = Game::new("selfish");
    for _ in 0..4 {
        game.finds();
    }
    assert_eq!(game.others_find(), 1);
    assert_eq!(game.others_find(), 1);
    assert_eq!(game.others_find(), 2);
    assert_eq!(game.chain(), [0, 0, 0, 0]);
}

#[test]
fn a_lead_stubborn_miner_does_not_override() {
    let mut game = Game::new("stubborn-lead");
    game.finds();
    game.finds();
    assert_eq!(game.others_find(), 1);
    assert_eq!(game.chain(), [1]);
}

#[test]
fn a_fork_stubborn_miner_hides_the_share_that_would_win_the_tie() {
    let mut game = Game::new("stubborn-fork");
    game.finds();
    game.others_find();
    assert_eq!(game.finds(), 0);
    assert_eq!(game.others_find(), 1);
}

#[test]
fn a_trail_stubborn_miner_goes_on_one_share_behind() {
    let mut game = Game::new("stubborn-trail");
    game.finds();
    game.others_find();
    assert_eq!(game.others_find(), 0);
    assert_ne!(game.strategy.base(&game.public), game.public.tip());
    assert_eq!(game.finds(), 1, "it has caught up");
    assert_eq!(game.finds(), 1, "and wins");
    assert_eq!(game.chain(), [0, 0, 0]);
    assert_eq!(game.others_find() + game.others_find(), 0);
    assert_eq!(game.chain(), [0, 0, 0, 1, 1]);
}
