//! What the server says, as lines with their line end.

use std::fmt::Display;

use bitcoin::hex::DisplayHex;
use serde_json::{Value, json};

use crate::difficulty::Difficulty;
use crate::pool::{EXTRANONCE1_BYTES, EXTRANONCE2_BYTES};

/// Answers a request with `true`.
pub fn accepted(id: &Value) -> String {
    result(id, &Value::Bool(true))
}

/// Answers a request, or a line that is none, with an error.
pub fn refused(id: &Value, code: u32, text: impl Display) -> String {
    line(&json!({ "id": id, "result": null, "error": [code, text.to_string(), null] }))
}

/// Answers `mining.subscribe`.
pub fn subscribed(id: &Value, extranonce1: [u8; EXTRANONCE1_BYTES]) -> String {
    let name = format!("{:x}", extranonce1.as_hex());
    let topics = json!([["mining.set_difficulty", name], ["mining.notify", name]]);
    result(id, &json!([topics, name, EXTRANONCE2_BYTES]))
}

/// Answers `mining.configure` with the extensions' outcome.
pub fn configured(id: &Value, outcome: serde_json::Map<String, Value>) -> String {
    result(id, &Value::Object(outcome))
}

/// Announces the difficulty of the jobs that follow.
pub fn set_difficulty(difficulty: Difficulty) -> String {
    format!("{{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[{difficulty}]}}\n")
}

/// Announces the version bits that may be rolled.
pub fn set_version_mask(mask: u32) -> String {
    format!("{{\"id\":null,\"method\":\"mining.set_version_mask\",\"params\":[\"{mask:08x}\"]}}\n")
}

/// Announces a job; `work_params` is what all jobs of its work have in common. `clean` tells the
/// miner to drop all jobs before it.
pub fn notify(id: u32, work_params: &str, clean: bool) -> String {
    format!("{{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"{id:x}\",{work_params},{clean}]}}\n")
}

fn result(id: &Value, result: &Value) -> String {
    line(&json!({ "id": id, "result": result, "error": null }))
}

fn line(message: &Value) -> String {
    let mut line = message.to_string();
    line.push('\n');
    line
}
