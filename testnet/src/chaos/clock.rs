//! Wrong clocks, by libfaketime.

use std::io;
use std::path::Path;

/// libfaketime, as Debian installs it.
const FAKETIME: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1"];

/// Environment variables of a program whose clock is this many hours ahead, or behind if below 0. Its timers are right.
///
/// # Errors
/// libfaketime is not installed.
pub fn clock_off(hours: i32) -> io::Result<[(&'static str, String); 3]> {
    let library = FAKETIME.iter().find(|path| Path::new(path).is_file());
    let library = library.ok_or_else(|| io::Error::other("libfaketime is not installed"))?;
    Ok([
        ("LD_PRELOAD", (*library).to_owned()),
        ("FAKETIME", format!("{hours:+}h")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}
