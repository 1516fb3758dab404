//! A network namespace, and code that runs in it.

use std::fs::File;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid};
use tokio::sync::oneshot;

use super::LinkError;

/// Name of the device in each namespace.
const DEVICE: &str = "shoal0";

/// Code to run in a namespace.
type Job = Box<dyn FnOnce() + Send>;

/// Moves this process to its own user namespace, where it may create network namespaces. Inside, the caller's user is
/// called root; outside, its rights stay the same.
///
/// The process must have no other threads yet.
///
/// # Errors
/// [`LinkError::UserNamespace`] if the system does not allow it.
pub fn enter_user_namespace() -> Result<(), LinkError> {
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|errno| LinkError::UserNamespace(errno.into()))?;
    // A user may map its own group only after it has given up setgroups(2).
    let maps =
        [("setgroups", "deny".to_owned()), ("uid_map", format!("0 {user} 1")), ("gid_map", format!("0 {group} 1"))];
    for (name, map) in maps {
        std::fs::write(format!("/proc/self/{name}"), map).map_err(LinkError::UserNamespace)?;
    }
    Ok(())
}

/// A network namespace with a TUN device. It exists as long as this value, or a process in it.
#[derive(Debug)]
pub struct Space {
    namespace: File,
    jobs: Sender<Job>,
}

impl Space {
    /// Creates a namespace with one device that has these addresses and the default route. Returns it with the other
    /// end of the device.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn new(addresses: &[Ipv4Addr], mtu_bytes: u32) -> Result<(Self, File), LinkError> {
        let (jobs, queue) = channel();
        let (made, result) = channel();
        let addresses = addresses.to_vec();
        // A namespace belongs to a thread. This one stays in it.
        std::thread::spawn(move || {
            let created = create(&addresses, mtu_bytes);
            let is_created = created.is_ok();
            if made.send(created).is_ok() && is_created {
                work(&queue);
            }
        });
        let gone = |_| LinkError::Namespace(io::ErrorKind::BrokenPipe.into());
        let (namespace, device) = result.recv().map_err(gone)??;
        Ok((Self { namespace, jobs }, device))
    }

    /// Returns a path by which another process of this user can enter the namespace.
    pub fn path(&self) -> PathBuf {
        format!("/proc/{}/fd/{}", std::process::id(), self.namespace.as_raw_fd()).into()
    }

    /// Runs short code in the namespace: a socket belongs to the namespace in which it is created.
    ///
    /// # Errors
    /// The code's own error, or that the namespace is gone.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        run_in(&self.jobs, job).await
    }

    /// Returns the queue for [`run_in`].
    pub(super) fn jobs(&self) -> Sender<Job> {
        self.jobs.clone()
    }
}

/// Runs short code in the namespace with this queue.
pub(super) async fn run_in<T: Send + 'static>(
    jobs: &Sender<Job>,
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    let (answer, result) = oneshot::channel();
    let run = Box::new(move || {
        // The caller may be gone.
        let _ = answer.send(job());
    });
    jobs.send(run).map_err(|_| gone())?;
    result.await.map_err(|_| gone())?
}

fn work(queue: &Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        job();
    }
}

/// Creates the namespace for this thread.
fn create(addresses: &[Ipv4Addr], mtu_bytes: u32) -> Result<(File, File), LinkError> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| LinkError::Namespace(errno.into()))?;
    let namespace = File::open("/proc/thread-self/ns/net").map_err(LinkError::Namespace)?;
    let name = tappers::Interface::new(DEVICE).map_err(LinkError::Tun)?;
    let mut tun = tappers::Tun::new_named(name).map_err(LinkError::Tun)?;
    tun.set_nonblocking(true).map_err(LinkError::Tun)?;
    let device = tun.as_fd().try_clone_to_owned().map_err(LinkError::Tun)?;
    configure(addresses, mtu_bytes)?;
    Ok((namespace, File::from(device)))
}

/// Configures the devices of this thread's namespace.
fn configure(addresses: &[Ipv4Addr], mtu_bytes: u32) -> Result<(), LinkError> {
    let mut batch = format!("link set lo up\nlink set {DEVICE} mtu {mtu_bytes} up\n");
    for address in addresses {
        batch.push_str(&format!("addr add {address}/32 dev {DEVICE}\n"));
    }
    batch.push_str(&format!("route add default dev {DEVICE}\n"));
    let failed = |said: String| LinkError::Configure { said };
    let mut ip = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = ip.stdin.take() {
        input.write_all(batch.as_bytes()).map_err(|error| failed(error.to_string()))?;
    }
    let output = ip.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}
