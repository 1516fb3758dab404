//! The best attack of one attacker against all other miners, found by search. The model is a Markov decision process of
//! a race between a private branch and the public one, solved for the attacker's part of all rewards. States and
//! actions are those of Sapirshtein, Sompolinsky and Zohar, "Optimal Selfish Mining Strategies in Bitcoin", 2016.
//!
//! ```text
//! state.rs    states and actions
//! race.rs     the parameters of a game, and the transitions
//! rules.rs    rewards at the end of a race: linear, with uncles, Shoal's links and shares
//! solve.rs    the best policy, and the earnings of any policy
//! policy.rs   the action for each state; the textbook strategies as such tables
//! play.rs     the same game played with dice, to check the solver
//! ```
//!
//! The model leaves out several attackers, latency (except for `gamma`), and all effects of changing hashrates. Its
//! unit of time is a link found by any miner, on either branch.

pub mod play;
pub mod policy;
pub mod race;
pub mod rules;
pub mod solve;
pub mod state;

pub use policy::Policy;
pub use race::Game;
pub use rules::{LinkPay, Reward, Rules, Uncles};
pub use solve::{Solution, best, earned};
pub use state::{Action, Fork, State};
