//! Formats lines from the server to a miner: responses and notifications, with their line ending.

use std::fmt::{Display, Write as _};

use bitcoin::hex::DisplayHex;
use serde_json::{Value, json};

use crate::difficulty::Difficulty;
use crate::pool::{EXTRANONCE1_BYTES, EXTRANONCE2_BYTES};

/// Most bytes of a `mining.notify` around the text of its work.
const NOTIFY_BYTES: usize = 80;

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

/// Returns `mining.notify`: a job. `work_params` is the JSON text of the parameters that all jobs of
/// a work unit share, and `time` the header time to start from. If `clean` is true, the miner drops all earlier jobs.
pub fn notify(id: u32, work_params: &str, time: u32, clean: bool) -> String {
    // With room for all of it, since growing copies the work's text once more for each miner.
    let mut line = String::with_capacity(work_params.len() + NOTIFY_BYTES);
    writeln!(
        line,
        "{{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"{id:x}\",{work_params},\"{time:08x}\",{clean}]}}"
    )
    .expect("writing to a string cannot fail");
    line
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
