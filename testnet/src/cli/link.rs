//! Properties of the lines between the nodes.

use std::time::Duration;

use clap::Args;

use crate::link::{LinkOptions, Loss, Rate, parse_latency, parse_latency_of, parse_loss, parse_rate};

/// Any of these puts each node in a network namespace of its own.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Lines between the nodes, each then in a network namespace of its own (Linux, no root)")]
pub(super) struct LinkArgs {
    /// Time from one node to another, one way, as 150ms or 1s [default: 0ms]
    #[arg(long, value_name = "TIME", value_parser = parse_latency, conflicts_with_all = ["mdns", "discover"])]
    latency: Option<Duration>,
    /// The same for one node's line, as B=1s; may be repeated. The longer one of two nodes counts
    #[arg(long, value_name = "NODE=TIME", value_parser = parse_latency_of, conflicts_with_all = ["mdns", "discover"])]
    latency_of: Vec<(String, Duration)>,
    /// Packets that get lost, as 1% [default: 0%]
    #[arg(long, value_name = "PERCENT", value_parser = parse_loss, conflicts_with_all = ["mdns", "discover"])]
    loss: Option<Loss>,
    /// Rate of each node's line in each direction, as 10mbit or 500kbit [default: no limit]
    #[arg(long, value_name = "RATE", value_parser = parse_rate, conflicts_with_all = ["mdns", "discover"])]
    rate: Option<Rate>,
    /// Seed of the losses
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    link_seed: u64,
}

impl LinkArgs {
    /// Returns whether there is a link.
    pub(super) fn is_wanted(&self) -> bool {
        self.latency.is_some() || self.loss.is_some() || self.rate.is_some() || !self.latency_of.is_empty()
    }

    /// Returns the link's options, if there is one.
    pub(super) fn options(self) -> Option<LinkOptions> {
        self.is_wanted().then(|| LinkOptions {
            latency: self.latency.unwrap_or_default(),
            latency_of: self.latency_of,
            loss: self.loss.unwrap_or_default(),
            rate: self.rate,
            seed: self.link_seed,
            ..LinkOptions::default()
        })
    }
}
