//! In how many hands the pool is.

use std::collections::BTreeMap;

use serde::Serialize;
use sharechain::chain::Chain;
use sharechain::{Height, Weight};
use utoipa::ToSchema;

use super::limits::{TEMPLATE_LINKS, TOP_MINERS};
use super::views::{Payee, part};
use super::windows::Standing;

/// In how many hands the pool is. A script is who is paid: one person may use several, and several people one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Decentralisation {
    /// Smallest number of scripts that together earned more than half of the window.
    pub nakamoto: u32,
    /// Who earned most.
    pub top: Vec<Part>,
    /// Scripts that found a link among the last 2,016: each link's finder chose its own transactions.
    pub template_makers: u32,
    /// Part of those links that one script found, at most; 0 to 1.
    pub largest_template_maker_part: f64,
    /// Nodes that this node is connected to, and itself. There may be more: nobody knows how many.
    pub nodes_seen: u32,
}

/// A script's part of the window.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Part {
    /// Who.
    #[serde(flatten)]
    pub payee: Payee,
    /// 0 to 1.
    pub part: f64,
}

impl Decentralisation {
    /// From a window, how many links each script found, and the number of connected nodes.
    pub(super) fn new(
        standing: Option<&Standing>,
        makers: &BTreeMap<u32, u32>,
        peers: u32,
        network: bitcoin::Network,
    ) -> Self {
        let earners = standing.map(|standing| standing.earners.as_slice()).unwrap_or_default();
        let total = standing.map(|standing| standing.total).unwrap_or_default();
        let mut sum = Weight::ZERO;
        let majority = earners.iter().position(|(_, earned)| {
            sum = sum.plus(earned.weight);
            sum.0 > total.0 / 2
        });
        let top = earners.iter().take(TOP_MINERS);
        let links: u32 = makers.values().sum();
        let most = makers.values().max().copied().unwrap_or_default();
        Self {
            nakamoto: majority.map_or(0, |position| u32::try_from(position + 1).unwrap_or(u32::MAX)),
            top: top
                .map(|(script, sum)| Part { payee: Payee::new(script, network), part: part(sum.weight, total) })
                .collect(),
            template_makers: u32::try_from(makers.len()).unwrap_or(u32::MAX),
            largest_template_maker_part: f64::from(most) / f64::from(links.max(1)),
            nodes_seen: peers.saturating_add(1),
        }
    }
}

/// How many of the last links each script found.
pub(super) fn makers(chain: &Chain) -> BTreeMap<u32, u32> {
    let newest = chain.height();
    let oldest = newest.below(TEMPLATE_LINKS).0.max(1);
    let mut makers = BTreeMap::new();
    for height in oldest..=newest.0 {
        let finder = chain.main_at(Height(height)).and_then(|id| chain.credit(&id));
        if let Some(credit) = finder {
            *makers.entry(credit.script.0).or_default() += 1;
        }
    }
    makers
}
