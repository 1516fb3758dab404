//! Stratum v1 messages: parses lines from miners, and formats lines to miners.
//!
//! | file | content |
//! |---|---|
//! | `call.rs` | the methods with their parameters, as types |
//! | `password.rs` | reads the minimum difficulty from a password |
//! | `params.rs` | parses the parameters of each method |
//! | `request.rs` | parses a line: id, method, parameters |
//! | `reject.rs` | reasons for rejecting a request, with Stratum's error codes |
//! | `outgoing.rs` | formats responses and notifications |

mod call;
mod outgoing;
mod params;
mod password;
mod reject;
mod request;
#[cfg(test)]
mod tests;

pub use call::{Call, Configure, Login, ParamError, Submission};
pub use outgoing::{
    Notify, accepted, configured, get_version, reconnect, rejected, set_difficulty, set_version_mask, show_message,
    subscribed,
};
pub use reject::{Reject, RejectReason};
pub use request::{ParseError, Request};
