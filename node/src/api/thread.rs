//! The API's own threads. They have a lower priority than all others, so that readers never delay miners.

use std::future::Future;
use std::io;

use node_core::sentence;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::{Context, serve};
use crate::limits::{API_THREADS, STOP_TIMEOUT};
use crate::processors;

/// Niceness of the API's threads relative to the rest, 0 to 19. Under load, the other threads get about nine times the
/// CPU time.
const NICENESS: i32 = 10;

/// Serves the API on its own threads until `shutdown` completes. The returned future completes when they have ended.
///
/// # Errors
/// The system refuses a thread or the socket.
pub fn start(
    listener: TcpListener,
    context: Context,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<impl Future<Output = ()>> {
    let listener = listener.into_std()?;
    let priority = priority();
    let runtime = runtime(priority)?;
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new().name("api".to_owned()).spawn(move || {
        yield_to_others(priority);
        let served = runtime.block_on(async {
            let listener = TcpListener::from_std(listener)?;
            // On a worker thread, where its requests run, too.
            tokio::spawn(async move { serve(listener, context, shutdown).await }).await.map_err(io::Error::other)?
        });
        if let Err(error) = served {
            warn!(error = sentence(&error), "the API stopped");
        }
        runtime.shutdown_timeout(STOP_TIMEOUT);
        let _ = end.send(());
    })?;
    Ok(async move {
        // An error means that the thread panicked, so it has ended, too.
        let _ = ended.await;
    })
}

/// The niceness of the API's threads: relative to that of the calling thread.
fn priority() -> i32 {
    rustix::process::getpriority_process(None).unwrap_or_default() + NICENESS
}

fn runtime(priority: i32) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .thread_name("api")
        .worker_threads(API_THREADS)
        .on_thread_start(move || yield_to_others(priority))
        .enable_all()
        .build()
}

/// Lowers the priority of the calling thread, to a fixed value: a thread inherits the niceness of the one that starts it, and its
/// processors. On Linux, niceness is per thread.
fn yield_to_others(priority: i32) {
    processors::use_all();
    if let Err(error) = rustix::process::setpriority_process(None, priority) {
        debug!(%error, "a thread of the API keeps its priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They would have 19 otherwise, and readers would wait for seconds beside a busy bitcoind.
    #[test]
    fn threads_that_read_the_database_have_the_priority_of_those_that_start_them() {
        let priority = priority();
        let read = || rustix::process::getpriority_process(None);
        let found = runtime(priority).unwrap().block_on(async {
            tokio::spawn(async move { (read(), tokio::task::spawn_blocking(read).await.unwrap()) }).await.unwrap()
        });
        assert_eq!(found, (Ok(priority.min(19)), Ok(priority.min(19))));
    }
}
