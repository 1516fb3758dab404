//! Groups of nodes on the command line: `A,B|C,D`.

use crate::network::Plan;

/// The reason why a text does not name groups.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// A node does not exist.
    #[error("there is no node {name}; write the groups as in 'A,B|C,D'")]
    UnknownNode {
        /// The name.
        name: String,
    },
    /// A node is in two groups.
    #[error("node {name} is in two groups")]
    Twice {
        /// The name.
        name: String,
    },
    /// There is only one group.
    #[error("name at least two groups, or one that leaves out a node, as in 'A,B|C,D'")]
    OneGroup,
    /// The nodes find each other without lines.
    #[error(
        "this network was started with --mdns or --discover: its nodes reach each other directly, so no line can be cut"
    )]
    NoLines,
}

/// Parses groups, separated by `|`, of node names, separated by commas. All other nodes form one more group.
///
/// # Errors
/// [`GroupError`].
pub fn parse(text: &str, plan: &Plan) -> Result<Vec<Vec<usize>>, GroupError> {
    if plan.lines.is_empty() {
        return Err(GroupError::NoLines);
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for names in text.split('|') {
        let mut group = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let node = plan.node(name).ok_or_else(|| GroupError::UnknownNode { name: name.to_owned() })?;
            if group.contains(&node) || groups.iter().any(|group| group.contains(&node)) {
                return Err(GroupError::Twice { name: name.to_owned() });
            }
            group.push(node);
        }
        groups.push(group);
    }
    let unnamed = (0..plan.nodes.len()).filter(|node| !groups.iter().any(|group| group.contains(node))).collect();
    groups.push(unnamed);
    groups.retain(|group| !group.is_empty());
    if groups.len() < 2 { Err(GroupError::OneGroup) } else { Ok(groups) }
}

/// Formats groups as [`parse`] reads them.
pub fn show(groups: &[Vec<usize>], plan: &Plan) -> String {
    let names =
        |group: &Vec<usize>| group.iter().map(|node| plan.nodes[*node].name.as_str()).collect::<Vec<_>>().join(",");
    groups.iter().map(names).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests;
