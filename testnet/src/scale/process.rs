//! Linux's data of a process.

use std::fs;

/// Memory of the process in this line of its status, such as `VmRSS`; bytes, 0 if it is gone.
pub(super) fn memory_bytes(id: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status"));
    let line = status.as_deref().ok().and_then(|text| text.lines().find(|line| line.starts_with(name)));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}

/// Processor time of the process so far, seconds.
pub(super) fn cpu_s(id: u32) -> f64 {
    // Linux counts in ticks of 10 ms.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{id}/stat"));
    // The fields after the program's name, which may hold spaces: user and system time are the 12th and 13th.
    let fields = stat.as_deref().ok().and_then(|text| text.rsplit_once(')')).map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u32>().ok());
    ticks.map(f64::from).sum::<f64>() / TICKS_A_SECOND
}
