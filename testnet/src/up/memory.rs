//! Resident memory of the nodes, as measured by the operating system.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Resident memory of each node.
#[derive(Debug)]
pub(super) struct Memory {
    system: Option<System>,
    /// Present and largest bytes, by index of the node.
    bytes: Vec<(u64, u64)>,
}

impl Memory {
    /// Creates it without measurements.
    pub(super) fn new(nodes: usize) -> Self {
        Self { system: System::new().ok(), bytes: vec![(0, 0); nodes] }
    }

    /// Measures the processes of the running nodes.
    pub(super) fn measure(&mut self, pids: impl Iterator<Item = Option<u32>>) {
        let Some(system) = &mut self.system else { return };
        let pids: Vec<Option<Pid>> = pids.map(|pid| pid.map(Pid::from_u32)).collect();
        let running: Vec<Pid> = pids.iter().flatten().copied().collect();
        let memory = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&running), true, memory);
        for (pid, (now, most)) in pids.into_iter().zip(&mut self.bytes) {
            *now = pid.and_then(|pid| system.process(pid)).map_or(0, sysinfo::Process::memory);
            *most = (*most).max(*now);
        }
    }

    /// Returns the present and largest bytes, by index of the node.
    pub(super) fn bytes(&self) -> &[(u64, u64)] {
        &self.bytes
    }
}
