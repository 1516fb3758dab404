//! `shoal power`: shows which devices of a running node pause, and sets the owner's switch.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use clap::{Args, Subcommand};
use reqwest::{Method, Url};

use crate::api::TOKEN_FILE;
use crate::api::power::PowerView;
use crate::clock::now;
use crate::config::Config;
use crate::error::NodeError;
use crate::limits::STATUS_BYTES_MAX;
use crate::peers::command::length;
use crate::status::words::{count, duration, printable};
use crate::status::{StatusError, ask as send, client, reachable};

/// `shoal power`.
#[derive(Debug, Args)]
pub(crate) struct PowerArgs {
    #[command(subcommand)]
    command: Option<Change>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

/// A change of the switch.
#[derive(Debug, Subcommand)]
enum Change {
    /// Pause devices, in addition to those that the schedule pauses
    Off(Who),
    /// Let devices run part of the time, at different times, so that their total power is even
    Cap {
        /// Part of the time, 1% to 99%
        #[arg(value_parser = percent)]
        part: u8,
        #[command(flatten)]
        who: Who,
    },
    /// Let all devices run, regardless of the schedule
    On {
        /// Duration, like 30m, 12h or 1d [default: until the switch is set again]
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        for_s: Option<u64>,
    },
    /// Follow only the schedule
    Schedule,
}

/// Which devices, and for how long.
#[derive(Debug, Args)]
struct Who {
    /// Names of workers, separated by commas, as they end the user names after a separator [default: all]
    #[arg(long, value_name = "NAME,NAME")]
    workers: Option<String>,
    /// Duration, like 30m, 12h or 1d [default: until the switch is set again]
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    for_s: Option<u64>,
}

/// Parses a part of the time, like `50%`.
fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number.filter(|percent| (1..100).contains(percent)).ok_or_else(|| "write 1% to 99%".to_owned())
}

impl Change {
    /// The request for this change: its method, and the parameters of its query.
    fn request(&self) -> (Method, Vec<(&'static str, String)>) {
        let pause = |percent: Option<u8>, Who { workers, for_s }: &Who| {
            let workers = workers.iter().map(|workers| ("workers", workers.clone()));
            let percent = percent.iter().map(|percent| ("run_percent", percent.to_string()));
            let what = [("what", "pause".to_owned())].into_iter();
            what.chain(workers).chain(percent).chain(ending(*for_s)).collect()
        };
        match self {
            Self::Off(who) => (Method::POST, pause(None, who)),
            Self::Cap { part, who } => (Method::POST, pause(Some(*part), who)),
            Self::On { for_s } => {
                (Method::POST, [("what", "run".to_owned())].into_iter().chain(ending(*for_s)).collect())
            }
            Self::Schedule => (Method::DELETE, Vec::new()),
        }
    }
}

fn ending(for_s: Option<u64>) -> Option<(&'static str, String)> {
    for_s.map(|seconds| ("for_s", seconds.to_string()))
}

/// Sets the switch of the running node if the command says so, and prints its state: in words, or as the API's JSON.
///
/// # Errors
/// The node does not answer, or refuses.
pub(crate) async fn power(config: &Config, PowerArgs { command, json }: &PowerArgs) -> Result<(), NodeError> {
    let address = reachable(config.api.listen);
    let (method, parameters) = command.as_ref().map_or((Method::GET, Vec::new()), Change::request);
    let mut url = Url::parse(&format!("http://{address}/api/v1/power")).expect("an address makes a URL");
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    let mut request = client(address)?.request(method, url);
    // Without the token, the node says what is missing.
    if let Ok(token) = std::fs::read_to_string(config.data_dir.join(TOKEN_FILE)) {
        request = request.bearer_auth(token.trim());
    }
    let body = send(request, address, STATUS_BYTES_MAX).await?;
    let text = if *json {
        String::from_utf8_lossy(&body).into_owned() + "\n"
    } else {
        let foreign = |cause| StatusError::Foreign { address, cause };
        in_words(&serde_json::from_slice(&body).map_err(foreign)?, now().0)
    };
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// What decides which devices pause, at `now`, in seconds since 1970.
fn in_words(view: &PowerView, now: u32) -> String {
    let who = if view.workers.is_empty() { "all devices".to_owned() } else { printable(&view.workers.join(", ")) };
    let switch = match (&*view.switch, view.run_percent) {
        ("pause", Some(percent)) if percent > 0 => format!("cap: {who} run {percent}% of the time"),
        ("pause", _) => format!("off: {who}"),
        ("run", _) => "on: all devices, regardless of the schedule".to_owned(),
        _ => "follows the schedule".to_owned(),
    };
    let left = view.until_unix_s.map(|until| format!(", for another {}", duration(until.saturating_sub(now).into())));
    let mut out = format!("switch    {switch}{}\n", left.unwrap_or_default());
    for pause in &view.schedule {
        // Writing to a string does not fail.
        let _ = writeln!(out, "schedule  off {} ({})", printable(pause), printable(&view.time_zone));
    }
    if view.schedule.is_empty() {
        out += "schedule  none\n";
    }
    let _ = writeln!(out, "resting   {} devices", count(view.resting));
    out
}

#[cfg(test)]
mod tests;
