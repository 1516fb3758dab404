//! Measures how concentrated the pool is.

use std::collections::BTreeMap;

use serde::Serialize;
use sharechain::chain::Chain;
use sharechain::{Height, Weight};
use utoipa::ToSchema;

use super::limits::{TEMPLATE_LINKS, TOP_MINERS};
use super::views::{Payee, part};
use super::windows::Standing;

/// Concentration of the pool by payout script. One person may use several scripts, and several people may share one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Decentralisation {
    /// Nakamoto coefficient: the smallest number of scripts that together have more than half of the PPLNS window's
    /// weight.
    pub nakamoto: u32,
    /// The scripts with the largest parts of the window, largest first.
    pub top: Vec<Part>,
    /// Number of scripts that found at least one of the last 2,016 links. The finder of a link chose its own
    /// transactions.
    pub template_makers: u32,
    /// Largest part of those links that one script found, 0 to 1.
    pub largest_template_maker_part: f64,
    /// Number of this node's peers, plus itself. The total number of nodes is unknown.
    pub nodes_seen: u32,
}

/// A payout script's part of the PPLNS window.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Part {
    /// Script and address.
    #[serde(flatten)]
    pub payee: Payee,
    /// Part of the window's weight, 0 to 1.
    pub part: f64,
}

impl Decentralisation {
    /// Computes it from a window, the number of links that each script found, and the number of connected peers.
    pub(super) fn new(
        standing: Option<&Standing>,
        links_by_script: &BTreeMap<u32, u32>,
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
        let links: u32 = links_by_script.values().sum();
        let most = links_by_script.values().max().copied().unwrap_or_default();
        Self {
            nakamoto: majority.map_or(0, |position| u32::try_from(position + 1).unwrap_or(u32::MAX)),
            top: top
                .map(|(script, sum)| Part { payee: Payee::new(script, network), part: part(sum.weight, total) })
                .collect(),
            template_makers: u32::try_from(links_by_script.len()).unwrap_or(u32::MAX),
            largest_template_maker_part: f64::from(most) / f64::from(links.max(1)),
            nodes_seen: peers.saturating_add(1),
        }
    }
}

/// Number of recent links that each script found, by script index.
pub(super) fn links_by_script(chain: &Chain) -> BTreeMap<u32, u32> {
    let newest = chain.height();
    let oldest = newest.below(TEMPLATE_LINKS).0.max(1);
    let mut links_by_script = BTreeMap::new();
    for height in oldest..=newest.0 {
        let finder = chain.main_at(Height(height)).and_then(|id| chain.credit(&id));
        if let Some(credit) = finder {
            *links_by_script.entry(credit.script.0).or_default() += 1;
        }
    }
    links_by_script
}
