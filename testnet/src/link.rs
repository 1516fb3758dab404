//! Links between network namespaces that delay, drop and pace packets, in user space and without root.
//!
//! Each host has its own network namespace with one TUN device. The switch holds the other end of every device and
//! passes IPv4 packets on. So the processes of a host use their kernel's real TCP and UDP, packets really get lost, and
//! nothing depends on netem, which many kernels lack.
//!
//! ```text
//! options.rs  latency, loss, and rate as options
//! shape.rs    a line that takes time for each byte, with a bounded queue
//! space.rs    a network namespace, and code that runs in it
//! switch.rs   the switch between the devices
//! door.rs     ports of one namespace that lead into another
//! hosts.rs    all hosts of a network
//! ```
//!
//! The test network itself stays in the system's own network. Doors keep the nodes' APIs and Stratum ports where they are
//! without a link, on 127.0.0.1.

mod door;
mod hosts;
mod options;
mod shape;
mod space;
mod switch;

use std::io;

pub use door::Door;
pub use hosts::{Host, Hosts, node_address};
pub use options::{LinkOptions, Loss, OptionError, Rate, parse_latency, parse_latency_of, parse_loss, parse_rate};
pub use shape::Pacer;
pub use space::{Space, enter_user_namespace};
pub use switch::{Port, Switch, Traffic};

/// An error of a link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The system allows no user namespaces.
    #[error(
        "cannot enter a user namespace; the system must allow them (sysctl kernel.unprivileged_userns_clone, \
         user.max_user_namespaces), or in a container, run it with --security-opt seccomp=unconfined"
    )]
    UserNamespace(#[source] io::Error),
    /// A network namespace cannot be created.
    #[error("cannot create a network namespace")]
    Namespace(#[source] io::Error),
    /// There is no TUN device.
    #[error("cannot open /dev/net/tun; load the kernel module tun, or in a container, add --device /dev/net/tun")]
    Tun(#[source] io::Error),
    /// The device cannot be configured.
    #[error("`ip`, of iproute2, cannot configure the network device: {said}")]
    Configure {
        /// Its output, or why it did not run.
        said: String,
    },
    /// A door cannot be opened.
    #[error("cannot listen on {address} for a way into a network namespace")]
    Door {
        /// The address.
        address: std::net::SocketAddr,
        /// The cause.
        source: io::Error,
    },
}
