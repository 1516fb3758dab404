//! Returns memory to the system after many miners have left.
//!
//! The C library keeps freed memory for later use, unless it is at the very end of the heap. So the memory of ten
//! thousand connections would stay with the node until it restarts.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use crate::limits::{MEMORY_LOOK, MINERS_LEFT_MIN};

/// Runs until `stopped`.
pub(crate) async fn give_back(miners: Arc<stratum::Stats>, stopped: impl Future<Output = ()>) {
    let mut stopped = pin!(stopped);
    let mut look = tokio::time::interval(MEMORY_LOOK);
    let mut most = 0;
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = look.tick() => {}
        }
        let open = miners.open_connections();
        most = open.max(most);
        if most - open >= MINERS_LEFT_MIN {
            most = open;
            // It takes a few milliseconds per gigabyte.
            let _ = tokio::task::spawn_blocking(trim).await;
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library has no other way to ask for this; decision 0064")]
fn trim() {
    // SAFETY: the function may be called at any time, from any thread, and reads and writes nothing but free memory.
    unsafe { libc::malloc_trim(0) };
}

/// Other systems return free memory automatically, or cannot be asked to.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
