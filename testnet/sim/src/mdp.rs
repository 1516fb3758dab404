//! The best that one attacker can do against everybody else, found by search: a Markov decision process of a race between a
//! private branch and the public one, solved for the attacker's part of all rewards (Sapirshtein, Sompolinsky and Zohar,
//! "Optimal Selfish Mining Strategies in Bitcoin", 2016, whose states and actions these are).
//!
//! ```text
//! race.rs     states, actions, and what happens next
//! rules.rs    what each rule set pays when a race ends: linear, with uncles, Shoal's links and shares
//! solve.rs    the best policy, and what any policy earns
//! policy.rs   which action in which state; the textbook's strategies as such tables
//! play.rs     the same game played with dice, to check the solver
//! ```
//!
//! What the model leaves out: more than one attacker, latency (but for `gamma`), and whatever follows from hash rates that
//! change. Its unit of time is a link found by anybody, on whichever branch.

pub mod play;
pub mod policy;
pub mod race;
pub mod rules;
pub mod solve;

pub use policy::Policy;
pub use race::{Action, Fork, Game, State};
pub use rules::{LinkPay, Reward, Rules, Uncles};
pub use solve::{Solution, best, earned};
