//! The connections between nodes: lines on loopback, or a link between network namespaces.

use std::path::PathBuf;

use super::NetworkError;
use super::line::Line;
use super::plan::{LinePlan, Plan};
use crate::link::{Door, Host, Hosts, LinkOptions};

/// The connections between nodes. Dropping this closes them.
#[derive(Debug)]
pub(super) enum Wires {
    /// A port of this process for each line.
    Lines(Vec<Line>),
    /// A network namespace for each node, a switch between them, and doors to the nodes' ports and to their Bitcoin.
    Link {
        /// Nodes in the plan's order, then guests.
        hosts: Box<Hosts>,
        /// Open as long as the network is.
        _doors: Vec<Door>,
    },
}

impl Wires {
    /// Opens all lines, or creates all namespaces.
    ///
    /// # Errors
    /// A port or a namespace is not available.
    pub(super) async fn start(plan: &Plan) -> Result<Self, NetworkError> {
        if let Some(link) = &plan.link {
            return join(plan, link).await;
        }
        let mut lines = Vec::with_capacity(plan.lines.len());
        for LinePlan { to, address, .. } in plan.lines.iter().copied() {
            let line = Line::start(address, plan.nodes[to].p2p).await;
            lines.push(line.map_err(|source| NetworkError::Line { address, source })?);
        }
        Ok(Self::Lines(lines))
    }

    /// Returns the namespace of a node, if it has one.
    pub(super) fn namespace(&self, node: usize) -> Option<PathBuf> {
        self.hosts().map(|hosts| hosts.space(node).path())
    }

    /// Returns the hosts of the link, if there is one.
    pub(super) fn hosts(&self) -> Option<&Hosts> {
        match self {
            Self::Lines(_) => None,
            Self::Link { hosts, .. } => Some(hosts),
        }
    }

    /// Cuts every path between nodes of different groups, and restores all others.
    pub(super) fn partition(&self, plan: &Plan, groups: &[Vec<usize>]) {
        match self {
            Self::Lines(lines) => {
                let group_of = |node| groups.iter().position(|group| group.contains(&node));
                for (line, plan) in lines.iter().zip(&plan.lines) {
                    line.set_open(group_of(plan.from) == group_of(plan.to));
                }
            }
            Self::Link { hosts, .. } => hosts.partition(groups),
        }
    }
}

async fn join(plan: &Plan, link: &LinkOptions) -> Result<Wires, NetworkError> {
    let node_host = |node: &super::NodePlan| match node.p2p.ip() {
        std::net::IpAddr::V4(address) => vec![address],
        std::net::IpAddr::V6(_) => Vec::new(),
    };
    let nodes = plan.nodes.iter().map(|node| Host {
        addresses: node_host(node),
        latency: link.latency_of(&node.name),
        rate: link.rate,
    });
    let guests = link.guests.iter().map(|addresses| Host {
        addresses: addresses.clone(),
        latency: link.latency,
        rate: link.rate,
    });
    let hosts = Hosts::start(nodes.chain(guests).collect(), link.mtu_bytes, link.loss, link.seed)?;
    let mut doors = Vec::with_capacity(3 * plan.nodes.len());
    for (index, node) in plan.nodes.iter().enumerate() {
        let space = hosts.space(index);
        for address in [node.api, node.stratum] {
            doors.push(Door::inward(space, address, address)?);
        }
        doors.push(Door::outward(space, plan.bitcoin.rpc, plan.bitcoin.rpc).await?);
    }
    Ok(Wires::Link { hosts: Box::new(hosts), _doors: doors })
}
