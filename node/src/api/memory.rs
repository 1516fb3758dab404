//! Memory of this process.

use std::sync::{Mutex, PoisonError};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Reads this process's memory use from the system.
#[derive(Debug, Default)]
pub(super) struct Memory {
    system: Mutex<Option<System>>,
}

impl Memory {
    /// Resident memory, bytes; none if the system does not report it.
    pub(super) fn rss_bytes(&self) -> Option<u64> {
        // Only a cache, so a panic does not matter.
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if system.is_none() {
            *system = System::new().ok();
        }
        let system = system.as_mut()?;
        let own = Pid::from_u32(std::process::id());
        let memory = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), true, memory);
        system.process(own).map(sysinfo::Process::memory)
    }
}
