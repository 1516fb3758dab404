//! Formats lines from the server to a miner: responses and notifications, with their line ending.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use bitcoin::hex::DisplayHex;
use serde_json::{Value, json};

use crate::difficulty::Difficulty;
use crate::pool::{EXTRANONCE1_BYTES, EXTRANONCE2_BYTES};

/// Returns the response `true` to the request `id`.
pub fn accepted(id: &Value) -> String {
    // The most frequent response by far, so it is not built as a value first.
    format!("{{\"id\":{id},\"result\":true,\"error\":null}}\n")
}

/// Returns an error response to the request `id`, or to an invalid line if `id` is null. `code` is
/// Stratum's error code, and `text` a sentence for the miner.
pub fn rejected(id: &Value, code: u32, text: impl Display) -> String {
    line(&json!({ "id": id, "result": null, "error": [code, text.to_string(), null] }))
}

/// Returns the response to `mining.subscribe`.
pub fn subscribed(id: &Value, extranonce1: [u8; EXTRANONCE1_BYTES]) -> String {
    let name = format!("{:x}", extranonce1.as_hex());
    let topics = json!([["mining.set_difficulty", name], ["mining.notify", name]]);
    result(id, &json!([topics, name, EXTRANONCE2_BYTES]))
}

/// Returns the response to `mining.configure`. `outcome` has one entry per extension, plus the
/// granted version mask.
pub fn configured(id: &Value, outcome: serde_json::Map<String, Value>) -> String {
    result(id, &Value::Object(outcome))
}

/// Returns `mining.set_difficulty`: the difficulty of all later jobs.
pub fn set_difficulty(difficulty: Difficulty) -> String {
    format!("{{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[{difficulty}]}}\n")
}

/// Returns `mining.set_version_mask`: the version bits that the miner may roll.
pub fn set_version_mask(mask: u32) -> String {
    format!("{{\"id\":null,\"method\":\"mining.set_version_mask\",\"params\":[\"{mask:08x}\"]}}\n")
}

/// `mining.notify`: a job. Its line is formatted in parts, so that no connection copies the text of its work unit.
#[derive(Clone, Debug)]
pub struct Notify {
    /// Job id.
    pub id: u32,
    /// JSON text of the parameters that all jobs of a work unit share.
    pub work: Arc<String>,
    /// Header time to start from, in seconds since 1970.
    pub time: u32,
    /// Whether the miner drops all earlier jobs.
    pub clean: bool,
}

impl Notify {
    /// Appends the line up to the text of the work unit.
    pub(crate) fn begin(&self, line: &mut String) {
        write!(line, "{{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"{:x}\",", self.id)
            .expect("writing to a string cannot fail");
    }

    /// Appends the rest of the line.
    pub(crate) fn end(&self, line: &mut String) {
        writeln!(line, ",\"{:08x}\",{}]}}", self.time, self.clean).expect("writing to a string cannot fail");
    }
}

impl Display for Notify {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        self.begin(&mut line);
        line.push_str(&self.work);
        self.end(&mut line);
        out.write_str(&line)
    }
}

/// Returns `client.show_message`: a sentence for the owner of the device.
pub fn show_message(text: impl Display) -> String {
    line(&json!({ "id": null, "method": "client.show_message", "params": [text.to_string()] }))
}

/// Returns `client.reconnect` without parameters: connect to the same server again.
pub fn reconnect() -> String {
    line(&json!({ "id": null, "method": "client.reconnect", "params": [] }))
}

/// Returns `client.get_version`, whose response holds the user agent. `id` identifies that response.
pub fn get_version(id: u32) -> String {
    line(&json!({ "id": id, "method": "client.get_version", "params": [] }))
}

fn result(id: &Value, result: &Value) -> String {
    line(&json!({ "id": id, "result": result, "error": null }))
}

fn line(message: &Value) -> String {
    let mut line = message.to_string();
    line.push('\n');
    line
}
