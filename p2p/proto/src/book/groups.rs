//! The nodes of each table by netgroup, for random draws.

use std::collections::BTreeMap;

use super::entry::Table;
use super::places::Places;
use crate::netgroup::Netgroup;
use crate::peer::PeerId;

/// The nodes of both tables by netgroup.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    pub(super) new: BTreeMap<Netgroup, Vec<PeerId>>,
    pub(super) tried: BTreeMap<Netgroup, Vec<PeerId>>,
}

impl Groups {
    fn table(&mut self, table: Table) -> &mut BTreeMap<Netgroup, Vec<PeerId>> {
        match table {
            Table::New => &mut self.new,
            Table::Tried => &mut self.tried,
        }
    }

    pub(super) fn add(&mut self, table: Table, group: Netgroup, peer: PeerId) {
        self.table(table).entry(group).or_default().push(peer);
    }

    pub(super) fn remove(&mut self, table: Table, group: Netgroup, peer: &PeerId) {
        let groups = self.table(table);
        let Some(peers) = groups.get_mut(&group) else { return };
        peers.retain(|other| other != peer);
        if peers.is_empty() {
            groups.remove(&group);
        }
    }

    /// Draws a netgroup, and a node in it.
    pub(super) fn draw(&self, table: Table, places: &mut Places) -> Option<PeerId> {
        let groups = match table {
            Table::New => &self.new,
            Table::Tried => &self.tried,
        };
        let peers = groups.values().nth(places.draw_index(groups.len()))?;
        peers.get(places.draw_index(peers.len())).copied()
    }
}
