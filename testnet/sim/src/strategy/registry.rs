//! The registry of strategies by the names that scenarios use.

use serde::de::DeserializeOwned;
use toml::Table;

use super::censor::Censor;
use super::difficulty_hop::DifficultyHop;
use super::flood::Flood;
use super::grind_addresses::GrindAddresses;
use super::grind_parents::GrindParents;
use super::grind_tips::GrindTips;
use super::hoard::Hoard;
use super::lazy::Lazy;
use super::list_late::ListLate;
use super::mdp::Mdp;
use super::pool_hop::PoolHop;
use super::rewrite::Rewrite;
use super::selfish::{Selfish, Stubborn};
use super::stale_bitcoin::StaleBitcoin;
use super::surge::Surge;
use super::withhold_listed::WithholdListed;
use super::{Honest, Strategy};

/// A name, and the constructor of the strategy from a scenario's options.
type Entry = (&'static str, fn(&Table) -> Result<Box<dyn Strategy>, toml::de::Error>);

/// All strategies. A new one takes a file and a line here.
const ENTRIES: [Entry; 20] = [
    ("honest", |options| options.is_empty().then(|| plain(Honest)).ok_or_else(no_options)),
    ("selfish", |options| Ok(plain(Selfish::new(read(options, &Table::new())?)))),
    ("stubborn-lead", |options| stubborn(options, "lead", true.into())),
    ("stubborn-fork", |options| stubborn(options, "fork", true.into())),
    ("stubborn-trail", |options| stubborn(options, "trail", 1.into())),
    ("hoard", configured::<Hoard>),
    ("censor", configured::<Censor>),
    ("lazy", configured::<Lazy>),
    ("grind-tips", configured::<GrindTips>),
    ("grind-parents", configured::<GrindParents>),
    ("grind-addresses", configured::<GrindAddresses>),
    ("list-late", configured::<ListLate>),
    ("stale-bitcoin", configured::<StaleBitcoin>),
    ("pool-hop", configured::<PoolHop>),
    ("difficulty-hop", configured::<DifficultyHop>),
    ("surge", configured::<Surge>),
    ("rewrite", configured::<Rewrite>),
    ("withhold-listed", configured::<WithholdListed>),
    ("flood", configured::<Flood>),
    ("mdp", configured::<Mdp>),
];

/// An error while creating a strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// No strategy has this name.
    #[error("unknown strategy {name:?}; known strategies are {}", names().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// The unknown name.
        name: String,
    },
    /// The options are not valid for this strategy.
    #[error("invalid options of strategy {name:?}")]
    Options {
        /// Name of the strategy.
        name: String,
        /// The cause.
        #[source]
        error: toml::de::Error,
    },
}

/// Returns the names of all strategies.
pub fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|(name, _)| *name)
}

/// Creates the strategy with this name and these options. Missing options have their defaults.
///
/// # Errors
/// If there is no such strategy, or it has no such options.
pub fn named(name: &str, options: &Table) -> Result<Box<dyn Strategy>, StrategyError> {
    let unknown = || StrategyError::Unknown { name: name.to_owned() };
    let (_, make) = ENTRIES.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
    make(options).map_err(|error| StrategyError::Options { name: name.to_owned(), error })
}

fn plain<S: Strategy + 'static>(strategy: S) -> Box<dyn Strategy> {
    Box::new(strategy)
}

fn configured<S: Strategy + DeserializeOwned + 'static>(options: &Table) -> Result<Box<dyn Strategy>, toml::de::Error> {
    Ok(plain(read::<S>(options, &Table::new())?))
}

fn stubborn(options: &Table, key: &str, value: toml::Value) -> Result<Box<dyn Strategy>, toml::de::Error> {
    let stubborn: Stubborn = read(options, &Table::from_iter([(key.to_owned(), value)]))?;
    Ok(plain(Selfish::new(stubborn)))
}

/// Reads options over defaults that differ from the type's own.
fn read<T: DeserializeOwned>(options: &Table, defaults: &Table) -> Result<T, toml::de::Error> {
    let mut all = defaults.clone();
    all.extend(options.clone());
    toml::Value::Table(all).try_into()
}

fn no_options() -> toml::de::Error {
    serde::de::Error::custom("an honest miner has no options")
}
